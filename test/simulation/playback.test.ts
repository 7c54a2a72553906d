import { describe, expect, it } from "vitest";
import { ManualClock } from "../fakes/clock.ts";
import { Playback } from "./playback.ts";

describe("Playback", () => {
  it("begins with the first piece of both tracks, and stops where one of them ends", async () => {
    const clock = new ManualClock();
    const playback = new Playback(clock);
    playback.append("video", 4);
    await clock.advance(500);
    expect(playback.startedAt).toBeNull();
    playback.append("audio", 2);
    await clock.advance(5_000);
    expect(playback).toMatchObject({ startedAt: 500, position: 2, frozenMs: 3_000 });
    playback.append("audio", 6);
    await clock.advance(1_000);
    expect(playback.position).toBe(3);
    expect(playback.stops(0, 10_000)).toEqual([{ from: 2_500, to: 5_500 }]);
  });

  it("jumps over a hole in one track", async () => {
    const clock = new ManualClock();
    const playback = new Playback(clock);
    playback.append("video", 2);
    playback.append("audio", 8);
    playback.skip("video", 4);
    playback.append("video", 8);
    expect(playback.ahead("video")).toBe(6);
    await clock.advance(3_000);
    expect(playback.position).toBe(5);
    expect(playback.stops(0, 3_000)).toEqual([]);
  });

  it("counts a reload as a stop that goes on, and the end as none", async () => {
    const clock = new ManualClock();
    const playback = new Playback(clock);
    playback.end(10);
    for (const kind of ["video", "audio"] as const) playback.append(kind, 4);
    await clock.advance(6_000);
    playback.restart(4);
    await clock.advance(1_000);
    for (const kind of ["video", "audio"] as const) playback.append(kind, 10);
    await clock.advance(20_000);
    expect(playback).toMatchObject({ position: 10, ended: true, frozenMs: 0 });
    expect(playback.stops(0, 30_000)).toEqual([{ from: 4_000, to: 7_000 }]);
  });
});
