import { readdirSync } from "node:fs";
import { XMLParser } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import { parseServerManifest } from "../../../src/sandbox/streaming/serverManifest.ts";
import { readSample, SAMPLE } from "./sampleRegion.ts";

function text(name: string): string {
  return new TextDecoder().decode(readSample(name));
}

describe("the sample in the repository", () => {
  it("is at most 4 MB, and files.json gives each of its files a content type", () => {
    const types = JSON.parse(text("files.json")) as Record<string, string>;
    const files = readdirSync(SAMPLE).filter((name) => name !== "files.json");
    expect(Object.keys(types).toSorted()).toEqual(files.toSorted());
    expect(files.reduce((sum, name) => sum + readSample(name).length, 0)).toBeLessThanOrEqual(4_000_000);
    expect(types["paircast-sample_audio.mp4"]).toBe("audio/mp4");
  });

  it("has a client manifest that agrees with the server manifest", () => {
    const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "", isArray: (name) => name === "QualityLevel" });
    const client = parser.parse(text("paircast-sample.ismc")) as {
      SmoothStreamingMedia: { StreamIndex: { Type: string; QualityLevel: { Bitrate: string }[]; c: unknown[] }[] };
    };
    const listed = client.SmoothStreamingMedia.StreamIndex.flatMap(({ Type, QualityLevel }) =>
      QualityLevel.map(({ Bitrate }) => [Type, Number(Bitrate)]),
    );
    const served = parseServerManifest(text("paircast-sample.ism"), "paircast-sample.ism").renditions.map(({ kind, bitrate }) => [
      kind,
      bitrate,
    ]);
    expect(listed).toEqual(served);
    for (const { c } of client.SmoothStreamingMedia.StreamIndex) expect(c).toHaveLength(32);
  });
});
