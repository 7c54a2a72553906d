import type { Canary, FailureReason, HealthSnapshot, Outcome, Service } from "../contracts.ts";

/** Reads health. `snapshot()` is a plain read of the newest immutable snapshot: no I/O, safe on the hot path. */
export interface HealthView {
  snapshot(): HealthSnapshot;
}

/**
 * What traffic saw of a region enters health by this door, the same that probes use. Never throws, never blocks.
 * `viewer` tells viewers apart (an address, a session id): failures count once enough different ones have them. Left out: the gateway itself,
 * one of them. A client that went away is nobody's failure and is not told here.
 */
export interface OutcomeSink {
  observe(region: string, service: Service, outcome: Outcome, viewer?: string): void;
}

/** One probe, as it is remembered. */
export interface ProbeRecord {
  /** When it began. */
  readonly at: number;
  readonly ok: boolean;
  readonly reason: FailureReason | null;
  readonly durationMs: number;
  /** What was seen, or what went wrong. */
  readonly detail: string;
}

/** The newest probes of a service, oldest first; empty for a service that is not there. */
export interface HealthHistory {
  history(region: string, service: Service): readonly ProbeRecord[];
}

/** What one probe on demand saw of a URL. */
export interface ProbeReport {
  readonly success: boolean;
  readonly durationSeconds: number;
  /** Seconds of each step that was reached: `manifest`, `playlist`, `index`, `init`, `segment`; `first_byte`, `transfer`; `handshake`. */
  readonly phases: Readonly<Record<string, number>>;
  /** Status of the last answer, null where there was none. */
  readonly statusCode: number | null;
  /** When the certificate ends, epoch seconds; null where there is none or it was not seen. */
  readonly tlsExpiry: number | null;
  readonly failureReason: FailureReason | null;
  /** For people: what was seen, or what went wrong. */
  readonly detail: string;
}

/**
 * Probes a URL of a configured region at once, for monitoring elsewhere.
 * Rejects with `probe_target` for what is no http(s) URL, with `not_configured` for what is not at a configured region, and with the reason of
 * `signal` when that aborts.
 */
export interface ProbeOnDemand {
  readonly modules: readonly string[];
  /** `module` is one of `modules`; `timeoutMs` is for the whole probe. */
  probe(module: string, target: string, timeoutMs: number, signal: AbortSignal): Promise<ProbeReport>;
}

/**
 * Keeps the last health over a restart: what each status is, since when and why, and nothing that passes by itself (shares, holds, pending
 * changes).
 * - `load` returns null where nothing was saved, or what was saved is too old to be believed or cannot be read. It never rejects for those.
 * - `save` replaces. It may be lost with the machine, and never holds up the process for long: it rejects instead.
 */
export interface HealthMemory {
  load(): Promise<HealthSnapshot | null>;
  save(snapshot: HealthSnapshot): Promise<void>;
}

/** Gives probes something real to play. Null where the region holds nothing that could be asked for. */
export interface CanarySource {
  canary(region: string): Promise<Canary | null>;
}
