/** The pace of requests to one storage account: one that is busy slows its own copies only. */
import type { Clock } from "../../core/clock.ts";
import { answered, mayBegin, refused, UNCONGESTED, type Congestion } from "../copying/congestion.ts";
import { Turns } from "./turns.ts";

/** Lets requests begin in the order in which they came. */
export class AccountPace {
  readonly #clock: Clock;
  readonly #turns: Turns;
  #congestion: Congestion = UNCONGESTED;
  #sleeping = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#turns = new Turns((underWay) => mayBegin(this.#congestion, underWay, clock.monotonic()));
  }

  /** Requests that may be under way at a time now. */
  get window(): number {
    return Math.max(1, Math.floor(this.#congestion.window));
  }

  /** Resolves when the request may begin; rejects with the reason of `signal`. Each one that has begun must end. */
  async begin(signal?: AbortSignal): Promise<void> {
    const turn = this.#turns.begin(signal);
    this.#wakeLater();
    await turn;
  }

  /** `retryAfterMs` is what a busy service asks for, null where it names nothing; left out: it was not busy. */
  end(sentAt: number, busy?: { readonly retryAfterMs: number | null }): void {
    const { underWay } = this.#turns;
    const now = this.#clock.monotonic();
    this.#congestion = busy === undefined ? answered(this.#congestion) : refused(this.#congestion, { ...busy, sentAt, now, underWay });
    this.#turns.end();
    this.#wakeLater();
  }

  /** Those who wait for a place are let in by whoever ends; those who wait for the end of a pause, here. */
  #wakeLater(): void {
    const pause = this.#congestion.pausedUntil - this.#clock.monotonic();
    if (this.#sleeping || pause <= 0 || this.#turns.waiting === 0) return;
    this.#sleeping = true;
    void this.#clock.sleep(pause).then(() => {
      this.#sleeping = false;
      this.#turns.admit();
      this.#wakeLater();
    });
  }
}
