import { describe, expect, it } from "vitest";
import { parseServerManifest } from "../../../src/sandbox/streaming/serverManifest.ts";
import { readSample } from "./sampleRegion.ts";

function smil(body: string): string {
  return `<?xml version="1.0"?><smil xmlns="http://www.w3.org/2001/SMIL20/Language"><body><switch>${body}</switch></body></smil>`;
}

describe("parseServerManifest", () => {
  it("reads the sample's server manifest: three video renditions and one audio track", () => {
    const { live, renditions } = parseServerManifest(new TextDecoder().decode(readSample("paircast-sample.ism")), "paircast-sample.ism");
    expect(renditions.map(({ kind, track, language, file }) => [kind, track, language, file])).toEqual([
      ["video", "video", "und", "paircast-sample_640x360.mp4"],
      ["video", "video", "und", "paircast-sample_426x240.mp4"],
      ["video", "video", "und", "paircast-sample_256x144.mp4"],
      ["audio", "audio", "en", "paircast-sample_audio.mp4"],
    ]);
    expect(new Set(renditions.map(({ bitrate }) => bitrate)).size).toBe(4);
    expect(live).toBe(false);
  });

  it("takes the kind for the track's name where none is given, and unescapes", () => {
    expect(parseServerManifest(smil('<audio src="a&amp;b.mp4" systemBitrate="128000"/>'), "x.ism").renditions).toEqual([
      { kind: "audio", track: "audio", bitrate: 128000, language: "und", file: "a&b.mp4" },
    ]);
  });

  it.each([
    ["text that is not XML", "not found"],
    ["XML that is cut short", smil("<video").slice(0, -20)],
    ["another document", "<html><body/></html>"],
    ["no media", smil("")],
    ["an entry without bitrate", smil('<video src="a.mp4"/>')],
    ["a bitrate that is none", smil('<video src="a.mp4" systemBitrate="fast"/>')],
    ["two renditions that URLs cannot tell apart", smil('<video src="a" systemBitrate="1"/><video src="b" systemBitrate="1"/>')],
    ["a track name that would break URLs", smil('<video src="a" systemBitrate="1"><param name="trackName" value="a)b"/></video>')],
  ])("refuses %s", (_, xml) => {
    expect(() => parseServerManifest(xml, "x.ism")).toThrow(expect.objectContaining({ code: "asset_unusable" }));
  });
});
