/** Holds a job's lease while it is worked on, so that two processes never work on the same job. */
import type { Clock } from "../core/clock.ts";
import { PaircastError } from "../core/errors.ts";
import type { Journal } from "../core/ports/journal.ts";

export interface LeaseOptions {
  readonly journal: Pick<Journal, "acquire" | "release">;
  readonly clock: Clock;
  /** Names this process; a random GUID. */
  readonly owner: string;
  readonly leaseMs: number;
  /** False: one that is held is not waited for. Default true. */
  readonly wait?: boolean;
}

/** Of this process, so far. */
let takes = 0;

/**
 * Runs `work` under the lease of `jobId`, renewing it; the signal that `work` gets aborts when the lease is lost. Beside it, `work` gets the owner
 * in whose name it holds the lease: this process and this very take, so that what a take that lost its lease still writes is refused, also after
 * the process has taken the job again. A lease that a crashed process left is waited for until it runs out; one that is renewed meanwhile fails
 * with `job_busy` (retry).
 */
export async function withLease<T>(
  process: LeaseOptions,
  jobId: string,
  stop: AbortSignal | undefined,
  work: (lost: AbortSignal, owner: string) => Promise<T>,
): Promise<T> {
  takes += 1;
  const options = { ...process, owner: `${process.owner}/${takes}` };
  await acquire(options, jobId, stop);
  const lost = new AbortController();
  const done = new AbortController();
  const renewal = renew(options, jobId, done.signal, lost);
  try {
    return await work(lost.signal, options.owner);
  } finally {
    done.abort();
    await renewal;
    await options.journal.release(jobId, options.owner);
  }
}

async function acquire({ journal, clock, owner, leaseMs, wait = true }: LeaseOptions, jobId: string, stop?: AbortSignal): Promise<void> {
  const until = clock.monotonic() + (wait ? leaseMs * 1.2 : 0);
  while (!(await journal.acquire(jobId, owner, clock.now(), leaseMs))) {
    if (clock.monotonic() >= until)
      throw new PaircastError("job_busy", `replicate ${jobId}: another process is working on it`, { retry: "retry" });
    await clock.sleep(leaseMs / 10, stop);
  }
}

async function renew(options: LeaseOptions, jobId: string, done: AbortSignal, lost: AbortController): Promise<void> {
  const { journal, clock, owner, leaseMs } = options;
  while (!done.aborted) {
    try {
      await clock.sleep(leaseMs / 3, done);
    } catch {
      return;
    }
    try {
      if (await journal.acquire(jobId, owner, clock.now(), leaseMs)) continue;
      lost.abort(new PaircastError("lease_lost", `replicate ${jobId}: another process has taken the job over`, { retry: "retry" }));
    } catch (cause) {
      lost.abort(new PaircastError("lease_lost", `replicate ${jobId}: the lease could not be renewed`, { retry: "retry", cause }));
    }
    return;
  }
}
