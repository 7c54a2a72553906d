/** Pure: how long a live attempt may stay as it is, and when to look at it next. */
import type { Attempt, MoveReason } from "../core/encoding.ts";
import type { JobPolicy } from "./policy.ts";

export interface Limit {
  readonly reason: MoveReason;
  /** When it has been so for too long, by what is known. */
  readonly at: number;
  readonly detail: string;
}

/** Ages from the last news, by our clock, whether or not anything was heard since. */
export function limitOf(attempt: Attempt, policy: JobPolicy): Limit {
  const { state, newsAt, trial, placedAt } = attempt;
  if (state === "processing") return aged("stalled", newsAt, policy.stalledMs, "processing without progress");
  const own =
    state === "scheduled"
      ? aged("scheduled", newsAt, policy.scheduledMs, "scheduled without being processed")
      : aged("queued", newsAt, policy.queuedMs, "accepted without being scheduled");
  const tried = aged("trial", placedAt, policy.trialMs, "not processed, in an account that was out and is being tried,");
  return trial && tried.at < own.at ? tried : own;
}

function aged(reason: MoveReason, from: number, limitMs: number, what: string): Limit {
  return { reason, at: from + limitMs, detail: `${what} for ${limitMs / 1000} s` };
}

/** When to ask for it: after a silence, or when it reaches its limit; not in a moment again. */
export function nextLook(attempt: Attempt, policy: JobPolicy, now: number): number {
  return Math.min(now + policy.checkMs, Math.max(now + policy.recheckMs, limitOf(attempt, policy).at));
}
