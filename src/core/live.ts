/** The words of live events that are paired over regions. Pure. */
import type { CatalogueEntry } from "./contracts.ts";
import type { StreamingPolicy, Tree, TreeObject } from "./media.ts";

export const LIVE_PROTOCOLS = ["rtmp", "fmp4"] as const;
export type LiveProtocol = (typeof LIVE_PROTOCOLS)[number];

/** `passthrough` hands on what the encoder sends, `passthrough-basic` at most 5 Mbit/s of it; the others encode in the service. */
export const LIVE_ENCODINGS = ["passthrough", "passthrough-basic", "standard", "premium1080p"] as const;
export type LiveEncoding = (typeof LIVE_ENCODINGS)[number];

export const LIVE_STATES = ["stopped", "allocating", "standby", "starting", "running", "stopping", "deleting", "creating"] as const;
export type LiveState = (typeof LIVE_STATES)[number];

/** What cannot be changed once an event is made, and has to be the same in every region: else the streams are not aligned. */
export interface LiveSettings {
  readonly protocol: LiveProtocol;
  readonly encoding: LiveEncoding;
  /** Milliseconds; null: the service's own choice, as encoding events have it. */
  readonly keyFrameMs: number | null;
}

/** What names an asset that a live output writes to. The replicator leaves alone what is named so: each region records its own. */
export const LIVE_PREFIX = "paircast-live-";
/** Description of the events that are made here. */
export const LIVE_DESCRIPTION = "One of a pair, made by paircast";

/** Name of asset, live output and locator in every region. */
export function liveName(event: string): string {
  return `${LIVE_PREFIX}${event}`;
}

export function isLiveAsset(assetName: string): boolean {
  return assetName.toLowerCase().startsWith(LIVE_PREFIX);
}

export function isLive({ assetName }: Pick<CatalogueEntry, "assetName">): boolean {
  return isLiveAsset(assetName);
}

/** The event's name; for entries of which `isLive` holds. */
export function eventOf({ assetName }: Pick<CatalogueEntry, "assetName">): string {
  return assetName.slice(LIVE_PREFIX.length);
}

/** ARM names are compared without regard to case, and containers have lower-case ones. */
export function liveContainer(event: string): string {
  return liveName(event).toLowerCase();
}

/** Letters and digits in groups with single hyphens between them, 32 at most: good for events, outputs, locators and containers. */
export function isEventName(text: string): boolean {
  return text.length <= 32 && /^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$/.test(text);
}

const DURATION = /^P(?=\d|T\d)(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;

/** Milliseconds of an ISO 8601 duration of days, hours, minutes and seconds; null for anything else. */
export function durationMs(text: string): number | null {
  const match = DURATION.exec(text);
  if (match === null) return null;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return Math.round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000);
}

/** `PT2S`, `PT4H`. */
export function durationText(ms: number): string {
  if (ms % 3_600_000 === 0) return `PT${ms / 3_600_000}H`;
  return ms % 60_000 === 0 ? `PT${ms / 60_000}M` : `PT${ms / 1000}S`;
}

export interface LiveManifests {
  readonly hls: string | null;
  readonly dash: string | null;
}

/** What stands in URLs for each encryption, the plainest first. */
const SCHEMES = [
  { field: "noEncryption", hls: "", dash: "" },
  { field: "envelopeEncryption", hls: ",encryption=cbc", dash: ",encryption=cbc" },
  { field: "commonEncryptionCenc", hls: null, dash: ",encryption=cenc" },
  { field: "commonEncryptionCbcs", hls: ",encryption=cbcs-aapl", dash: ",encryption=cbcs-aapl" },
] as const;

/**
 * Paths of the manifests that a streaming policy allows. They follow from names, so that they are known before anything is on air: a service lists
 * none until then. Null where the policy does not allow the protocol.
 */
export function liveManifests(locatorId: string, event: string, policy: StreamingPolicy): LiveManifests {
  const base = `/${locatorId}/${event}.ism/manifest`;
  const path = (protocol: "hls" | "dash", format: string): string | null => {
    const scheme = SCHEMES.find((each) => each[protocol] !== null && allows(policy.properties, each.field, protocol));
    return scheme === undefined ? null : `${base}(format=${format}${scheme[protocol] ?? ""})`;
  };
  return { hls: path("hls", "m3u8-cmaf"), dash: path("dash", "mpd-time-cmaf") };
}

function allows(policy: TreeObject, field: string, protocol: "hls" | "dash"): boolean {
  const protocols = branch(branch(policy[field])?.["enabledProtocols"]);
  return protocols?.[protocol] === true;
}

function branch(tree: Tree | undefined): TreeObject | null {
  const isBranch =
    typeof tree === "object" && tree !== null && !Array.isArray(tree) && !(tree instanceof Date) && !(tree instanceof Uint8Array);
  return isBranch ? (tree as TreeObject) : null;
}
