/** Deletions as part of `serve`: a round, a pause, a round. */
import { errorChain, errorCode } from "../../core/errors.ts";
import type { DeletionDeps } from "./deps.ts";
import { reviewDeletions, type ReviewSummary } from "./review.ts";

export interface DeletionLoopOptions {
  readonly everyMs: number;
  readonly onRound: (summary: ReviewSummary) => void;
}

/** Runs until `stop` aborts. Never rejects. */
export async function deletionLoop(deps: DeletionDeps, { everyMs, onRound }: DeletionLoopOptions, stop: AbortSignal): Promise<void> {
  const { clock, log } = deps;
  while (!stop.aborted) {
    try {
      onRound(await reviewDeletions(deps, stop));
    } catch (error) {
      // Another process is at it: its round counts for all.
      if (!stop.aborted && errorCode(error) !== "job_busy")
        log.error("deletion.round_failed", { code: errorCode(error), error: errorChain(error) });
    }
    await clock.sleep(everyMs, stop).catch(() => undefined);
  }
}
