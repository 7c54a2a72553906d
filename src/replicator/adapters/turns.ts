/** Lets work begin in the order in which it came, as long as a rule says that it may. */

export class Turns {
  readonly #mayBegin: (underWay: number) => boolean;
  readonly #waiting: PromiseWithResolvers<void>[] = [];
  #underWay = 0;

  /** `mayBegin` is asked whenever one comes or ends; when its answer changes by itself, call `admit`. */
  constructor(mayBegin: (underWay: number) => boolean) {
    this.#mayBegin = mayBegin;
  }

  get underWay(): number {
    return this.#underWay;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when it may begin; rejects with the reason of `signal`. What has begun must end. */
  async begin(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#waiting.length === 0 && this.#mayBegin(this.#underWay)) {
      this.#underWay += 1;
      return;
    }
    const turn = Promise.withResolvers<void>();
    const leave = (): void => {
      const at = this.#waiting.indexOf(turn);
      if (at >= 0) this.#waiting.splice(at, 1);
      turn.reject(signal?.reason);
    };
    signal?.addEventListener("abort", leave, { once: true });
    this.#waiting.push(turn);
    try {
      await turn.promise;
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }

  end(): void {
    this.#underWay -= 1;
    this.admit();
  }

  admit(): void {
    while (this.#waiting.length > 0 && this.#mayBegin(this.#underWay)) {
      this.#underWay += 1;
      this.#waiting.shift()?.resolve();
    }
  }
}
