/** What is written, read by parsers that others wrote: hls-parser, which judges strictly, and m3u8-parser, which video.js plays by. */
import { parse, setOptions, types } from "hls-parser";
import { Parser } from "m3u8-parser";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { anchorHls } from "../../../src/gateway/hls/anchor.ts";
import { steerHls } from "../../../src/gateway/hls/steer.ts";
import type { SteerOptions } from "../../../src/gateway/pathway.ts";
import type { IndexedTrack } from "../../../src/sandbox/streaming/assets.ts";
import { mediaPlaylist, multivariantPlaylist } from "../../../src/sandbox/streaming/hls.ts";
import { ANCHOR, APPLE, GATEWAY, LOW_LATENCY, STEER, textOf } from "./playlists.ts";

const PACKAGING = { protocol: "hls", format: "m3u8-cmaf", encryption: "cbc" } as const;
const MANIFEST = "/3f2a/film.ism/manifest(format=m3u8-cmaf,encryption=cbc)";
const REGIONS: SteerOptions = {
  ...STEER,
  pathways: [
    { id: "west", url: `https://we.example${MANIFEST}` },
    { id: "north", url: `https://ne.example/origin${MANIFEST}` },
  ],
  anchor: GATEWAY + MANIFEST,
};

function track(kind: "video" | "audio", bitrate: number): IndexedTrack {
  const fragments = [0, 1].map((at) => ({ time: at * 4000, duration: 4000, offset: at * bitrate, size: bitrate / 2 }));
  const shape =
    kind === "video"
      ? { video: { width: 640, height: 360, frameRate: null }, audio: null }
      : { video: null, audio: { channels: 2, sampleRate: 48_000 } };
  return {
    rendition: { kind, track: kind, bitrate, language: "en", file: `${kind}.mp4` },
    index: { initLength: 700, timescale: 1000, fragments, codec: kind === "video" ? "avc1.4d401e" : "mp4a.40.2", ...shape },
  };
}

const TRACKS = [track("video", 500_000), track("video", 1_500_000), track("audio", 128_000)];

function multivariantOf(text: string): types.MasterPlaylist {
  const playlist = parse(text);
  if (!(playlist instanceof types.MasterPlaylist)) throw new Error("hls-parser takes it for a media playlist");
  return playlist;
}

function manifestOf(text: string): Parser["manifest"] {
  const parser = new Parser();
  parser.push(text);
  parser.end();
  return parser.manifest;
}

/** Attributes of the variants that this library reads but does not declare. */
function attributesOf(text: string): readonly Readonly<Record<string, unknown>>[] {
  return (manifestOf(text).playlists ?? []).map(({ attributes }) => ({ ...attributes }));
}

/** For each variant: its URI, and those of the renditions it plays with. */
function together(text: string): readonly (readonly (string | undefined)[])[] {
  return multivariantOf(text).variants.map(({ uri, audio, subtitles }) => [
    uri,
    ...[...audio, ...subtitles].map((rendition) => rendition.uri),
  ]);
}

function origins(uris: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(uris.map((uri) => new URL(uri ?? "").origin))];
}

beforeAll(() => setOptions({ strictMode: true }));
afterAll(() => setOptions({ strictMode: false }));

describe("a steered playlist, read by others", () => {
  const cases: readonly [string, string, SteerOptions][] = [
    ["in Apple's manner", APPLE, { ...STEER, anchor: `${GATEWAY}/vod/film/master.m3u8` }],
    ["of our own packager", multivariantPlaylist(TRACKS, PACKAGING), REGIONS],
  ];

  it.each(cases)("%s: plays each variant with renditions of its own region", (_, source, options) => {
    const groups = together(textOf(steerHls(source, options)));
    expect(groups.map(origins)).toEqual(groups.map((uris) => [new URL(uris[0] ?? "").origin]));
    expect(new Set(groups.flatMap(origins)).size).toBe(3);
  });

  it.each(cases)("%s: has the source's ladder in every region", (_, source, options) => {
    const ladder = (variants: readonly types.Variant[]) =>
      variants.map(({ bandwidth, codecs, resolution, isIFrameOnly, audio, subtitles, closedCaptions }) => ({
        bandwidth,
        codecs,
        resolution,
        isIFrameOnly,
        media: [...audio, ...subtitles, ...closedCaptions].map(({ type, name, language, channels, instreamId }) => ({
          type,
          name,
          language,
          channels,
          instreamId,
        })),
      }));
    const { variants } = multivariantOf(textOf(steerHls(source, options)));
    const expected = multivariantOf(source).variants;
    for (const at of [0, 1, 2]) {
      expect(ladder(variants.slice(at * expected.length, (at + 1) * expected.length))).toEqual(ladder(expected));
    }
  });

  it.each(cases)("%s: names every pathway for m3u8-parser, the best first", (_, source, options) => {
    const text = textOf(steerHls(source, options));
    const pathways = attributesOf(text).map((attributes) => attributes["PATHWAY-ID"]);
    expect([...new Set(pathways)]).toEqual(["west", "north", "gateway"]);
    const ids = attributesOf(text).map((attributes) => attributes["STABLE-VARIANT-ID"]);
    const each = ids.length / 3;
    expect([ids.slice(each, 2 * each), ids.slice(2 * each)]).toEqual([ids.slice(0, each), ids.slice(0, each)]);
  });

  it("steers by an inline manifest that comes back to the gateway", () => {
    const text = textOf(steerHls(multivariantPlaylist(TRACKS, PACKAGING), REGIONS));
    const [, server = "", pathway] = /^#EXT-X-CONTENT-STEERING:SERVER-URI="([^"]+)",PATHWAY-ID="(.*)"$/m.exec(text) ?? [];
    const [head, base64 = ""] = server.split(",");
    expect(head).toBe("data:application/json;base64");
    expect(pathway).toBe("west");
    expect(JSON.parse(Buffer.from(base64, "base64").toString("utf8"))).toEqual({
      VERSION: 1,
      TTL: 10,
      "RELOAD-URI": REGIONS.reloadUri,
      "PATHWAY-PRIORITY": ["west", "north", "gateway"],
    });
  });
});

describe("an anchored playlist, read by others", () => {
  const url = `https://ne.example/origin${MANIFEST}`.replace(/manifest.*/, "QualityLevels(500000)/Manifest(video,format=m3u8-cmaf)");
  const options = { ...ANCHOR, url };

  it("of our own packager stays as it was but for its key", () => {
    const key = { keyUri: "https://keys.north.example/?kid=1", iv: new Uint8Array(16).fill(0xab) };
    const source = mediaPlaylist(TRACKS[0] ?? track("video", 1), PACKAGING, key);
    const text = textOf(anchorHls(source, options));
    expect(text).toBe(source.replace("https://keys.north.example/", "https://gw.example/keys/"));
    const segments = (playlist: string) => manifestOf(playlist).segments.map(({ uri, duration }) => [uri, duration]);
    expect(segments(text)).toEqual(segments(source));
    expect(manifestOf(text).segments.map(({ key: used }) => used?.uri)).toEqual(Array(2).fill("https://gw.example/keys/?kid=1"));
  });

  it("with parts and byte ranges is valid, and lies at the gateway throughout", () => {
    const playlist = parse(textOf(anchorHls(LOW_LATENCY, { ...ANCHOR, url: "https://ne.example/origin/vod/film/v5/prog.m3u8" })));
    if (!(playlist instanceof types.MediaPlaylist)) throw new Error("hls-parser takes it for a multivariant playlist");
    const uris = playlist.segments.flatMap(({ uri, parts, map }) => [uri, map?.uri, ...parts.map((part) => part.uri)]);
    const reports = playlist.renditionReports.map(({ uri }) => uri);
    const all = [...uris, ...reports].filter((uri) => uri !== undefined && uri !== "");
    expect(all.length).toBeGreaterThan(5);
    expect(origins(all.map((uri) => new URL(uri ?? "", `${GATEWAY}/vod/film/v5/prog.m3u8`).href))).toEqual([GATEWAY]);
    expect(playlist.segments[0]?.byterange).toEqual({ length: 1000, offset: 720 });
  });
});
