import { describe, expect, it } from "vitest";
import {
  formatReport,
  formatTable,
  judge,
  median,
  parseBenchArguments,
  quantile,
  readGoals,
  type Goals,
  type Measurement,
} from "./frame.ts";

const measured = (figures: Measurement["figures"]): Measurement => ({
  versions: { node: "26.0.0" },
  figures,
  notes: ["varnishd is not installed"],
});

describe("parseBenchArguments", () => {
  it("has a default for everything", () => {
    expect(parseBenchArguments([])).toEqual({ json: false, quick: false, only: [], rounds: null });
  });

  it("reads lists of parts and a number of rounds", () => {
    const options = parseBenchArguments(["--json", "--quick", "--only", "stale,key-wrong", "--only", "noise", "--rounds", "3"]);
    expect(options).toEqual({ json: true, quick: true, only: ["stale", "key-wrong", "noise"], rounds: 3 });
  });

  it.each([["--rounds", "0"], ["--rounds", "many"], ["--fast"]])("refuses %s %s", (...argv) => {
    expect(() => parseBenchArguments(argv)).toThrow(/--(rounds|fast)/);
  });
});

describe("judge", () => {
  const goals: Goals = {
    bench: {
      time: [{ atMost: 150 }],
      share: [{ atLeast: 100 }],
      cpu: [
        { atMost: 4, timesPeer: "nginx" },
        { atMost: 0.7, timesPeer: "caddy" },
      ],
    },
  };
  const judged = (figure: Measurement["figures"][number]) => judge("bench", measured([figure]), goals).figures[0];

  it.each([
    [150, true],
    [150.1, false],
    [Number.POSITIVE_INFINITY, false],
  ])("holds an upper bound: %d", (value, holds) => {
    expect(judged({ name: "time", value, unit: "ms" })).toMatchObject({ goal: 150, holds });
  });

  it.each([
    [100, true],
    [99, false],
  ])("holds a lower bound: %d", (value, holds) => {
    expect(judged({ name: "share", value, unit: "%" })).toMatchObject({ goal: 100, holds });
  });

  it("wants every bound to hold, and names the one that does not", () => {
    const peers = { nginx: 10, caddy: 40 };
    expect(judged({ name: "cpu", value: 27, unit: "µs", peers })).toMatchObject({ goal: 28, holds: true });
    expect(judged({ name: "cpu", value: 39, unit: "µs", peers })).toMatchObject({ goal: 28, holds: false });
    expect(judged({ name: "cpu", value: 41, unit: "µs", peers: { nginx: 10 } })).toMatchObject({ goal: 40, holds: false });
  });

  it("has no goal where none is set or the peer is missing", () => {
    expect(judged({ name: "cpu", value: 1, unit: "µs" })).toMatchObject({ goal: null, holds: null });
    expect(judged({ name: "other", value: 1, unit: "" })).toMatchObject({ goal: null, holds: null });
  });

  it("writes JSON that keeps its shape when something never happened", () => {
    const report = judge(
      "bench",
      measured([{ name: "time", value: Infinity, unit: "ms", peers: { haproxy: Infinity, nginx: 12.34567 } }]),
      goals,
    );
    expect(JSON.parse(JSON.stringify(report))).toEqual({
      name: "bench",
      versions: { node: "26.0.0" },
      figures: [{ name: "time", value: null, unit: "ms", goal: 150, holds: false, peers: { haproxy: null, nginx: 12.35 } }],
      notes: ["varnishd is not installed"],
    });
  });
});

describe("formatReport", () => {
  it("shows figures beside their goals and peers, versions and notes", () => {
    const report = judge("bench", measured([{ name: "time", value: 200, unit: "ms", peers: { haproxy: Infinity } }]), {
      bench: { time: [{ atMost: 150 }] },
    });
    const text = formatReport(report, [{ title: "detail", columns: ["", "x"], rows: [["row", "1"]] }]);
    expect(text).toMatch(/^detail\n/);
    expect(text).toMatch(/^time, ms +200 +150 +MISSED +never$/m);
    expect(text).toContain("node 26.0.0");
    expect(text).toContain("- varnishd is not installed");
  });

  it("aligns columns to their widest cell", () => {
    expect(
      formatTable({
        title: "t",
        columns: ["name", "ms"],
        rows: [
          ["a", "1"],
          ["longer", "1000"],
        ],
      }),
    ).toBe(["t", "name      ms", "------  ----", "a          1", "longer  1000"].join("\n"));
  });
});

describe("medians and quantiles", () => {
  it("takes the middle", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([1, Infinity, Infinity])).toBe(Infinity);
    expect(median([])).toBeNaN();
  });

  it("takes the nearest rank", () => {
    const values = Array.from({ length: 100 }, (_, index) => index + 1);
    expect([quantile(values, 0.5), quantile(values, 0.99), quantile(values, 1), quantile([7], 0.5)]).toEqual([50, 99, 100, 7]);
  });
});

describe("goals.json", () => {
  it("sets nothing but bounds", () => {
    for (const [bench, figures] of Object.entries(readGoals())) {
      for (const [figure, goals] of Object.entries(figures)) {
        for (const goal of goals) expect([goal.atMost, goal.atLeast].filter(Number.isFinite), `${bench}: ${figure}`).toHaveLength(1);
      }
    }
  });
});
