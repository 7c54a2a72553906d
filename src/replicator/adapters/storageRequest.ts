/** One request to a blob service: bounded in time, its errors translated. */
import type { Clock } from "../../core/clock.ts";
import { storageError, translated } from "./azureBlobErrors.ts";

export interface RequestBounds {
  /** For the error: what was tried and where. */
  readonly what: string;
  readonly clock: Clock;
  /** For all tries of the SDK together. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Rejects with the reason of `signal` where that aborts, with `storage_unavailable` when the time is up. */
export async function boundedRequest<T>(bounds: RequestBounds, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { what, clock, timeoutMs, signal } = bounds;
  signal?.throwIfAborted();
  using deadline = clock.deadline(timeoutMs);
  try {
    return await send(signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]));
  } catch (error) {
    signal?.throwIfAborted();
    if (deadline.signal.aborted) throw storageError("storage_unavailable", what, deadline.signal.reason);
    throw translated(error, what);
  }
}
