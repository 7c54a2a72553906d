import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CatalogueEntry, RegionCopy } from "../../../src/core/contracts.ts";
import { planRebuild, RECORD, type RebuildFacts } from "../../../src/replicator/rebuild/plan.ts";
import { catalogueEntry } from "../../fakes/catalogueEntry.ts";

const copy = (state: RegionCopy["state"], at = 10): RegionCopy => ({ state, at, detail: "" });

function entry(id: string, regions: Record<string, RegionCopy>, change: Partial<CatalogueEntry> = {}): CatalogueEntry {
  return { ...catalogueEntry(id), source: "west", assetName: `asset-${id}`, regions, ...change };
}

function facts(change: Partial<RebuildFacts> = {}): RebuildFacts {
  return {
    region: "west",
    from: null,
    others: ["north", "south"],
    answering: new Set(["north", "south"]),
    listed: new Set(),
    since: null,
    isTarget: true,
    recorded: null,
    filesInPlace: false,
    ...change,
  };
}

const both = { west: copy("verified"), north: copy("verified") };

describe("the plan of a rebuild", () => {
  it("copies each asset once from a region that has it verified, and takes it out of service first", () => {
    const plan = planRebuild([entry("a", both, { assetName: "intro" }), entry("b", both, { assetName: "intro" })], facts());
    expect(plan.jobs).toEqual([{ from: "north", files: "north", source: "west", assetName: "intro", locatorIds: ["a", "b"] }]);
    expect(plan.withdraw).toEqual(["a", "b"]);
    expect(plan).toMatchObject({ lost: [], waiting: [], done: 0, held: { verified: 2, listed: 0 } });
  });

  it("prefers the publisher, and passes over who does not answer or is not verified", () => {
    const everywhere = { north: copy("verified"), south: copy("verified") };
    const from = (change: Partial<RebuildFacts>, regions = everywhere) =>
      planRebuild([entry("a", regions, { source: "south" })], facts(change)).jobs.map((job) => job.from);
    expect(from({})).toEqual(["south"]);
    expect(from({ answering: new Set(["north"]) })).toEqual(["north"]);
    expect(from({}, { ...everywhere, south: copy("withdrawn") })).toEqual(["north"]);
    expect(from({ from: "north" })).toEqual(["north"]);
  });

  it("waits for who has it and does not answer, and says what nobody has", () => {
    const plan = planRebuild(
      [entry("a", both), entry("b", { west: copy("verified") }), entry("c", { west: copy("verified"), north: copy("withdrawn") })],
      facts({ answering: new Set() }),
    );
    expect(plan.jobs).toEqual([]);
    expect(plan.waiting.map(({ locatorId, why }) => [locatorId, why])).toEqual([["a", "only north has it, and does not answer"]]);
    expect(plan.lost.map(({ locatorId, why }) => [locatorId, why])).toEqual([
      ["b", "no region has a verified copy"],
      ["c", "no region has a verified copy"],
    ]);
    expect(plan.withdraw).toEqual(["a", "b", "c"]);
  });

  it("verifies in its place what only the region itself has, and leaves it in service meanwhile", () => {
    const plan = planRebuild([entry("a", { west: copy("verified") })], facts({ listed: new Set(["a"]) }));
    expect(plan.jobs).toEqual([{ from: "west", files: "west", source: "west", assetName: "asset-a", locatorIds: ["a"] }]);
    expect(plan.withdraw).toEqual([]);
  });

  it("goes on: what was verified since and is listed is done, what was lost again is not", () => {
    const later = { west: copy("verified", 100), north: copy("verified") };
    const plan = planRebuild(
      [entry("a", later), entry("b", later), entry("c", both), entry("d", { ...later, west: copy("withdrawn", 100) })],
      facts({ since: 50, listed: new Set(["a", "c"]) }),
    );
    expect(plan.done).toBe(1);
    expect(plan.jobs.flatMap(({ locatorIds }) => locatorIds)).toEqual(["b", "c", "d"]);
    expect(plan.withdraw).toEqual(["b", "c"]);
  });

  it("takes from the record what has one, with the files of whoever answers", () => {
    const entries = [entry("a", both), entry("b", { west: copy("verified") }), entry("c", both)];
    const recorded = new Set(["a", "b"]);
    const plan = planRebuild(entries, facts({ from: RECORD, recorded }));
    expect(plan.jobs.map(({ from, files, locatorIds }) => [from, files, ...locatorIds])).toEqual([[RECORD, "north", "a"]]);
    expect(plan.lost.map(({ locatorId, why }) => `${locatorId}: ${why}`)).toEqual([
      "b: no other region has its files; if they lie in the region's own containers, add --files-in-place",
      "c: it has no key record",
    ]);
    const inPlace = planRebuild(entries, facts({ from: RECORD, recorded, filesInPlace: true }));
    expect(inPlace.jobs.map(({ files }) => files)).toEqual(["north", "west"]);
    const dark = planRebuild(entries, facts({ recorded, filesInPlace: true, answering: new Set() }));
    expect(dark.jobs.map(({ from, files }) => [from, files])).toEqual([
      [RECORD, "west"],
      [RECORD, "west"],
    ]);
    expect(dark.waiting.map(({ locatorId }) => locatorId)).toEqual(["c"]);
  });

  it("leaves alone what the region neither publishes nor is to have", () => {
    const others = entry("a", { north: copy("verified") }, { source: "north" });
    expect(planRebuild([others], facts({ isTarget: false }))).toMatchObject({ jobs: [], lost: [] });
    expect(planRebuild([others], facts()).jobs).toHaveLength(1);
  });

  it("accounts for every video once, and withdraws nothing that nobody else could serve while the region lists it", () => {
    const regionCopy = fc.option(
      fc.record({ state: fc.constantFrom("verified" as const, "withdrawn" as const), at: fc.nat(100), detail: fc.constant("") }),
    );
    const entries = fc
      .array(fc.record({ west: regionCopy, north: regionCopy, south: regionCopy, source: fc.constantFrom("west", "north", "south") }), {
        maxLength: 12,
      })
      .map((all) =>
        all.map(({ source, ...regions }, at) => {
          const present = Object.entries(regions).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
          return entry(`id-${at}`, Object.fromEntries(present), { source });
        }),
      );
    const subset = fc.subarray(Array.from({ length: 12 }, (_, at) => `id-${at}`)).map((ids) => new Set(ids));
    const around = fc.record({
      answering: fc.subarray(["north", "south"]).map((names) => new Set(names)),
      listed: subset,
      since: fc.option(fc.nat(100)),
      recorded: fc.option(subset),
      filesInPlace: fc.boolean(),
      from: fc.constantFrom(null, "north", RECORD),
    });
    fc.assert(
      fc.property(entries, around, (all, change) => {
        const plan = planRebuild(all, facts(change));
        const told = [
          ...plan.jobs.flatMap(({ locatorIds }) => locatorIds),
          ...[...plan.lost, ...plan.waiting].map(({ locatorId }) => locatorId),
        ];
        expect(new Set(told).size).toBe(told.length);
        expect(told.length + plan.done).toBe(all.length);
        for (const id of plan.withdraw) {
          const found = all.find(({ locatorId }) => locatorId === id);
          const elsewhere = ["north", "south"].some((name) => found?.regions[name]?.state === "verified");
          const recordable = change.recorded?.has(id) === true && change.filesInPlace;
          expect(elsewhere || recordable || !change.listed.has(id)).toBe(true);
        }
      }),
    );
  });
});
