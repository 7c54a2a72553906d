/** Lets time pass faster in this process: pauses and deadlines of minutes take seconds, also those that the SDKs make for themselves. */
import { setTimeout as delay } from "node:timers/promises";
import { systemClock, type Clock } from "../../src/core/clock.ts";

const real = globalThis.setTimeout;

/** A clock on which durations pass `factor` times as fast. The time of day is the real one: others check tokens and signatures by it. */
export function hurriedClock(factor: number): Clock {
  return {
    now: () => systemClock.now(),
    monotonic: () => systemClock.monotonic() * factor,
    sleep: async (ms, signal) => {
      await delay(ms / factor, undefined, signal === undefined ? {} : { signal });
    },
    deadline: (ms) => systemClock.deadline(ms),
  };
}

/** Timers of everything else in this process, until it is disposed. The deadlines of the clock are among them. */
export function hurryTimers(factor: number): Disposable {
  const hurried = (work: (...values: unknown[]) => void, ms = 0, ...values: unknown[]): NodeJS.Timeout =>
    real(work, ms / factor, ...values);
  globalThis.setTimeout = Object.assign(hurried, { __promisify__: real.__promisify__ }) as typeof setTimeout;
  return {
    [Symbol.dispose]: () => {
      globalThis.setTimeout = real;
    },
  };
}

/** Real milliseconds. */
export async function reallyPause(ms: number): Promise<void> {
  await delay(ms);
}
