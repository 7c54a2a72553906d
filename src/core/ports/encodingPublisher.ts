import type { EncodingMessage } from "../encoding.ts";

/**
 * Takes what became of jobs to those who have to know: the replicator, and whoever listens outside.
 * `publish` resolves once it is in their hands for good. It is called again with the same message where that is not known, also by another
 * process and days later: a message whose `id` was taken before is dropped. What rejects is tried again.
 */
export interface EncodingPublisher {
  publish(message: EncodingMessage, signal: AbortSignal): Promise<void>;
}
