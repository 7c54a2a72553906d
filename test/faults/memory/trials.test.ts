import { beforeAll, describe, expect, it } from "vitest";
import { seededRandom } from "../../fakes/clock.ts";
import { dieAt, failAt, memoryReference, randomFaults, type MemoryReference, type MemoryTrial } from "./trials.ts";

let reference: MemoryReference;

beforeAll(async () => {
  reference = await memoryReference();
});

function wrong(trials: readonly MemoryTrial[]): readonly string[] {
  return trials.filter(({ problems }) => problems.length > 0).map(({ name, problems }) => `${name}: ${problems[0] ?? ""}`);
}

describe("a process that dies", () => {
  // Before one call and after the next: `npm run test:crash` has both of each.
  it("at any call of its ports is continued by another as if it had not", async () => {
    const trials: MemoryTrial[] = [];
    for (let at = 0; at < reference.calls.length; at += 1)
      trials.push(await dieAt(at, at % 2 === 0 ? "die before" : "die after", reference));
    expect(wrong(trials)).toEqual([]);
  });
});

describe("calls that fail, lose their answers, do nothing or do it wrongly", () => {
  it.each([1, 2, 3])("never lead to a success that is none (seed %i)", async (seed) => {
    const random = seededRandom(seed);
    const trials: MemoryTrial[] = [];
    for (let count = 0; count < 30; count += 1) trials.push(await failAt(randomFaults(reference, random), reference));
    expect(wrong(trials)).toEqual([]);
  });

  it("are found by the comparison that these tests rest on", async () => {
    const copies = reference.calls.filter(({ operation }) => operation === "north copyFrom");
    expect(copies.length).toBe(reference.copies);
    // The journal's own failure is no lie: the job is done again, and nothing else differs.
    const trial = await failAt([{ operation: "journal recordBlob", nth: 1, verdict: "fail after" }], reference);
    expect(trial).toEqual({ name: "fail after at journal recordBlob no. 1", problems: [] });
  });
});
