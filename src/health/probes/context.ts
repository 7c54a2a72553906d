/** What the probes of all regions share: how to ask, what was seen of keys and certificates, whom to tell. */
import type { Clock } from "../../core/clock.ts";
import type { FailureReason, Service } from "../../core/contracts.ts";
import { HttpFailure } from "../../core/http.ts";
import { askTwice } from "../../core/playback/get.ts";
import type { Fingerprint } from "../../core/ports/fingerprint.ts";
import type { CanarySource } from "../../core/ports/health.ts";
import type { CertificateSource, HttpAnswer, HttpClient, PeerCertificate } from "../../core/ports/http.ts";
import type { ProbedRegion } from "./canary.ts";
import type { KeyDoor } from "../../core/playback/keyPlace.ts";
import { KeyReferences } from "./keyReferences.ts";
import { PlaylistKeys } from "./playlistKeys.ts";
import type { SignalLimits } from "./signals.ts";

/** Told of what does not drain a region and yet wants somebody to act. */
export interface ProbeEvents {
  /** A key server refuses (or no longer refuses) a token that should be good. */
  readonly unauthorized: (region: string, service: Service, detail: string | null) => void;
  /** Regions answer different keys (or no longer do), and nothing says which is right. */
  readonly keyDisputed: (region: string, detail: string | null) => void;
}

export interface ProbeOptions {
  readonly http: HttpClient;
  readonly canaries: CanarySource;
  readonly timeoutMs: number;
  readonly fingerprint: Fingerprint;
  readonly clock: Clock;
  readonly signals: SignalLimits;
  /** How long what was seen of a key counts. Default a minute; longer than a few probes. */
  readonly freshMs?: number;
  /** How the gateway's own key URLs are recognised. Default: not at all. */
  readonly keyDoor?: KeyDoor;
  /** Left out: certificates are looked at only by the requests themselves. */
  readonly certificates?: CertificateSource;
  readonly events?: ProbeEvents;
}

export interface ProbeContext extends ProbeOptions {
  readonly regions: readonly ProbedRegion[];
  readonly keyDoor: KeyDoor;
  readonly events: ProbeEvents;
  readonly references: KeyReferences;
  readonly playlistKeys: (region: string) => PlaylistKeys;
  /** Makes a handshake with the origin of `url`, unless one was made within the last second. Rejects with `HttpFailure`. */
  readonly handshake: (url: string) => Promise<PeerCertificate | null>;
}

const FRESH_MS = 60_000;
/** Nothing that a URL can be. */
const NO_DOOR: KeyDoor = { prefix: "\u0000", host: null };

export function probeContext(regions: readonly ProbedRegion[], options: ProbeOptions): ProbeContext {
  const { clock, freshMs = FRESH_MS } = options;
  const learned = new Map(regions.map(({ name }) => [name, new PlaylistKeys(freshMs, () => clock.monotonic())]));
  return {
    ...options,
    regions,
    keyDoor: options.keyDoor ?? NO_DOOR,
    events: options.events ?? { unauthorized: () => undefined, keyDisputed: () => undefined },
    references: new KeyReferences(freshMs, () => clock.monotonic()),
    playlistKeys: (region) => learned.get(region) ?? new PlaylistKeys(freshMs, () => clock.monotonic()),
    handshake: sharedHandshakes(options),
  };
}

const HANDSHAKE_MS = 1_000;

/** Streaming and keys, and the canaries of each, are often at one host. */
function sharedHandshakes({ certificates, clock, timeoutMs }: ProbeOptions): ProbeContext["handshake"] {
  const latest = new Map<string, { readonly at: number; readonly peer: Promise<PeerCertificate | null> }>();
  return async (url) => {
    if (certificates === undefined) return null;
    const { origin } = new URL(url);
    const known = latest.get(origin);
    if (known !== undefined && clock.monotonic() - known.at < HANDSHAKE_MS) return known.peer;
    const peer = certificates.peer(url, timeoutMs);
    latest.set(origin, { at: clock.monotonic(), peer });
    return peer;
  };
}

export interface AskOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

const ANSWER_BYTES = 64 * 1024;

/** Asks for a key, once more after what may be chance. Rejects with `HttpFailure`. */
export async function askForKey({ http, timeoutMs }: ProbeContext, url: string, options: AskOptions): Promise<HttpAnswer> {
  return askTwice(async () => http.ask({ method: "GET", url, timeoutMs, maxBytes: ANSWER_BYTES, ...options }), options.signal);
}

/** How a request failed, in the words of the contracts; null where it says nothing about the region. */
export function reasonOf(error: unknown): FailureReason | null {
  return error instanceof HttpFailure ? error.reason : null;
}
