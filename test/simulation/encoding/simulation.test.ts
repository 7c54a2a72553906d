/** A short part of `npm run sim:encoding`. */
import { describe, expect, it } from "vitest";
import { runOurs } from "./ours.ts";
import { runReferenceSample } from "./referenceSample.ts";
import { scenarioOf } from "./scenario.ts";

const MINUTE = 60_000;

describe("a region out for six hours, another one jammed, events lost and doubled, workers killed", () => {
  it.each([11, 12])("seed %i: every job ends and is told of once, and moves in time", async (seed) => {
    const outcome = await runOurs(scenarioOf({ seed, jobs: 300, days: 1 }));
    expect(outcome).toMatchObject({ jobs: 300, lost: 0, publishedTwice: 0, goodFailed: 0, overCapacity: 0 });
    expect(outcome.affected).toBeGreaterThan(5);
    expect(outcome.movedMs).toBeLessThan(8 * MINUTE);
    expect(outcome.outageReadmittedMs).toBeLessThan(15 * MINUTE);
    expect(outcome.jamReadmittedMs).toBeLessThan(15 * MINUTE);
    expect(outcome.notes.join("\n")).toContain("0 left over");
    expect(outcome.notes.join("\n")).toContain("published outputs that are gone: 0");
  });

  it("loses jobs by the rules of the reference sample, or else it is too easy", async () => {
    const outcome = await runReferenceSample(scenarioOf({ seed: 11, jobs: 300, days: 1 }));
    expect(outcome.lost).toBeGreaterThan(0);
    expect(outcome.publishedTwice).toBeGreaterThan(0);
    expect(outcome.movedMs).toBe(Number.POSITIVE_INFINITY);
  });
});
