/** Health memory that forgets with its process, and counts. */
import type { HealthSnapshot } from "../../src/core/contracts.ts";
import type { HealthMemory } from "../../src/core/ports/health.ts";

export class MemoryHealthMemory implements HealthMemory {
  readonly saved: HealthSnapshot[] = [];
  /** What `save` throws, as a store that cannot be written does. */
  failure: Error | null = null;
  readonly #now: () => number;
  readonly #maxAgeMs: number;

  constructor(now: () => number, maxAgeMs: number) {
    this.#now = now;
    this.#maxAgeMs = maxAgeMs;
  }

  async load(): Promise<HealthSnapshot | null> {
    const last = this.saved.at(-1);
    if (last === undefined || Math.abs(this.#now() - last.takenAt) > this.#maxAgeMs) return null;
    const regions = Object.entries(last.regions).map(([name, services]) => {
      const kept = Object.entries(services).map(([service, { status, since, reason, detail, checkedAt }]) => {
        const why = status === "unhealthy" ? { reason, detail } : { reason: null, detail: null };
        return [service, { status, since, ...why, checkedAt, pending: 0 }];
      });
      return [name, Object.fromEntries(kept)] as const;
    });
    return { takenAt: last.takenAt, regions: Object.fromEntries(regions) };
  }

  async save(snapshot: HealthSnapshot): Promise<void> {
    if (this.failure !== null) throw this.failure;
    this.saved.push(structuredClone(snapshot));
  }
}
