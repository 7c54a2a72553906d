/** Whatever URI an origin writes: a rewritten one lies where the region's own would, or the playlist is refused. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { anchorHls } from "../../../src/gateway/hls/anchor.ts";
import { steerHls } from "../../../src/gateway/hls/steer.ts";
import type { Rewritten, SteerOptions } from "../../../src/gateway/pathway.ts";
import { ANCHOR, GATEWAY, lines, NORTH, STEER, textOf } from "./playlists.ts";

const RUNS = { seed: 20_261_121, numRuns: 5_000 };
const BASE = "https://ne.example/origin/";
const MEDIA = "https://ne.example/origin/vod/film/v5/prog.m3u8";
const AT_GATEWAY = `${GATEWAY}/vod/film/v5/prog.m3u8`;

const SIGNS = ["//", "/", "\\", "..", ".", "%2e", "%2E%2e", "\t", " ", "\r", "\u00a0", "?", "#", "@", "%", "{$", "{$dir}", "}", "é"];
const NAMES = ["https:", "HTTP:", "data:", ":443", ":8443", "we.example", "ne.example", "NE.example", "gw.example", "cdn.example"];
const piece = fc.constantFrom(...SIGNS, ...NAMES, "origin", "vod", "film", "seg.ts", "a=1,b");
/** Nothing that makes it a comment, or no line of its own. */
const uri = fc
  .array(piece, { minLength: 1, maxLength: 10 })
  .map((pieces) => pieces.join(""))
  .filter((text) => !text.startsWith("#") && text.trim() !== "" && !text.endsWith("\r"));

const DEFINE = '#EXT-X-DEFINE:NAME="dir",VALUE="hd"';
/** As a player reads a URI line, variables resolved. */
function asRead(written: string, base: string): string | null {
  const text = written.trim().replaceAll("{$dir}", "hd");
  if (!URL.canParse(text, base)) return null;
  const url = new URL(text, base);
  // An empty query or fragment is no other resource.
  if (url.search === "") url.search = "";
  if (url.hash === "") url.hash = "";
  // What only looks like a reference is written so that no player takes it for one.
  return url.href.replaceAll("{$", "%7B$");
}

/** To a variable that another playlist may define. */
function refersElsewhere(written: string): boolean {
  return /\{\$(?!dir\})[\w-]+\}/.test(written);
}

/** The place of a URL at the region in the gateway's own path; any other place stays. */
function expectedAtGateway(atRegion: string): string {
  return atRegion.startsWith(BASE) ? `${GATEWAY}/${atRegion.slice(BASE.length)}` : atRegion;
}

function anchored(written: string): string {
  const text = textOf(anchorHls(lines("#EXTM3U", "#EXT-X-TARGETDURATION:4", DEFINE, written), { ...ANCHOR, url: MEDIA }));
  return text.split("\n")[3] ?? "";
}

describe("URIs of an anchored playlist", () => {
  it("lead a player to the same path at the gateway, or stay where they led", () => {
    let moved = 0;
    fc.assert(
      fc.property(uri, (written) => {
        const atRegion = asRead(written, MEDIA);
        const rewritten = anchored(written);
        if (atRegion === null || refersElsewhere(written)) {
          expect(rewritten).toBe(written);
          return;
        }
        if (rewritten !== written) moved += 1;
        expect(asRead(rewritten, AT_GATEWAY)).toBe(expectedAtGateway(atRegion));
      }),
      RUNS,
    );
    expect(moved).toBeGreaterThan(300);
  });

  it.each([
    ["an empty segment that would be read as a host", "/origin//cdn.example/seg.ts", `${GATEWAY}//cdn.example/seg.ts`],
    ["a blank before the root", " /origin/vod/seg.ts", "/vod/seg.ts"],
    ["dots with a tab between them", ".\t./.\t./.\t./.\t./seg.ts", "https://ne.example/seg.ts"],
    ["dots behind a carriage return", "v\r/../../../../../seg.ts", "https://ne.example/seg.ts"],
  ])("%s", (_, written, expected) => {
    expect(anchored(written)).toBe(expected);
  });
});

describe("URIs of a steered playlist", () => {
  const pathways = [...STEER.pathways, { id: "gateway", url: `${GATEWAY}/vod/film/master.m3u8` }];
  const options: SteerOptions = { ...STEER, from: "north", anchor: pathways[2]?.url ?? null };
  const roots = ["https://we.example/", BASE, `${GATEWAY}/`];
  const steered = (written: string): Rewritten => steerHls(lines("#EXTM3U", DEFINE, "#EXT-X-STREAM-INF:BANDWIDTH=1", written), options);

  it("lie each under its own region, at the same path, or are refused", () => {
    let rewritten = 0;
    fc.assert(
      fc.property(uri, (written) => {
        const result = steered(written);
        const atNorth = asRead(written, NORTH);
        if (!result.ok) {
          expect(["malformed", "foreign_uri"]).toContain(result.reason);
          // Refused only where it has to be.
          if (result.reason === "foreign_uri") expect(atNorth?.startsWith(BASE)).toBe(false);
          else expect(atNorth === null || refersElsewhere(written)).toBe(true);
          return;
        }
        rewritten += 1;
        const urls = result.text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
        const path = atNorth?.slice(BASE.length) ?? "";
        expect(urls.map((url) => asRead(url, "https://elsewhere.example/"))).toEqual(roots.map((root) => root + path));
      }),
      RUNS,
    );
    expect(rewritten).toBeGreaterThan(300);
  });
});

describe("a long value that is referred to over and over", () => {
  const define = `#EXT-X-DEFINE:NAME="a",VALUE="${"b".repeat(100_000)}"`;
  const flood = { ok: false, reason: "malformed", detail: "the values of its variables come to more than 4000000 characters" };

  it("is refused, in one URI and in many", () => {
    const all = "{$a}".repeat(10_000);
    expect(steerHls(lines("#EXTM3U", define, "#EXT-X-STREAM-INF:BANDWIDTH=1", all), STEER)).toEqual(flood);
    expect(anchorHls(lines("#EXTM3U", "#EXT-X-TARGETDURATION:4", define, all), { ...ANCHOR, url: MEDIA })).toEqual(flood);
    const segments = Array.from({ length: 10_000 }, () => "{$a}");
    expect(anchorHls(lines("#EXTM3U", "#EXT-X-TARGETDURATION:4", define, ...segments), { ...ANCHOR, url: MEDIA })).toEqual(flood);
    const keys = segments.map((uri) => `#EXT-X-KEY:METHOD=AES-128,URI="${uri}"`);
    expect(anchorHls(lines("#EXTM3U", "#EXT-X-TARGETDURATION:4", define, ...keys), { ...ANCHOR, url: MEDIA })).toEqual(flood);
  });

  it("a token on each segment of a day is not", () => {
    const token = `#EXT-X-DEFINE:NAME="t",VALUE="${"0123456789".repeat(15)}"`;
    const day = Array.from({ length: 21_600 }, (_, at) => `${at}.mp4?t={$t}`);
    const text = textOf(anchorHls(lines("#EXTM3U", "#EXT-X-TARGETDURATION:4", token, ...day), { ...ANCHOR, url: MEDIA }));
    expect(text.split("\n").at(-2)).toBe(`${AT_GATEWAY.replace("prog.m3u8", "21599.mp4")}?t=${"0123456789".repeat(15)}`);
  });
});
