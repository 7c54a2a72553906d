import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CatalogueEntry } from "../../../src/core/contracts.ts";
import { dueAt, dueCopies, oldestVerified } from "../../../src/replicator/verification/due.ts";
import { catalogueEntry } from "../../fakes/catalogueEntry.ts";

const DAY = 86_400_000;
const regions = new Set(["west", "north"]);

function entry(id: string, at: number, change: Partial<CatalogueEntry> = {}): CatalogueEntry {
  const copy = { state: "verified", at, detail: "" } as const;
  return catalogueEntry(id, { assetName: id, source: "west", regions: { west: copy, north: copy }, ...change });
}

describe("a copy", () => {
  it("is due within the stated time, and not before half of it", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 2e12 }), fc.integer({ min: 1000, max: 90 * DAY }), (id, at, every) => {
        const due = dueAt(id, "west", { state: "verified", at, detail: "" }, every);
        expect(due).toBeGreaterThanOrEqual(at + every / 2);
        expect(due).toBeLessThanOrEqual(at + every);
      }),
    );
  });

  it("counts from its last verification, and one of an older version from when it was published", () => {
    const verification = {
      at: 50 * DAY,
      blobs: 1,
      content: "full",
      readBlobs: 1,
      readBytes: 1,
      playback: "first",
      next: { place: 0, lap: 0 },
    } as const;
    const copy = { state: "verified", at: 1, detail: "" } as const;
    expect(dueAt("a", "west", copy, DAY)).toBeLessThanOrEqual(DAY + 1);
    expect(dueAt("a", "west", { ...copy, verification }, DAY)).toBeGreaterThan(50 * DAY);
  });

  it("of many that were published at once is due at another time than they", () => {
    const due = Array.from({ length: 1000 }, (_, at) => dueAt(`video-${at}`, "west", { state: "verified", at: 0, detail: "" }, DAY));
    const quarters = [0, 1, 2, 3].map(
      (quarter) => due.filter((at) => at >= DAY * (0.5 + quarter / 8) && at < DAY * (0.5 + (quarter + 1) / 8)).length,
    );
    for (const count of quarters) expect(Math.abs(count - 250)).toBeLessThan(80);
  });
});

describe("copies that are due", () => {
  const all = { now: 10 * DAY, everyMs: DAY, most: 3, regions };

  it("come longest overdue first, no more than wanted", () => {
    const entries = Array.from({ length: 50 }, (_, at) => entry(`video-${at}`, at * 1000));
    const due = dueCopies(entries, all);
    expect(due.length).toBe(3);
    const every = dueCopies(entries, { ...all, most: 1000 });
    expect(every.length).toBe(100);
    expect(due).toEqual(every.slice(0, 3));
    expect(every).toEqual(every.toSorted((one, other) => one.dueAt - other.dueAt));
  });

  it("are an asset's once, however many locators it has", () => {
    const entries = ["a", "b", "c"].map((id) => entry(id, 0, { assetName: "film" }));
    expect(
      dueCopies(entries, all)
        .map(({ assetName, target }) => `${assetName} ${target}`)
        .sort(),
    ).toEqual(["film north", "film west"]);
  });

  it("are none that do not serve, that nobody can ask, or that are passed over", () => {
    const withdrawn = { state: "withdrawn", at: 0, detail: "" } as const;
    const served = { state: "verified", at: 0, detail: "" } as const;
    expect(dueCopies([entry("a", 0, { regions: { west: withdrawn, south: served } })], all)).toEqual([]);
    expect(dueCopies([entry("a", 0, { source: "south" })], all)).toEqual([]);
    expect(dueCopies([entry("a", 0)], { ...all, except: new Set(["west/a->north"]) }).map(({ target }) => target)).toEqual(["west"]);
    expect(dueCopies([entry("a", 10 * DAY)], all)).toEqual([]);
  });
});

it("the oldest verification of each region is known, null where it has no copy", () => {
  const entries = [entry("a", 7), entry("b", 5, { regions: { west: { state: "verified", at: 5, detail: "" } } })];
  expect([...oldestVerified(entries, ["west", "north", "south"])]).toEqual([
    ["west", 5],
    ["north", 7],
    ["south", null],
  ]);
});
