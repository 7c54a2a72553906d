import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { OriginError } from "../../../src/sandbox/streaming/originErrors.ts";
import { packagingText, parseStreamingPath } from "../../../src/sandbox/streaming/path.ts";

const ID = "0a1b2c3d-0000-4000-8000-00000000000f";
const HLS = { protocol: "hls", format: "m3u8-cmaf", encryption: null };

function status(path: string): number {
  try {
    parseStreamingPath(path);
    return 200;
  } catch (error) {
    if (error instanceof OriginError) return error.status;
    throw error;
  }
}

describe("parseStreamingPath", () => {
  it("reads manifests in any case, with the options in any order", () => {
    const expected = { kind: "manifest", locatorId: ID, serverManifest: "a.ism", packaging: { ...HLS, encryption: "cbc" } };
    expect(parseStreamingPath(`/${ID}/a.ism/manifest(format=m3u8-cmaf,encryption=cbc)`)).toEqual(expected);
    expect(parseStreamingPath(`/${ID.toUpperCase()}/a.ism/Manifest(Encryption=CBC,Format=M3U8-CMAF)`)).toEqual(expected);
  });

  it("reads escaped punctuation, as some players send it", () => {
    expect(parseStreamingPath(`/${ID}/my%20film.ism/manifest%28format%3Dmpd-time-cmaf%29`)).toEqual({
      kind: "manifest",
      locatorId: ID,
      serverManifest: "my film.ism",
      packaging: { protocol: "dash", format: "mpd-time-cmaf", encryption: null },
    });
  });

  it("reads media playlists, initialization segments and fragments", () => {
    const one = { locatorId: ID, serverManifest: "a.ism", packaging: HLS, bitrate: 5000, track: "video" };
    expect(parseStreamingPath(`/${ID}/a.ism/QualityLevels(5000)/Manifest(video,format=m3u8-cmaf)`)).toEqual({ kind: "playlist", ...one });
    expect(parseStreamingPath(`/${ID}/a.ism/QualityLevels(5000)/Fragments(video=i,format=m3u8-cmaf)`)).toEqual({ kind: "init", ...one });
    expect(parseStreamingPath(`/${ID}/a.ism/qualitylevels(5000)/fragments(video=25600,format=m3u8-cmaf)`)).toEqual({
      kind: "fragment",
      ...one,
      time: 25600,
    });
  });

  it.each([
    ["/", 404],
    ["/favicon.ico", 404],
    [`/${ID}x/a.ism/manifest(format=m3u8-cmaf)`, 404],
    [`/${ID}/a.mp4`, 400],
    [`/${ID}/a.ism/manifest`, 400],
    [`/${ID}/a.ism/manifest()`, 400],
    [`/${ID}/a.ism/manifest(format=m3u8-aapl)`, 400],
    [`/${ID}/a.ism/manifest(format=m3u8-cmaf,filter=short)`, 400],
    [`/${ID}/a.ism/manifest(format=m3u8-cmaf)/more/and/more`, 400],
    [`/${ID}/..%2Fb.ism/manifest(format=m3u8-cmaf)`, 400],
    [`/${ID}/a.ism/manifest(format=m3u8-cmaf%)`, 400],
    [`/${ID}/a.ism/QualityLevels(x)/Manifest(video,format=m3u8-cmaf)`, 400],
    [`/${ID}/a.ism/QualityLevels(1)/Manifest(video,format=mpd-time-cmaf)`, 400],
    [`/${ID}/a.ism/QualityLevels(1)/Fragments(video,format=m3u8-cmaf)`, 400],
    [`/${ID}/a.ism/QualityLevels(1)/Fragments(video=-1,format=m3u8-cmaf)`, 400],
  ])("refuses %s with %i", (path, expected) => {
    expect(status(path)).toBe(expected);
  });

  it("answers any path with a request or a 4xx, and reads back what the manifests write", () => {
    fc.assert(fc.property(fc.webPath(), (path) => [200, 400, 404].includes(status(path))));
    fc.assert(
      fc.property(fc.constantFrom("cbc", null), fc.nat(), fc.nat(), (encryption, bitrate, time) => {
        const packaging = { protocol: "hls", format: "m3u8-cmaf", encryption } as const;
        const path = `/${ID}/a.ism/QualityLevels(${bitrate})/Fragments(video=${time},${packagingText(packaging)})`;
        expect(parseStreamingPath(path)).toMatchObject({ kind: "fragment", bitrate, time, packaging });
      }),
    );
  });
});
