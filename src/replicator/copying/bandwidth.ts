/** Holds copies to a number of bytes per second. */
import type { Clock } from "../../core/clock.ts";
import { spend, type Balance } from "./byteBudget.ts";

/** Of one target, shared by all jobs that copy to it. */
export class Bandwidth {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number;
  #balance: Balance;

  constructor(bytesPerSecond: number, clock: Clock) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#balance = { bytes: bytesPerSecond, at: clock.monotonic() };
  }

  /** Resolves when these bytes may be copied; rejects with an AbortError when `signal` aborts. */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    const { balance, waitMs } = spend(this.#balance, this.#bytesPerSecond, bytes, this.#clock.monotonic());
    this.#balance = balance;
    if (waitMs > 0) await this.#clock.sleep(waitMs, signal);
  }
}

/** One for each target, made when it is first asked for; null: as fast as the services can. */
export function bandwidths(bytesPerSecond: number | null, clock: Clock): (target: string) => Bandwidth | null {
  const made = new Map<string, Bandwidth>();
  return (target) => {
    if (bytesPerSecond === null) return null;
    const bandwidth = made.get(target) ?? new Bandwidth(bytesPerSecond, clock);
    made.set(target, bandwidth);
    return bandwidth;
  };
}
