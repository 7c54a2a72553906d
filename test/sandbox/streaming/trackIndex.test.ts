import { describe, expect, it } from "vitest";
import { parseTrackIndex, type TrackIndex } from "../../../src/sandbox/streaming/trackIndex.ts";
import { readSample } from "./sampleRegion.ts";

const HEAD = 64 * 1024;
const VIDEO = ["paircast-sample_640x360.mp4", "paircast-sample_426x240.mp4", "paircast-sample_256x144.mp4"];

function index(file: string): TrackIndex {
  const parsed = parseTrackIndex(readSample(file).subarray(0, HEAD), file);
  if (parsed === null) throw new Error(`${file}: the head holds no index`);
  return parsed;
}

function boxType(bytes: Uint8Array, at: number): string {
  return new TextDecoder().decode(bytes.subarray(at + 4, at + 8));
}

describe("parseTrackIndex of the sample", () => {
  it.each([...VIDEO, "paircast-sample_audio.mp4"])("%s: fragments tile the file, and each starts with its movie fragment box", (file) => {
    const bytes = readSample(file);
    const { fragments, initLength } = index(file);
    let time = 0;
    let offset = fragments[0]?.offset ?? 0;
    expect(initLength).toBeLessThan(offset);
    for (const fragment of fragments) {
      expect(fragment).toMatchObject({ time, offset });
      expect(boxType(bytes, offset)).toBe("moof");
      time += fragment.duration;
      offset += fragment.size;
    }
    expect(offset).toBe(bytes.length);
  });

  it("video renditions have the same fragments of 2 s, so that a player can switch at each", () => {
    const [first, ...others] = VIDEO.map((file) => index(file).fragments.map(({ time, duration }) => ({ time, duration })));
    expect(first).toHaveLength(32);
    for (const other of others) expect(other).toEqual(first);
    const { timescale, fragments } = index("paircast-sample_640x360.mp4");
    expect(fragments.every(({ duration }) => duration === 2 * timescale)).toBe(true);
  });

  it("tells codec, picture and sound", () => {
    expect(index("paircast-sample_640x360.mp4")).toMatchObject({
      codec: expect.stringMatching(/^avc1\.4d40/) as string,
      video: { width: 640, height: 360, frameRate: { numerator: 25, denominator: 1 } },
      audio: null,
    });
    expect(index("paircast-sample_audio.mp4")).toMatchObject({
      codec: "mp4a.40.2",
      video: null,
      audio: { channels: 2, sampleRate: 48000 },
    });
  });

  it("lasts at least a minute, and audio fragments are about as long as those of video", () => {
    const { fragments, timescale } = index("paircast-sample_audio.mp4");
    const last = fragments.at(-1);
    expect(((last?.time ?? 0) + (last?.duration ?? 0)) / timescale).toBeGreaterThan(60);
    for (const { duration } of fragments.slice(0, -1)) expect(duration / timescale).toBeCloseTo(2, 1);
  });
});

describe("parseTrackIndex", () => {
  it("asks for more while the head is cut before the index ends, whatever the place", () => {
    const bytes = readSample("paircast-sample_audio.mp4");
    const firstFragment = index("paircast-sample_audio.mp4").fragments[0]?.offset ?? 0;
    for (const length of [0, 7, 40, 500, firstFragment - 300, firstFragment - 1]) {
      expect(parseTrackIndex(bytes.subarray(0, length), "cut"), `${length} bytes`).toBeNull();
    }
    expect(parseTrackIndex(bytes.subarray(0, firstFragment), "whole")).not.toBeNull();
  });

  it("does without a frame rate where the first fragment's header is cut off", () => {
    const file = "paircast-sample_640x360.mp4";
    const cut = parseTrackIndex(readSample(file).subarray(0, index(file).fragments[0]?.offset), file);
    expect(cut?.video).toEqual({ width: 640, height: 360, frameRate: null });
  });
});
