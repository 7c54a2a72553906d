/**
 * The state step of a check: what one more look makes of what is known. Thresholds say what to believe, damping how long a flapping service
 * stays away, the ramp how it returns. Pure: no clock, no log; the loop around it does those.
 */
import type { FailureReason, HealthStatus, Outcome, ServiceHealth, Signal } from "../core/contracts.ts";
import { ill, isHeld, released, UNDAMPED, type Damping, type DampingPolicy } from "../core/damping.ts";
import { rampElapsed, rampShare, type RampPolicy } from "./ramp.ts";
import { usualDuration } from "./schedule.ts";
import { pendingLooks, settled, tallied, type Seen, type Tally, type ThresholdPolicy } from "./thresholds.ts";

export interface StatePolicy extends ThresholdPolicy, RampPolicy {
  readonly damping: DampingPolicy;
}

/** One moment on both clocks. Everything is decided by `monotonic`; `now` is only recorded, so a wall clock that jumps does no harm. */
export interface Moment {
  readonly now: number;
  readonly monotonic: number;
}

export interface CheckState {
  /** As every reader sees it. */
  readonly health: ServiceHealth;
  /** As it would be without damping. */
  readonly tally: Tally;
  readonly damping: Damping;
  /** Monotonic time of the recovery from which it returns slowly; null: it has all of its viewers. */
  readonly returnedAt: number | null;
}

export interface Transition {
  readonly from: HealthStatus;
  readonly to: HealthStatus;
  /** Null unless to `unhealthy`. */
  readonly reason: FailureReason | null;
}

export interface Step {
  /** The same object where nothing is new. */
  readonly state: CheckState;
  readonly transition: Transition | null;
}

/** `checkedAt` follows traffic at most this often: a busy service is not worth a new snapshot per request. */
const NOTED_MS = 1000;

/** The state before the first look. */
export function initialState(now: number): CheckState {
  const health: ServiceHealth = { status: "unknown", since: now, reason: null, detail: null, checkedAt: null, pending: 0 };
  return { health, tally: settled("unknown"), damping: UNDAMPED, returnedAt: null };
}

/**
 * The same under another configuration of the same process: what was counted stays, holds and returns last as long as they would now. `at` is of
 * the clock that the state was made by.
 */
export function carriedState(state: CheckState, policy: StatePolicy, at: Moment): CheckState {
  const { share: _share, heldUntil: _heldUntil, ...health } = state.health;
  const { base, cap } = policy.damping;
  const { until } = state.damping;
  const damping = { ...state.damping, until: until === null || base === 0 ? null : Math.min(until, at.monotonic + cap) };
  const { returnedAt: since } = state;
  const returnedAt = since === null || rampShare(at.monotonic - since, policy) >= 1 ? null : since;
  return { ...state, health: { ...health, ...passing(damping, returnedAt, policy, at) }, damping, returnedAt };
}

/** Takes up what an earlier process found out: its status, its hold and its return. */
export function resumedState(health: ServiceHealth, policy: StatePolicy, at: Moment): CheckState {
  const { share = 1 } = health;
  const returnedAt = share < 1 ? at.monotonic - rampElapsed(share, policy) : null;
  return { health: { ...health, pending: 0 }, tally: settled(health.status), damping: resumedDamping(health, policy, at), returnedAt };
}

function resumedDamping({ status, heldUntil }: ServiceHealth, { damping }: StatePolicy, at: Moment): Damping {
  if (status !== "unhealthy") return UNDAMPED;
  const left = Math.min(damping.cap, (heldUntil ?? at.now) - at.now);
  if (damping.base === 0 || left <= 0) return { outages: 1, illAt: at.monotonic, until: null };
  return { outages: 2, illAt: at.monotonic, until: at.monotonic + left };
}

/** Takes in one look. */
export function observe(state: CheckState, seen: Seen, policy: StatePolicy, at: Moment): Step {
  const tally = tallied(state.tally, seen, policy);
  if (seen.source === "traffic" && tally === state.tally) return { state: noted(state, seen.outcome, at), transition: null };
  const failed = seen.outcome.ok ? null : seen.outcome;
  const worse = tally.status === "unhealthy" && failed !== null;
  const damping = worse ? ill(state.damping, state.tally.status !== "unhealthy", policy.damping, at.monotonic) : state.damping;
  const from = state.health.status;
  const to = shown(from, tally.status, seen, isHeld(damping, at.monotonic));
  const returnedAt = returning(state.returnedAt, from, to, policy, at);
  const health = described({ before: state.health, seen, tally, to, damping, returnedAt }, policy, at);
  const next: CheckState = { health, tally, damping: to === "unhealthy" ? damping : released(damping), returnedAt };
  if (from === to) return { state: next, transition: null };
  return { state: next, transition: { from, to, reason: to === "unhealthy" ? health.reason : null } };
}

/** Traffic that changes nothing has at least looked. A failure without a quorum has not even done that. */
function noted(state: CheckState, outcome: Outcome, { now }: Moment): CheckState {
  const { health } = state;
  if (!outcome.ok || (health.checkedAt !== null && Math.abs(now - health.checkedAt) < NOTED_MS)) return state;
  return { ...state, health: { ...health, checkedAt: now } };
}

/** The status that readers see: a service that was ill stays so until its hold is over and a probe has just found it well. */
function shown(from: HealthStatus, believed: HealthStatus, { outcome, source }: Seen, held: boolean): HealthStatus {
  if (from !== "unhealthy") return believed;
  return held || source === "traffic" || !outcome.ok ? "unhealthy" : believed;
}

function returning(since: number | null, from: HealthStatus, to: HealthStatus, policy: StatePolicy, { monotonic }: Moment): number | null {
  if (to === "unhealthy") return null;
  const returnedAt = from === "unhealthy" ? monotonic : since;
  return returnedAt === null || rampShare(monotonic - returnedAt, policy) >= 1 ? null : returnedAt;
}

interface Findings {
  readonly before: ServiceHealth;
  readonly seen: Seen;
  readonly tally: Tally;
  readonly to: HealthStatus;
  readonly damping: Damping;
  readonly returnedAt: number | null;
}

function described(findings: Findings, policy: StatePolicy, { now, monotonic }: Moment): ServiceHealth {
  const { before, seen, tally, to, damping, returnedAt } = findings;
  const signals = signalsNow(findings);
  const latencyMs = latencyNow(before.latencyMs, seen);
  return {
    status: to,
    since: to === before.status ? before.since : now,
    ...reasonNow(findings),
    checkedAt: now,
    pending: pendingLooks(tally),
    ...(signals.length === 0 ? {} : { signals }),
    ...passing(damping, returnedAt, policy, { now, monotonic }),
    ...(latencyMs === undefined ? {} : { latencyMs }),
  };
}

/** What passes by itself. */
function passing(
  damping: Damping,
  returnedAt: number | null,
  policy: StatePolicy,
  { now, monotonic }: Moment,
): Pick<ServiceHealth, "share" | "heldUntil"> {
  return {
    ...(returnedAt === null ? {} : { share: rampShare(monotonic - returnedAt, policy) }),
    ...(isHeld(damping, monotonic) ? { heldUntil: now + (damping.until ?? 0) - monotonic } : {}),
  };
}

function reasonNow({ before, seen: { outcome }, tally, to }: Findings): Pick<ServiceHealth, "reason" | "detail"> {
  if (!outcome.ok) return { reason: outcome.reason, detail: outcome.detail };
  const stands = to === "unhealthy" || tally.failures + tally.traffic > 0;
  return stands ? { reason: before.reason, detail: before.detail } : { reason: null, detail: null };
}

/** While degraded, what degraded it stands until the change back; a look that shows nothing of the kind leaves it. */
function signalsNow({ before, seen: { outcome, source }, to }: Findings): readonly Signal[] {
  if (to === "unhealthy") return [];
  const present = before.signals ?? [];
  if (source === "traffic" || !outcome.ok) return present;
  const fresh = outcome.signals ?? [];
  return fresh.length === 0 && to === "degraded" ? present : fresh;
}

function latencyNow(usual: number | undefined, { outcome, source }: Seen): number | undefined {
  return source === "probe" && outcome.ok ? usualDuration(usual ?? null, outcome.durationMs) : usual;
}
