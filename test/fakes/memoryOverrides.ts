/** Overrides in memory. Keeps the contract of `OverrideStore`. */
import type { Override } from "../../src/core/contracts.ts";
import { PaircastError } from "../../src/core/errors.ts";
import type { OverrideEvent, OverrideStore } from "../../src/core/ports/overrides.ts";
import { Calls } from "./calls.ts";

export class MemoryOverrides implements OverrideStore {
  readonly calls = new Calls();
  #active: Override[] = [];
  /** Oldest first. */
  readonly #events: OverrideEvent[] = [];

  async set(override: Override, expected?: string): Promise<void> {
    await this.calls.enter("set", override.id, "writes");
    if (expected !== undefined && expected !== String(this.#events.length))
      throw new PaircastError("overrides_conflict", `set an override: another revision is stored`, { retry: "conflict" });
    this.#removeExpired(override.createdAt);
    this.#active = this.#active.filter(({ region, service }) => region !== override.region || service !== override.service);
    this.#active.push(structuredClone(override));
    this.#record({ at: override.createdAt, action: "set", override, by: override.by });
  }

  async lift(id: string, by: string, now: number): Promise<Override | null> {
    await this.calls.enter("lift", id, "writes");
    this.#removeExpired(now);
    const override = this.#active.find((each) => each.id === id);
    if (override === undefined) return null;
    this.#active = this.#active.filter((each) => each !== override);
    this.#record({ at: now, action: "lifted", override, by });
    return structuredClone(override);
  }

  async expire(now: number): Promise<readonly Override[]> {
    await this.calls.enter("expire", "*", "writes");
    return this.#removeExpired(now);
  }

  async active(now: number): Promise<readonly Override[]> {
    await this.calls.enter("active", "*", "reads");
    const running = this.#active.filter(({ expiresAt }) => expiresAt > now);
    return structuredClone(running.toSorted((one, other) => one.createdAt - other.createdAt || (one.id < other.id ? -1 : 1)));
  }

  async audit(limit: number): Promise<readonly OverrideEvent[]> {
    await this.calls.enter("audit", "*", "reads");
    return structuredClone(this.#events.toReversed().slice(0, limit));
  }

  async revision(): Promise<string> {
    await this.calls.enter("revision", "*", "reads");
    return String(this.#events.length);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #removeExpired(now: number): Override[] {
    const expired = this.#active.filter(({ expiresAt }) => expiresAt <= now).toSorted((one, other) => one.expiresAt - other.expiresAt);
    this.#active = this.#active.filter(({ expiresAt }) => expiresAt > now);
    for (const override of expired) this.#record({ at: override.expiresAt, action: "expired", override, by: "expiry" });
    return expired;
  }

  #record(event: OverrideEvent): void {
    this.#events.push(structuredClone(event));
  }
}
