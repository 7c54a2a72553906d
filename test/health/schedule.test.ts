import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { firstDelay, nextDelay, shortInterval, suspectAfter, usualDuration } from "../../src/health/schedule.ts";

const POLICY = { interval: 5000, fastInterval: 1000, timeout: 2000, jitter: 0.1 };

describe("schedule", () => {
  it.each([
    [false, 0, 5000],
    [false, 0.5, 4750],
    [true, 0, 1000],
    [true, 0.75, 925],
  ])("pending %s and random %s: %s ms", (pending, random, expected) => {
    expect(nextDelay(pending, POLICY, random)).toBe(expected);
  });

  it("starts within the jitter", () => {
    expect(firstDelay(POLICY, 0)).toBe(1);
    expect(firstDelay(POLICY, 0.999)).toBe(500);
  });

  it.each([
    ["half the time-out before the first success", null, {}, 1000],
    ["the fast interval where probes are quick", 3, { fastInterval: 200 }, 200],
    ["several times what is usual", 120, { fastInterval: 200 }, 480],
    ["never more than half the time-out", 5000, { fastInterval: 200 }, 1000],
    ["never more than half the time-out, whatever the fast interval", 3, { fastInterval: 1900 }, 1000],
    ["never at once", 0, { fastInterval: 1, timeout: 1 }, 10],
  ])("suspects after %s", (_, usual, policy, expected) => {
    expect(suspectAfter({ ...POLICY, ...policy }, usual)).toBe(expected);
  });

  it("follows what is usual slowly", () => {
    expect(usualDuration(null, 80)).toBe(80);
    expect(usualDuration(80, 180)).toBeCloseTo(100, 10);
    expect(usualDuration(80, 30)).toBeCloseTo(70, 10);
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
        const longest = Math.min(policy.interval, pending ? policy.fastInterval : policy.interval);
        expect(delay).toBeLessThanOrEqual(Math.max(10, longest));
        expect(delay).toBeGreaterThanOrEqual(Math.floor(longest * (1 - policy.jitter)));
        expect(firstDelay(policy, random)).toBeGreaterThan(0);
      }),
    );
  });
});
