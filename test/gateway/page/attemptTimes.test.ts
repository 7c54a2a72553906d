import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endOf, extentOf, stretchesOf, ticksOf, waitsOf } from "../../../src/gateway/page/client/attemptTimes.js";

const NOW = 1_000_000_000;
const NONE = { submittedAt: null, scheduledAt: null, processingAt: null, finalAt: null, end: null, endedAt: null };

describe("the time line of a job", () => {
  it("goes through what is known of an attempt, up to now while it is live", () => {
    const attempt = { ...NONE, placedAt: NOW - 100, submittedAt: NOW - 90, scheduledAt: NOW - 80, processingAt: NOW - 50 };
    expect(stretchesOf(attempt, NOW)).toEqual([
      { phase: "handing", from: NOW - 100, to: NOW - 90 },
      { phase: "queued", from: NOW - 90, to: NOW - 80 },
      { phase: "scheduled", from: NOW - 80, to: NOW - 50 },
      { phase: "processing", from: NOW - 50, to: NOW },
    ]);
  });

  it("has no gap where an event was lost, and shows what went on after the attempt was given up", () => {
    const attempt = {
      ...NONE,
      placedAt: NOW - 100,
      submittedAt: NOW - 90,
      processingAt: NOW - 50,
      end: "moved",
      endedAt: NOW - 40,
      finalAt: NOW - 10,
    };
    expect(stretchesOf(attempt, NOW).map(({ phase, from, to }) => [phase, from - NOW, to - NOW])).toEqual([
      ["handing", -100, -90],
      ["queued", -90, -50],
      ["processing", -50, -40],
      ["after", -40, -10],
    ]);
    expect(stretchesOf({ ...attempt, end: "won" }, NOW).at(-1)?.to).toBe(NOW - 40);
    expect(extentOf({ createdAt: NOW - 120, finalAt: NOW - 20, attempts: [attempt] }, NOW).to).toBe(NOW - 120 + 1000);
  });

  it("shows where the job waited for an account", () => {
    const first = { ...NONE, placedAt: NOW - 90, end: "moved", endedAt: NOW - 60 };
    const second = { ...NONE, placedAt: NOW - 30 };
    const waits = waitsOf({ createdAt: NOW - 100, finalAt: null, attempts: [first, second] }, NOW);
    expect(waits.map(({ from, to }) => [from - NOW, to - NOW])).toEqual([
      [-100, -90],
      [-60, -30],
    ]);
    expect(waitsOf({ createdAt: NOW - 100, finalAt: NOW - 50, attempts: [] }, NOW)).toEqual([
      { phase: "waiting", from: NOW - 100, to: NOW - 50 },
    ]);
  });

  const at = fc.integer({ min: NOW - 1_000_000, max: NOW + 1_000_000 });
  const maybe = fc.option(at);
  const attempts = fc.record({
    placedAt: at,
    submittedAt: maybe,
    scheduledAt: maybe,
    processingAt: maybe,
    finalAt: maybe,
    end: fc.constantFrom(null, "won", "moved"),
    endedAt: maybe,
  });

  it("holds accounts' clocks within the attempt, whatever they say, and never goes backwards", () => {
    fc.assert(
      fc.property(attempts, fc.array(attempts, { maxLength: 4 }), (attempt, others) => {
        const stretches = stretchesOf(attempt, NOW);
        const counted = stretches.filter(({ phase }) => phase !== "after");
        for (const [place, { from, to }] of stretches.entries()) {
          expect(to).toBeGreaterThan(from);
          expect(from).toBe(stretches[place - 1]?.to ?? attempt.placedAt);
        }
        if (counted.length > 0) expect(counted.at(-1)?.to).toBe(endOf(attempt, NOW));
        const job = { createdAt: NOW - 1_000_000, finalAt: null, attempts: [attempt, ...others] };
        const extent = extentOf(job, NOW);
        for (const { from, to } of [...stretches, ...waitsOf(job, NOW)]) expect(extent.from <= from && to <= extent.to).toBe(true);
      }),
    );
  });

  it("has few ticks, at round times of the time zone, within the axis", () => {
    const hour = 3_600_000;
    expect(ticksOf({ from: 10.5 * hour, to: 12.4 * hour })).toEqual([10.5 * hour, 11 * hour, 11.5 * hour, 12 * hour]);
    expect(ticksOf({ from: 0, to: 4 * 24 * hour }, 2 * hour)[0]).toBe(22 * hour);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2e12 }), fc.integer({ min: 1000, max: 1e11 }), (from, length) => {
        const ticks = ticksOf({ from, to: from + length });
        expect(ticks.length).toBeLessThanOrEqual(5);
        for (const tick of ticks) expect(tick >= from && tick <= from + length).toBe(true);
      }),
    );
  });
});
