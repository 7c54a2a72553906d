/** When to probe next. Pure: the random value is passed in. */
export interface SchedulePolicy {
  /** Milliseconds between the beginnings of two probes, at most. */
  readonly interval: number;
  /** The same while a change of status is pending. */
  readonly fastInterval: number;
  /** Share of the interval by which probes come earlier, 0 to 0.5. */
  readonly jitter: number;
  /** Milliseconds that a probe may take. */
  readonly timeout: number;
}

/** A loop that never waits starves everything else. */
const SHORTEST_MS = 10;
/** A probe is suspect when it takes this many times as long as they usually do. */
const UNUSUAL = 4;
/** Weight of the newest probe in what is usual. */
const WEIGHT = 0.2;

/**
 * Milliseconds from the beginning of one probe to the beginning of the next. `random` is uniform in [0, 1). Chance only shortens, so that the
 * configured times are the longest ones.
 */
export function nextDelay(pending: boolean, policy: SchedulePolicy, random: number): number {
  const base = pending ? shortInterval(policy) : policy.interval;
  return Math.max(SHORTEST_MS, Math.round(base * (1 - policy.jitter * random)));
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
 * Milliseconds after which a probe without an answer is suspect and a second one is sent beside it: two that follow one another would take two
 * time-outs to prove a black hole. `usual` is what its successful probes take, null before the first.
 */
export function suspectAfter(policy: SchedulePolicy, usual: number | null): number {
  const half = policy.timeout / 2;
  const unusual = usual === null ? half : Math.max(shortInterval(policy), UNUSUAL * usual);
  return Math.max(SHORTEST_MS, Math.min(half, unusual));
}

/** What probes usually take, with one more that took `durationMs`. */
export function usualDuration(usual: number | null, durationMs: number): number {
  return usual === null ? durationMs : usual + WEIGHT * (durationMs - usual);
}
