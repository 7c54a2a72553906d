/** When to probe next. Pure: the random value is passed in. */
export interface SchedulePolicy {
  /** Milliseconds between the beginnings of two probes. */
  readonly interval: number;
  /** The same while a change of status is pending. */
  readonly fastInterval: number;
  /** Share of the interval by which probes are spread, 0 to 0.5. */
  readonly jitter: number;
  /** Milliseconds that a probe may take. */
  readonly timeout: number;
}

/** A loop that never waits starves everything else. */
const SHORTEST_MS = 10;

/** Milliseconds from the beginning of one probe to the beginning of the next. `random` is uniform in [0, 1). */
export function nextDelay(pending: boolean, policy: SchedulePolicy, random: number): number {
  const base = pending ? shortInterval(policy) : policy.interval;
  return Math.max(SHORTEST_MS, Math.round(base * (1 + policy.jitter * (2 * random - 1))));
}

/** Milliseconds until the first probe, so that the loops of many services do not beat together. */
export function firstDelay(policy: SchedulePolicy, random: number): number {
  return Math.max(1, Math.round(policy.interval * policy.jitter * random));
}

/** Milliseconds after the beginning of a probe before which nothing, not even failing traffic, brings the next one forward. */
export function shortInterval(policy: SchedulePolicy): number {
  return Math.min(policy.interval, policy.fastInterval);
}

/**
 * Milliseconds after which a probe without an answer is suspect and a second one is sent beside it. Two that follow one another would take
 * two time-outs to prove a black hole.
 */
export function suspectAfter(policy: SchedulePolicy): number {
  return Math.max(SHORTEST_MS, policy.timeout / 2);
}
