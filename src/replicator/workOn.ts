/** Does one piece of work under its lease of the queue. */
import type { Clock } from "../core/clock.ts";
import { errorChain, errorCode, PaircastError } from "../core/errors.ts";
import { scrub } from "../core/log.ts";
import type { WorkItem, WorkQueue } from "../core/ports/work.ts";

export interface WorkOptions {
  readonly queue: WorkQueue;
  readonly clock: Clock;
  readonly leaseMs: number;
  /** How long work that may succeed later is hidden, for each time that it was taken. What was stopped is not hidden. */
  readonly retryMs: number;
  /** Work that fails when it was taken so often is buried with what went wrong, whatever that was; left out: the queue buries it, without. */
  readonly maxTakes?: number;
}

/**
 * `completed`; `released`: it failed with something that may pass; `buried`: it failed with something that will not; `lost`: another worker has it,
 * and what was done here must not count.
 */
export type WorkEnd = "completed" | "released" | "buried" | "lost";

/** Runs `work`, renewing the lease; the signal that it gets aborts when the lease is lost. Rejects only where the queue cannot be reached. */
export async function workOn(options: WorkOptions, item: WorkItem, work: (lost: AbortSignal) => Promise<void>): Promise<WorkEnd> {
  const lost = new AbortController();
  const done = new AbortController();
  const renewal = renew(options, item, done.signal, lost);
  let failure: { readonly error: unknown } | null = null;
  try {
    await work(lost.signal);
  } catch (error) {
    failure = { error };
  }
  done.abort();
  const held = await renewal;
  if (lost.signal.aborted) return "lost";
  try {
    return await end(options, held, failure);
  } catch (error) {
    if (errorCode(error) === "lease_lost") return "lost";
    throw error;
  }
}

/** The item to go on with. */
async function renew({ queue, clock, leaseMs }: WorkOptions, item: WorkItem, done: AbortSignal, lost: AbortController): Promise<WorkItem> {
  let held = item;
  while (!done.aborted) {
    try {
      await clock.sleep(leaseMs / 3, done);
    } catch {
      break;
    }
    try {
      held = await queue.renew(held, leaseMs);
    } catch (cause) {
      lost.abort(new PaircastError("lease_lost", `work ${item.id}: its lease could not be renewed`, { retry: "retry", cause }));
      break;
    }
  }
  return held;
}

async function end(
  { queue, retryMs, maxTakes = Number.POSITIVE_INFINITY }: WorkOptions,
  item: WorkItem,
  failure: { readonly error: unknown } | null,
): Promise<WorkEnd> {
  if (failure === null) {
    await queue.complete(item);
    return "completed";
  }
  const { error } = failure;
  const isStopped = errorCode(error) === "stopped";
  if ((error instanceof PaircastError && error.retry !== "retry") || (item.takes >= maxTakes && !isStopped)) {
    await queue.bury(item, scrub(`${errorCode(error)}: ${errorChain(error)}`));
    return "buried";
  }
  await queue.release(item, isStopped ? 0 : retryMs * item.takes);
  return "released";
}
