import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { holdFor, ill, isHeld, released, UNDAMPED, type Damping, type DampingPolicy } from "../../src/core/damping.ts";

const POLICY: DampingPolicy = { window: 300_000, base: 30_000, cap: 300_000 };

/** What is known after outages that begin and end at these times. */
function after(times: readonly number[], policy = POLICY): Damping {
  return times.reduce((damping, at) => released(ill(damping, true, policy, at)), UNDAMPED);
}

/** How long the service is kept away that falls at the last of these times. */
function lastHold(times: readonly number[], policy = POLICY): number {
  const at = times.at(-1) ?? 0;
  const { until } = ill(after(times.slice(0, -1), policy), true, policy, at);
  return until === null ? 0 : until - at;
}

const every = (ms: number, count: number): number[] => Array.from({ length: count }, (_, index) => index * ms);

describe("hold-down", () => {
  it("spares the first outage, doubles from the base and ends at the cap", () => {
    expect([0, 1, 2, 3, 4, 5, 6, 50].map((outages) => holdFor(outages, POLICY))).toEqual([
      0, 0, 30_000, 60_000, 120_000, 240_000, 300_000, 300_000,
    ]);
    expect([1, 2, 3, 4, 5, 6, 7, 40].map((count) => lastHold(every(20_000, count)))).toEqual([
      0, 30_000, 60_000, 120_000, 240_000, 300_000, 300_000, 300_000,
    ]);
  });

  it("takes one outage back for every window that passes well", () => {
    const four = every(20_000, 4);
    const then = (wellFor: number): number => lastHold([...four, 60_000 + wellFor]);
    expect([0, 299_999, 300_000, 600_000, 900_000, 1_200_000, 9_000_000].map(then)).toEqual([
      240_000, 240_000, 120_000, 60_000, 30_000, 0, 0,
    ]);
  });

  it("forgets a long bad night like a short one", () => {
    const night = every(1000, 1000);
    const end = night.at(-1) ?? 0;
    expect(lastHold([...night, end + 5 * POLICY.window])).toBe(30_000);
    expect(lastHold([...night, end + 6 * POLICY.window])).toBe(0);
  });

  it("counts the time that passes well from the last look that did not go well", () => {
    const began = ill(UNDAMPED, true, POLICY, 0);
    const ended = ill(began, false, POLICY, 3_600_000);
    expect(ended).toEqual({ outages: 1, illAt: 3_600_000, until: null });
    expect(ill(ended, true, POLICY, 3_600_000 + 299_999).outages).toBe(2);
    expect(ill(ended, true, POLICY, 3_600_000 + 300_000).outages).toBe(1);
  });

  it("begins with nothing, and leaves no hold when it is released", () => {
    expect(UNDAMPED).toEqual({ outages: 0, illAt: null, until: null });
    expect(released(UNDAMPED)).toBe(UNDAMPED);
    expect(released({ outages: 3, illAt: 7, until: 9 })).toEqual({ outages: 3, illAt: 7, until: null });
  });

  it("begins anew with every look that does not go well", () => {
    const second = ill(after([0]), true, POLICY, 20_000);
    expect(second.until).toBe(50_000);
    const still = ill(second, false, POLICY, 29_000);
    expect(still).toEqual({ outages: 2, illAt: 29_000, until: 59_000 });
    expect([isHeld(still, 58_999), isHeld(still, 59_000), isHeld(released(still), 30_000)]).toEqual([true, false, false]);
  });

  it("can be switched off", () => {
    expect(every(10, 50).map((_, count) => lastHold(every(10, count + 1), { ...POLICY, base: 0 }))).toEqual(Array<number>(50).fill(0));
  });

  it("is never longer than the cap, nor shorter for one more outage", () => {
    const policies = fc
      .record({ window: fc.integer({ min: 1, max: 1e6 }), base: fc.integer({ min: 0, max: 1e5 }), more: fc.integer({ min: 0, max: 1e6 }) })
      .map(({ window, base, more }): DampingPolicy => ({ window, base, cap: base + more }));
    const gaps = fc.array(fc.integer({ min: 0, max: 2e6 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(policies, gaps, (policy, waits) => {
        let at = 0;
        const times = waits.map((wait) => (at += wait));
        const hold = lastHold(times, policy);
        expect(hold).toBeLessThanOrEqual(policy.cap);
        expect(hold === 0 || hold >= policy.base).toBe(true);
        expect(lastHold([...times, at], policy)).toBeGreaterThanOrEqual(hold);
      }),
    );
  });
});
