/** The state step of a check: what one more outcome makes of what is known. No clock, no log: the loop around it does those. */
import type { FailureReason, HealthStatus, Outcome, ServiceHealth } from "../core/contracts.ts";

export interface StatePolicy {
  /** Failures in a row until unhealthy. */
  readonly fall: number;
  /** Successes in a row until healthy again. */
  readonly rise: number;
}

/**
 * Who looked. Only a probe changes a status: it asks for what is known to be there, while a request of a viewer may fail by its own fault,
 * and may succeed although a probe sees what it did not ask for (the manifest comes, the segments do not).
 */
export type Source = "probe" | "traffic";

export interface CheckState {
  readonly health: ServiceHealth;
  /** Consecutive probes that speak against the present status. */
  readonly probes: number;
  /** Failures of traffic since the last success of any kind, at most one less than `fall`: they bring a change nearer and never make it. */
  readonly traffic: number;
}

export interface Transition {
  readonly from: HealthStatus;
  readonly to: HealthStatus;
  /** Null for a recovery. */
  readonly reason: FailureReason | null;
}

export interface Step {
  readonly state: CheckState;
  readonly transition: Transition | null;
  /** Something speaks against the present status: look again soon. */
  readonly pending: boolean;
}

/** The state before the first look. */
export function initialState(now: number): CheckState {
  return fresh({ status: "unknown", since: now, reason: null, detail: null, checkedAt: null, pending: 0 });
}

/** Takes up a status that was found out earlier, for instance before the configuration was read again. */
export function resumedState(health: ServiceHealth): CheckState {
  return fresh({ ...health, pending: 0 });
}

function fresh(health: ServiceHealth): CheckState {
  return { health, probes: 0, traffic: 0 };
}

/**
 * How many failures in a row make a service unhealthy.
 * - `refused` needs one: the host itself says that nothing listens, and asking again gets the same answer.
 * - A wrong body, a wrong key or a bad certificate is a definite answer too, but one that a deployment under way gives for a moment: one
 *   confirmation, whatever `fall` says.
 * - Everything else may be chance. So is `dns`: a resolver that does not answer is the prober's trouble as often as the region's.
 */
export function failuresNeeded(reason: FailureReason, fall: number): number {
  if (reason === "refused") return 1;
  return reason === "body" || reason === "key_length" || reason === "key_mismatch" || reason === "tls" ? Math.min(fall, 2) : fall;
}

/** Takes in one outcome. `now` is only recorded, never compared: a clock that jumps does no harm. */
export function observe(state: CheckState, outcome: Outcome, policy: StatePolicy, now: number, source: Source = "probe"): Step {
  if (source === "traffic") return unchanged(afterTraffic(state, outcome, policy, now));
  return outcome.ok ? afterSuccess(state, policy, now) : afterFailure(state, outcome, policy, now);
}

type Failure = Extract<Outcome, { ok: false }>;

function unchanged(state: CheckState): Step {
  return { state, transition: null, pending: state.health.pending > 0 };
}

function changed(from: CheckState, to: HealthStatus, failure: Failure | null, now: number): Step {
  const reason = failure?.reason ?? null;
  const health: ServiceHealth = { status: to, since: now, reason, detail: failure?.detail ?? null, checkedAt: now, pending: 0 };
  return { state: fresh(health), transition: { from: from.health.status, to, reason }, pending: false };
}

function afterSuccess(state: CheckState, policy: StatePolicy, now: number): Step {
  const { health } = state;
  if (health.status === "unknown") return changed(state, "healthy", null, now);
  if (health.status === "healthy") return unchanged(fresh({ ...health, reason: null, detail: null, checkedAt: now, pending: 0 }));
  const probes = state.probes + 1;
  if (probes >= policy.rise) return changed(state, "healthy", null, now);
  return unchanged({ health: { ...health, checkedAt: now, pending: probes }, probes, traffic: 0 });
}

function afterFailure(state: CheckState, failure: Failure, policy: StatePolicy, now: number): Step {
  if (state.health.status === "unhealthy") return unchanged(stillUnhealthy(state, failure, now));
  const next = failed(state, failure, { probes: state.probes + 1, traffic: state.traffic }, now);
  if (next.health.pending < failuresNeeded(failure.reason, policy.fall)) return unchanged(next);
  return changed(state, "unhealthy", failure, now);
}

function stillUnhealthy({ health }: CheckState, failure: Failure, now: number): CheckState {
  return fresh({ ...health, reason: failure.reason, detail: failure.detail, checkedAt: now, pending: 0 });
}

function failed({ health }: CheckState, failure: Failure, counts: Pick<CheckState, "probes" | "traffic">, now: number): CheckState {
  const pending = counts.probes + counts.traffic;
  if (pending === 0) return { health: { ...health, checkedAt: now }, ...counts };
  return { health: { ...health, reason: failure.reason, detail: failure.detail, checkedAt: now, pending }, ...counts };
}

/** True where one viewer's failure says something about the service. A video that is not there, or a viewer without a token, does not. */
export function speaksAgainstService(outcome: Outcome): boolean {
  return !outcome.ok && outcome.reason !== "not_found" && outcome.reason !== "unauthorized";
}

function afterTraffic(state: CheckState, outcome: Outcome, policy: StatePolicy, now: number): CheckState {
  if (outcome.ok) return afterTrafficSuccess(state, now);
  if (!speaksAgainstService(outcome)) return state;
  if (state.health.status === "unhealthy") return stillUnhealthy(state, outcome, now);
  return failed(state, outcome, { probes: state.probes, traffic: Math.min(state.traffic + 1, policy.fall - 1) }, now);
}

function afterTrafficSuccess(state: CheckState, now: number): CheckState {
  const { health, probes } = state;
  if (probes > 0 || health.status === "unhealthy") return { health: { ...health, checkedAt: now, pending: probes }, probes, traffic: 0 };
  return fresh({ ...health, reason: null, detail: null, checkedAt: now, pending: 0 });
}
