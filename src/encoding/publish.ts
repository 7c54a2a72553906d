/** Hands what is in the outbox to the publisher, and removes what that has taken. */
import type { Clock } from "../core/clock.ts";
import type { EncodingPublisher } from "../core/ports/encodingPublisher.ts";
import type { EncodingStore } from "../core/ports/encodingStore.ts";

export interface OutboxOptions {
  readonly store: EncodingStore;
  readonly publisher: EncodingPublisher;
  readonly clock: Clock;
  readonly leaseMs: number;
  /** For one message. */
  readonly timeoutMs: number;
  readonly stop: AbortSignal;
}

const BATCH = 100;

/** True where there may be more. What could not be handed over is tried again once the lease has run out; rejects with the first reason. */
export async function publishOutbox({ store, publisher, clock, leaseMs, timeoutMs, stop }: OutboxOptions): Promise<boolean> {
  const messages = await store.outbox(clock.now(), leaseMs, BATCH);
  const results = await Promise.allSettled(
    messages.map(async (message) => {
      using deadline = clock.deadline(timeoutMs);
      await publisher.publish(message, AbortSignal.any([deadline.signal, stop]));
      return message.id;
    }),
  );
  await store.settle(results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : [])));
  const failure = results.find((result) => result.status === "rejected");
  if (failure !== undefined) throw failure.reason;
  return messages.length === BATCH;
}
