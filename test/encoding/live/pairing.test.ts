import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CatalogueEntry } from "../../../src/core/contracts.ts";
import { durationMs, durationText, isEventName, isLiveAsset, liveContainer, liveManifests, liveName } from "../../../src/core/live.ts";
import { outOfService, withoutRegions, withRegions, type LiveFacts } from "../../../src/encoding/live/liveEntry.ts";
import { guidFrom, originOf, type RegionLook } from "../../../src/encoding/live/pairing.ts";
import { PREDEFINED_POLICIES } from "../../fakes/predefinedPolicies.ts";

const ID = "0ac1e7b2-7a57-8a8e-93a0-1f6f5fd3a111";
const FACTS: LiveFacts = {
  locatorId: ID,
  locatorName: "paircast-live-Show",
  assetName: "paircast-live-Show",
  streamingPolicyName: "p",
  contentKeyPolicyName: null,
  manifests: { hls: "/h", dash: "/d" },
  keys: [{ id: "k", fingerprint: "f" }],
};
const NOTHING: RegionLook = { event: null, output: null, asset: null, hasRecording: false, locator: null };

describe("names and durations of live events", () => {
  it("a name is good for events, locators and containers", () => {
    for (const name of ["Show", "show-1", "a", "a".repeat(32)]) expect(isEventName(name), name).toBe(true);
    for (const name of ["", "-a", "a-", "a--b", "a_b", "a b", "ü", "a".repeat(33)]) expect(isEventName(name), name).toBe(false);
    expect(liveContainer("Show-1")).toMatch(/^(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(isLiveAsset(liveName("Show"))).toBe(true);
    expect(isLiveAsset("Show")).toBe(false);
  });

  it("durations survive being written and read", () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 90_000_000 }), (ms) => durationMs(durationText(ms)) === ms));
    expect([durationMs("PT1H30M"), durationMs("P1DT1H"), durationMs("PT0.5S"), durationMs("PT2S")]).toEqual([
      5_400_000, 90_000_000, 500, 2_000,
    ]);
    for (const text of ["", "P", "PT", "4h", "PT1X", "-PT1S", "P1Y", "PT1H "]) expect(durationMs(text), text).toBeNull();
  });

  it("any fingerprint gives a GUID of version 8", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const guid = guidFrom(Buffer.from(bytes).toString("hex"));
        return /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(guid);
      }),
    );
  });
});

describe("paths of a live event", () => {
  const policy = (name: string) => PREDEFINED_POLICIES.find((each) => each.name === name) ?? { name, properties: {} };

  it.each([
    ["Predefined_ClearStreamingOnly", "m3u8-cmaf", "mpd-time-cmaf"],
    ["Predefined_ClearKey", "m3u8-cmaf,encryption=cbc", "mpd-time-cmaf,encryption=cbc"],
    ["Predefined_MultiDrmCencStreaming", null, "mpd-time-cmaf,encryption=cenc"],
    ["Predefined_DownloadOnly", null, null],
  ])("follow from the policy %s", (name, hls, dash) => {
    const path = (format: string | null) => (format === null ? null : `/${ID}/Show.ism/manifest(format=${format})`);
    expect(liveManifests(ID, "Show", policy(name))).toEqual({ hls: path(hls), dash: path(dash) });
  });
});

describe("where a locator comes from", () => {
  const locator = { name: "x" } as RegionLook["locator"];
  const entry = withRegions(null, FACTS, { source: "a", regions: ["a"], at: 1 });

  it("from a region that has it; made anew only where none can have it", () => {
    expect(
      originOf(
        new Map([
          ["a", NOTHING],
          ["b", { ...NOTHING, locator }],
        ]),
        null,
      ),
    ).toEqual({ kind: "copied", region: "b" });
    expect(originOf(new Map([["b", NOTHING]]), null)).toEqual({ kind: "first" });
    expect(originOf(new Map([["b", NOTHING]]), entry)).toEqual({ kind: "waiting", regions: ["a"] });
    // It was asked, and has lost it: the catalogue's word does not bring the keys back.
    expect(originOf(new Map([["a", NOTHING]]), entry)).toEqual({ kind: "first" });
    expect(originOf(new Map([["b", NOTHING]]), entry === null ? null : { ...entry, keys: [] })).toEqual({ kind: "first" });
  });
});

describe("the catalogue's entry of a live event", () => {
  const made = withRegions(null, FACTS, { source: "a", regions: ["a", "b"], at: 5 }) as CatalogueEntry;
  const on = { state: "verified", at: 6, detail: "seen on air" } as const;
  const serving: CatalogueEntry = { ...made, regions: { a: on, b: on } };

  it("gains regions, and leaves what is known of the others", () => {
    expect(Object.values(made.regions).map(({ state }) => state)).toEqual(["withdrawn", "withdrawn"]);
    const half = withRegions(null, FACTS, { source: "a", regions: ["a"], at: 5 }) as CatalogueEntry;
    const whole = withRegions({ ...half, regions: { a: on } }, FACTS, { source: "b", regions: ["b", "a"], at: 9 });
    expect(whole).toMatchObject({ source: "a", publishedAt: 5, regions: { a: on, b: { state: "withdrawn", at: 9 } } });
    expect(withRegions(serving, FACTS, { source: "a", regions: ["a", "b"], at: 9 })).toBeNull();
    const moved = withRegions(serving, { ...FACTS, manifests: { hls: "/other", dash: null } }, { source: "a", regions: [], at: 9 });
    expect(moved).toMatchObject({ manifests: { hls: "/other" }, regions: serving.regions });
  });

  it("loses service region by region, and regions until none is left", () => {
    expect(outOfService(serving, ["a"], 9, "why")).toMatchObject({ regions: { a: { state: "withdrawn", at: 9, detail: "why" }, b: on } });
    expect(outOfService(made, ["a", "b"], 9, "why")).toBeNull();
    expect(withoutRegions(serving, ["a"])).toMatchObject({ source: "b", regions: { b: on } });
    expect(withoutRegions(serving, ["a", "b"])).toBe("gone");
  });
});
