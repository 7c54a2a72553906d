/** At most so many at a time, first come, first served, each held until it is disposed of. */
import { Turns } from "./turns.ts";

export class Slots {
  readonly #turns: Turns;

  constructor(count: number) {
    this.#turns = new Turns((underWay) => underWay < count);
  }

  /** Resolves to what gives the slot back; rejects with the reason of `signal`. */
  async take(signal?: AbortSignal): Promise<Disposable> {
    await this.#turns.begin(signal);
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) this.#turns.end();
        held = false;
      },
    };
  }
}
