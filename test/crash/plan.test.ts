import { describe, expect, it } from "vitest";
import { seededRandom } from "../fakes/clock.ts";
import { describePoint, planCrashes, type Profile } from "./plan.ts";

const PROFILE: Profile = {
  operations: new Map([
    ["management north PUT assets/*", 3],
    ["storage north PUT blob from URL", 9],
  ]),
  calls: 40,
  writes: 12,
  ms: 900,
};

describe("where a process is killed", () => {
  it("is before and after every kind of call once, and somewhere else in all other runs", () => {
    const runs = planCrashes(30, PROFILE, seededRandom(1));
    expect(runs).toHaveLength(30);
    const boundaries = runs.map(({ first }) => first).filter(({ kind }) => kind === "before" || kind === "after");
    expect(boundaries.map((point) => describePoint(point).replace(/ no\. \d+$/, "")).sort()).toEqual([
      "after management north PUT assets/*",
      "after storage north PUT blob from URL",
      "before management north PUT assets/*",
      "before storage north PUT blob from URL",
    ]);
    expect(new Set(runs.map(({ first }) => first.kind))).toEqual(new Set(["before", "after", "call", "write", "moment"]));
    expect(new Set(runs.map(({ name }) => name)).size).toBe(30);
  });

  it("is never beyond the run", () => {
    for (const { first } of planCrashes(200, PROFILE, seededRandom(2))) {
      if (first.kind === "call") expect(first.number).toBeLessThanOrEqual(40);
      if (first.kind === "write") expect(first.nth).toBeLessThanOrEqual(12);
      if (first.kind === "moment") expect(first.ms).toBeLessThanOrEqual(900);
    }
  });

  it("is a boundary in half of the runs where these are few", () => {
    const kinds = planCrashes(4, PROFILE, seededRandom(3)).map(({ first }) => first.kind);
    expect(kinds.filter((kind) => kind === "before" || kind === "after")).toHaveLength(2);
  });

  it("is the same for the same seed", () => {
    expect(planCrashes(50, PROFILE, seededRandom(4))).toEqual(planCrashes(50, PROFILE, seededRandom(4)));
    expect(planCrashes(50, PROFILE, seededRandom(4))).not.toEqual(planCrashes(50, PROFILE, seededRandom(5)));
  });
});
