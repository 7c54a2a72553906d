/** How often one client may ask before it is told to take its time. Pure step of a token bucket. */
export interface Bucket {
  readonly tokens: number;
  /** Monotonic milliseconds. */
  readonly at: number;
}

/** Requests at once, and per second after that. A player in an incident asks every five seconds; one that has lost its count, 140 times a second. */
const BURST = 30;
const PER_SECOND = 2;

/** Takes a token. `allowed` is false where there was none. */
export function taken(bucket: Bucket | null, at: number): { readonly bucket: Bucket; readonly allowed: boolean } {
  const refilled = bucket === null ? BURST : Math.min(BURST, bucket.tokens + (Math.max(0, at - bucket.at) / 1000) * PER_SECOND);
  const allowed = refilled >= 1;
  return { bucket: { tokens: allowed ? refilled - 1 : refilled, at }, allowed };
}
