/** Golden texts of `anchorHls`, and the two kinds of playlist. */
import { describe, expect, it } from "vitest";
import type { AnchorOptions, Rewritten } from "../../../src/gateway/pathway.ts";
import { anchorHls } from "../../../src/gateway/hls/anchor.ts";
import { playlistKind } from "../../../src/gateway/hls/playlistKind.ts";
import { ANCHOR, APPLE, GATEWAY, lines, LOW_LATENCY, textOf } from "./playlists.ts";

const LIVE: AnchorOptions = { ...ANCHOR, url: "https://ne.example/origin/vod/film/v5/prog.m3u8" };
const HEAD = ["#EXTM3U", "#EXT-X-TARGETDURATION:4"];

function anchoredLine(line: string, options: AnchorOptions = LIVE): string {
  return textOf(anchorHls(lines(...HEAD, line), options)).split("\n")[2] ?? "";
}

function boundKeysOf(...body: readonly string[]): number {
  const result = anchorHls(lines(...HEAD, ...body), LIVE);
  return result.ok ? result.boundKeys : -1;
}

function refusalOf(result: Rewritten): string {
  return result.ok ? "none" : result.reason;
}

describe("anchorHls", () => {
  it("leaves a playlist whose URIs are relative as it is", () => {
    expect(anchorHls(APPLE, ANCHOR)).toEqual({ ok: true, text: APPLE, boundKeys: 0 });
    const crlf = `\uFEFF${APPLE.trimEnd().replaceAll("\n", "\r\n")}`;
    expect(textOf(anchorHls(crlf, ANCHOR))).toBe(crlf);
  });

  it("brings every URI of a low-latency playlist back to the gateway", () => {
    const expected = LOW_LATENCY.replace('MAP:URI="https://ne.example/origin', 'MAP:URI="https://gw.example')
      .replace("https://keys.north.example/", "https://gw.example/keys/")
      .replaceAll('"/origin/vod', '"/vod')
      .replace("https://ne.example/origin/vod/film/v5/file267.mp4?sig=a,b", "https://gw.example/vod/film/v5/file267.mp4?sig=a,b");
    expect(anchorHls(LOW_LATENCY, LIVE)).toEqual({ ok: true, text: expected, boundKeys: 0 });
  });

  it.each([
    ["a name", "seg-1.ts", "seg-1.ts"],
    ["a name in Azure's style", "Fragments(video=0,format=m3u8-cmaf)", "Fragments(video=0,format=m3u8-cmaf)"],
    ["a query alone", "?part=2", "?part=2"],
    ["dots under the base", "../v4/seg.ts", "../v4/seg.ts"],
    ["dots above the base", "../../../../else/seg.ts", "https://ne.example/else/seg.ts"],
    ["dots through the top and back", "../../../../origin/vod/seg.ts", "https://gw.example/vod/seg.ts"],
    ["encoded dots", "%2e%2e/%2e%2e/%2e%2e/%2e%2e/seg.ts", "https://ne.example/seg.ts"],
    ["the root", "/origin/vod/seg.ts?a=1#b", "/vod/seg.ts?a=1#b"],
    ["the root beside the base", "/originals/seg.ts", "https://ne.example/originals/seg.ts"],
    ["the region", "https://ne.example/origin/seg.ts", "https://gw.example/seg.ts"],
    ["the region in other letters", "HTTPS://NE.example:443/origin/seg.ts", "https://gw.example/seg.ts"],
    ["the region without a scheme", "//ne.example/origin/seg.ts", "https://gw.example/seg.ts"],
    ["another host", "https://cdn.example/origin/seg.ts", "https://cdn.example/origin/seg.ts"],
    ["another port", "https://ne.example:8443/origin/seg.ts", "https://ne.example:8443/origin/seg.ts"],
    ["the gateway", "https://gw.example/seg.ts", "https://gw.example/seg.ts"],
    ["data", "data:video/mp4;base64,AAAA", "data:video/mp4;base64,AAAA"],
  ])("%s", (_, uri, expected) => {
    expect(anchoredLine(uri)).toBe(expected);
    // As the player resolves it: at the gateway the place that it has under the region's base.
    const atRegion = new URL(uri, LIVE.url).href;
    const atGateway = new URL(expected, `${GATEWAY}/vod/film/v5/prog.m3u8`).href;
    const base = `${LIVE.base}/`;
    expect(atGateway).toBe(atRegion.startsWith(base) ? `${GATEWAY}/${atRegion.slice(base.length)}` : atRegion);
  });

  it("leaves root-relative URIs where the base has no path", () => {
    const options = { ...LIVE, url: "https://we.example/vod/film/v5/prog.m3u8", base: "https://we.example" };
    expect(anchoredLine("/vod/film/v5/seg.ts", options)).toBe("/vod/film/v5/seg.ts");
  });

  it("finds the URIs of every tag that has one, interstitials included", () => {
    const at = "https://ne.example/origin/x";
    for (const tag of ["MAP", "PART", "PRELOAD-HINT", "RENDITION-REPORT"]) {
      expect(anchoredLine(`#EXT-X-${tag}:A="b,c",URI="${at}",D=1`)).toBe(`#EXT-X-${tag}:A="b,c",URI="https://gw.example/x",D=1`);
    }
    const range = (uri: string) => `#EXT-X-DATERANGE:ID="ad",START-DATE="2026-01-01T00:00:00Z",X-ASSET-URI="${uri}"`;
    expect(anchoredLine(range(at))).toBe(range("https://gw.example/x"));
    expect(anchoredLine(`#EXT-X-VENDOR:URI="${at}"`)).toBe(`#EXT-X-VENDOR:URI="${at}"`);
  });

  it("takes the origin's steering away", () => {
    const steering = '#EXT-X-CONTENT-STEERING:SERVER-URI="/steer",PATHWAY-ID="."';
    expect(textOf(anchorHls(APPLE.replace("#EXTM3U\n", `#EXTM3U\n${steering}\n`), ANCHOR))).toBe(APPLE);
  });

  it("refuses what is no playlist, and what was read from elsewhere", () => {
    expect(refusalOf(anchorHls("<MPD/>", ANCHOR))).toBe("not_playlist");
    expect(refusalOf(anchorHls("#EXTM3U\n", ANCHOR))).toBe("malformed");
    expect(anchorHls(APPLE, { ...ANCHOR, url: "https://cdn.example/origin/m.m3u8?t=geheim" })).toEqual({
      ok: false,
      reason: "foreign_uri",
      detail: "https://cdn.example/origin/m.m3u8 is not under the region's base https://ne.example/origin",
    });
  });
});

describe("keys of an anchored playlist", () => {
  const key = (uri: string) => `#EXT-X-KEY:METHOD=AES-128,URI="${uri}",IV=0x00ff`;

  it("are asked of the gateway where it can carry them, at every rotation", () => {
    expect(anchoredLine(key("https://keys.north.example/?kid=1"))).toBe(key("https://gw.example/keys/?kid=1"));
    expect(boundKeysOf(key("https://keys.a.example/?kid=1"), "a.ts", key("https://keys.a.example/?kid=2"), "b.ts")).toBe(0);
  });

  it("stay with the region otherwise, absolute, and are counted", () => {
    expect(anchoredLine(key("k.bin"))).toBe(key("https://ne.example/origin/vod/film/v5/k.bin"));
    expect(anchoredLine(key("https://ne.example/origin/k.bin"))).toBe(key("https://ne.example/origin/k.bin"));
    expect(boundKeysOf(key("k1.bin"), "a.ts", key("k2.bin"), "b.ts", "#EXT-X-KEY:METHOD=NONE", "c.ts")).toBe(2);
  });

  it("are no matter of hosts in data: and skd:", () => {
    expect(anchoredLine(key("skd://k"))).toBe(key("skd://k"));
    expect(boundKeysOf(key("skd://k"), key("data:text/plain;base64,AA=="))).toBe(0);
  });

  it("with a variable of the multivariant playlist stay as they are, and count unless they lie beside it", () => {
    const imported = '#EXT-X-DEFINE:IMPORT="host"';
    expect(anchoredLine(key("{$host}/k"))).toBe(key("{$host}/k"));
    expect(boundKeysOf(imported, key("https://{$host}/k"), key("{$host}/k"), key("k?t={$host}"))).toBe(2);
  });
});

describe("variables of an anchored playlist", () => {
  const body = ['#EXT-X-DEFINE:NAME="base",VALUE="https://ne.example/origin/vod"', "{$base}/seg.ts", "https://ne.example/{$base}.ts"];

  it("that hold a URL at the region mean the gateway, here and where they are imported", () => {
    const text = textOf(anchorHls(lines(...HEAD, ...body.slice(0, 2)), LIVE));
    expect(text.split("\n").slice(2, 4)).toEqual([
      '#EXT-X-DEFINE:NAME="base",VALUE="https://gw.example/vod"',
      "https://gw.example/vod/seg.ts",
    ]);
  });

  it("stay where they only begin like the base", () => {
    const define = '#EXT-X-DEFINE:NAME="x",VALUE="https://ne.example/originals"';
    expect(anchoredLine(define)).toBe(define);
  });

  it("of another playlist stay references", () => {
    expect(anchoredLine("{$elsewhere}/seg.ts")).toBe("{$elsewhere}/seg.ts");
  });
});

describe("playlistKind", () => {
  it.each<[string, string, ReturnType<typeof playlistKind>]>([
    ["a multivariant playlist", APPLE, "multivariant"],
    ["a media playlist", LOW_LATENCY, "media"],
    ["one with a byte order mark and CRLF", "\uFEFF#EXTM3U\r\n#EXT-X-TARGETDURATION:1\r\n", "media"],
    ["an empty one", "#EXTM3U\n", null],
    ["tags of both kinds", lines("#EXTM3U", "#EXTINF:1,", "a.ts", "#EXT-X-STREAM-INF:BANDWIDTH=1", "b.m3u8"), null],
    ["an MPD", "<MPD/>", null],
    ["no text", "", null],
    ["a playlist that does not begin with its tag", `\n${APPLE}`, null],
    ["a tag that only begins like it", "#EXTM3U8\n#EXTINF:1,\na.ts\n", null],
  ])("%s", (_, text, kind) => {
    expect(playlistKind(text)).toBe(kind);
  });
});
