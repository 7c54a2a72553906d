/** Turns events into pieces of work. The same event may come again, late and in any order; a periodic pass finds what never comes. */
import { LRUCache } from "lru-cache";
import type { Clock } from "../../core/clock.ts";
import { errorChain, errorCode } from "../../core/errors.ts";
import { deliveryInMessage, eventKey, type GridEvent } from "../../core/events/envelope.ts";
import type { Log } from "../../core/log.ts";
import type { EventMessage, EventQueue } from "../../core/ports/events.ts";
import type { WorkQueue } from "../../core/ports/work.ts";
import { lookPiece, pieceText } from "../work/piece.ts";
import { looksOf, type EventPlace } from "./looks.ts";

export interface IntakeOptions {
  readonly queue: WorkQueue;
  readonly places: readonly EventPlace[];
  readonly clock: Clock;
  readonly log: Log;
}

/** Events that are remembered, so that one that comes again is no work again. */
const REMEMBERED = 20_000;
/** How many times an encoded asset is looked at until it is published: over some ten minutes. */
const LOOKS = 5;

export class EventIntake {
  readonly #options: IntakeOptions;
  readonly #seen = new LRUCache<string, true>({ max: REMEMBERED });

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Resolves when everything that follows from the events is in the queue. Rejects where it cannot be put: then they are to come again. */
  readonly take = async (events: readonly GridEvent[]): Promise<void> => {
    const { queue, places, clock, log } = this.#options;
    for (const event of events) {
      const key = eventKey(event);
      if (this.#seen.has(key)) continue;
      for (const { region, asset, soon } of looksOf(event, places)) {
        await queue.put(pieceText(lookPiece({ region, asset, at: clock.now(), full: true, again: soon ? LOOKS : 0 })));
        log.debug("events.look", { region, asset, type: event.eventType });
      }
      this.#seen.set(key, true);
    }
  };
}

/** A message that cannot be read is no better the next time. */
const UNREADABLE_TAKES = 3;
const EMPTY_MS = 5_000;

/** Takes events from a queue until `stop` aborts. Never rejects. */
export async function followEvents(
  events: EventQueue,
  intake: Pick<EventIntake, "take">,
  { clock, log }: Pick<IntakeOptions, "clock" | "log">,
  stop: AbortSignal,
) {
  let failing = false;
  while (!stop.aborted) {
    try {
      const messages = await events.receive();
      for (const message of messages) await takeMessage(message, events, intake, log);
      failing = false;
      if (messages.length > 0) continue;
    } catch (error) {
      if (!failing) log.error("events.queue_unavailable", { code: errorCode(error), error: errorChain(error) });
      failing = true;
    }
    await clock.sleep(EMPTY_MS, stop).catch(() => undefined);
  }
}

async function takeMessage(message: EventMessage, events: EventQueue, intake: Pick<EventIntake, "take">, log: Log): Promise<void> {
  const delivery = deliveryInMessage(message.body);
  if (delivery?.kind === "events" && delivery.malformed === 0) await intake.take(delivery.events);
  else if (message.takes < UNREADABLE_TAKES) return;
  else log.warn("events.malformed", { message: message.id, takes: message.takes });
  await events.done(message);
}
