import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { firstDelay, nextDelay, shortInterval, suspectAfter } from "../../src/health/schedule.ts";

const POLICY = { interval: 5000, fastInterval: 1000, timeout: 2000, jitter: 0.1 };

describe("schedule", () => {
  it.each([
    [false, 0, 4500],
    [false, 0.5, 5000],
    [true, 0, 900],
    [true, 0.75, 1050],
  ])("pending %s and random %s: %s ms", (pending, random, expected) => {
    expect(nextDelay(pending, POLICY, random)).toBe(expected);
  });

  it("starts within the jitter, and suspects after half the time-out", () => {
    expect(firstDelay(POLICY, 0)).toBe(1);
    expect(firstDelay(POLICY, 0.999)).toBe(500);
    expect(suspectAfter(POLICY)).toBe(1000);
  });

  it("is never slower for being pending", () => {
    expect(shortInterval({ ...POLICY, fastInterval: 60_000 })).toBe(5000);
  });

  it("never waits for nothing and never longer than the interval and its jitter", () => {
    const policies = fc.record({
      interval: fc.integer({ min: 1, max: 100_000 }),
      fastInterval: fc.integer({ min: 1, max: 100_000 }),
      timeout: fc.integer({ min: 1, max: 100_000 }),
      jitter: fc.double({ min: 0, max: 0.5, noNaN: true }),
    });
    fc.assert(
      fc.property(policies, fc.boolean(), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (policy, pending, random) => {
        const delay = nextDelay(pending, policy, random);
        expect(delay).toBeGreaterThanOrEqual(10);
        expect(delay).toBeLessThanOrEqual(Math.max(10, Math.ceil(policy.interval * (1 + policy.jitter))));
        expect(firstDelay(policy, random)).toBeGreaterThan(0);
      }),
    );
  });
});
