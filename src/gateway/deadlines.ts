/**
 * Deadlines of what is under way, looked at every few milliseconds. A timer and an AbortController for each request would cost more CPU time
 * than the rest of the request.
 */
import type { Clock } from "../core/clock.ts";

/** How late a deadline may be noticed. */
const TICK_MS = 5;

export interface Timed {
  /** Called at every tick, with the monotonic time. */
  tick(now: number): void;
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #timed = new Set<Timed>();
  #running = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(timed: Timed): void {
    this.#timed.add(timed);
    if (!this.#running) void this.#run();
  }

  delete(timed: Timed): void {
    this.#timed.delete(timed);
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#timed.size > 0) {
      await this.#clock.sleep(TICK_MS);
      const now = this.#clock.monotonic();
      for (const timed of this.#timed) timed.tick(now);
    }
    this.#running = false;
  }
}
