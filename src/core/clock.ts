/** Time and chance are passed in. This file is the only place that touches the real ones. */
import { randomUUID } from "node:crypto";
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";

export interface Deadline extends Disposable {
  /** Aborts with a `TimeoutError` when the time is up. */
  readonly signal: AbortSignal;
}

export interface Clock {
  /** Epoch milliseconds; may jump, also backwards. */
  now(): number;
  /** Milliseconds from an arbitrary start; never goes backwards. For durations. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with an AbortError when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** A signal that aborts after `ms`. Dispose it (`using`) so that the timer goes away. */
  deadline(ms: number): Deadline;
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** A random GUID, lower case. */
  uuid(): string;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  },
  deadline: (ms) => {
    const controller = new AbortController();
    const timer = setTimeout(() => {
      controller.abort(new DOMException(`no answer within ${ms} ms`, "TimeoutError"));
    }, ms);
    timer.unref();
    return {
      signal: controller.signal,
      [Symbol.dispose]: () => {
        clearTimeout(timer);
      },
    };
  },
};

export const systemRandom: Random = { next: () => Math.random(), uuid: () => randomUUID() };
