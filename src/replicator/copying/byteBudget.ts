/** Bytes per second, as a balance that fills with time and may be overdrawn by one transfer: the next ones wait until it is even. Pure. */

export interface Balance {
  readonly bytes: number;
  /** When it was reckoned, monotonic milliseconds. */
  readonly at: number;
}

export interface Spent {
  readonly balance: Balance;
  /** How long this transfer has to wait before it begins. */
  readonly waitMs: number;
}

/** What was not used within a second is lost. */
export function spend(balance: Balance, bytesPerSecond: number, bytes: number, now: number): Spent {
  const filled = Math.min(bytesPerSecond, balance.bytes + (Math.max(0, now - balance.at) / 1000) * bytesPerSecond);
  return { balance: { bytes: filled - bytes, at: now }, waitMs: filled >= 0 ? 0 : (-filled / bytesPerSecond) * 1000 };
}
