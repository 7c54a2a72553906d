/** Event subscriptions of a media account: at least once, in no order, tried again for a day, as Event Grid does; and worse where it is told so. */
import type { Clock, Random } from "../../core/clock.ts";
import { errorChain } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { openDestination, type Destination, type DestinationAddress } from "./destination.ts";
import { delaysOf, drawsOf, UNDISTURBED, type Disturbance } from "./disturbance.ts";
import type { GridEvent } from "./jobEvents.ts";

export interface SubscriptionRequest {
  readonly name: string;
  readonly destination: DestinationAddress;
  /** With the prefix `Microsoft.Media.`; empty: all. */
  readonly eventTypes: readonly string[];
}

/** Without secrets. */
export interface SubscriptionView {
  readonly name: string;
  readonly kind: DestinationAddress["kind"];
  /** Without its query. */
  readonly url: string;
  readonly eventTypes: readonly string[];
  readonly counts: Readonly<Counts>;
}

interface Counts {
  delivered: number;
  /** Tries that were refused. */
  refused: number;
  /** On purpose. */
  lost: number;
  /** After all tries, or because too many wait. */
  givenUp: number;
  pending: number;
}

export interface EventGridOptions {
  /** Resource id of the account. */
  readonly topic: string;
  readonly clock: Clock;
  /** Of ids, and of disturbances without a seed. */
  readonly random: Random;
  readonly log: Log;
}

/** Event Grid's own, in seconds; the last is repeated. https://learn.microsoft.com/azure/event-grid/delivery-and-retry */
const RETRY_AFTER_S = [10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200] as const;
const MOST_TRIES = 30;
const LONGEST_MS = 24 * 3_600_000;
const MOST_PENDING = 10_000;

interface Subscription extends SubscriptionRequest {
  readonly to: Destination;
  readonly stop: AbortController;
  readonly counts: Counts;
}

export class EventGrid implements AsyncDisposable {
  readonly #options: EventGridOptions;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #running = new Set<Promise<void>>();
  #disturbance = UNDISTURBED;
  #draws: Pick<Random, "next">;

  constructor(options: EventGridOptions) {
    this.#options = options;
    this.#draws = options.random;
  }

  get disturbance(): Disturbance {
    return this.#disturbance;
  }

  /** For events from now on. A seed begins anew each time that it is given. */
  disturb(wanted: Partial<Disturbance>): void {
    this.#disturbance = { ...this.#disturbance, ...wanted };
    if (wanted.seed !== undefined) this.#draws = wanted.seed === null ? this.#options.random : drawsOf(wanted.seed);
  }

  calm(): void {
    this.disturb(UNDISTURBED);
  }

  /** Replaces the one of that name. Throws `subscription_refused` where the webhook does not answer the handshake. */
  async subscribe(request: SubscriptionRequest): Promise<SubscriptionView> {
    const to = await openDestination(request.destination, this.#options.topic, this.#options);
    this.unsubscribe(request.name);
    const counts = { delivered: 0, refused: 0, lost: 0, givenUp: 0, pending: 0 };
    const subscription = { ...request, to, stop: new AbortController(), counts };
    this.#subscriptions.set(request.name, subscription);
    return view(subscription);
  }

  /** False: there is none of that name. What was under way to it is dropped. */
  unsubscribe(name: string): boolean {
    this.#subscriptions.get(name)?.stop.abort();
    return this.#subscriptions.delete(name);
  }

  subscriptions(): SubscriptionView[] {
    return [...this.#subscriptions.values()].map(view);
  }

  publish(event: GridEvent): void {
    for (const subscription of this.#subscriptions.values()) {
      const { eventTypes, counts } = subscription;
      if (eventTypes.length > 0 && !eventTypes.includes(event.eventType)) continue;
      const delays = delaysOf(this.#disturbance, this.#draws);
      if (delays.length === 0) counts.lost += 1;
      for (const delay of delays) this.#start(subscription, event, delay);
    }
  }

  /** Drops what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#subscriptions.keys()) this.unsubscribe(name);
    await Promise.all(this.#running);
  }

  #start(subscription: Subscription, event: GridEvent, delay: number): void {
    const { counts } = subscription;
    if (counts.pending >= MOST_PENDING) {
      counts.givenUp += 1;
      return;
    }
    counts.pending += 1;
    const run = this.#deliver(subscription, event, delay).finally(() => {
      counts.pending -= 1;
      this.#running.delete(run);
    });
    this.#running.add(run);
  }

  async #deliver(subscription: Subscription, event: GridEvent, delay: number): Promise<void> {
    const { clock, log } = this.#options;
    const { name, to, stop, counts } = subscription;
    const until = clock.monotonic() + LONGEST_MS;
    let wait = delay;
    for (let tries = 1; tries <= MOST_TRIES && clock.monotonic() <= until; tries += 1) {
      if (wait > 0) await clock.sleep(wait, stop.signal).catch(() => undefined);
      if (stop.signal.aborted) return;
      try {
        await to.deliver(event, stop.signal);
        counts.delivered += 1;
        return;
      } catch (error) {
        if (stop.signal.aborted) return;
        counts.refused += 1;
        if (tries === 1) log.debug("sandbox.event_refused", { subscription: name, error: errorChain(error) });
      }
      wait = (RETRY_AFTER_S[Math.min(tries, RETRY_AFTER_S.length) - 1] ?? 10) * 1000;
    }
    counts.givenUp += 1;
  }
}

function view({ name, destination, eventTypes, counts }: Subscription): SubscriptionView {
  return { name, kind: destination.kind, url: destination.url.split("?")[0] ?? "", eventTypes, counts: { ...counts } };
}
