import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answered, mayBegin, refused, UNCONGESTED, type Congestion } from "../../../src/replicator/copying/congestion.ts";

const busy = (state: Congestion, now: number, underWay: number, retryAfterMs: number | null = null): Congestion =>
  refused(state, { sentAt: now - 1, now, underWay, retryAfterMs });

describe("the congestion of an account", () => {
  it("halves what was under way, once for all that was refused of the same burst", () => {
    const first = busy(UNCONGESTED, 1000, 16);
    expect(first.window).toBe(8);
    const second = refused(first, { sentAt: 999, now: 1001, underWay: 15, retryAfterMs: null });
    expect(second.window).toBe(8);
    expect(second.pausedUntil).toBe(first.pausedUntil);
    expect(busy(second, 2000, 8).window).toBe(4);
  });

  it("pauses as long as the service asks, and twice as long each time where it does not", () => {
    expect(busy(UNCONGESTED, 1000, 4, 7000).pausedUntil).toBe(8000);
    let state = UNCONGESTED;
    const pauses: number[] = [];
    for (let now = 1000; pauses.length < 9; now = state.pausedUntil + 10) {
      state = busy(state, now, 4);
      pauses.push(state.pausedUntil - now);
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect(answered(state).refusals).toBe(0);
  });

  it("opens by one for each round of answers", () => {
    let state = busy(UNCONGESTED, 1000, 16);
    for (let round = 0; round < 8; round += 1) {
      const before = state.window;
      for (let at = 0; at < Math.floor(before); at += 1) state = answered(state);
      expect(state.window - before).toBeGreaterThan(0.8);
      expect(state.window - before).toBeLessThanOrEqual(1);
    }
  });

  it("always lets one begin when no pause is asked for, and none before its end", () => {
    const step = fc.record({
      busy: fc.boolean(),
      underWay: fc.integer({ min: 1, max: 300 }),
      after: fc.nat({ max: 60_000 }),
      retry: fc.option(fc.nat({ max: 100_000 })),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        let state = UNCONGESTED;
        let now = 0;
        for (const { busy: isBusy, underWay, after, retry } of steps) {
          now += after;
          state = isBusy ? busy(state, now, underWay, retry) : answered(state);
          if (isBusy && retry !== null) expect(mayBegin(state, 0, now + retry - 1)).toBe(false);
          expect(mayBegin(state, 0, state.pausedUntil)).toBe(true);
          expect(mayBegin(state, Math.max(1, Math.floor(state.window)), state.pausedUntil)).toBe(false);
        }
      }),
    );
  });
});
