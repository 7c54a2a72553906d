import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PlaylistTimeline, TimelineSegment, WatchedPlaylist } from "../../../src/core/playback/timeline.ts";
import { allowedMs, progress, type ProgressState } from "../../../src/health/probes/progress.ts";

const TARGET = 2_000;

interface Playlist extends Partial<PlaylistTimeline> {
  readonly first: number;
  readonly count?: number;
  readonly change?: (segment: TimelineSegment) => Partial<TimelineSegment>;
}

/** Six segments of 2 s, as they were read at a time. */
function read(at: number, { first, count = 6, change = () => ({}), ...timeline }: Playlist): WatchedPlaylist {
  const segments = Array.from({ length: count }, (_, index): TimelineSegment => {
    const number = first + index;
    const plain = { at: number, name: `v/${number}.m4s`, durationMs: TARGET, discontinuity: false, programDateTime: number * TARGET };
    return { ...plain, ...change(plain) };
  });
  return {
    track: "video 800 kbit/s",
    timeline: { protocol: "hls", ended: false, targetMs: TARGET, updateMs: null, publishedAt: null, listed: true, segments, ...timeline },
    askedAt: at,
    answeredAt: at + 10,
  };
}

/** The verdicts on reads that follow one another: a reason, or null. */
function verdicts(...reads: readonly WatchedPlaylist[]): (string | null)[] {
  let state: ProgressState | null = null;
  return reads.map((each) => {
    const step = progress(state, each);
    state = step.state;
    return step.fault?.reason ?? null;
  });
}

describe("a stream that goes on", () => {
  it("is well at any interval, whatever the jitter that its target duration allows", () => {
    const pauses = fc.array(fc.integer({ min: 1, max: 1.5 * TARGET - 20 }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(pauses, fc.integer({ min: 50, max: 9_000 }), (advances, interval) => {
        const times = advances.reduce<number[]>((all, pause) => [...all, (all.at(-1) ?? 0) + pause], [0]);
        const reads: WatchedPlaylist[] = [];
        for (let at = 0; at < (times.at(-1) ?? 0); at += interval) {
          reads.push(read(at, { first: 100 + times.filter((time) => time <= at).length }));
        }
        expect(verdicts(...reads).filter(Boolean)).toEqual([]);
      }),
    );
  });

  it("may list hours, lose a discontinuity tag at its beginning, and grow", () => {
    const discontinuity = (number: number) => (segment: TimelineSegment) => ({ discontinuity: segment.at === number });
    const long = { count: 5_000, change: discontinuity(102) };
    expect(verdicts(read(0, { first: 100, ...long }), read(2_000, { first: 101, ...long }), read(4_000, { first: 102, ...long }))).toEqual([
      null,
      null,
      null,
    ]);
    expect(verdicts(read(0, { first: 100, change: discontinuity(101) }), read(2_000, { first: 101 }))).toEqual([null, null]);
    expect(verdicts(read(0, { first: 100, count: 3 }), read(2_000, { first: 100, count: 4 }))).toEqual([null, null]);
  });

  it("says nothing once it has ended, and may then be watched anew", () => {
    expect(verdicts(read(0, { first: 100 }), read(90_000, { first: 100, ended: true }), read(99_000, { first: 7 }))).toEqual([
      null,
      null,
      null,
    ]);
  });

  it("is not judged by a list that follows the clock, nor by an empty one", () => {
    expect(verdicts(read(0, { first: 100, listed: false }), read(60_000, { first: 90, listed: false }))).toEqual([null, null]);
    expect(progress(null, read(0, { first: 1, count: 0 }))).toEqual({ state: null, fault: null, staleAt: null });
  });
});

describe("stale", () => {
  it("from 1.5 target durations on, counted from the answer that showed the newest segment", () => {
    const still = { first: 100 };
    expect(
      verdicts(read(0, still), read(3_010, still), read(3_011, still), read(3_200, { first: 101 }), read(3_300, { first: 101 })),
    ).toEqual([null, null, "stale", null, null]);
    expect(progress(null, read(0, still)).staleAt).toBe(3_010);
  });

  it("also where the list goes on and its time stands still", () => {
    const looped = { change: () => ({ programDateTime: 5 }) };
    expect(
      verdicts(read(0, { first: 100, ...looped }), read(2_000, { first: 101, ...looped }), read(4_000, { first: 102, ...looped })),
    ).toEqual([null, null, "stale"]);
  });

  it("in DASH after an update period and a segment", () => {
    const dash = { protocol: "dash", updateMs: 5_000, first: 100 } as const;
    expect(verdicts(read(0, dash), read(7_010, dash), read(7_011, dash))).toEqual([null, null, "stale"]);
    const { timeline } = read(0, dash);
    expect(allowedMs({ ...timeline, updateMs: 0 })).toBe(1.5 * TARGET);
    expect(allowedMs({ ...timeline, updateMs: null })).toBe(2 * TARGET);
  });
});

describe("regressed", () => {
  it.each([
    ["an earlier newest segment", { first: 98 }],
    ["an earlier first segment", { first: 99, count: 8 }],
    ["an earlier time of day", { first: 101, change: ({ at }: TimelineSegment) => (at > 105 ? { programDateTime: 7 } : {}) }],
    ["a window that is nearly empty", { first: 105, count: 2 }],
    ["an earlier publication", { first: 101, publishedAt: 40_000 }],
  ])("%s", (_, playlist: Playlist) => {
    expect(verdicts(read(0, { first: 100, publishedAt: 50_000 }), read(1_000, playlist))).toEqual([null, "regressed"]);
  });

  it("is not a time of day after a discontinuity, nor a window one shorter", () => {
    const cut = ({ at }: TimelineSegment) => (at > 105 ? { discontinuity: at === 106, programDateTime: 7 } : {});
    expect(verdicts(read(0, { first: 100 }), read(2_000, { first: 101, change: cut }))).toEqual([null, null]);
    expect(verdicts(read(0, { first: 100, count: 4 }), read(2_000, { first: 101, count: 3 }))).toEqual([null, null]);
  });

  it("lasts until the stream has caught up", () => {
    const reads = [100, 98, 99, 100, 101].map((first, index) => read(index * 2_000, { first }));
    expect(verdicts(...reads)).toEqual([null, "regressed", "regressed", null, null]);
  });

  it("ends when the stream has gone on well from elsewhere for 15 target durations, and not where it does not", () => {
    const restarted = Array.from({ length: 20 }, (_, index) => read(2_000 + index * 2_000, { first: index }));
    const seen = verdicts(read(0, { first: 900 }), ...restarted);
    expect(seen.slice(1, 16)).toEqual(Array.from({ length: 15 }, () => "regressed"));
    expect(seen.slice(16).filter(Boolean)).toEqual([]);
    const alternating = Array.from({ length: 60 }, (_, index) => read(index * 2_000, { first: 100 + index - (index % 2) * 30 }));
    expect(verdicts(...alternating).filter((reason) => reason === "regressed")).toHaveLength(30);
  });
});

describe("rewritten", () => {
  it.each([
    ["another name", { name: "w/103.m4s" }],
    ["another duration", { durationMs: 1_500 }],
    ["a new discontinuity", { discontinuity: true }],
  ])("%s of a segment that was published", (_, change) => {
    const changed = { first: 101, change: ({ at }: TimelineSegment) => (at === 103 ? change : {}) };
    expect(verdicts(read(0, { first: 100 }), read(2_000, changed))).toEqual([null, "rewritten"]);
    expect(verdicts(read(0, { first: 100 }), read(2_000, { first: 101, change: ({ at }) => (at === 106 ? change : {}) }))).toEqual([
      null,
      null,
    ]);
  });

  it("lasts until the changed segments have left the window", () => {
    const renamed = { change: ({ at }: TimelineSegment) => ({ name: `w/${at}.m4s` }) };
    const reads = Array.from({ length: 8 }, (_, index) => read(2_000 * (index + 1), { first: 101 + index, ...renamed }));
    expect(verdicts(read(0, { first: 100 }), ...reads)).toEqual([null, ...Array.from({ length: 5 }, () => "rewritten"), null, null, null]);
  });

  it("sees other bounds on a timeline", () => {
    const dash = { protocol: "dash", first: 100 } as const;
    const shifted = { ...dash, change: ({ at }: TimelineSegment) => ({ at: at + 0.5 }) };
    expect(verdicts(read(0, dash), read(1_000, shifted))).toEqual([null, "rewritten"]);
  });
});

describe("reads out of order", () => {
  it("an older answer that comes later says nothing", () => {
    const older = { ...read(0, { first: 100 }), answeredAt: 5_000 };
    expect(verdicts(read(2_000, { first: 101 }), older, read(4_000, { first: 102 }))).toEqual([null, null, null]);
  });

  it("nor does one that was asked for while the other was under way", () => {
    const slow = { ...read(0, { first: 103 }), answeredAt: 4_000 };
    expect(verdicts(slow, read(1_000, { first: 102 }), read(5_000, { first: 104 }))).toEqual([null, null, null]);
  });
});
