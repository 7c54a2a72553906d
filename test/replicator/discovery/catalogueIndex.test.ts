import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CatalogueEntry } from "../../../src/core/contracts.ts";
import { CatalogueIndex, type KnownLocator } from "../../../src/replicator/discovery/catalogueIndex.ts";
import { CatalogueIndexReader } from "../../../src/replicator/discovery/indexReader.ts";
import { catalogueEntry } from "../../fakes/catalogueEntry.ts";
import { MemoryCatalogue } from "../../fakes/memoryCatalogue.ts";

/** More than one word of bits. */
const REGIONS = Array.from({ length: 35 }, (_, at) => `region-${at}`);

const state = fc.constantFrom("verified" as const, "withdrawn" as const);
const copies = fc.dictionary(
  fc.constantFrom(...REGIONS),
  fc.record({ state, at: fc.nat(1e12), detail: fc.constant("") }, { noNullPrototype: true }),
  { noNullPrototype: true },
);
const entry = fc.record({ source: fc.constantFrom(...REGIONS, "elsewhere"), regions: copies }, { noNullPrototype: true });
const ID = fc.constantFrom("a", "b", "c");

function entryOf(locatorId: string, change: Pick<CatalogueEntry, "source" | "regions">): CatalogueEntry {
  return catalogueEntry(locatorId, change);
}

function expectSame(known: KnownLocator | null, expected: CatalogueEntry | null): void {
  expect(known === null).toBe(expected === null);
  if (known === null || expected === null) return;
  expect(known.source).toBe(expected.source === "elsewhere" ? null : expected.source);
  for (const region of REGIONS) expect(known.isVerified(region)).toBe(expected.regions[region]?.state === "verified");
  const at = expected.regions[expected.source]?.at ?? 0;
  if (known.source !== null) expect(known.sourceAt).toBe(Math.ceil(at / 1000) * 1000);
}

describe("the index of the catalogue", () => {
  it("says of every locator what its entry says, after any changes", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(ID, fc.option(entry)), { maxLength: 12 }), (changes) => {
        const index = new CatalogueIndex(REGIONS);
        const model = new Map<string, CatalogueEntry>();
        for (const [id, change] of changes) {
          index.apply(id.toUpperCase(), change === null ? null : entryOf(id, change));
          if (change === null) model.delete(id);
          else model.set(id, entryOf(id, change));
        }
        for (const id of ["a", "b", "c"]) expectSame(index.known(id), model.get(id) ?? null);
      }),
    );
  });

  const verified = { state: "verified", at: 5_000, detail: "" } as const;
  const two = new CatalogueIndex(["west", "north"]);
  for (const id of ["kept", "gone", "lost"]) two.apply(id, entryOf(id, { source: "west", regions: { west: verified, north: verified } }));
  two.apply("withdrawn", entryOf("withdrawn", { source: "west", regions: { west: { ...verified, state: "withdrawn" } } }));
  for (const id of ["kept", "lost", "unknown"]) two.listed(id, "west");
  for (const id of ["kept", "gone"]) two.listed(id, "north");

  it("counts what a source served and does not list any more", () => {
    expect(two.served("west")).toEqual({ all: 3, gone: 1 });
    expect(two.served("north")).toEqual({ all: 0, gone: 0 });
    expect(two.served("nowhere")).toEqual({ all: 0, gone: 0 });
    expect(two.isListed("gone", "west")).toBe(false);
  });

  it("knows what a target lost, as far as its source still has it", () => {
    expect(["kept", "gone", "lost", "withdrawn"].filter((id) => two.isLacking(id, "north"))).toEqual(["lost"]);
    expect([two.lacks("north"), two.lacks("west")]).toEqual([true, false]);
    two.forgetListings();
    expect([two.lacks("north"), two.isListed("kept", "west"), two.known("kept")?.source]).toEqual([false, false, "west"]);
  });

  it("is read once, and then by what has changed", async () => {
    const store = new MemoryCatalogue();
    const version = await store.put(entryOf("a", { source: "west", regions: { west: verified } }), null);
    const reader = new CatalogueIndexReader(store, ["west", "north"]);
    expect((await reader.refresh()).known("a")?.isVerified("north")).toBe(false);
    await store.put(entryOf("a", { source: "west", regions: { west: verified, north: verified } }), version);
    await store.put(entryOf("b", { source: "north", regions: {} }), null);
    const index = await reader.refresh();
    expect([index.known("a")?.isVerified("north"), index.known("b")?.source]).toEqual([true, "north"]);
    await reader.refresh();
    expect([store.calls.count("list"), store.calls.count("changes")]).toEqual([1, 1]);
  });
});
