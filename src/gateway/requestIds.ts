/** Ids for requests that come without one. Nobody has to guess them, so they are counted: a random GUID each would cost a third of a microsecond. */
import type { Random } from "../core/clock.ts";

/** Digits of the last group of a GUID. */
const DIGITS = 12;
const LOW = 1_000;
const LOW_TEXTS = Array.from({ length: LOW }, (_, number) => String(number).padStart(3, "0"));

/** GUIDs: a random one's first four groups, then a number. */
export class RequestIds {
  readonly #groups: string;
  #high = 0;
  #low = 0;
  #start: string;

  constructor(random: Random) {
    this.#groups = random.uuid().slice(0, -DIGITS);
    this.#start = this.#startOf(0);
  }

  next(): string {
    this.#low += 1;
    if (this.#low === LOW) {
      this.#low = 0;
      this.#high += 1;
      this.#start = this.#startOf(this.#high);
    }
    return this.#start + (LOW_TEXTS[this.#low] ?? "");
  }

  #startOf(high: number): string {
    return this.#groups + String(high).padStart(DIGITS - 3, "0");
  }
}
