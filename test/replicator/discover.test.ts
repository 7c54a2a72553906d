import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CatalogueEntry, RegionCopy } from "../../src/core/contracts.ts";
import { isMassWithdrawal, isSuspect, jobsFor, originOf, type Sighting } from "../../src/replicator/discover.ts";
import type { KnownLocator } from "../../src/replicator/discovery/catalogueIndex.ts";
import { PageLedger } from "../../src/replicator/discovery/pageLedger.ts";
import { catalogueEntry } from "../fakes/catalogueEntry.ts";

const RULES = { sources: ["west", "north"], targets: ["west", "north", "south"], full: false };
const copy = (state: RegionCopy["state"], at = 1_000): RegionCopy => ({ state, at, detail: "" });

function known(source: string | null, verified: readonly string[], sourceAt = 1_000): KnownLocator {
  return { source, sourceAt, isVerified: (region) => verified.includes(region) };
}

describe("what gives reason to look at an asset", () => {
  const everywhere = known("west", ["west", "north", "south"]);
  it.each([
    ["its source lists it, verified everywhere", "west", 0, everywhere, RULES, false],
    ["a copy is listed", "north", 5_000, everywhere, RULES, false],
    ["nobody knows it", "north", 0, null, RULES, true],
    ["a target has not got it", "west", 0, known("west", ["west", "north"]), RULES, true],
    ["a target of others has not got it", "north", 0, known("west", ["west", "north"]), RULES, false],
    ["it was published again since it was verified", "west", 1_001, everywhere, RULES, true],
    ["its source stopped publishing it, and a copy is still there", "north", 900, known("west", ["north"]), RULES, false],
    ["its source stopped publishing it, and another published it since", "north", 1_001, known("west", ["north"]), RULES, true],
    ["its source takes no part any more", "north", 0, known("south", ["south"]), RULES, true],
    ["its source is not configured any more", "north", 0, known(null, []), RULES, true],
    ["everything is looked at", "west", 0, everywhere, { ...RULES, full: true }, true],
    ["everything is looked at, and it is a copy", "north", 0, everywhere, { ...RULES, full: true }, false],
    ["the region is no source", "south", 0, null, RULES, false],
  ])("%s", (_, region, created, locator, rules, expected) => {
    expect(isSuspect(region, { created }, locator, rules)).toBe(expected);
  });
});

describe("where a publication comes from", () => {
  const entry = (source: string, state: RegionCopy["state"], at = 1_000): CatalogueEntry =>
    catalogueEntry("id", { source, regions: { [source]: copy(state, at), other: copy("verified", 9_000) } });
  const in_ = (region: string, created: number): Sighting => ({ region, created });
  it.each([
    ["unknown: where it was created first", [in_("west", 2), in_("north", 1)], null, "north"],
    ["unknown and without times: in order of priority", [in_("west", 0), in_("north", 0)], null, "west"],
    ["known: its source, also where a copy is newer", [in_("west", 1), in_("north", 9_000)], entry("west", "verified"), "west"],
    ["not listed by its source, which nobody has confirmed", [in_("north", 9_000)], entry("west", "verified"), null],
    ["unpublished by its source: a copy from before is nobody's publication", [in_("north", 1_000)], entry("west", "withdrawn"), null],
    ["unpublished by its source: the newest since then", [in_("north", 1_001), in_("south", 1_002)], entry("west", "withdrawn"), "south"],
    ["published again by its source", [in_("west", 5_000), in_("north", 9_000)], entry("west", "withdrawn"), "west"],
    ["nowhere", [], null, null],
  ])("%s", (_, sightings, stored, expected) => {
    expect(originOf(sightings, stored, ["west", "north", "south"])).toBe(expected);
  });

  it("is one and the same for all regions that look, whatever the order in which they are asked", () => {
    const sighting = fc.record({ region: fc.constantFrom("west", "north", "south"), created: fc.nat(3_000) });
    const sightings = fc.uniqueArray(sighting, { selector: ({ region }) => region });
    fc.assert(
      fc.property(sightings, fc.constantFrom(null, entry("west", "withdrawn"), entry("north", "verified")), (seen, stored) => {
        const distinct = new Set(seen.map(({ created }) => created)).size === seen.length;
        const sources = ["west", "north", "south"];
        if (distinct) expect(originOf(seen.toReversed(), stored, sources)).toBe(originOf(seen, stored, sources));
      }),
    );
  });
});

describe("jobs", () => {
  const publication = (locatorId: string, assetName = "intro", source = "west") => ({ locatorId, assetName, source, created: 0 });
  const entries = new Map([
    ["a", catalogueEntry("a", { source: "west", regions: { west: copy("verified"), north: copy("verified") } })],
    ["b", catalogueEntry("b", { source: "west", regions: { west: copy("verified"), north: copy("withdrawn") } })],
  ]);

  it("are one for each asset, with the locators that the target has not got", () => {
    const publications = [publication("a"), publication("b"), publication("c"), publication("d", "other")];
    expect(jobsFor(publications, entries, { target: "north", full: false })).toEqual([
      { source: "west", target: "north", assetName: "intro", locatorIds: ["b", "c"] },
      { source: "west", target: "north", assetName: "other", locatorIds: ["d"] },
    ]);
    expect(jobsFor(publications, entries, { target: "north", full: true })[0]?.locatorIds).toEqual(["a", "b", "c"]);
  });

  it("are done again for what another region publishes now", () => {
    const moved = [publication("a", "intro", "north")];
    expect(jobsFor(moved, entries, { target: "west", full: false })).toHaveLength(1);
  });
});

it.each([
  [3, 3, false],
  [4, 4, true],
  [4, 8, false],
  [5, 9, true],
  [0, 0, false],
])("the loss of %i of %i is a mass withdrawal: %s", (gone, of, expected) => {
  expect(isMassWithdrawal({ gone, of })).toBe(expected);
});

describe("the pages that are not done with", () => {
  it("are remembered by the first of them", () => {
    const ledger = new PageLedger();
    expect(ledger.low).toBe(Number.POSITIVE_INFINITY);
    ledger.begun(3);
    ledger.begun(3);
    ledger.begun(5);
    ledger.hold(4);
    expect([ledger.low, ledger.ended(3), ledger.ended(3), ledger.low, ledger.isHeld]).toEqual([3, false, true, 4, true]);
    ledger.release();
    expect([ledger.low, ledger.ended(5), ledger.low]).toEqual([5, true, Number.POSITIVE_INFINITY]);
  });
});
