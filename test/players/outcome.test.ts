/** What is made of a recording, on recordings that are made up. */
import { describe, expect, it } from "vitest";
import { outcomeOf, skippedOf, stallsOf } from "./outcome.ts";
import type { Recording, Sample } from "./page/types.d.ts";

/** A look every 100 ms; `steps` are the seconds by which the position goes on between two of them. */
function recorded(steps: readonly number[], endsAt = Infinity): Sample[] {
  let position = 0;
  return [0, ...steps].map((step, index) => {
    position += step;
    return { at: 1000 + index * 100, position, ahead: 5, ended: index >= endsAt };
  });
}

const times = (count: number, step: number): number[] => Array.from({ length: count }, () => step);

function recording(samples: readonly Sample[], rest: Partial<Recording> = {}): Recording {
  return { samples, frozen: [], errors: [], askedAt: 500, startedAt: 1000, ...rest };
}

describe("stalls", () => {
  it("are times in which the position stands still, from the loss on", () => {
    const samples = recorded([...times(5, 0), ...times(10, 0.1), ...times(8, 0), ...times(10, 0.1)]);
    expect(stallsOf(samples, 1500)).toEqual([{ from: 2500, to: 3300 }]);
    expect(stallsOf(samples, 2900)).toEqual([{ from: 2900, to: 3300 }]);
    expect(stallsOf(samples, 3200)).toEqual([]);
  });

  it("go on while a player loads anew, jumps and stands still again", () => {
    const samples = recorded([...times(10, 0.1), 0, 0, -1, 0, 0, 1, 0, 0, ...times(10, 0.1)]);
    expect(stallsOf(samples, 1000)).toEqual([{ from: 2000, to: 2800 }]);
  });

  it("are none when a sample comes late, in small hitches and after the end", () => {
    const late = recorded(times(10, 0.1)).filter((_, index) => index < 3 || index > 7);
    expect(stallsOf(late, 1000)).toEqual([]);
    expect(stallsOf(recorded([0.1, 0, 0, 0.1, 0, 0.1]), 1000)).toEqual([]);
    expect(stallsOf(recorded([...times(10, 0.1), ...times(20, 0)], 10), 1000)).toEqual([]);
  });

  it("include pictures that stand still for a second while time goes on, once", () => {
    const samples = recorded([...times(10, 0.1), ...times(10, 0), ...times(30, 0.1)]);
    const frozen = [
      { from: 2000, to: 3400 },
      { from: 4000, to: 4900 },
    ];
    expect(outcomeOf(recording(samples, { frozen }), { at: 1000, fromB: [] })).toMatchObject({
      longestStallMs: 1400,
      stalls: 1,
      playing: true,
    });
  });
});

describe("an outcome", () => {
  const played = recorded(times(40, 0.1));

  it("has the time of the start and of the first segment from region B after the loss", () => {
    expect(outcomeOf(recording(played), { at: 2000, fromB: [1500, 2400, 2600] })).toEqual({
      startMs: 500,
      longestStallMs: 0,
      stalls: 0,
      playing: true,
      skipped: 0,
      firstFromBMs: 400,
      fatal: null,
      error: null,
    });
  });

  it("is not playing where it stands still at the end, or never began", () => {
    const stopped = recorded([...times(10, 0.1), ...times(10, 0)]);
    expect(outcomeOf(recording(stopped), { at: 1000, fromB: [] })).toMatchObject({
      playing: false,
      longestStallMs: 1000,
      firstFromBMs: null,
    });
    const never = recording(recorded(times(30, 0)), { startedAt: null });
    expect(outcomeOf(never, { at: 2000, fromB: [] })).toMatchObject({ startMs: null, playing: false });
  });

  it("is playing where the video has ended", () => {
    const ended = recorded([...times(10, 0.1), ...times(10, 0)], 11);
    expect(outcomeOf(recording(ended), { at: 1000, fromB: [] })).toMatchObject({ playing: true, longestStallMs: 0 });
  });

  it("tells of errors after the loss, and of all where nothing was played", () => {
    const errors = [
      { at: 1100, text: "early", fatal: true },
      { at: 2100, text: "hiccup", fatal: false },
      { at: 2200, text: "the end", fatal: true },
    ];
    expect(outcomeOf(recording(played, { errors }), { at: 2000, fromB: [] })).toMatchObject({ fatal: "the end", error: "hiccup" });
    const unstarted = recording(played, { errors, startedAt: null });
    expect(outcomeOf(unstarted, { at: 2000, fromB: [] })).toMatchObject({ fatal: "early" });
  });
});

describe("skipped media", () => {
  it("is what a jump leaves out; a reload to the old position leaves out nothing", () => {
    expect(skippedOf(recorded([...times(10, 0.1), 3, ...times(10, 0.1)]), 1000)).toBeCloseTo(3);
    expect(skippedOf(recorded([...times(10, 0.1), -1, 1, ...times(10, 0.1)]), 1000)).toBe(0);
  });
});
