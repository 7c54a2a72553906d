/** Figures, tables and the page that is written, from runs that are made up. */
import { describe, expect, it } from "vitest";
import { judge, readGoals } from "../bench/frame.ts";
import { parsePlayersArguments } from "./arguments.ts";
import { playersDocument } from "./document.ts";
import { figuresOf } from "./figures.ts";
import type { Cell } from "./matrix.ts";
import type { Outcome } from "./outcome.ts";
import type { Run } from "./results.ts";
import { tablesOf } from "./tables.ts";

const CELL: Cell = {
  story: "loss",
  player: "hls.js",
  mode: "steer",
  content: "vod",
  protection: "clear",
  fault: "refused",
  steering: null,
  buffer: 6,
  kit: true,
};
const GOOD: Outcome = {
  startMs: 300,
  longestStallMs: 0,
  stalls: 0,
  playing: true,
  skipped: 0,
  firstFromBMs: 400,
  fatal: null,
  error: null,
};

function run(cell: Partial<Cell> = {}, outcome: Partial<Outcome> = {}, backMs: number | null = null): Run {
  const settings = { date: "2026-01-01T00:00:00.000Z", lead: 15, steeringTtl: 5 };
  return { cell: { ...CELL, ...cell }, outcome: { ...GOOD, ...outcome }, backMs, ...settings };
}

function values(runs: readonly Run[]): Record<string, number> {
  return Object.fromEntries(figuresOf(runs, runs).map(({ name, value }) => [name, value]));
}

describe("figures", () => {
  it("are the worst of all runs, beside the redirect's", () => {
    const runs = [
      run(),
      run({ fault: "blackhole" }, { longestStallMs: 1200 }),
      run({ mode: "redirect", kit: false }, { playing: false, fatal: "levelLoadError" }),
    ];
    const figures = figuresOf(runs, runs);
    expect(values(runs)).toMatchObject({
      "steer, kit, 6 s: longest stall": 1.2,
      "steer, kit, 6 s, refused, reset or 503: longest stall": 0,
      "steer, kit: runs with a fatal error": 0,
    });
    expect(figures[0]?.peers).toEqual({ redirect: Infinity });
    expect(figures.every(({ name }) => !name.includes("30 s"))).toBe(true);
  });

  it("tell a picture that stops for good from an error that says so, and hold no goal with either", () => {
    const runs = [run(), run({}, { playing: false, longestStallMs: 20_000 })];
    expect(values(runs)).toMatchObject({
      "steer, kit, 6 s: longest stall": Infinity,
      "steer, kit: runs with a fatal error": 0,
      "steer, kit: runs that stop for good": 50,
    });
    expect(values([run(), run({}, { fatal: "levelLoadError" })])).toMatchObject({
      "steer, kit: runs with a fatal error": 50,
      "steer, kit: runs that stop for good": 0,
    });
    const { figures } = judge("players", { versions: {}, figures: figuresOf(runs, runs), notes: [] }, readGoals());
    expect(figures.filter(({ holds }) => holds === false)).toHaveLength(3);
  });

  it("compare players' own settings with what was measured before", () => {
    const plain = (cell: Partial<Cell>, outcome: Partial<Outcome>) =>
      values([run({ kit: false, ...cell }, outcome)])["steer, plain, on demand: runs worse than measured before"];
    expect(plain({ fault: "blackhole" }, { longestStallMs: 4400 })).toBe(0);
    expect(plain({ fault: "blackhole" }, { longestStallMs: 6000 })).toBe(100);
    expect(plain({ fault: "blackhole", buffer: 30 }, { longestStallMs: 4400 })).toBe(100);
    expect(plain({ player: "dash.js", fault: "blackhole" }, { playing: false })).toBe(0);
    expect(plain({}, { playing: false })).toBe(100);
  });

  it("measure an outage by the start-up in redirect mode, and a return in TTLs", () => {
    const redirect = run({ mode: "redirect", kit: false }, { startMs: 200 });
    const outage = run({ story: "outage", steering: "hangs" }, { startMs: 1700 });
    expect(values([redirect, outage])).toMatchObject({ "steering outage: start-up beyond redirect's": 1.5 });
    expect(figuresOf([outage], [redirect, outage])).toContainEqual(expect.objectContaining({ value: 1.5 }));
    const returns = [run({ story: "return" }, {}, 5000), run({ story: "return", player: "shaka-hls" }, {}, 50_000)];
    expect(values(returns)).toEqual({ "region returns, kit: last viewer back": 10 });
  });
});

describe("tables", () => {
  it("have the worst stall and the latest first segment of a cell's runs", () => {
    const runs = [
      run(),
      run({}, { longestStallMs: 400, firstFromBMs: 900 }),
      run({ fault: "404" }, { playing: false, firstFromBMs: null, fatal: "x" }),
    ];
    const [table] = tablesOf(runs, runs);
    expect(table?.rows).toEqual([["hls.js", "0.4 / 0.9", "", "", "stops / – fatal", "", ""]]);
  });

  it("make the page, with versions, date and settings", () => {
    const text = playersDocument({ versions: { "hls.js": "1.7.4" }, runs: [run()] }, readGoals());
    expect(text).toContain("2026-01-01, 1 runs; region lost after 15 s, steering TTL 5 s.");
    expect(text).toContain("hls.js 1.7.4.");
    expect(text).toContain("## Steer, client kit, on demand, 6 s of buffer");
    expect(text).toContain("| hls.js | 0 / 0.4 |");
  });
});

describe("arguments", () => {
  it("have defaults, fewer and shorter with --quick", () => {
    expect(parsePlayersArguments([])).toMatchObject({ parallel: 2, repetitions: 3, lead: 15, steeringTtl: 5, only: [], results: null });
    expect(parsePlayersArguments(["--quick", "--only", "hls.js,steer", "--only", "kit"])).toMatchObject({
      repetitions: 1,
      lead: 4,
      only: ["hls.js", "steer", "kit"],
    });
  });

  it("are refused by name", () => {
    expect(() => parsePlayersArguments(["--parallel", "none"])).toThrow("--parallel takes a whole number from 1");
    expect(() => parsePlayersArguments(["--fast"])).toThrow("--fast");
  });
});
