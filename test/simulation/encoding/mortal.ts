/** Ports of a process that can be killed: from then on nothing that it calls ever answers, though what was under way may have happened. */
export class Life {
  dead = false;

  kill(): void {
    this.dead = true;
  }

  /** The same object, for as long as the process lives. */
  ports<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (object, name): unknown => {
        const value: unknown = Reflect.get(object, name, object);
        if (typeof value !== "function") return value;
        return (...args: unknown[]): unknown => this.#result(this.dead ? never() : (Reflect.apply(value, object, args) as unknown));
      },
    });
  }

  #result(result: unknown): unknown {
    if (result instanceof Promise) return this.#answered(result);
    return isAsyncIterable(result) ? this.#items(result) : result;
  }

  async #answered(result: Promise<unknown>): Promise<unknown> {
    try {
      return await result;
    } finally {
      if (this.dead) await never();
    }
  }

  async *#items(items: AsyncIterable<unknown>): AsyncGenerator<unknown> {
    for await (const item of items) {
      if (this.dead) await never();
      yield item;
    }
  }
}

async function never(): Promise<never> {
  return new Promise(() => undefined);
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}
