import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Report } from "../../../src/gateway/steering/report.ts";
import { heard, VOICES, type Given, type Voice } from "../../../src/gateway/steering/voice.ts";

const PATHWAYS = ["a", "b", "gateway"];

interface Poll {
  /** Head of the list that is given in answer. */
  readonly head?: string;
  readonly used: string;
  readonly bps?: number | null;
  /** Seconds since the last one. */
  readonly after?: number;
  /** Second in which the head's region changed its state. */
  readonly changed?: number;
}

/** What one viewer's polls say, one word each. */
function voices(polls: readonly Poll[]): Voice[] {
  let given: Given | null = null;
  let at = 0;
  return polls.map(({ head = "a", used, bps = 1_000_000 + at, after = 30, changed = -1 }) => {
    at += after;
    const report: Report = {
      used: used === "" ? [] : used.split(","),
      throughput: bps === null ? null : String(bps),
      bitsPerSecond: bps,
    };
    const now = at * 1_000;
    const step = heard(given, report, { head, pathways: PATHWAYS, changedAt: changed * 1_000, ttl: 5_000, monotonic: now, now });
    given = step.given;
    return step.voice;
  });
}

describe("voice of a player", () => {
  it("one that is at the head is a good voice, also at first sight", () => {
    expect(voices([{ used: "a" }, { used: "a" }])).toEqual(["good", "good"]);
  });

  it("one that was there and left is believed at once", () => {
    expect(voices([{ used: "a" }, { used: "a" }, { used: "b" }])).toEqual(["good", "good", "bad"]);
  });

  it("one that was never there is believed when it says so for the third time", () => {
    expect(voices([{ used: "b" }, { used: "b", after: 6 }, { used: "b", after: 6 }])).toEqual(["doubtful", "doubtful", "bad"]);
  });

  it("the gateway's own copy is another pathway, too", () => {
    expect(voices([{ used: "a" }, { used: "a" }, { used: "gateway" }])).toEqual(["good", "good", "bad"]);
  });

  it("a head that has just changed is not spoken against: the player may report the one before, Shaka even once more", () => {
    const moved = [
      { used: "a" },
      { used: "a" },
      { used: "a", head: "b" },
      { used: "a", head: "b", after: 6 },
      { used: "b", head: "b", after: 6 },
    ];
    expect(voices(moved)).toEqual(["good", "good", "none", "doubtful", "good"]);
  });

  it("polls in quick succession are no time that has passed", () => {
    const fast = [0, 1, 2, 3].map((bps) => ({ used: "b", bps: bps + 1, after: 0.1 }));
    expect(voices(fast)).toEqual(["doubtful", "doubtful", "doubtful", "doubtful"]);
  });

  it("a player that has loaded nothing since the last time may be paused", () => {
    const paused = [
      { used: "a", bps: 5 },
      { used: "a", bps: 6 },
      { used: "b", bps: 6 },
      { used: "b", bps: 6 },
      { used: "b", bps: 7 },
    ];
    expect(voices(paused)).toEqual(["good", "good", "doubtful", "doubtful", "bad"]);
    expect(
      voices([
        { used: "a", bps: null },
        { used: "a", bps: null },
        { used: "b", bps: null },
      ]),
    ).toEqual(["good", "good", "bad"]);
  });

  it("what was seen before the region changed its state counts no more", () => {
    expect(voices([{ used: "a" }, { used: "a" }, { used: "b", changed: 75 }])).toEqual(["good", "good", "doubtful"]);
  });

  it("a player that names both pathways, none, or one that its session does not have, says nothing", () => {
    const polls = [{ used: "a" }, { used: "a" }, { used: "a,b" }, { used: "" }, { used: "c" }, { used: "b,c" }];
    expect(voices(polls)).toEqual(["good", "good", "none", "none", "none", "none"]);
  });

  it("a throughput that has collapsed speaks for nobody", () => {
    const bps = [4_000_000, 4_100_000, 900_000, 0, 3_900_000];
    expect(voices(bps.map((each) => ({ used: "a", bps: each })))).toEqual(["good", "good", "none", "none", "good"]);
  });

  it("nobody who was only at the head ever speaks against it", () => {
    const poll = fc.record({
      used: fc.constantFrom("a", "a,a", ""),
      bps: fc.option(fc.nat()),
      after: fc.double({ min: 0, max: 60, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(poll, { maxLength: 20 }), (polls) => {
        const said = voices(polls);
        expect(said.every((voice) => VOICES.includes(voice))).toBe(true);
        expect(said).not.toContain("bad");
        expect(said).not.toContain("doubtful");
      }),
    );
  });
});
