import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { courseOf, endingOf, LOSSES, type Loss } from "./faults.ts";

const JOURNEY = { began: 100, latency: 40, transfer: 200, bytes: 8_000 };
const NEVER = Number.POSITIVE_INFINITY;
const PATIENT = { firstByteMs: NEVER, totalMs: NEVER, silenceMs: NEVER };
const outage = (loss: Loss, from: number) => ({ loss, from, until: NEVER });

describe("a request", () => {
  it("takes its latency and its transfer where all is well", () => {
    expect(endingOf(courseOf(JOURNEY, null), PATIENT, 100)).toEqual({ at: 340, how: "complete" });
  });

  it.each([
    { loss: "refused", ending: { at: 103, how: "broken" } },
    { loss: "reset", ending: { at: 140, how: "broken" } },
    { loss: "503", ending: { at: 140, how: "complete" } },
    { loss: "404", ending: { at: 140, how: "complete" } },
    { loss: "black hole", ending: { at: 1_100, how: "timeout" } },
    { loss: "half body", ending: { at: 740, how: "timeout" } },
  ] as const)("to a region that is lost by $loss ends at $ending.at", ({ loss, ending }) => {
    const patience = { firstByteMs: 1_000, totalMs: 5_000, silenceMs: 500 };
    expect(endingOf(courseOf(JOURNEY, outage(loss, 0)), patience, 100)).toEqual(ending);
  });

  it.each([
    { loss: "reset", ending: { at: 200, how: "broken" } },
    { loss: "black hole", ending: { at: 700, how: "timeout" } },
    { loss: "503", ending: { at: 340, how: "complete" } },
  ] as const)("that is under way when the region is lost by $loss ends at $ending.at", ({ loss, ending }) => {
    expect(endingOf(courseOf(JOURNEY, outage(loss, 200)), { ...PATIENT, silenceMs: 500 }, 100)).toEqual(ending);
  });

  it("is not complete where its last byte never comes, however patient the player", () => {
    const losses = fc.constantFrom(...LOSSES);
    fc.assert(
      fc.property(losses, fc.nat(400), fc.nat(2_000), (loss, from, silenceMs) => {
        const course = courseOf(JOURNEY, outage(loss, from));
        const { at, how } = endingOf(course, { ...PATIENT, silenceMs }, 100);
        expect(at).toBeGreaterThanOrEqual(Math.min(from, 100));
        expect(how === "complete").toBe(course.completeAt !== NEVER);
      }),
    );
  });
});
