/** The newest probes of one service, for people who ask why. */
import type { ProbeRecord } from "../core/ports/health.ts";

const SLOTS = 64;

/** Keeps the last 64 records. */
export class ProbeHistory {
  readonly #slots: ProbeRecord[] = [];
  #next = 0;

  /** `known`: what an earlier history held, oldest first. */
  constructor(known: readonly ProbeRecord[] = []) {
    for (const record of known) this.add(record);
  }

  add(record: ProbeRecord): void {
    this.#slots[this.#next] = record;
    this.#next = (this.#next + 1) % SLOTS;
  }

  /** Oldest first. */
  records(): readonly ProbeRecord[] {
    return [...this.#slots.slice(this.#next), ...this.#slots.slice(0, this.#next)];
  }
}
