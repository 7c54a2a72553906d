/** A limited number of places, given out by rank and, among equals, in the order in which they were asked for. */

interface Waiting {
  readonly rank: number;
  readonly admit: () => void;
}

export class Places {
  readonly #limit: () => number;
  readonly #waiting: Waiting[] = [];
  #taken = 0;

  /** `limit` may change: call `admit` then. One that falls takes no place away. */
  constructor(limit: () => number) {
    this.#limit = limit;
  }

  /** Resolves with a place; dispose it to give it back. The lowest rank comes first. Rejects with the signal's reason. */
  async take(rank: number, signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting: Waiting = { rank, admit: resolve };
    const abort = (): void => {
      const at = this.#waiting.indexOf(waiting);
      if (at === -1) return;
      this.#waiting.splice(at, 1);
      reject(signal.reason as Error);
    };
    this.#waiting.push(waiting);
    signal.addEventListener("abort", abort, { once: true });
    this.admit();
    await promise;
    signal.removeEventListener("abort", abort);
    return this.#place();
  }

  admit(): void {
    while (this.#taken < this.#limit()) {
      const next = this.#waiting.reduce<Waiting | null>((best, each) => (best === null || each.rank < best.rank ? each : best), null);
      if (next === null) return;
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      this.#taken += 1;
      next.admit();
    }
  }

  #place(): Disposable {
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#taken -= 1;
        this.admit();
      },
    };
  }
}
