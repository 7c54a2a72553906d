/** Waiting with a label, so that a regression fails with a name and not with the runner's time-out. */
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";

const TURNS = 10;

/** The promise's value, or an error that says what did not happen in time. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const late = delay(ms, undefined, { signal: stop.signal }).then(async () => {
    // After a pause of the whole machine timers come first; what has happened meanwhile gets its turn.
    for (let turn = 0; turn < TURNS; turn += 1) await nextTurn();
    throw new Error(`waited ${ms} ms for ${what}`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop.abort();
  }
}

/** Asks again and again, every `pauseMs` and once more when `ms` are over, until `check` gives something other than null; answers it, and how long that took. */
export async function eventually<T>(
  ms: number,
  what: string,
  check: () => Promise<T | null>,
  pauseMs = 25,
): Promise<{ readonly value: T; readonly tookMs: number }> {
  const start = performance.now();
  let last = "";
  for (let late = false; ;) {
    try {
      const value = await check();
      if (value !== null) return { value, tookMs: performance.now() - start };
    } catch (error) {
      last = `; the last try failed with ${String(error)}`;
    }
    if (late) throw new Error(`waited ${ms} ms for ${what}${last}`);
    await delay(pauseMs);
    late = performance.now() - start >= ms;
  }
}
