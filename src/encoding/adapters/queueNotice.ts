/** Puts what became of jobs into a queue of Azure Storage, for somebody else to take. */
import type { QueueClient } from "@azure/storage-queue";
import { PaircastError } from "../../core/errors.ts";
import { scrub } from "../../core/log.ts";
import type { WrittenNotice } from "../notice.ts";

/** As long as nobody takes them. */
const FOREVER = -1;

/**
 * One message for each notice, in Base64 as readers of such queues expect it. Makes the queue where it is not there. Rejects with `notice_refused`
 * (retry): the notice may be in the queue all the same, and its `id` tells.
 */
export async function putNotice(queue: QueueClient, { text }: WrittenNotice, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const body = Buffer.from(text).toString("base64");
  try {
    await queue.sendMessage(body, { messageTimeToLive: FOREVER }).catch(async (error: unknown) => {
      if (statusOf(error) !== 404) throw error;
      await queue.createIfNotExists();
      await queue.sendMessage(body, { messageTimeToLive: FOREVER });
    });
  } catch (error) {
    const status = statusOf(error);
    const what = status === null ? "it cannot be reached" : `it answered ${status}`;
    throw new PaircastError("notice_refused", `put the notice of a job into queue ${queue.name}: ${what}; ${ADVICE}`, {
      retry: "retry",
      cause: cleaned(error),
    });
  }
}

const ADVICE = "see encoding.notify.queue";

function statusOf(error: unknown): number | null {
  return error instanceof Error && "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : null;
}

/** The SDK's error refers to the whole request, SAS included: only its first line goes on. */
function cleaned(error: unknown): Error | undefined {
  return error instanceof Error ? new Error(scrub(error.message.split("\n", 1)[0] ?? "")) : undefined;
}
