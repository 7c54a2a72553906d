/** What every `HealthMemory` does: the contract in `src/core/ports`, sentence by sentence. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HealthSnapshot, ServiceHealth } from "../../src/core/contracts.ts";
import type { HealthMemory } from "../../src/core/ports/health.ts";
import { ManualClock } from "../fakes/clock.ts";

export interface HealthMemoryHarness extends AsyncDisposable {
  readonly memory: HealthMemory;
  /** How old a snapshot may be. */
  readonly maxAgeMs: number;
}

const well: ServiceHealth = { status: "healthy", since: 1000, reason: null, detail: null, checkedAt: 4000, pending: 0 };
const ill: ServiceHealth = {
  status: "unhealthy",
  since: 2000,
  reason: "stale",
  detail: "nothing new for 20 s",
  checkedAt: 3000,
  pending: 0,
};

export function describeHealthMemory(name: string, open: (clock: ManualClock) => Promise<HealthMemoryHarness>): void {
  describe(`health memory: ${name}`, () => {
    let clock: ManualClock;
    let harness: HealthMemoryHarness;
    let memory: HealthMemory;

    beforeEach(async () => {
      clock = new ManualClock();
      harness = await open(clock);
      ({ memory } = harness);
    });
    afterEach(async () => {
      await harness[Symbol.asyncDispose]();
    });

    const snapshot = (regions: HealthSnapshot["regions"]): HealthSnapshot => ({ takenAt: clock.now(), regions });

    it("remembers nothing before the first save", async () => {
      expect(await memory.load()).toBeNull();
    });

    it("remembers what was saved last", async () => {
      await memory.save(snapshot({ we: { streaming: well } }));
      const saved = snapshot({ we: { streaming: ill, keys: well }, ne: { streaming: { ...well, status: "degraded" } }, gone: {} });
      await memory.save(saved);
      expect(await memory.load()).toEqual(saved);
      expect(await memory.load()).toEqual(saved);
    });

    it("forgets what passes by itself", async () => {
      const passing = { pending: 2, share: 0.4, heldUntil: 5000, latencyMs: 3, signals: [{ kind: "clock", detail: "6 s" }] } as const;
      const pending = { ...well, ...passing, reason: "timeout", detail: "no answer" } as const;
      await memory.save(snapshot({ we: { streaming: pending, keys: { ...ill, ...passing } } }));
      expect(await memory.load()).toEqual(snapshot({ we: { streaming: well, keys: ill } }));
    });

    it("does not believe what is too old, nor what comes from the future", async () => {
      await memory.save(snapshot({ we: { streaming: well } }));
      const saved = await memory.load();
      expect(saved).not.toBeNull();
      clock.jump(harness.maxAgeMs);
      expect(await memory.load()).toEqual(saved);
      clock.jump(1);
      expect(await memory.load()).toBeNull();
      clock.jump(-2 * harness.maxAgeMs - 2);
      expect(await memory.load()).toBeNull();
    });
  });
}
