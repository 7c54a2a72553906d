/** Replication as part of `serve`: a pass, a pause, a pass. */
import { errorChain, errorCode } from "../core/errors.ts";
import type { JobDeps } from "./jobDeps.ts";
import { replicationPass, type PassOptions, type PassSummary, type ReplicationDriver } from "./pass.ts";

export interface LoopOptions extends Omit<PassOptions, "full" | "assetName"> {
  /** Pause between the end of a pass and the next. */
  readonly intervalMs: number;
  /** How often everything is looked at again, also what the catalogue has as verified. The first pass does. */
  readonly fullIntervalMs: number;
  readonly onPass?: (summary: PassSummary) => void;
}

/** Runs until `stop` aborts, and resolves once what was under way has come to a halt between two blobs. Never rejects. */
export async function replicationLoop(deps: JobDeps, driver: ReplicationDriver, options: LoopOptions, stop: AbortSignal): Promise<void> {
  const { clock, log } = deps;
  let fullAt = -Infinity;
  while (!stop.aborted) {
    const full = clock.monotonic() - fullAt >= options.fullIntervalMs;
    try {
      if (full) fullAt = clock.monotonic();
      const summary = await replicationPass(deps, driver, { ...options, full, assetName: null }, stop);
      options.onPass?.(summary);
    } catch (error) {
      if (!stop.aborted) log.error("replication.pass_failed", { code: errorCode(error), error: errorChain(error) });
    }
    await pause(deps, options.intervalMs, stop);
  }
}

async function pause({ clock }: JobDeps, ms: number, stop: AbortSignal): Promise<void> {
  try {
    await clock.sleep(ms, stop);
  } catch {
    // The stop is seen by the loop.
  }
}
