import { beforeEach, describe, expect, it } from "vitest";
import { box, SEGMENTS, testKey, text } from "../fakes/packagedVideo.ts";
import { encryption, KEY_URI, ORIGIN, stage, type Stage } from "../fakes/playbackStage.ts";

let video: Stage;

beforeEach(() => {
  video = stage();
});

describe("DASH", () => {
  const manifestUrl = `${ORIGIN}/v/manifest.mpd`;

  it("walks representation, initialisation section and segment", async () => {
    const playback = await video.walk({ manifestUrl, variant: 1, segment: 2 });
    expect(playback).toMatchObject({ protocol: "dash", live: false, segments: SEGMENTS, durationMs: 16_000, key: null });
    expect(playback.variants.map(({ kind, name }) => `${kind} ${name}`)).toEqual(["video v1", "video v2", "audio a1"]);
    expect(playback.segment.url).toBe(`${ORIGIN}/v/v2/2.m4s`);
    expect((await video.walk({ manifestUrl, variant: 2 })).segment.url).toBe(`${ORIGIN}/v/a1/0.m4s`);
  });

  it("decrypts whole-segment AES-128", async () => {
    video = stage({ encryption: { ...encryption, keyUri: `${KEY_URI}&a=b`, iv: testKey("iv") } });
    const playback = await video.walk({ manifestUrl, contentKey: async () => encryption.key });
    expect(playback.key?.uri).toBe(`${KEY_URI}&a=b`);
    expect(playback.segment.evidence).toBe("decrypted");
  });

  it.each([0, 1])("finds the segments of a SegmentBase representation in its index box, version %s", async (version) => {
    const index = indexBox(version, [300, 500]);
    const media = Buffer.concat([box("ftyp", 100), index, box("moof", 300), box("moof", 500)]);
    video.files.set("/v/one.mp4", media);
    video.files.set(
      "/v/manifest.mpd",
      text(
        `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT8S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="r" bandwidth="1"><BaseURL>one.mp4</BaseURL><SegmentBase indexRange="100-${99 + index.length}"><Initialization range="0-99"/></SegmentBase></Representation></AdaptationSet></Period></MPD>`,
      ),
    );
    const playback = await video.walk({ manifestUrl, segment: "last" });
    expect(playback).toMatchObject({ segments: 2, durationMs: 8000, segment: { index: 1, length: 500, durationMs: 4000 } });
    expect(video.http.asked.at(-1)?.headers).toEqual({ range: `bytes=${media.length - 500}-${media.length - 1}` });
    video.files.set("/v/one.mp4", Buffer.concat([box("ftyp", 100), box("moof", 800)]));
    expect(await video.failure({ manifestUrl })).toMatchObject({ reason: "segment", step: "index" });
  });

  it("plays the newest segment but one of a live MPD whose last entry repeats until further notice", async () => {
    video.files.set(
      "/v/manifest.mpd",
      text(
        `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" availabilityStartTime="2026-01-01T00:00:00Z" minimumUpdatePeriod="PT2S"><Period id="1" start="PT0S"><AdaptationSet mimeType="video/mp4"><SegmentTemplate timescale="1" initialization="v1/init.mp4" media="v1/$Time$.m4s"><SegmentTimeline><S t="0" d="4" r="-1"/></SegmentTimeline></SegmentTemplate><Representation id="v1" bandwidth="1"/></AdaptationSet></Period></MPD>`,
      ),
    );
    video.files.set("/v/v1/40.m4s", video.files.get("/v/v1/0.m4s") ?? text(""));
    const clock = { now: () => Date.parse("2026-01-01T00:00:51Z"), monotonic: () => 1 };
    const playback = await video.walk({ manifestUrl, segment: "last", clock });
    expect(playback).toMatchObject({ live: true, segments: 12, segment: { url: `${ORIGIN}/v/v1/40.m4s`, evidence: "media" } });
  });

  it.each([
    ["a base that is no URL", "<Period ", "<BaseURL>https:we.example/x/</BaseURL><Period "],
    ["a segment of less than no time", 'd="4"', 'd="-4"'],
    ["a segment without duration", 'd="4"', 'd="x"'],
  ])("refuses %s", async (_, before, after) => {
    video.files.set(
      "/v/manifest.mpd",
      text(
        Buffer.from(video.files.get("/v/manifest.mpd") ?? "")
          .toString()
          .replaceAll(before, after),
      ),
    );
    expect(await video.failure({ manifestUrl })).toMatchObject({ reason: "body", step: "manifest" });
  });

  it.each([
    "<MPD></MPD>",
    "<MPD",
    "<html><MPD></html>",
    "<MPD><Period></MPD></Period>",
    '<MPD a="&b"/>',
    "<!DOCTYPE MPD><MPD/>",
    "<MPD/><MPD/>",
    "<MPD a=b></MPD>",
  ])("refuses %s", async (body) => {
    video.files.set("/v/manifest.mpd", text(body));
    expect(await video.failure({ manifestUrl })).toMatchObject({ reason: "body", step: "manifest" });
  });
});

function indexBox(version: number, sizes: readonly number[]): Uint8Array {
  const wide = version === 1 ? 8 : 0;
  const bytes = Buffer.alloc(32 + wide + sizes.length * 12);
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.write("sidx", 4, "latin1");
  bytes[8] = version;
  bytes.writeUInt32BE(1000, 16);
  bytes.writeUInt16BE(sizes.length, 30 + wide);
  sizes.forEach((size, at) => {
    bytes.writeUInt32BE(size, 32 + wide + at * 12);
    bytes.writeUInt32BE(4000, 36 + wide + at * 12);
  });
  return bytes;
}
