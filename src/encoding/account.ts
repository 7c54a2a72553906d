/**
 * Pure: judges accounts, from what management calls say and from what becomes of jobs. Everything ages against now. An account that its calls
 * speak against returns when they succeed again; one that its jobs speak against returns when one job, its trial, gets through.
 */
import { ill, isHeld, released, UNDAMPED } from "../core/damping.ts";
import type { AccountBucket, AccountState, CallOutcome, OutReason } from "../core/encoding.ts";
import type { Evidence } from "./evidence.ts";
import type { AccountPolicy } from "./policy.ts";

/** Who has not been looked at is taken for well: somebody has to be the first to use it. */
export function newAccount(account: string, now: number): AccountState {
  const calls = { outcome: "ok", count: 0, since: now } as const;
  const unknown = { calledAt: null, pausedUntil: null, buckets: [], trial: null, damping: UNDAMPED, returnedAt: null };
  return { account, status: "in", since: now, reason: null, detail: null, calls, ...unknown };
}

/** What one management call said. `retryAfterMs`: when the account wants to be asked again, null where it does not say. */
export interface CallSaid {
  readonly outcome: CallOutcome;
  readonly retryAfterMs: number | null;
}

/** Takes in what one management call said. */
export function called(state: AccountState, { outcome, retryAfterMs }: CallSaid, policy: AccountPolicy, now: number): AccountState {
  const same = state.calls.outcome === outcome;
  const calls = same ? { ...state.calls, count: state.calls.count + 1 } : { outcome, count: 1, since: now };
  const wantedMs = retryAfterMs ?? (outcome === "throttled" ? policy.throttleMs : null);
  const pausedUntil = wantedMs === null ? state.pausedUntil : pauseAfter(state, wantedMs, policy, now);
  const next: AccountState = { ...state, calls, calledAt: now, pausedUntil };
  const bad = badCalls(next, policy, now);
  if (bad !== null)
    return state.status === "out" && isCallReason(state.reason) ? stillOut(next, bad, policy, now) : out(next, bad, 0, policy, now);
  return returns(next, policy, now) ? back(next, now) : next;
}

/** As long as it asks for, within reason. Of calls that run side by side the one that was told to wait longest counts. */
function pauseAfter({ pausedUntil }: AccountState, wantedMs: number, { throttleLongestMs }: AccountPolicy, now: number): number {
  const earlier = Math.min(pausedUntil ?? 0, now + throttleLongestMs);
  return Math.max(earlier, now + Math.min(wantedMs, throttleLongestMs));
}

interface Verdict {
  readonly reason: OutReason;
  readonly detail: string;
}

/** A row of failures counts when it is long in number and in time: calls that run side by side fail in one moment. */
function badCalls({ calls }: AccountState, policy: AccountPolicy, now: number): Verdict | null {
  const { outcome, count, since } = calls;
  if (outcome === "ok" || outcome === "throttled") return null;
  const needed = outcome === "denied" ? policy.deniedFall : policy.fall;
  if (count < needed || now - since < policy.fallMs) return null;
  return { reason: outcome, detail: `${count} calls in a row ${WORDS[outcome]} in ${Math.round((now - since) / 1000)} s` };
}

const WORDS = { unreachable: "got no answer", failing: "were answered with 5xx", denied: "were refused the credential" } as const;

function isCallReason(reason: OutReason | null): boolean {
  return reason === "unreachable" || reason === "failing" || reason === "denied";
}

function returns({ status, reason, calls, damping }: AccountState, policy: AccountPolicy, now: number): boolean {
  if (status !== "out" || !isCallReason(reason) || isHeld(damping, now)) return false;
  return (calls.outcome === "ok" || calls.outcome === "throttled") && calls.count >= policy.rise;
}

/** Takes in what the end of an attempt, or its progress, says. */
export function told(state: AccountState, evidence: Evidence, policy: AccountPolicy, now: number): AccountState {
  const counted =
    evidence.kind === "progress" || evidence.kind === "neutral" ? state : { ...state, buckets: counting(state, evidence, policy, now) };
  if (state.status === "trial") return afterTrial(counted, evidence, policy, now);
  if (state.status === "out") return isOver(state, evidence, now) ? back(counted, now) : counted;
  const bad = badJobs(counted, policy, now);
  return bad === null ? counted : out(counted, bad, policy.holdMs, policy, now);
}

/** A job that was to try it, and had been given up, has got going. */
function isOver({ reason, damping }: AccountState, { kind, trial }: Evidence, now: number): boolean {
  return trial && kind === "progress" && !isCallReason(reason) && !isHeld(damping, now);
}

function counting(state: AccountState, { kind }: Evidence, policy: AccountPolicy, now: number): readonly AccountBucket[] {
  const at = now - (now % policy.bucketMs);
  const last = state.buckets.at(-1);
  const bucket = last?.at === at ? last : { at, well: 0, failed: 0, stuck: 0 };
  const more: AccountBucket = {
    at,
    well: bucket.well + Number(kind === "well"),
    failed: bucket.failed + Number(kind === "failed"),
    stuck: bucket.stuck + Number(kind === "stuck"),
  };
  return [...(last?.at === at ? state.buckets.slice(0, -1) : state.buckets), more];
}

function badJobs({ buckets, since }: AccountState, policy: AccountPolicy, now: number): Verdict | null {
  const from = Math.max(since - policy.bucketMs, now - policy.windowMs);
  const recent = buckets.filter(({ at }) => at >= from);
  const sum = (of: (bucket: AccountBucket) => number): number => recent.reduce((total, bucket) => total + of(bucket), 0);
  const [well, failed, stuck] = [sum((each) => each.well), sum((each) => each.failed), sum((each) => each.stuck)];
  const all = well + failed + stuck;
  if (stuck >= policy.stuckLeast && stuck >= policy.stuckShare * all)
    return { reason: "stuck", detail: `${stuck} of ${all} jobs that ended lately got stuck` };
  if (failed >= policy.failedLeast && failed >= policy.failedShare * all)
    return { reason: "failures", detail: `${failed} of ${all} jobs that ended lately failed by its own fault` };
  return null;
}

/** The trial was placed there. */
export function tried(state: AccountState, jobId: string, attempt: number, now: number): AccountState {
  return state.status === "trial" ? { ...state, trial: { jobId, attempt, at: now } } : state;
}

function afterTrial(state: AccountState, { kind, jobId, attempt, trial }: Evidence, policy: AccountPolicy, now: number): AccountState {
  if (!trial) return state;
  if (kind === "progress" || kind === "well") return back(state, now);
  if (kind === "neutral") return state.trial?.jobId === jobId && state.trial.attempt === attempt ? { ...state, trial: null } : state;
  const reason = kind === "stuck" ? "stuck" : "failures";
  return out(state, { reason, detail: `the job that tried it ${kind === "stuck" ? "got stuck" : "failed"}` }, policy.holdMs, policy, now);
}

/** What time alone changes. Gives the same state where that is nothing. */
export function aged(state: AccountState, policy: AccountPolicy, now: number): AccountState {
  const fresh = forgotten(state, policy, now);
  if (fresh.status === "out" && !isCallReason(fresh.reason) && !isHeld(fresh.damping, now))
    return { ...fresh, status: "trial", since: now, trial: null };
  return fresh;
}

function forgotten(state: AccountState, policy: AccountPolicy, now: number): AccountState {
  const lost = state.trial !== null && passed(state.trial.at, policy.trialLostMs, now);
  const known = lost ? { ...state, trial: null } : state;
  const ramped = passed(known.returnedAt, policy.rampMs, now) ? { ...known, returnedAt: null } : known;
  const unpaused = passed(ramped.pausedUntil, 0, now) ? { ...ramped, pausedUntil: null } : ramped;
  if (!passed(state.buckets[0]?.at ?? null, policy.windowMs, now)) return unpaused;
  return { ...unpaused, buckets: state.buckets.filter(({ at }) => !passed(at, policy.windowMs, now)) };
}

function passed(since: number | null, ms: number, now: number): boolean {
  return since !== null && now - since >= ms;
}

/** An operator wants it used again, at once. */
export function readmitted(state: AccountState, by: string, now: number): AccountState {
  return state.status === "in" ? state : { ...back(state, now), readmitted: { by, at: now } };
}

/** How many of its `most` places may be taken up now. */
export function capacityOf(state: AccountState, most: number, policy: AccountPolicy, now: number): number {
  if (state.status === "out") return 0;
  if (state.status === "trial" || state.returnedAt === null) return most;
  const share = Math.min(1, Math.max(0, now - state.returnedAt) / policy.rampMs);
  return Math.max(1, Math.ceil(most * share));
}

/** It takes jobs. */
export function isUsable(state: AccountState, now: number): boolean {
  return state.status === "in" && !isPaused(state, now);
}

/** It was out, and may have one job. */
export function wantsTrial(state: AccountState, now: number): boolean {
  return state.status === "trial" && state.trial === null && !isPaused(state, now);
}

function isPaused({ pausedUntil }: AccountState, now: number): boolean {
  return pausedUntil !== null && pausedUntil > now;
}

function out(state: AccountState, { reason, detail }: Verdict, holdMs: number, policy: AccountPolicy, now: number): AccountState {
  const damping = ill(state.damping, true, policy.damping, now);
  const until = Math.max(damping.until ?? 0, now + holdMs);
  return {
    ...state,
    status: "out",
    since: now,
    reason,
    detail,
    trial: null,
    damping: { ...damping, until },
    returnedAt: null,
    readmitted: null,
  };
}

function stillOut(state: AccountState, { reason, detail }: Verdict, policy: AccountPolicy, now: number): AccountState {
  return { ...state, reason, detail, damping: ill(state.damping, false, policy.damping, now) };
}

function back(state: AccountState, now: number): AccountState {
  const well = { status: "in", since: now, reason: null, detail: null, trial: null, buckets: [], returnedAt: now } as const;
  return { ...state, ...well, damping: released(state.damping) };
}
