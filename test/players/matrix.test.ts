/** Which cells there are, which are chosen, and what is left to run. */
import { describe, expect, it } from "vitest";
import { batchesOf, cellName, cellsOf, FAULTS, quickCells, type Cell } from "./matrix.ts";
import { missing, type Run } from "./results.ts";

const all = cellsOf([]);

describe("the matrix", () => {
  it("has every player in every mode and fault, with and without the kit", () => {
    const lost = all.filter(({ story, content, buffer }) => story === "loss" && content === "vod" && buffer === 6);
    for (const player of ["hls.js", "shaka-hls", "shaka-dash", "dash.js", "video.js"])
      for (const mode of ["steer", "anchor"])
        for (const fault of FAULTS)
          for (const kit of [true, false])
            expect(lost.some((cell) => cell.player === player && cell.mode === mode && cell.fault === fault && cell.kit === kit)).toBe(
              true,
            );
  });

  it("names each cell once", () => {
    expect(new Set(all.map(cellName)).size).toBe(all.length);
  });

  it("has no cell that cannot be: AES-128 of whole segments in dash.js, 30 s of a live window", () => {
    expect(all.filter(({ player, protection }) => player === "dash.js" && protection === "aes")).toEqual([]);
    expect(all.filter(({ content, buffer }) => content === "live" && buffer === 30)).toEqual([]);
  });

  it("has the quick ones in it", () => {
    const names = new Set(all.map(cellName));
    for (const cell of quickCells()) expect(names).toContain(cellName(cell));
    expect(batchesOf(quickCells(), 3)).toHaveLength(1);
  });
});

describe("--only", () => {
  it("takes cells that have one of the words of every kind", () => {
    const chosen = cellsOf(["hls.js", "dash.js", "steer", "blackhole", "kit", "6s"]);
    expect(new Set(chosen.map(({ player }) => player))).toEqual(new Set(["hls.js", "dash.js"]));
    expect(chosen.every(({ mode, fault, kit, buffer }) => mode === "steer" && fault === "blackhole" && kit && buffer === 6)).toBe(true);
    expect(cellsOf(["steering-hangs"]).map(({ story }) => story)).toContain("outage");
  });

  it("names what it does not know", () => {
    expect(() => cellsOf(["steer", "exoplayer"])).toThrow("--only knows no exoplayer");
  });
});

describe("batches", () => {
  it("lose their region in one way, and are of at most the size", () => {
    for (const batch of batchesOf(all, 4)) {
      expect(batch.length).toBeLessThanOrEqual(4);
      expect(new Set(batch.map(({ story, fault }) => `${story} ${fault}`)).size).toBe(1);
    }
    expect(batchesOf(all, 4).flat()).toHaveLength(all.length);
  });
});

describe("what is left to run", () => {
  const run = (cell: Cell): Run => ({
    cell,
    outcome: { startMs: 1, longestStallMs: 0, stalls: 0, playing: true, skipped: 0, firstFromBMs: 1, fatal: null, error: null },
    backMs: null,
    date: "2026-01-01T00:00:00.000Z",
    lead: 15,
    steeringTtl: 5,
  });

  it("is every cell as often as it was not run yet", () => {
    const cells = quickCells();
    const [first] = cells;
    if (first === undefined) throw new Error("no cells");
    expect(missing(cells, { versions: {}, runs: [] }, 2)).toHaveLength(2 * cells.length);
    const left = missing(cells, { versions: {}, runs: [run(first), run(first)] }, 2);
    expect(left).toHaveLength(2 * (cells.length - 1));
    expect(left).not.toContain(first);
  });
});
