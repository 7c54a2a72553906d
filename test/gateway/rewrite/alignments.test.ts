/** Copies that the catalogue does not compare, measured through the core's own reader of playlists. */
import { describe, expect, it } from "vitest";
import { describeVideo } from "../../../src/core/playback/describe.ts";
import { silentLog } from "../../../src/core/log.ts";
import { Alignments } from "../../../src/gateway/rewrite/alignments.ts";
import { ManualClock } from "../world.ts";
import { FILM, Files, mediaPlaylist, mpd, NORTH, putHls, WEST } from "./stage.ts";

const VIDEO = { locatorId: "vod/film", protocol: "hls" } as const;
const TARGET = `${FILM}/master.m3u8`;
const BOTH = [
  { region: "west", base: WEST },
  { region: "north", base: NORTH },
];

function measuring({ freshFor = 60_000 } = {}) {
  const clock = new ManualClock();
  const files = new Files();
  const alignments = new Alignments({
    describe: describeVideo,
    http: files,
    clock,
    log: silentLog,
    entries: 10,
    timeoutMs: 1_000,
    freshFor,
  });
  const measure = async (target = TARGET, candidates = BOTH): Promise<boolean | null> => {
    alignments.measure(VIDEO, target, candidates);
    await alignments.settled();
    return alignments.of(VIDEO, target)("west", "north");
  };
  return { clock, files, alignments, measure };
}

describe("what was measured of a video", () => {
  it("is nothing before", () => {
    const { alignments } = measuring();
    expect(alignments.of(VIDEO, TARGET)("west", "north")).toBeNull();
    expect(alignments.knows(VIDEO)).toBe(false);
  });

  it("says that equal copies are aligned, in either order", async () => {
    const { files, alignments, measure } = measuring();
    putHls(files, [WEST, NORTH], FILM);
    const { generation } = alignments;
    expect(await measure()).toBe(true);
    expect(alignments.of(VIDEO, TARGET)("north", "west")).toBe(true);
    expect(alignments.generation).not.toBe(generation);
  });

  it("says that other segments are not aligned", async () => {
    const { files, measure } = measuring();
    putHls(files, [WEST], FILM);
    putHls(files, [NORTH], FILM, mediaPlaylist({ name: "other" }));
    expect(await measure()).toBe(false);
  });

  it("is measured once for all who ask meanwhile, and not again as long as it is fresh", async () => {
    const { files, alignments, measure, clock } = measuring({ freshFor: 60_000 });
    putHls(files, [WEST, NORTH], FILM);
    for (let viewer = 0; viewer < 5; viewer += 1) alignments.measure(VIDEO, TARGET, BOTH);
    await alignments.settled();
    await measure();
    expect(files.count(TARGET)).toBe(2);
    clock.advance(60_001);
    await measure();
    expect(files.count(TARGET)).toBe(4);
  });

  it("of a live pair is looked at again after half a minute, and follows it when it drifts apart", async () => {
    const { files, measure, clock } = measuring({ freshFor: 3_600_000 });
    putHls(files, [WEST, NORTH], FILM, mediaPlaylist({ ended: false, first: 10 }));
    expect(await measure()).toBe(true);
    putHls(files, [NORTH], FILM, mediaPlaylist({ ended: false, first: 900 }));
    expect(await measure()).toBe(true);
    clock.advance(30_001);
    expect(await measure()).toBe(false);
  });

  it("stays where a region does not answer any more, and is nothing where it never did", async () => {
    const { files, measure, clock, alignments } = measuring();
    putHls(files, [WEST], FILM);
    files.set(NORTH + TARGET, "refused");
    expect(await measure()).toBeNull();
    clock.advance(10_001);
    putHls(files, [NORTH], FILM);
    expect(await measure()).toBe(true);
    const { generation } = alignments;
    clock.advance(60_001);
    files.set(WEST + TARGET, "timeout");
    expect(await measure()).toBe(true);
    expect(alignments.generation).toBe(generation);
  });

  it("is its own for each manifest; playlists of the video have what all of them have", async () => {
    const { files, alignments, measure } = measuring();
    putHls(files, [WEST, NORTH], FILM);
    for (const base of [WEST, NORTH]) files.set(`${base}${FILM}/short.m3u8`, mediaPlaylist({ name: base === WEST ? "w" : "n" }));
    expect(await measure()).toBe(true);
    expect(await measure(`${FILM}/short.m3u8`)).toBe(false);
    expect(alignments.of(VIDEO, TARGET)("west", "north")).toBe(true);
    expect(alignments.of(VIDEO, `${FILM}/v1/index.m3u8`)("west", "north")).toBe(false);
  });

  it("is another one under DASH", async () => {
    const { files, alignments, measure } = measuring();
    putHls(files, [WEST, NORTH], FILM, mediaPlaylist({ name: "x" }));
    files.everywhere(`${FILM}/manifest.mpd`, mpd());
    await measure();
    const dash = { locatorId: VIDEO.locatorId, protocol: "dash" } as const;
    expect(alignments.of(dash, `${FILM}/manifest.mpd`)("west", "north")).toBeNull();
    alignments.measure(dash, `${FILM}/manifest.mpd`, BOTH);
    await alignments.settled();
    expect(alignments.of(dash, `${FILM}/manifest.mpd`)("west", "north")).toBe(true);
  });

  it("needs two regions", async () => {
    const { files, alignments } = measuring();
    putHls(files, [WEST], FILM);
    alignments.measure(VIDEO, TARGET, BOTH.slice(0, 1));
    await alignments.settled();
    expect(files.urls).toEqual([]);
  });

  it("takes no more than four videos at a time, and forgets the oldest", async () => {
    const { files, alignments } = measuring();
    const videos = Array.from({ length: 12 }, (_, at) => ({ locatorId: `vod/${at}`, protocol: "hls" }) as const);
    for (const { locatorId } of videos) putHls(files, [WEST, NORTH], `/${locatorId}`);
    for (const video of videos) alignments.measure(video, `/${video.locatorId}/master.m3u8`, BOTH);
    await alignments.settled();
    expect(videos.filter((video) => alignments.knows(video))).toHaveLength(4);
    for (const video of videos) {
      alignments.measure(video, `/${video.locatorId}/master.m3u8`, BOTH);
      await alignments.settled();
    }
    expect(videos.filter((video) => alignments.knows(video))).toHaveLength(10);
  });
});
