/** How much work waits, and how much has been given up, for the metrics of `serve`. */
import type { WorkQueue } from "../core/ports/work.ts";
import type { Foundations } from "./foundations.ts";

const MEASURE_MS = 30_000;
/** Enough to see that there are many. */
const LETTERS = 1_000;

/** Runs until `stop` aborts; at once where there is no queue. Never rejects. */
export async function measureWorkInLoop({ config, openWork, metrics, clock }: Foundations, stop: AbortSignal): Promise<void> {
  if (!config.replication.enabled || openWork === null) return;
  let queue: WorkQueue | null = null;
  while (!stop.aborted) {
    try {
      queue ??= await openWork();
      metrics.work.queue(await queue.pending(), (await queue.deadLetters(LETTERS)).length);
    } catch {
      // Whoever works says that the queue cannot be reached; the figures stay as they were.
    }
    await clock.sleep(MEASURE_MS, stop).catch(() => undefined);
  }
  await queue?.[Symbol.asyncDispose]();
}
