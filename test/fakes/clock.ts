/** Time and chance under the test's control. */
import { setImmediate as turn } from "node:timers/promises";
import type { Clock, Deadline, Random } from "../../src/core/clock.ts";
import { cryptoEnded } from "./cryptoThreads.ts";

interface Timer {
  readonly due: number;
  readonly fire: () => void;
}

/**
 * A clock that stands still until `advance`. Timers fire in order of their time; what they wake runs before the next one fires.
 * WebCrypto is waited for, other work in threads (files, zlib, sockets) is not: after `advance`, poll for its result (`harness/wait.ts`).
 */
export class ManualClock implements Clock {
  #wall: number;
  #elapsed = 0;
  readonly #timers = new Set<Timer>();
  readonly #settle: () => Promise<void>;

  /** `settled`: lets everything that can run now run. */
  constructor(startAt = Date.UTC(2026, 0, 1), settled = settle) {
    this.#wall = startAt;
    this.#settle = settled;
  }

  /** Timers that have not fired: sleepers and open deadlines. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  /** The wall clock jumps (daylight, NTP); durations do not notice. */
  jump(ms: number): void {
    this.#wall += ms;
  }

  /** The process is held up: time passes, and what is due in it fires only with the next `advance`. */
  stall(ms: number): void {
    this.#moveTo(this.#elapsed + ms);
  }

  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    await this.#settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#moveTo(Math.max(next.due, this.#elapsed));
      this.#timers.delete(next);
      next.fire();
      await this.#settle();
    }
    this.#moveTo(end);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = (): void => {
        this.#timers.delete(timer);
        reject(new DOMException("The operation was aborted", "AbortError"));
      };
      const timer: Timer = {
        due: this.#elapsed + Math.max(0, ms),
        fire: () => {
          signal?.removeEventListener("abort", cancel);
          resolve();
        },
      };
      this.#timers.add(timer);
      if (signal?.aborted === true) cancel();
      else signal?.addEventListener("abort", cancel, { once: true });
    });
  }

  deadline(ms: number): Deadline {
    const controller = new AbortController();
    const timer: Timer = {
      due: this.#elapsed + ms,
      fire: () => {
        controller.abort(new DOMException(`no answer within ${ms} ms`, "TimeoutError"));
      },
    };
    this.#timers.add(timer);
    return { signal: controller.signal, [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  #next(end: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) if (timer.due <= end && (first === undefined || timer.due < first.due)) first = timer;
    return first;
  }

  #moveTo(elapsed: number): void {
    this.#wall += elapsed - this.#elapsed;
    this.#elapsed = elapsed;
  }
}

/** Turns of the event loop: enough for work that hops through it a few times (streams). */
const TURNS = 10;

/** Lets everything that can run now run, also what a signature leads to, however long its thread takes. */
async function settle(): Promise<void> {
  do {
    for (let count = 0; count < TURNS; count += 1) await turn();
  } while (await cryptoEnded());
}

/** The same numbers and GUIDs for the same seed (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const hex = (digits: number): string => Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join("");
  return { next, uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-${"89ab".charAt(Math.floor(next() * 4))}${hex(3)}-${hex(12)}` };
}
