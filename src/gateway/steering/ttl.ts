/** After how long a player asks again. Pure. */
import type { Considered, Verdict } from "../../core/contracts.ts";

/** Milliseconds. */
export interface TtlPolicy {
  readonly ttl: number;
  /** The shortest while something is wrong. */
  readonly incidentTtl: number;
}

/** `slowed`: for a player that asks far too often. */
export type Pace = "calm" | "incident" | "slowed";

/** Share of itself by which a time is shortened or lengthened at random, so that viewers who were moved together do not come back together. */
const JITTER = 0.2;
/** A player that asks far too often is told to take its time. */
const SLOWED = 2;
/** Verdicts of health. What an operator or the catalogue says of a region is no incident: it stands for hours, and the region's players have left. */
const INCIDENTS: ReadonlySet<Verdict> = new Set<Verdict>(["degraded", "ramping", "unknown", "no_keys", "unhealthy", "tried"]);

/** True while any region of the session is not plainly healthy. */
export function hasIncident(considered: readonly Considered[], pathways: readonly string[]): boolean {
  return considered.some(({ region, verdict }) => INCIDENTS.has(verdict) && pathways.includes(region));
}

/** True for two times the TTL after a change. Both in epoch milliseconds; a clock that jumps does no more than change a TTL. */
export function isRecent(changedAt: number, now: number, { ttl }: TtlPolicy): boolean {
  return Math.abs(now - changedAt) < 2 * ttl;
}

/** Whole seconds, at least 1. `chance` in [0, 1). */
export function ttlSeconds(policy: TtlPolicy, pace: Pace, chance: number): number {
  const milliseconds = middleOf(policy, pace) * (1 + JITTER * (2 * chance - 1));
  return Math.max(1, Math.round(milliseconds / 1000));
}

/** The setting for incidents is the shortest, so the middle lies above it. */
function middleOf({ ttl, incidentTtl }: TtlPolicy, pace: Pace): number {
  if (pace === "calm") return ttl;
  return pace === "slowed" ? SLOWED * Math.max(ttl, incidentTtl) : incidentTtl / (1 - JITTER);
}
