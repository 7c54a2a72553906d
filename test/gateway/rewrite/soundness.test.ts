import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CatalogueEntry } from "../../../src/core/contracts.ts";
import { soundnessOf, unsound, type Together } from "../../../src/gateway/rewrite/soundness.ts";

const NOT_MEASURED: Together = () => null;
const REGIONS = ["a", "b", "c"];
const VERIFIED = { a: "verified", b: "verified", c: "verified" } as const;

/** Published in `a`. */
function entry(copies: Readonly<Record<string, boolean | undefined>>): CatalogueEntry {
  const at = { state: "verified" as const, at: 1, detail: "" };
  return {
    locatorId: "v",
    locatorName: "v",
    assetName: "v",
    source: "a",
    streamingPolicyName: null,
    contentKeyPolicyName: null,
    manifests: { hls: null, dash: null },
    keys: [],
    publishedAt: 1,
    regions: Object.fromEntries(Object.entries(copies).map(([name, aligned]) => [name, aligned === undefined ? at : { ...at, aligned }])),
  };
}

describe("of a catalogued video", () => {
  const of = (chosen: string, copies: Readonly<Record<string, boolean | undefined>>, measured = NOT_MEASURED) =>
    soundnessOf(chosen, REGIONS, { holdings: VERIFIED, entry: entry(copies), measured });

  it("the source counts as aligned", () => {
    expect(of("a", { a: undefined, b: true, c: true })).toEqual({ aligned: ["a", "b", "c"], differing: [], unmeasured: [] });
    expect(of("b", { a: undefined, b: true, c: true }).aligned).toEqual(["a", "b", "c"]);
  });

  it("a copy that differs from the source differs from those that do not", () => {
    expect(of("b", { a: undefined, b: true, c: false })).toEqual({ aligned: ["a", "b"], differing: ["c"], unmeasured: [] });
    expect(of("c", { a: undefined, b: true, c: false })).toEqual({ aligned: ["c"], differing: ["a", "b"], unmeasured: [] });
  });

  it("of two that differ from the source nothing is known", () => {
    expect(of("b", { a: undefined, b: false, c: false })).toEqual({ aligned: ["b"], differing: ["a"], unmeasured: ["c"] });
  });

  it("what was measured counts where the catalogue says nothing, and only there", () => {
    const together: Together = () => true;
    expect(of("a", { a: undefined, b: undefined, c: false }, together)).toEqual({ aligned: ["a", "b"], differing: ["c"], unmeasured: [] });
  });

  it("a copy that is not verified is no copy", () => {
    const holdings = { a: "verified", b: "missing", c: "verified" } as const;
    const sound = soundnessOf("a", REGIONS, { holdings, entry: entry({ a: true, b: true, c: true }), measured: NOT_MEASURED });
    expect(sound.aligned).toEqual(["a", "c"]);
  });
});

describe("of a video that the catalogue does not know", () => {
  it("a region that could not be asked has what it had when it was compared", () => {
    const measured: Together = (one, other) => ([one, other].includes("c") ? null : true);
    const holdings = { a: "unknown", b: "found", c: "unknown" } as const;
    expect(soundnessOf("b", REGIONS, { holdings, entry: undefined, measured })).toEqual({
      aligned: ["a", "b"],
      differing: [],
      unmeasured: [],
    });
  });

  it("a region that says it has not is believed", () => {
    const holdings = { a: "absent", b: "found" } as const;
    expect(soundnessOf("b", ["a", "b"], { holdings, entry: undefined, measured: () => true }).aligned).toEqual(["b"]);
  });
});

describe("a mode is sound", () => {
  const sound = { aligned: ["a", "b"], differing: [], unmeasured: [] };

  it.each([
    ["two aligned copies", sound, null, null],
    ["one copy", { ...sound, aligned: ["a"] }, "single_region", null],
    ["two aligned, one that differs", { ...sound, differing: ["c"] }, null, "unaligned"],
    ["two aligned, one not compared", { ...sound, unmeasured: ["c"] }, null, "unmeasured"],
    ["one of two that differ", { ...sound, aligned: ["a"], differing: ["c"] }, "unaligned", "unaligned"],
    ["one not compared", { ...sound, aligned: ["a"], unmeasured: ["c"] }, "unmeasured", "unmeasured"],
  ])("%s", (_, soundness, steer, anchor) => {
    expect([unsound("steer", soundness), unsound("anchor", soundness)]).toEqual([steer, anchor]);
  });

  it("never steers to a region whose copy is not known to be aligned with that of the chosen one", () => {
    const flag = fc.constantFrom(true, false, null);
    const holding = fc.constantFrom("verified", "missing", "found", "absent", "unknown");
    const holdings = fc.record({ a: holding, b: holding, c: holding });
    fc.assert(
      fc.property(holdings, flag, flag, flag, (held, ab, ac, bc) => {
        const measured: Together = (one, other) => ({ ab, ac, bc })[[one, other].toSorted().join("")] ?? null;
        const { aligned } = soundnessOf("a", REGIONS, { holdings: held, entry: undefined, measured });
        for (const region of aligned.filter((each) => each !== "a")) {
          expect(measured("a", region)).toBe(true);
          expect(["missing", "absent"]).not.toContain(held[region as "b" | "c"]);
        }
      }),
    );
  });
});
