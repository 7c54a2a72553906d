/** A clock for long simulated times: timers in a heap, and time that passes as fast as the work allows. */
import { setImmediate as turn } from "node:timers/promises";
import type { Clock, Deadline } from "../../../src/core/clock.ts";

interface Timer {
  readonly due: number;
  readonly number: number;
  /** Null once it was canceled. */
  fire: (() => void) | null;
}

export class VirtualClock implements Clock {
  readonly #startAt: number;
  #elapsed = 0;
  #count = 0;
  /** A binary heap by time and then by age. */
  readonly #heap: Timer[] = [];

  constructor(startAt: number) {
    this.#startAt = startAt;
  }

  now(): number {
    return this.#startAt + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  /** Whatever waits for nothing but this clock runs to its end at each moment before time goes on. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await turn();
    for (let next = this.#heap[0]; next !== undefined && next.due <= end; next = this.#heap[0]) {
      this.#elapsed = Math.max(this.#elapsed, next.due);
      while (this.#heap[0] !== undefined && this.#heap[0].due <= this.#elapsed) this.#pop()?.fire?.();
      await turn();
    }
    this.#elapsed = end;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const done = Promise.withResolvers<void>();
    const timer = this.#push(ms, () => {
      signal?.removeEventListener("abort", cancel);
      done.resolve();
    });
    const cancel = (): void => {
      timer.fire = null;
      done.reject(new DOMException("The operation was aborted", "AbortError"));
    };
    signal?.addEventListener("abort", cancel, { once: true });
    return done.promise;
  }

  deadline(ms: number): Deadline {
    const controller = new AbortController();
    const timer = this.#push(ms, () => {
      controller.abort(new DOMException(`no answer within ${ms} ms`, "TimeoutError"));
    });
    return {
      signal: controller.signal,
      [Symbol.dispose]: () => {
        timer.fire = null;
      },
    };
  }

  #push(ms: number, fire: () => void): Timer {
    this.#count += 1;
    const timer: Timer = { due: this.#elapsed + Math.max(0, ms), number: this.#count, fire };
    let at = this.#heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#heap[parent];
      if (above === undefined || !before(timer, above)) break;
      this.#heap[at] = above;
      at = parent;
    }
    this.#heap[at] = timer;
    return timer;
  }

  #pop(): Timer | undefined {
    const [first] = this.#heap;
    const last = this.#heap.pop();
    if (last === undefined || last === first) return first;
    let at = 0;
    for (let child = 1; child < this.#heap.length; child = 2 * at + 1) {
      const [left, right] = [this.#heap[child], this.#heap[child + 1]];
      const lower = right !== undefined && left !== undefined && before(right, left) ? child + 1 : child;
      const below = this.#heap[lower];
      if (below === undefined || !before(below, last)) break;
      this.#heap[at] = below;
      at = lower;
    }
    this.#heap[at] = last;
    return first;
  }
}

function before(one: Timer, other: Timer): boolean {
  return one.due < other.due || (one.due === other.due && one.number < other.number);
}
