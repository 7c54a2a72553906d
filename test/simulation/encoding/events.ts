/** Deliveries of events: some are lost, some come twice, all come late and in any order; nothing comes out of a region that is out. */
import type { Clock, Random } from "../../../src/core/clock.ts";
import type { Sighting } from "../../../src/core/encoding.ts";
import type { Span } from "./simulatedAccount.ts";

export interface DeliveryOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly lost: number;
  readonly doubled: number;
  /** Account -> when nothing comes out of it. */
  readonly outages: Readonly<Record<string, readonly Span[]>>;
  /** Rejects where it has to be delivered again. */
  readonly deliver: (sighting: Sighting) => Promise<void>;
}

const SECOND = 1_000;
const TRIES = 30;
const RETRY_MS = 30 * SECOND;

export class Deliveries {
  readonly #options: DeliveryOptions;
  sent = 0;
  lost = 0;
  doubled = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  readonly emit = (sighting: Sighting): void => {
    const { random } = this.#options;
    this.sent += 1;
    if (random.next() < this.#options.lost) {
      this.lost += 1;
      return;
    }
    void this.#deliver(sighting);
    if (random.next() >= this.#options.doubled) return;
    this.doubled += 1;
    void this.#deliver(sighting);
  };

  async #deliver(sighting: Sighting): Promise<void> {
    const { clock, random, outages } = this.#options;
    // One in a hundred comes late by up to half an hour.
    await clock.sleep(random.next() < 0.01 ? random.next() * 1_800 * SECOND : random.next() * 10 * SECOND);
    const out = outages[sighting.account]?.find(([from, to]) => clock.now() >= from && clock.now() < to);
    if (out !== undefined) await clock.sleep(out[1] - clock.now() + random.next() * 60 * SECOND);
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      try {
        await this.#options.deliver(sighting);
        return;
      } catch {
        await clock.sleep(RETRY_MS);
      }
    }
  }
}
