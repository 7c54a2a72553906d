/** The places of one target: so many jobs at a time, and as many that wait at hand, so that the next begins when one ends. */

export class Places {
  readonly #count: number;
  readonly #waiting: (() => void)[] = [];
  #taken = 0;

  constructor(count: number) {
    this.#count = count;
  }

  /** No more may wait. */
  get isFull(): boolean {
    return this.#waiting.length >= this.#count;
  }

  /** First come, first served; held until it is disposed of. Rejects with the reason of `stop`. */
  async take(stop: AbortSignal): Promise<Disposable> {
    stop.throwIfAborted();
    if (this.#taken < this.#count) this.#taken += 1;
    else await this.#turn(stop);
    return {
      [Symbol.dispose]: () => {
        const next = this.#waiting.shift();
        // The place goes from hand to hand.
        if (next === undefined) this.#taken -= 1;
        else next();
      },
    };
  }

  async #turn(stop: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      const at = this.#waiting.indexOf(resolve);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      reject(stop.reason);
    };
    this.#waiting.push(resolve);
    stop.addEventListener("abort", leave, { once: true });
    try {
      await promise;
    } finally {
      stop.removeEventListener("abort", leave);
    }
  }
}
