/**
 * What the last key requests say of a region, between two of its probes: after a few failures in a row it is asked last for a moment, then one
 * request tries it again. Health decides what lasts longer. Pure.
 */

const STRIKES = 3;
const PAUSE_MS = 1_000;
/** Answers by which a region's usual time is known. */
const SAMPLES = 64;
const USUAL_SHARE = 0.95;

interface Record {
  strikes: number;
  askAgainAt: number;
  readonly times: number[];
  next: number;
  usualMs: number;
}

export class Breaker {
  readonly #records = new Map<string, Record>();

  /** False while the region should be asked only where nobody else is left. True lets one request try a region whose pause is over. */
  admits(region: string, now: number): boolean {
    const record = this.#records.get(region);
    if (record === undefined || record.strikes < STRIKES) return true;
    if (now < record.askAgainAt) return false;
    record.askAgainAt = now + PAUSE_MS;
    return true;
  }

  /** It answered, `durationMs` after it was asked. */
  answered(region: string, durationMs: number): void {
    const record = this.#record(region);
    record.strikes = 0;
    record.times[record.next] = durationMs;
    record.next = (record.next + 1) % SAMPLES;
    // Sorting at every answer would cost more than it tells.
    if (record.next === 0) record.usualMs = quantile(record.times);
  }

  /** It failed, or another answered before it. */
  failed(region: string, now: number): void {
    const record = this.#record(region);
    record.strikes += 1;
    if (record.strikes >= STRIKES) record.askAgainAt = now + PAUSE_MS;
  }

  /** The time within which 95 of 100 of its answers come; 0 while too few are known. */
  usualMs(region: string): number {
    return this.#records.get(region)?.usualMs ?? 0;
  }

  #record(region: string): Record {
    const known = this.#records.get(region);
    if (known !== undefined) return known;
    const record = { strikes: 0, askAgainAt: 0, times: [], next: 0, usualMs: 0 };
    this.#records.set(region, record);
    return record;
  }
}

function quantile(times: readonly number[]): number {
  const sorted = times.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length * USUAL_SHARE)] ?? 0;
}
