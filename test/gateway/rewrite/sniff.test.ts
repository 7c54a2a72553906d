import { describe, expect, it } from "vitest";
import { sniff } from "../../../src/gateway/rewrite/sniff.ts";
import { MASTER, mediaPlaylist, mpd } from "./stage.ts";

describe("a manifest's text", () => {
  it("of HLS", () => {
    expect(sniff(MASTER, "hls")).toEqual({ kind: "multivariant", live: false, stepMs: null, end: null });
    expect(sniff(mediaPlaylist(), "hls")).toEqual({ kind: "media", live: false, stepMs: null, end: null });
    expect(sniff(mediaPlaylist({ ended: false, first: 7 }), "hls")).toMatchObject({ kind: "media", live: true, stepMs: 4_000 });
    expect(sniff(`\uFEFF${MASTER.replaceAll("\n", "\r\n")}`, "hls")).toMatchObject({ kind: "multivariant" });
  });

  it("of DASH", () => {
    expect(sniff(mpd(), "dash")).toMatchObject({ kind: "mpd", live: false });
    expect(sniff(mpd({ live: true }), "dash")).toMatchObject({ kind: "mpd", live: true });
  });

  it.each([
    ["a page", "<!doctype html><title>login</title>"],
    ["nothing", ""],
    ["JSON", '{"error":1}'],
  ])("is not %s", (_, text) => {
    expect(sniff(text, "hls")).toBeNull();
    expect(sniff(text, "dash")).toBeNull();
  });

  it("is not that of the other protocol", () => {
    expect(sniff(MASTER, "dash")).toBeNull();
    expect(sniff(mpd(), "hls")).toBeNull();
  });

  it("tells how far a live playlist has come", () => {
    const end = (text: string): number => sniff(text, "hls")?.end ?? Number.NaN;
    const live = (first: number, count: number): string => mediaPlaylist({ first, count, ended: false });
    expect(end(live(10, 3))).toBe(end(live(9, 4)));
    expect(end(live(11, 3))).toBeGreaterThan(end(live(10, 3)));
    expect(end(`${live(10, 3)}#EXT-X-PART:DURATION=1,URI="p1"\n`)).toBeGreaterThan(end(live(10, 3)));
    expect(end(`${live(10, 3)}#EXT-X-PART:DURATION=1,URI="p1"\n`)).toBeLessThan(end(live(10, 4)));
    expect(end(live(10, 3).replace("#EXTINF", "#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n#EXTINF"))).toBe(end(live(12, 3)));
  });

  it("steps by partial segments where there are some", () => {
    expect(sniff(`${mediaPlaylist({ ended: false })}#EXT-X-PART-INF:PART-TARGET=0.33334\n`, "hls")?.stepMs).toBeCloseTo(333.34);
  });
});
