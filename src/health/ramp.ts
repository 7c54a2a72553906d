/** Pure: the slow return of a service after an outage, so that a cold region is not hit by every viewer at once. */
export interface RampPolicy {
  /** Milliseconds until it has all of its viewers again; 0: at once. */
  readonly ramp: number;
  /** Share with which it begins, 0 to 1. */
  readonly rampStart: number;
}

/** Share of its viewers that a service may have `elapsed` milliseconds after its return: from the start to 1, in a straight line. */
export function rampShare(elapsed: number, { ramp, rampStart }: RampPolicy): number {
  const wellFor = Math.max(0, elapsed);
  return wellFor >= ramp ? 1 : rampStart + (1 - rampStart) * (wellFor / ramp);
}

/** The inverse: how long ago a service returned that has this share now. */
export function rampElapsed(share: number, { ramp, rampStart }: RampPolicy): number {
  if (share >= 1 || rampStart >= 1) return ramp;
  return (ramp * Math.max(0, share - rampStart)) / (1 - rampStart);
}
