/** Pure: what is to be done for a job now, when to look at it again, and where it takes up room. */
import type { Attempt, EncodingJob, InputCopy, MoveReason } from "../core/encoding.ts";
import type { Timers } from "../core/ports/encodingStore.ts";
import { isFinalState } from "./attempt.ts";
import { isFinal, liveAttempt } from "./job.ts";
import { limitOf } from "./limits.ts";
import type { JobPolicy } from "./policy.ts";
import { spreadDuty, type SpreadDuty } from "./spread.ts";
import { hasStorage, isDenied, isSilent, type Standing, type Standings } from "./standing.ts";
import { discardAt } from "./uploads.ts";

export type Duty =
  | { readonly type: "submit" | "check" | "clean"; readonly attempt: Attempt }
  | { readonly type: "move"; readonly attempt: Attempt; readonly reason: MoveReason; readonly detail: string }
  /** Its account cannot be asked now. */
  | { readonly type: "postpone"; readonly attempt: Attempt; readonly until: number }
  /** A region keeps a copy of the job's file that is needed no more; or it cannot be asked now. */
  | { readonly type: "discard"; readonly copy: InputCopy }
  | { readonly type: "defer"; readonly copy: InputCopy; readonly until: number }
  /** Too few regions have the job's file. */
  | SpreadDuty
  /** The file that the job waits for does not come. */
  | { readonly type: "unsent" }
  /** The record has been kept long enough. */
  | { readonly type: "expire" };

/** What is due, in this order. An attempt has one duty at a time. */
export function dutiesOf(job: EncodingJob, standings: Standings, policy: JobPolicy, now: number): readonly Duty[] {
  const live = liveAttempt(job);
  const own = live === null ? null : liveDuty(live, standings(live.account), policy, now);
  const others = [
    ...(job.uploadBy !== null && job.uploadBy <= now ? [{ type: "unsent" } as const] : []),
    ...job.attempts.flatMap((attempt) => owedDuty(attempt, standings(attempt.account), policy, now)),
    ...job.copies.flatMap((copy) => copyDuty(job, copy, standings(copy.region), policy, now)),
    ...spreadDuty(job, standings, policy, now),
  ];
  const expires = others.length === 0 && expiresAt(job, policy) <= now;
  return [...(own === null ? [] : [own]), ...others, ...(expires ? [{ type: "expire" } as const] : [])];
}

function owedDuty(attempt: Attempt, standing: Standing, policy: JobPolicy, now: number): Duty[] {
  if (attempt.owed === null || attempt.dueAt > now) return [];
  // Of one that is not configured any more it is reported in the end.
  if ((standing !== null && isSilent(standing)) || isDenied(standing))
    return [{ type: "postpone", attempt, until: now + policy.cleanLongestMs }];
  return [{ type: "clean", attempt }];
}

function copyDuty(job: EncodingJob, copy: InputCopy, standing: Standing, policy: JobPolicy, now: number): Duty[] {
  if (discardAt(job, copy, policy) > now) return [];
  if (!hasStorage(standing)) return [{ type: "defer", copy, until: now + policy.cleanLongestMs }];
  return [{ type: "discard", copy }];
}

function liveDuty(attempt: Attempt, standing: Standing, policy: JobPolicy, now: number): Duty | null {
  const leaving = leave(attempt, standing, policy, now);
  if (leaving !== null) return leaving;
  if (attempt.submittedAt === null) return unsubmittedDuty(attempt, policy, now);
  const limit = limitOf(attempt, policy);
  if (limit.at <= now && (isDenied(standing) || isConfirmed(attempt, policy, now))) return { type: "move", attempt, ...limit };
  if (attempt.unanswered >= policy.unansweredLimit) {
    const detail = `${attempt.account} left ${attempt.unanswered} questions in a row unanswered`;
    return { type: "move", attempt, reason: "unanswered", detail };
  }
  if (attempt.dueAt > now) return null;
  return isDenied(standing) ? { type: "postpone", attempt, until: now + policy.checkMs } : { type: "check", attempt };
}

/** Events may be lost: what is believed to be stuck is asked for first. */
function isConfirmed({ checkedAt }: Attempt, policy: JobPolicy, now: number): boolean {
  return checkedAt !== null && now - checkedAt <= policy.confirmMs;
}

function unsubmittedDuty(attempt: Attempt, policy: JobPolicy, now: number): Duty | null {
  if (now - attempt.placedAt >= policy.submitMs) {
    const detail = `${attempt.account} has not taken it within ${policy.submitMs / 1000} s`;
    return { type: "move", attempt, reason: "unsubmitted", detail };
  }
  return attempt.dueAt <= now ? { type: "submit", attempt } : null;
}

function leave(attempt: Attempt, standing: Standing, policy: JobPolicy, now: number): Duty | null {
  if (standing?.disabled !== true) return leaveOut(attempt, standing, policy, now);
  return { type: "move", attempt, reason: "disabled", detail: `an operator has disabled encoding in ${attempt.account}` };
}

/** From an account that is out, a job goes without asking: it can do so also where nobody answers. What shows signs of life may stay. */
function leaveOut(attempt: Attempt, standing: Standing, policy: JobPolicy, now: number): Duty | null {
  if (standing !== null && (standing.status !== "out" || isDenied(standing))) return null;
  const why = standing?.reason ?? "not configured any more";
  const move: Duty = { type: "move", attempt, reason: "account_out", detail: `${attempt.account} is out: ${why}` };
  if (attempt.submittedAt === null) return move;
  if (!isSilent(standing)) return attempt.state === "processing" ? null : move;
  const aliveUntil = attempt.newsAt + policy.aliveMs;
  return aliveUntil <= now ? move : { type: "postpone", attempt, until: aliveUntil };
}

function expiresAt(job: EncodingJob, policy: JobPolicy): number {
  const done = isFinal(job) && job.attempts.every(({ owed }) => owed === null) && job.copies.length === 0;
  return done && job.finalAt !== null ? job.finalAt + policy.retentionMs : Number.POSITIVE_INFINITY;
}

/** When the job wants to be looked at. */
export function timersOf(job: EncodingJob, policy: JobPolicy): Timers {
  const due = job.attempts.filter(({ end, owed }) => end === null || owed !== null).map((attempt) => attempt.dueAt);
  const copies = job.copies.map((copy) => discardAt(job, copy, policy));
  const files = [job.uploadBy, job.spreadAt].map((at) => at ?? Number.POSITIVE_INFINITY);
  const follow = Math.min(...due, ...copies, ...files, expiresAt(job, policy));
  return { place: job.state === "waiting" ? job.placeAt : null, follow: Number.isFinite(follow) ? follow : null };
}

/** Accounts in which it takes up a place: where it runs, and where what was given up may still run. */
export function placesOf(job: EncodingJob): readonly string[] {
  return job.attempts.filter(mayRun).map(({ account }) => account);
}

function mayRun({ end, owed, state }: Attempt): boolean {
  if (isFinalState(state)) return false;
  return end === null || (owed === "remove" && (end === "moved" || end === "canceled"));
}
