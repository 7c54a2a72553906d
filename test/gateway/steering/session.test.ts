import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashText } from "../../../src/gateway/order/hash.ts";
import { ANYBODY, seedOf } from "../../../src/gateway/order/viewer.ts";
import { readPathways, readSession, sanePath, steeringUrl } from "../../../src/gateway/steering/session.ts";
import { queryOf, targetProblem } from "../../../src/gateway/target.ts";

const MANIFEST = { target: "/8d7ab48c-5d43-4f31-9d52-4f4f0e8d2f63/video.ism/manifest(format=m3u8-cmaf)?token=secret" };
const VIEWER = { session: null, country: null, address: null, chance: 0.123_456 };

/** As players do it: a URL parser writes the whole query again. */
function extended(url: string, fields: Readonly<Record<string, string>>): string {
  const parsed = new URL(url);
  for (const [name, value] of Object.entries(fields)) parsed.searchParams.set(name, value);
  return parsed.href.slice(parsed.origin.length);
}

describe("URL of a session", () => {
  it("has the path of the manifest, its pathways and nothing of its query", () => {
    expect(steeringUrl("hls", "https://gw.example", MANIFEST, ["a", "b", "gateway"], ANYBODY)).toBe(
      "https://gw.example/steering/hls/8d7ab48c-5d43-4f31-9d52-4f4f0e8d2f63/video.ism/manifest(format=m3u8-cmaf)?pathways=a,b,gateway",
    );
  });

  it("keeps a viewer by a number of his session, or of the chance that decided for him", () => {
    const url = steeringUrl("dash", "https://gw.example", { target: "/vod/x/m.mpd" }, ["a"], { ...VIEWER, session: "viewer-1" });
    expect(url).toMatch(/^https:\/\/gw\.example\/steering\/dash\/vod\/x\/m\.mpd\?pathways=a&session=[0-9a-f]{8}$/);
    expect(readSession(queryOf(url)).kept).toEqual({ as: "session", bits: hashText("viewer-1") });
    const other = readSession(queryOf(steeringUrl("dash", "https://gw.example", MANIFEST, ["a"], VIEWER)));
    expect(other.kept).toEqual({ as: "chance", bits: seedOf(VIEWER) });
  });

  it("says the same after a player has added its parameters", () => {
    const url = steeringUrl("hls", "https://gw.example", MANIFEST, ["a", "b-2"], { ...VIEWER, session: "viewer-1" });
    const asked = readSession(queryOf(extended(url, { _HLS_pathway: '"b-2"', _HLS_throughput: "5140000" })));
    expect(readPathways(asked.pathways ?? "")).toEqual(["a", "b-2"]);
    expect(asked.kept?.as).toBe("session");
    expect(asked.report).toEqual({ used: ["b-2"], throughput: "5140000", bitsPerSecond: 5_140_000 });
  });

  it("stays short: a path that is too long is left out", () => {
    const url = steeringUrl("hls", "https://gw.example", { target: `/vod/${"x".repeat(5_000)}/m.m3u8` }, ["a"], ANYBODY);
    expect(url).toBe("https://gw.example/steering/hls/?pathways=a");
  });
});

describe("what comes back", () => {
  it.each([
    ["an empty list", ""],
    ["an empty id", "a,,b"],
    ["an id twice", "a,b,a"],
    ["capital letters", "A,b"],
    ["what breaks out of JSON", 'a","b'],
    ["more than sixteen", Array.from({ length: 17 }, (_, index) => `r${index}`).join(",")],
    ["an id that is too long", "a".repeat(41)],
    ["a name of objects", "__proto__"],
  ])("%s is no list of pathways", (_, text) => {
    expect(readPathways(text)).toBeNull();
  });

  it.each([
    ['"b"', ["b"]],
    ["b", ["b"]],
    ["%22a%2Cb%22", ["a", "b"]],
    ['" a , b "', ["a", "b"]],
    ["%E0%A4%A", []],
    ["", []],
  ])("pathway %s", (text, used) => {
    expect(readSession(`_DASH_pathway=${text}`).report.used).toEqual(used);
    expect(readSession(`_HLS_pathway=${text}`).report.used).toEqual(used);
  });

  it.each([
    ["5140000", 5_140_000],
    ["140000.25,", 140_000.25],
    [",9", null],
    ["NaN", null],
    ["-1", null],
    ["Infinity", null],
  ])("throughput %s", (text, bitsPerSecond) => {
    expect(readSession(`_DASH_pathway=a&_DASH_throughput=${text}`).report.bitsPerSecond).toBe(bitsPerSecond);
  });

  it("a path is repeated only where the front door would let it pass", () => {
    expect(sanePath("hls", "/steering/hls/vod/x/m.m3u8?a=b")).toBe("/steering/hls/vod/x/m.m3u8");
    expect(sanePath("hls", "/steering/hls//evil.example/m.m3u8")).toBe("/steering/hls/");
    expect(sanePath("hls", "/steering/hls/../../x")).toBe("/steering/hls/");
    expect(sanePath("dash", "/steering/hls/vod/x/m.m3u8")).toBe("/steering/dash/");
  });

  it("junk never throws, and no URL that is made of it can be misread", () => {
    const texts = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.webQueryParameters());
    fc.assert(
      fc.property(texts, texts, (path, query) => {
        const asked = readSession(query);
        const list = readPathways(asked.pathways ?? "");
        if (list !== null) expect(new Set(list).size).toBe(list.length);
        expect(targetProblem(sanePath("hls", `/steering/hls/${path}?${query}`))).toBeNull();
      }),
      { numRuns: 500 },
    );
  });
});
