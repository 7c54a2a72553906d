/** The faults that a bench origin can have, and what they can befall. Each is what a player meets, not what a monitor is told. */

/**
 * - `process` what is done to the origin's process · `region` both services · `manifest`, `live`, `segment` the streaming service · `key` the
 *   key service · `certificate` of both · `clock` of the streaming service
 */
export type FaultClass = "process" | "region" | "manifest" | "live" | "segment" | "key" | "certificate" | "clock";

const FAULT_CLASSES = {
  /** SIGKILL: the kernel answers for the dead. */
  killed: "process",
  /** SIGSTOP: the kernel accepts connections that nobody answers. */
  stopped: "process",
  refuse: "region",
  blackhole: "region",
  reset: "region",
  "503": "region",
  "manifest-503": "manifest",
  "manifest-404": "manifest",
  /** 200 with a sign-in page. */
  "manifest-html": "manifest",
  /** Ends after half of the announced bytes. */
  "manifest-half": "manifest",
  /** First byte after 1.8 s. */
  "manifest-slow": "manifest",
  /** A live playlist or MPD that does not change any more. */
  stale: "live",
  /** Goes on a minute earlier. */
  backwards: "live",
  /** Loses its newest segment once a second. */
  shrinks: "live",
  /** Names its published segments otherwise in every second, as two packagers behind one name do. */
  rewritten: "live",
  "segments-503": "segment",
  "segments-404": "segment",
  "segments-garbage": "segment",
  "segments-html": "segment",
  /** End after half of the announced bytes. */
  "segments-truncated": "segment",
  /** A quarter of the bitrate of the lowest variant. */
  "segments-slow": "segment",
  "init-missing": "segment",
  "rendition-missing": "segment",
  "audio-missing": "segment",
  "key-401": "key",
  "key-403": "key",
  "key-503": "key",
  /** 200 with the text `Forbidden`. */
  "key-forbidden": "key",
  "key-html": "key",
  /** The key with a line end after it. */
  "key-17-bytes": "key",
  "key-wrong": "key",
  "key-refuse": "key",
  "key-reset": "key",
  "key-blackhole": "key",
  "certificate-expired": "certificate",
  /** Date field, programme date-time, availability and UTC timing are an hour ahead. */
  "clock-skew": "clock",
} as const satisfies Readonly<Record<string, FaultClass>>;

export type Fault = keyof typeof FAULT_CLASSES;

export const FAULTS = Object.keys(FAULT_CLASSES) as readonly Fault[];

export function isFault(name: string): name is Fault {
  return Object.hasOwn(FAULT_CLASSES, name);
}

export function faultClass(fault: Fault): FaultClass {
  return FAULT_CLASSES[fault];
}

/** Nothing of the region's answers: no probe has to understand media to see these. */
export const HARD_FAULTS: ReadonlySet<Fault> = new Set(["killed", "stopped", "refuse", "blackhole", "reset", "503"]);

/** The key service does not answer, or answers 503: a proxy can ask another region within the same request. */
export const HARD_KEY_FAULTS: ReadonlySet<Fault> = new Set(["key-503", "key-refuse", "key-reset", "key-blackhole"]);

export type Protocol = "hls" | "dash";

/** What is played. */
export interface Video {
  readonly protocol: Protocol;
  readonly encrypted: boolean;
  readonly live: boolean;
}

export const VIDEOS: readonly Video[] = (["hls", "dash"] as const).flatMap((protocol) =>
  [false, true].flatMap((encrypted) => [true, false].map((live) => ({ protocol, encrypted, live }))),
);

/** Whether the fault can be met by those who play this video. */
export function applies(fault: Fault, { encrypted, live }: Video): boolean {
  const kind = faultClass(fault);
  if (kind === "key") return encrypted;
  return kind === "live" || kind === "clock" ? live : true;
}
