/** What a probe is, and the frame in which one runs: bounded in time, failures in the words of the contracts. */
import type { Clock } from "../../core/clock.ts";
import type { FailureReason, Outcome, Signal } from "../../core/contracts.ts";
import { HttpFailure } from "../../core/http.ts";
import { PlaybackFailure } from "../../core/playback/failure.ts";

/** What a probe found. `detail` is for people and holds no secret. */
export type Finding =
  | {
      readonly ok: true;
      readonly detail: string;
      /** What speaks against the service although it works; left out: nothing. */
      readonly signals?: readonly Signal[];
      /** Milliseconds after which a live stream that has not gone on by then would be stale: look again then, if not before. */
      readonly lookAgainMs?: number;
    }
  | { readonly ok: false; readonly reason: FailureReason; readonly detail: string };

/**
 * Looks once at one service as a player would. Rejects with `HttpFailure` or `PlaybackFailure` for what the region did, or with anything
 * else for what is not the region's doing. Asked one at a time or overlapping; knows nothing of state.
 */
export type Probe = (signal: AbortSignal) => Promise<Finding>;

export interface Look {
  readonly outcome: Outcome;
  readonly detail: string;
  /** See `Finding`. */
  readonly lookAgainMs?: number;
}

export interface LookOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Aborts when the monitor stops. */
  readonly signal: AbortSignal;
}

/** Runs a probe with its deadline. Rejects only when `signal` aborts, or with an error that says nothing about the region. */
export async function look(probe: Probe, options: LookOptions): Promise<Look> {
  const { clock } = options;
  const began = clock.monotonic();
  const finding = await findingOf(probe, options);
  const durationMs = clock.monotonic() - began;
  const { detail } = finding;
  if (finding.ok) {
    const { signals = [], lookAgainMs } = finding;
    const outcome: Outcome = { ok: true, durationMs, ...(signals.length === 0 ? {} : { signals }) };
    return { outcome, detail, ...(lookAgainMs === undefined ? {} : { lookAgainMs }) };
  }
  return { outcome: { ok: false, durationMs, reason: finding.reason, detail }, detail };
}

async function findingOf(probe: Probe, { clock, timeoutMs, signal }: LookOptions): Promise<Finding> {
  // Not AbortSignal.any: a combined signal that is listened to is kept for as long as the monitor's own signal lives.
  const end = new AbortController();
  const stop = (): void => {
    end.abort(signal.reason);
  };
  signal.addEventListener("abort", stop, { once: true });
  using deadline = clock.deadline(timeoutMs);
  deadline.signal.addEventListener("abort", () => {
    end.abort(deadline.signal.reason);
  });
  try {
    if (signal.aborted) stop();
    return await Promise.race([probe(end.signal), aborted(end.signal)]);
  } catch (error) {
    if (signal.aborted) throw error;
    if (deadline.signal.aborted) return { ok: false, reason: "timeout", detail: `no answer within ${timeoutMs} ms` };
    return findingFrom(error);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** What a failure says of the region. Throws the error again where it says nothing. */
export function findingFrom(error: unknown): Finding {
  if (error instanceof HttpFailure || error instanceof PlaybackFailure) return { ok: false, reason: error.reason, detail: error.message };
  throw error;
}

/** Holds the deadline even where what is asked does not heed its signal. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    };
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}
