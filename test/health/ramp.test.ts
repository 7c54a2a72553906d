import fc from "fast-check";
import { expect, it } from "vitest";
import { rampElapsed, rampShare } from "../../src/health/ramp.ts";

const POLICY = { ramp: 30_000, rampStart: 0.1 };
const anyPolicy = fc.record({ ramp: fc.integer({ min: 0, max: 1e6 }), rampStart: fc.double({ min: 0, max: 1, noNaN: true }) });
const anyTime = fc.integer({ min: -1e6, max: 2e6 });

it("rises in a straight line from its start to 1", () => {
  expect([-1, 0, 10_000, 15_000, 30_000, 31_000].map((elapsed) => rampShare(elapsed, POLICY))).toEqual([0.1, 0.1, 0.4, 0.55, 1, 1]);
});

it("is all at once where it takes no time", () => {
  expect(rampShare(0, { ramp: 0, rampStart: 0.1 })).toBe(1);
});

it("never falls, and stays between its start and 1", () => {
  fc.assert(
    fc.property(anyPolicy, anyTime, anyTime, (policy, one, other) => {
      const [sooner, later] = [Math.min(one, other), Math.max(one, other)].map((elapsed) => rampShare(elapsed, policy));
      expect(sooner).toBeLessThanOrEqual(later ?? 0);
      for (const share of [sooner, later]) expect([Number(share) >= policy.rampStart, Number(share) <= 1]).toEqual([true, true]);
    }),
  );
});

it("can be taken up where it was", () => {
  fc.assert(
    fc.property(anyPolicy, fc.integer({ min: 0, max: 1e6 }), (policy, elapsed) => {
      const share = rampShare(elapsed, policy);
      expect(rampShare(rampElapsed(share, policy), policy)).toBeCloseTo(share, 9);
    }),
  );
  expect(rampElapsed(0.55, POLICY)).toBeCloseTo(15_000, 6);
  expect(rampElapsed(0.01, POLICY)).toBe(0);
  expect([rampElapsed(1, POLICY), rampElapsed(1.5, POLICY), rampElapsed(0.5, { ramp: 10, rampStart: 1 })]).toEqual([30_000, 30_000, 10]);
});
