import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CatalogueEntry, RegionCopy } from "../../../src/core/contracts.ts";
import { merged, type MergeRules } from "../../../src/replicator/archive/merge.ts";
import { catalogueEntry } from "../../fakes/catalogueEntry.ts";

const RULES: MergeRules = { trust: false, overwrite: false, knowsFingerprints: true, now: 1_000 };
const verified = (at: number): RegionCopy => ({ state: "verified", at, detail: "played", aligned: true });

function entry(at: number, change: Partial<CatalogueEntry> = {}): CatalogueEntry {
  return catalogueEntry("a", { publishedAt: 1, keys: [{ id: "k", fingerprint: "f" }], regions: { west: verified(at) }, ...change });
}

function written(result: ReturnType<typeof merged>): CatalogueEntry {
  if (result.action !== "write") throw new Error(result.action);
  return result.entry;
}

describe("an imported entry", () => {
  it("does not serve before it is verified here, unless it is trusted", () => {
    expect(written(merged(null, entry(5), RULES)).regions).toEqual({
      west: { state: "withdrawn", at: 1_000, detail: "imported, and not verified since" },
    });
    expect(written(merged(null, entry(5), { ...RULES, trust: true }))).toEqual(entry(5));
  });

  it("does not take away what was verified here under the same keys", () => {
    const imported = entry(9, { assetName: "renamed" });
    expect(written(merged(entry(5), imported, RULES)).regions["west"]).toEqual(verified(5));
    const otherKeys = entry(9, { keys: [{ id: "k", fingerprint: "g" }] });
    expect(written(merged(entry(5), otherKeys, RULES)).regions["west"]?.state).toBe("withdrawn");
  });

  it("replaces only what is older, unless that is asked for", () => {
    expect(merged(entry(9), entry(5, { assetName: "old" }), RULES)).toEqual({ action: "kept" });
    expect(merged(entry(9), entry(9, { assetName: "other" }), RULES)).toEqual({ action: "kept" });
    expect(written(merged(entry(9), entry(5, { assetName: "old" }), { ...RULES, overwrite: true })).assetName).toBe("old");
  });

  it("brings no fingerprints of another store, and leaves those that are known here", () => {
    const foreign = { ...RULES, trust: true, knowsFingerprints: false };
    expect(written(merged(null, entry(5), foreign)).keys).toEqual([{ id: "k", fingerprint: null }]);
    const imported = entry(9, {
      keys: [
        { id: "k", fingerprint: "theirs" },
        { id: "l", fingerprint: "theirs" },
      ],
    });
    expect(written(merged(entry(5), imported, foreign)).keys).toEqual([
      { id: "k", fingerprint: "f" },
      { id: "l", fingerprint: null },
    ]);
  });

  it("changes nothing the second time", () => {
    const copy = fc.record({ state: fc.constantFrom("verified" as const, "withdrawn" as const), at: fc.nat(2_000), detail: fc.string() });
    const any = fc
      .record({
        publishedAt: fc.nat(2_000),
        regions: fc.dictionary(fc.constantFrom("west", "north"), copy),
        fingerprint: fc.option(fc.string()),
      })
      .map(({ fingerprint, ...rest }) => catalogueEntry("a", { ...rest, keys: [{ id: "k", fingerprint }] }));
    const rules = fc.record({
      trust: fc.boolean(),
      overwrite: fc.boolean(),
      knowsFingerprints: fc.boolean(),
      now: fc.integer({ min: 2_000, max: 3_000 }),
    });
    fc.assert(
      fc.property(fc.option(any), any, rules, (stored, imported, how) => {
        const first = merged(stored, imported, how);
        expectNoSecondChange(first.action === "write" ? first.entry : stored, imported, how);
        if (first.action !== "write") return;
        if (stored !== null && !how.overwrite) expect(newest(imported)).toBeGreaterThan(newest(stored));
        const serving = Object.keys(first.entry.regions).filter((name) => first.entry.regions[name]?.state === "verified");
        for (const name of how.trust ? [] : serving) expect(stored?.regions[name]?.state).toBe("verified");
      }),
    );
  });
});

function expectNoSecondChange(after: CatalogueEntry | null, imported: CatalogueEntry, how: MergeRules): void {
  const again = merged(after, imported, how);
  if (again.action === "write") expect(again.entry).toEqual(after);
}

function newest({ publishedAt, regions }: CatalogueEntry): number {
  return Math.max(publishedAt, ...Object.values(regions).map(({ at }) => at));
}
