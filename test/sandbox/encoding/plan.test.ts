import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodedSeconds, encodeArguments, lengthOf, renditionsOf } from "../../../src/sandbox/encoding/commandLine.ts";
import { planOf } from "../../../src/sandbox/encoding/plan.ts";
import { parseSource, type Source } from "../../../src/sandbox/encoding/source.ts";
import { EncodingFailure } from "../../../src/sandbox/management/jobErrors.ts";

const SOURCE: Source = {
  durationS: 60,
  bitrate: 8_000_000,
  video: { width: 1920, height: 1080, framesPerSecond: 25 },
  audio: { channels: 6 },
};
const CLIP = { startS: null, endS: null };
const builtIn = (presetName: string, configurations = {}) => ({
  "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset",
  presetName,
  configurations,
});
const custom = (...codecs: readonly object[]) => ({
  "@odata.type": "#Microsoft.Media.StandardEncoderPreset",
  codecs: codecs as never,
  formats: [{ "@odata.type": "#Microsoft.Media.Mp4Format" }],
});
const h264 = (fields: object) => ({ "@odata.type": "#Microsoft.Media.H264Video", ...fields });

const heights = (presetName: string, source = SOURCE, configurations = {}) =>
  planOf(builtIn(presetName, configurations), source).video.map(({ height }) => height);

describe("the ladder of a preset", () => {
  it.each([
    ["AdaptiveStreaming", [1080, 720, 480]],
    ["ContentAwareEncoding", [1080, 720, 480]],
    ["H264MultipleBitrate720p", [720, 480, 360]],
    ["H264MultipleBitrateSD", [480, 360, 240]],
    ["H264SingleBitrate720p", [720]],
    ["AACGoodQualityAudio", []],
  ])("%s has %j lines of a film in 1080p", (name, expected) => {
    expect(heights(name)).toEqual(expected);
  });

  it("heeds the wishes", () => {
    expect(heights("ContentAwareEncoding", SOURCE, { maxHeight: 720, maxLayers: 2 })).toEqual([720, 480]);
    expect(heights("ContentAwareEncoding", SOURCE, { maxHeight: 720, minHeight: 480 })).toEqual([720, 480]);
    const plan = planOf(builtIn("ContentAwareEncoding", { maxBitrateBps: 600_000, keyFrameIntervalInSeconds: 4 }), SOURCE);
    expect(Math.max(...plan.video.map(({ bitrate }) => bitrate))).toBeLessThanOrEqual(600_000);
    expect(plan.gopS).toBe(4);
  });

  it("is never larger than the source, even, distinct, and falls", () => {
    const sizes = fc.record({ width: fc.integer({ min: 16, max: 4096 }), height: fc.integer({ min: 16, max: 4096 }) });
    const presets = fc.constantFrom("AdaptiveStreaming", "ContentAwareEncoding", "H264MultipleBitrate720p", "H264SingleBitrateSD");
    fc.assert(
      fc.property(sizes, presets, fc.option(fc.integer({ min: 50_000, max: 20_000_000 })), (size, name, bitrate) => {
        const { video } = planOf(builtIn(name), { ...SOURCE, bitrate, video: { ...size, framesPerSecond: 25 } });
        expect(video.length).toBeGreaterThan(0);
        expect(video.length).toBeLessThanOrEqual(3);
        for (const rung of video) {
          expect([rung.width % 2, rung.height % 2]).toEqual([0, 0]);
          expect(rung.height).toBeLessThanOrEqual(size.height + 1);
        }
        for (const [at, rung] of video.slice(1).entries()) {
          expect(rung.height).toBeLessThan(video[at]?.height ?? 0);
          expect(rung.bitrate).toBeLessThanOrEqual(video[at]?.bitrate ?? 0);
        }
        const names = renditionsOf({ video, audio: null, gopS: 2 }, "film").map(({ file }) => file);
        expect(new Set(names).size).toBe(names.length);
      }),
    );
  });

  it.each([
    ["H265AdaptiveStreaming", SOURCE],
    ["DDGoodQualityAudio", SOURCE],
    ["CopyAllBitrateNonInterleaved", SOURCE],
    ["AACGoodQualityAudio", { ...SOURCE, audio: null }],
  ])("%s is refused where it cannot be made", (name, source) => {
    expect(() => planOf(builtIn(name), source)).toThrow(expect.objectContaining({ code: "ConfigurationUnsupported" }));
  });
});

describe("a preset of one's own", () => {
  it("has the layers that it names, in pixels or percent", () => {
    const layers = [
      { bitrate: 300_000, height: "25%" },
      { bitrate: 2_000_000, width: "1280", height: "720" },
      { bitrate: 900_000, width: "50%" },
    ];
    const plan = planOf(
      custom(h264({ layers, keyFrameInterval: "PT4S" }), { "@odata.type": "#Microsoft.Media.AacAudio", bitrate: 64_000 }),
      SOURCE,
    );
    expect(plan).toEqual({
      video: [
        { width: 1280, height: 720, bitrate: 2_000_000 },
        { width: 960, height: 540, bitrate: 900_000 },
        { width: 480, height: 270, bitrate: 300_000 },
      ],
      audio: { bitrate: 64_000, channels: 2 },
      gopS: 4,
    });
  });

  it.each([
    [custom({ "@odata.type": "#Microsoft.Media.JpgImage" }), /codec JpgImage/],
    [{ ...custom(h264({})), formats: [{ "@odata.type": "#Microsoft.Media.TransportStreamFormat" }] }, /format TransportStreamFormat/],
    [{ ...custom(h264({})), filters: { overlays: [] } }, /overlays/],
    [custom(h264({ layers: [{ bitrate: 1, height: "1000%" }] })), /height '1000%'/],
    [custom(h264({ keyFrameInterval: "2 s" })), /keyFrameInterval '2 s'/],
    [{ "@odata.type": "#Microsoft.Media.AudioAnalyzerPreset" }, /AudioAnalyzerPreset/],
  ])("%j is refused", (preset, message) => {
    expect(() => planOf(preset, SOURCE)).toThrow(message);
    expect(() => planOf(preset, SOURCE)).toThrow(EncodingFailure);
  });
});

describe("what ffmpeg is told and tells", () => {
  it("reads files only, in formats of media only", () => {
    const plan = planOf(builtIn("AdaptiveStreaming"), SOURCE);
    const args = encodeArguments({ input: "/in", source: SOURCE, plan, clip: { startS: 1, endS: 3 }, files: ["/a", "/b", "/c", "/d"] });
    const before = args.slice(0, args.indexOf("-i"));
    expect(before.join(" ")).toMatch(/-protocol_whitelist file -format_whitelist mov,[a-z0-9,]+ -ss 1 -to 3$/);
    expect(before.join(" ")).not.toMatch(/hls|concat|image2/);
    expect(args.filter((arg) => arg === "mp4").length).toBe(4);
    expect(before.join(" ")).toMatch(/-timelimit 900 /);
  });

  it("is understood", () => {
    expect(encodedSeconds("out_time_us=1500000")).toBe(1.5);
    expect(encodedSeconds("out_time_us=N/A")).toBeNull();
    expect(encodedSeconds("frame=12")).toBeNull();
    expect(lengthOf(SOURCE, CLIP)).toBe(60);
    expect(lengthOf(SOURCE, { startS: 50, endS: 90 })).toBe(10);
    expect(lengthOf({ ...SOURCE, durationS: null }, CLIP)).toBeNull();
  });

  it("describes a source; a cover is no video, and nothing at all is refused", () => {
    const cover = { codec_type: "video", width: 500, height: 500, disposition: { attached_pic: 1 } };
    const audio = { codec_type: "audio", channels: 1 };
    expect(parseSource(JSON.stringify({ streams: [cover, audio], format: { duration: "12.5" } }))).toEqual({
      durationS: 12.5,
      bitrate: null,
      video: null,
      audio: { channels: 1 },
    });
    const video = { codec_type: "video", width: 320, height: 240, avg_frame_rate: "30000/1001" };
    expect(parseSource(JSON.stringify({ streams: [video] })).video?.framesPerSecond).toBeCloseTo(29.97, 2);
    expect(() => parseSource(JSON.stringify({ streams: [cover] }))).toThrow(expect.objectContaining({ code: "ContentUnsupported" }));
  });
});
