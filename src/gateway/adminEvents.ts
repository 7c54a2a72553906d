/** Server-sent events: what changes, as it changes, for the status page and for people with curl. */
import type { Clock } from "../core/clock.ts";
import type { FailureReason, HealthStatus, Override, RegionCopy, Service } from "../core/contracts.ts";
import type { OverrideEvent } from "../core/ports/overrides.ts";

/** What listeners are told. `type` is the event's name on the wire, the whole object its data. */
export type StatusEvent =
  | {
      readonly type: "health";
      readonly region: string;
      readonly service: Service;
      readonly from: HealthStatus;
      readonly to: HealthStatus;
      readonly reason: FailureReason | null;
      readonly detail: string | null;
      readonly at: number;
    }
  /** An operator's override came or went, here or at another gateway that shares the store; `by` did it. */
  | {
      readonly type: "override";
      readonly action: OverrideEvent["action"];
      readonly override: Override;
      readonly by: string;
      readonly at: number;
    }
  /** An entry was written or removed; `regions` is empty when removed. */
  | {
      readonly type: "catalogue";
      readonly locatorId: string;
      readonly regions: Readonly<Record<string, RegionCopy["state"]>>;
      readonly at: number;
    };

/**
 * Where events come from. `subscribe` returns its own undoing, which may be called more than once. Listeners never throw, and are called
 * in the order of the events.
 */
export interface StatusEvents {
  subscribe(listener: (event: StatusEvent) => void): () => void;
}

/** A page has one; more than this is a leak somewhere. */
const MAX_LISTENERS = 64;
/** A listener that lets so many wait is cut off; it reconnects and reads /api/status. */
const MAX_QUEUED = 256;
const HEARTBEAT_MS = 15_000;

export class EventStreams {
  readonly #events: StatusEvents;
  readonly #clock: Clock;
  #listeners = 0;

  constructor(events: StatusEvents, clock: Clock) {
    this.#events = events;
    this.#clock = clock;
  }

  /** One listener's stream until `signal` aborts; null where there are too many. */
  open(signal: AbortSignal): ReadableStream<Uint8Array> | null {
    if (this.#listeners >= MAX_LISTENERS) return null;
    this.#listeners += 1;
    const ended = new AbortController();
    const encoder = new TextEncoder();
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          const send = (name: string, data: object) => {
            if (ended.signal.aborted) return;
            controller.enqueue(encoder.encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`));
            if ((controller.desiredSize ?? 0) <= 0) ended.abort();
          };
          const unsubscribe = this.#events.subscribe((event) => {
            send(event.type, event);
          });
          ended.signal.addEventListener("abort", () => {
            this.#listeners -= 1;
            unsubscribe();
            closeQuietly(controller);
          });
          onAbort(signal, () => {
            ended.abort();
          });
          send("heartbeat", { at: this.#clock.now() });
          void this.#beat(send, ended.signal);
        },
        cancel: () => {
          ended.abort();
        },
      },
      new CountQueuingStrategy({ highWaterMark: MAX_QUEUED }),
    );
  }

  /** Keeps proxies from closing a quiet connection. */
  async #beat(send: (name: string, data: object) => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(HEARTBEAT_MS, signal).catch(() => undefined);
      send("heartbeat", { at: this.#clock.now() });
    }
  }
}

function onAbort(signal: AbortSignal, act: () => void): void {
  if (signal.aborted) act();
  else signal.addEventListener("abort", act, { once: true });
}

/** A stream that its reader has cancelled is closed already. */
function closeQuietly(controller: ReadableStreamDefaultController<Uint8Array>): void {
  try {
    controller.close();
  } catch {
    return;
  }
}
