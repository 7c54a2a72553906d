/** Whether one region's copy of a live event is on air: one step for each look. Pure. */
import type { FailureReason } from "../core/contracts.ts";

/** What one look showed. */
export type LiveLook =
  /** `leftMs`: until the playlist would be stale without anything new; null where it cannot become so. */
  { readonly ok: true; readonly leftMs: number | null } | { readonly ok: false; readonly reason: FailureReason; readonly detail: string };

export interface LiveCopyState {
  /** Null until it is known. */
  readonly onAir: boolean | null;
  /** When that was entered. Epoch milliseconds. */
  readonly since: number;
  /** Looks in a row that went well, or that did not. */
  readonly good: number;
  readonly bad: number;
  /** Whether the last good look was at a recording, to which nothing is added. */
  readonly ended: boolean;
  /** Whether something new has come since it last failed. */
  readonly advanced: boolean;
  /** Monotonic time from which it would be stale; null before the first good look. */
  readonly staleAt: number | null;
  /** Why it is not on air; for people. */
  readonly detail: string | null;
}

export const UNKNOWN_COPY: LiveCopyState = {
  onAir: null,
  since: 0,
  good: 0,
  bad: 0,
  ended: false,
  advanced: false,
  staleAt: null,
  detail: null,
};

export interface LiveThresholds {
  readonly rise: number;
  readonly fall: number;
}

export interface Moment {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly monotonic: number;
}

/** Two looks at the same list are never exactly as far from its end. */
const TOLERANCE_MS = 250;
/** One look is enough: nothing can pass by itself there, or it has been watched for long enough already. */
const AT_ONCE: readonly FailureReason[] = ["refused", "stale", "regressed"];

/** A playlist that does not move is not on air: after a failure one that plays has to show something new first. */
export function observeCopy(state: LiveCopyState, look: LiveLook, { rise, fall }: LiveThresholds, at: Moment): LiveCopyState {
  if (look.ok) {
    const seen = seenWell(state, look.leftMs, at);
    return seen.advanced && seen.good >= rise ? entered({ ...seen, detail: null }, true, at) : seen;
  }
  const bad = state.bad + 1;
  const failed = { ...state, bad, good: 0, advanced: false, staleAt: null, detail: `${look.reason}: ${look.detail}` };
  return bad >= fall || AT_ONCE.includes(look.reason) ? entered(failed, false, at) : failed;
}

function seenWell(state: LiveCopyState, leftMs: number | null, { monotonic }: Moment): LiveCopyState {
  const well = { ...state, good: state.good + 1, bad: 0, ended: leftMs === null };
  if (leftMs === null) return { ...well, advanced: true, staleAt: null };
  const staleAt = monotonic + leftMs;
  if (state.staleAt === null) return { ...well, staleAt };
  return staleAt > state.staleAt + TOLERANCE_MS ? { ...well, advanced: true, staleAt } : well;
}

function entered(state: LiveCopyState, onAir: boolean, { now }: Moment): LiveCopyState {
  return state.onAir === onAir ? state : { ...state, onAir, since: now };
}

/** The same copies by region, seen beside one another: what has ended in one region is off the air as long as it goes on in another. */
export function besideOthers(copies: ReadonlyMap<string, LiveCopyState>): ReadonlyMap<string, LiveCopyState> {
  const goesOn = [...copies.values()].some(({ onAir, ended }) => onAir === true && !ended);
  const apart = (copy: LiveCopyState): LiveCopyState =>
    copy.onAir === true && copy.ended && goesOn ? { ...copy, onAir: false, detail: "it has ended: a recording plays" } : copy;
  return new Map([...copies].map(([region, copy]) => [region, apart(copy)]));
}

/** A word of the catalogue on a copy, and of the others what they are. */
export interface CopyFacts {
  readonly serves: boolean;
  /** Since when the catalogue says so, epoch milliseconds. */
  readonly at: number;
  readonly othersOnAir: boolean;
}

/**
 * What the catalogue should say instead; null where it is right. The last one that serves is not taken away: nothing would be better. One that is
 * out of service returns when it was seen to come on air after that; or after a while, for whoever took it out may have gone.
 */
export function verdictOn(
  state: LiveCopyState,
  { serves, at, othersOnAir }: CopyFacts,
  now: number,
  healMs: number,
): "serve" | "withdraw" | null {
  if (state.onAir === false && serves && othersOnAir) return "withdraw";
  if (state.onAir === true && !serves && (state.since > at || now - at > healMs)) return "serve";
  return null;
}
