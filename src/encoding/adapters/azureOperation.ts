/** Waits for what the service goes on with after its answer. */
import type { Clock } from "../../core/clock.ts";
import { retryAfterMs } from "../../core/retryAfter.ts";

/** The part of the SDK's pollers that is used. */
export interface Operation {
  isDone(): boolean;
  poll(options: { readonly abortSignal: AbortSignal }): Promise<unknown>;
}

/** What the SDK takes with each request of an operation. */
export interface OperationCall {
  readonly abortSignal: AbortSignal;
  readonly onResponse: (answer: { readonly headers: Parameters<typeof retryAfterMs>[0] }) => void;
}

export interface OperationOptions {
  readonly clock: Clock;
  /** Longest pause between two looks, where the service does not ask for a longer one. Milliseconds. */
  readonly pollMs: number;
  readonly signal: AbortSignal;
}

/** Most are done soon; others take minutes. What has just ended is noticed after half as long again, at most. */
const FIRST_MS = 250;
const GROWTH = 1.5;

/**
 * Begins something and looks at it, ever more seldom, until it has come to its end. Rejects as the SDK does, also for an operation that has failed.
 * The SDK's own loop would wait once more after the end, with a timer that keeps the process alive, and no signal ends its waiting.
 */
export async function operate(
  begin: (call: OperationCall) => Promise<Operation>,
  { clock, pollMs, signal: abortSignal }: OperationOptions,
): Promise<void> {
  let askedMs = 0;
  const onResponse: OperationCall["onResponse"] = ({ headers }) => {
    askedMs = retryAfterMs(headers, clock.now()) ?? 0;
  };
  const operation = await begin({ abortSignal, onResponse });
  for (let ownMs = FIRST_MS; !operation.isDone(); ownMs *= GROWTH) {
    await clock.sleep(Math.max(askedMs, Math.min(ownMs, pollMs)), abortSignal);
    await operation.poll({ abortSignal });
  }
}
