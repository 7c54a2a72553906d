/** The overrides in memory, for the hot path: read again whenever the store's revision has changed, and ended by the clock. */
import type { Clock } from "../../core/clock.ts";
import type { Override } from "../../core/contracts.ts";
import { follow } from "../../core/follow.ts";
import type { Log } from "../../core/log.ts";
import type { OverrideEvent, OverrideStore, OverrideView } from "../../core/ports/overrides.ts";

/** Half of it is lost on average before another gateway's override is seen; a second is what was promised. */
const POLL_MS = 250;
/** So many events between two looks are told; the audit has them all. */
const EVENTS_READ = 100;
const NONE: readonly Override[] = [];

export interface OverrideViewOptions {
  readonly store: OverrideStore;
  readonly clock: Clock;
  readonly log: Log;
  /** How often the revision is asked for. Default 250 ms. */
  readonly pollMs?: number;
  /** Called with what is in force after each change, and once at the first read. */
  readonly onChange?: (active: readonly Override[]) => void;
  /** Called with each event since the first read, oldest first, whichever process it came from. */
  readonly onEvent?: (event: OverrideEvent) => void;
}

export class CachedOverrideView implements OverrideView {
  readonly #options: OverrideViewOptions;
  #active: readonly Override[] = NONE;
  /** When the first of them ends. */
  #endsAt = Number.POSITIVE_INFINITY;
  #revision: string | null = null;
  /** When the first of those in the store ends. Before the first read it may be past: gateways were stopped, and time was not. */
  #storedEndsAt = Number.NEGATIVE_INFINITY;
  /** What the newest event that was told is known by; null before the first read. */
  #told: string | null = null;
  #reading: Promise<void> = Promise.resolve();

  constructor(options: OverrideViewOptions) {
    this.#options = options;
  }

  active(): readonly Override[] {
    if (this.#active.length > 0) this.#endExpired(this.#options.clock.now());
    return this.#active;
  }

  /** Reads the store if its revision has changed since this was called. Reads follow one another, so that events are told once. */
  async refresh(): Promise<void> {
    const read = this.#reading.then(async () => this.#read());
    this.#reading = read.catch(() => undefined);
    return read;
  }

  /** Follows the store until `stop` aborts. A store that cannot be read leaves the last view in place. Never rejects. */
  async follow(stop: AbortSignal): Promise<void> {
    const { clock, log, pollMs = POLL_MS } = this.#options;
    return follow(async () => this.refresh(), { clock, log, pollMs, unreadable: "override.unreadable" }, stop);
  }

  /** No timer: the clock is asked at each read, which costs less than keeping timers right when the clock is set. */
  #endExpired(now: number): void {
    if (now < this.#endsAt) return;
    this.#replace(this.#active.filter(({ expiresAt }) => expiresAt > now));
  }

  #replace(active: readonly Override[]): void {
    this.#active = active;
    this.#endsAt = Math.min(...active.map(({ expiresAt }) => expiresAt));
    this.#options.onChange?.(active);
  }

  async #read(): Promise<void> {
    const { store, clock } = this.#options;
    const now = clock.now();
    if (now >= this.#storedEndsAt) await store.expire(now);
    this.#endExpired(now);
    const revision = await store.revision();
    if (revision === this.#revision) return;
    const stored = await store.active(now);
    const events = await store.audit(EVENTS_READ);
    this.#revision = revision;
    this.#storedEndsAt = Math.min(...stored.map(({ expiresAt }) => expiresAt));
    this.#replace(stored);
    this.#tell(events);
  }

  /** `newestFirst` reaches back to what was told already, or further. */
  #tell(newestFirst: readonly OverrideEvent[]): void {
    const { onEvent } = this.#options;
    const known = newestFirst.findIndex((event) => nameOf(event) === this.#told);
    const fresh = this.#told === null ? [] : known < 0 ? newestFirst : newestFirst.slice(0, known);
    const [newest] = newestFirst;
    this.#told = newest === undefined ? "" : nameOf(newest);
    for (const event of fresh.toReversed()) onEvent?.(event);
  }
}

/** An override is set once and ends once. */
function nameOf({ action, override }: OverrideEvent): string {
  return `${action} ${override.id}`;
}
