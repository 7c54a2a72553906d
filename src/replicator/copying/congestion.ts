/**
 * How many requests a storage account is sent at a time, by how it answers: one more after a round of successes, half as many when it says that
 * it is too busy, and none until the time that it names. Pure.
 */

export interface Congestion {
  /** Requests under way at a time; the whole number below it counts. */
  readonly window: number;
  /** When the window was last halved, monotonic milliseconds: refusals of what was sent before that are of the same event. */
  readonly halvedAt: number;
  /** Nothing is sent before. */
  readonly pausedUntil: number;
  /** Refusals in a row; each doubles the pause where the service names none. */
  readonly refusals: number;
}

/** More than any configuration has blobs under way. */
const WIDEST = 256;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

export const UNCONGESTED: Congestion = { window: WIDEST, halvedAt: Number.NEGATIVE_INFINITY, pausedUntil: 0, refusals: 0 };

/** True when another request may be sent at `now`, beside `underWay` others. */
export function mayBegin({ window, pausedUntil }: Congestion, underWay: number, now: number): boolean {
  return now >= pausedUntil && underWay < Math.max(1, Math.floor(window));
}

export function answered(state: Congestion): Congestion {
  if (state.window >= WIDEST && state.refusals === 0) return state;
  return { ...state, window: Math.min(WIDEST, state.window + 1 / state.window), refusals: 0 };
}

export interface Refusal {
  /** When the refused request was sent. */
  readonly sentAt: number;
  readonly now: number;
  /** Requests under way when it came, it among them: a window that was not in use says nothing. */
  readonly underWay: number;
  /** What the service asks for; null: nothing. */
  readonly retryAfterMs: number | null;
}

export function refused(state: Congestion, { sentAt, now, underWay, retryAfterMs }: Refusal): Congestion {
  if (sentAt < state.halvedAt) return { ...state, pausedUntil: Math.max(state.pausedUntil, now + (retryAfterMs ?? 0)) };
  const pause = retryAfterMs ?? Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** state.refusals);
  return {
    window: Math.max(1, Math.min(state.window, underWay) / 2),
    halvedAt: now,
    pausedUntil: Math.max(state.pausedUntil, now + pause),
    refusals: state.refusals + 1,
  };
}
