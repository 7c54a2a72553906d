/** What every work queue has in common: its limits and its errors. */
import { PaircastError } from "../core/errors.ts";
import type { WorkItem } from "../core/ports/work.ts";

/** 64 KiB of a storage queue's message, less what base64 adds. */
const MAX_BODY_BYTES = 49_152;
/** A storage queue hides a message no longer. */
const MAX_DELAY_MS = 7 * 86_400_000;

/** Throws where a queue may not keep this, or not for so long. */
export function checkWork(body: string, delayMs: number): void {
  const bytes = Buffer.byteLength(body);
  if (bytes > MAX_BODY_BYTES)
    throw new PaircastError(
      "work_too_large",
      `put work into a queue: it has ${bytes} bytes, at most ${MAX_BODY_BYTES} fit; store it and put its name`,
    );
  if (delayMs > MAX_DELAY_MS) throw new PaircastError("work_too_late", "put work into a queue: it can be put off by seven days at most");
}

export function workLost({ id }: WorkItem): PaircastError {
  return new PaircastError("lease_lost", `work ${id}: another worker has taken it, or it is gone`, { retry: "retry" });
}

/** Why work is buried that nobody completed. */
export function exhausted(maxTakes: number): string {
  return `taken ${maxTakes} times and never completed`;
}
