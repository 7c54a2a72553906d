/** Pure: how many looks at a service it takes to believe a change of its status. Knows nothing of time. */
import type { FailureReason, HealthStatus, Outcome } from "../core/contracts.ts";

export interface ThresholdPolicy {
  /** Failures in a row until unhealthy, and successes with signals in a row until degraded. */
  readonly fall: number;
  /** Successes in a row until healthy again; from degraded, successes without signals. */
  readonly rise: number;
}

/**
 * Who looked. A probe asks for what is known to be there. A request of a viewer may fail by its own fault, and may succeed although a probe
 * sees what it did not ask for (the manifest comes, the segments do not): it heals nothing, and speaks against a service only with a quorum.
 */
export type Source = "probe" | "traffic";

/** One look. `quorum` is what traffic needs to count: enough different viewers have failed lately. */
export interface Seen {
  readonly outcome: Outcome;
  readonly source: Source;
  readonly quorum: boolean;
}

/** What the looks add up to. */
export interface Tally {
  readonly status: HealthStatus;
  /** Probes that failed in a row. */
  readonly failures: number;
  /** Failures of traffic, with a quorum, since a probe last succeeded. */
  readonly traffic: number;
  /** Probes that succeeded in a row, while unhealthy. */
  readonly successes: number;
  /** Probes with signals in a row; failures in between neither break nor lengthen the row. */
  readonly graded: number;
  /** Probes that succeeded without signals in a row, while degraded. */
  readonly clean: number;
}

/** Nothing is on its way to another status. */
export function settled(status: HealthStatus): Tally {
  return { status, failures: 0, traffic: 0, successes: 0, graded: 0, clean: 0 };
}

/**
 * How many failures in a row make a service unhealthy.
 * - `refused` needs one: the host itself says that nothing listens, and asking again gets the same answer. So does `stale`: several looks
 *   have gone into it already.
 * - A wrong body, a wrong key, a bad certificate or a live playlist that went back or was rewritten is a definite answer too, but one that a
 *   deployment under way, or a cache that lags, gives for a moment: one confirmation, whatever `fall` says.
 * - Everything else may be chance. So is `dns`: a resolver that does not answer is the prober's trouble as often as the region's.
 */
export function failuresNeeded(reason: FailureReason, fall: number): number {
  if (AT_ONCE.has(reason)) return 1;
  return CONFIRMED_ONCE.has(reason) ? Math.min(fall, 2) : fall;
}

const AT_ONCE: ReadonlySet<FailureReason> = new Set(["refused", "stale"]);
const CONFIRMED_ONCE: ReadonlySet<FailureReason> = new Set(["body", "key_length", "key_mismatch", "tls", "regressed", "rewritten"]);

/** True where one viewer's failure says something about the service. A video that is not there, or a viewer without a token, does not. */
export function speaksAgainstService(outcome: Outcome): boolean {
  return !outcome.ok && outcome.reason !== "not_found" && outcome.reason !== "unauthorized";
}

/** Takes in one look. Returns the same tally where the look changes nothing. */
export function tallied(tally: Tally, { outcome, source, quorum }: Seen, policy: ThresholdPolicy): Tally {
  if (source === "traffic") return afterTraffic(tally, outcome, quorum, policy);
  return outcome.ok ? afterSuccess(tally, (outcome.signals ?? []).length > 0, policy) : afterFailure(tally, outcome.reason, policy);
}

/** Consecutive looks that speak against the status. */
export function pendingLooks(tally: Tally): number {
  if (tally.status === "unhealthy") return tally.successes;
  const against = tally.failures + tally.traffic;
  return Math.max(against, tally.status === "healthy" ? tally.graded : tally.clean);
}

function afterSuccess({ status: before, ...former }: Tally, signalled: boolean, policy: ThresholdPolicy): Tally {
  const graded = signalled ? former.graded + 1 : 0;
  const successes = before === "unhealthy" ? former.successes + 1 : 0;
  const clean = before === "degraded" && !signalled ? former.clean + 1 : 0;
  const counted: Tally = { ...settled(before), successes, graded, clean };
  const recovering = (before === "unhealthy" && successes < policy.rise) || (before === "degraded" && clean < policy.rise);
  if (recovering) return counted;
  if (graded >= policy.fall) return settled("degraded");
  // Signals count on over the change to healthy, so that a service that comes back degraded is soon known to be.
  return { ...settled("healthy"), graded };
}

function afterFailure(before: Tally, reason: FailureReason, policy: ThresholdPolicy): Tally {
  if (before.status === "unhealthy") return settled("unhealthy");
  return fallen({ ...before, failures: before.failures + 1, clean: 0 }, reason, policy);
}

function afterTraffic(before: Tally, outcome: Outcome, quorum: boolean, policy: ThresholdPolicy): Tally {
  if (outcome.ok) return before.traffic === 0 || quorum ? before : { ...before, traffic: 0 };
  if (!quorum || !speaksAgainstService(outcome)) return before;
  if (before.status === "unhealthy") return before.successes === 0 ? before : settled("unhealthy");
  return fallen({ ...before, traffic: before.traffic + 1, clean: 0 }, outcome.reason, policy);
}

function fallen(tally: Tally, reason: FailureReason, policy: ThresholdPolicy): Tally {
  return tally.failures + tally.traffic >= failuresNeeded(reason, policy.fall) ? settled("unhealthy") : tally;
}
