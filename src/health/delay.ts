/**
 * How long this process was held up itself: too little processor, a long computation. Answers then seem late that came in time, and a region
 * must not be blamed for it.
 */
import type { Clock } from "../core/clock.ts";

/** How often it looks: delays are noticed that are a good part of this. */
const EVERY_MS = 100;

/** Sums up by how much timers fire too late. */
export class OwnDelay {
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #sum = 0;
  /** When the present timer is due. */
  #due = Number.POSITIVE_INFINITY;
  #running: Promise<void> | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds since the start; the difference of two readings is what the time between them lost. */
  get total(): number {
    return this.#sum + Math.max(0, this.#clock.monotonic() - this.#due);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#due = this.#clock.monotonic() + EVERY_MS;
      await this.#clock.sleep(EVERY_MS, this.#stop.signal).catch(() => undefined);
      this.#sum = this.total;
    }
    this.#due = Number.POSITIVE_INFINITY;
  }
}
