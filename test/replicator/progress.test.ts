import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { amsDriver, replicationPass } from "../../src/replicator/pass.ts";
import { ProgressBoard, type ProgressEvent } from "../../src/replicator/progress.ts";
import { World } from "./world.ts";

const JOB = { source: "west", target: "north", assetName: "intro" };

describe("what jobs tell", () => {
  it("of a pass: found, planned with its bytes, each blob, done; and of one that changes nothing only that it is done", async () => {
    const world = new World();
    await world.publish();
    const events: ProgressEvent[] = [];
    const deps = { ...world.deps, progress: (event: ProgressEvent) => events.push(event) };
    const pass = async () =>
      replicationPass(deps, amsDriver(deps), { sources: ["west"], targets: ["west", "north"], full: true, assetName: null });
    await pass();
    const north = events.filter(({ target }) => target === "north");
    const types = north.map(({ type }) => type);
    expect(types).toEqual(["found", "planned", "copied", "copied", "copied", "done"]);
    const planned = north.flatMap((event) => (event.type === "planned" ? [event] : []));
    const copied = north.flatMap((event) => (event.type === "copied" ? [event.bytes] : []));
    expect(planned).toMatchObject([{ blobs: 3, bytes: copied.reduce((sum, bytes) => sum + bytes, 0) }]);
    events.length = 0;
    await pass();
    expect(events.map(({ type }) => type).toSorted()).toEqual(["done", "done", "found", "found"]);
  });
});

describe("the board", () => {
  it("adds up bytes, jobs and problems for each target, and estimates rate and time left", () => {
    const board = new ProgressBoard();
    const tell = (event: object, at: number) => board.add({ ...JOB, ...event } as ProgressEvent, at);
    for (const assetName of ["intro", "film"]) tell({ type: "found", assetName }, 0);
    tell({ type: "planned", blobs: 4, bytes: 4_000 }, 0);
    tell({ type: "copied", bytes: 1_000 }, 1_000);
    expect(tell({ type: "copied", bytes: 1_000 }, 2_000)).toEqual({
      target: "north",
      found: 2,
      done: 0,
      wrong: 0,
      plannedBytes: 4_000,
      copiedBytes: 2_000,
      share: 0.25,
      rate: 1_000,
      leftMs: 6_000,
    });
    tell({ type: "done", result: "changed" }, 4_000);
    expect(tell({ type: "done", assetName: "film", result: "conflict" }, 4_000)).toMatchObject({ done: 2, wrong: 1, share: 1 });
    expect(tell({ type: "found", target: "east" }, 4_000)).toMatchObject({ target: "east", found: 1, share: 0, leftMs: null });
    expect(board.targets(4_000).map(({ target }) => target)).toEqual(["north", "east"]);
  });

  it("forgets a rate that is long gone", () => {
    const board = new ProgressBoard();
    board.add({ ...JOB, type: "planned", blobs: 1, bytes: 1e9 }, 0);
    for (let at = 1_000; at <= 10_000; at += 1_000) board.add({ ...JOB, type: "copied", bytes: 1_000_000 }, at);
    let rate = 0;
    for (let at = 11_000; at <= 60_000; at += 1_000) ({ rate } = board.add({ ...JOB, type: "copied", bytes: 1_000 }, at));
    expect(rate).toBeCloseTo(1_000, 5);
  });

  it("whatever it is told, shares are from 0 to 1, nothing is negative and nothing is no number", () => {
    const event = fc.record({
      type: fc.constantFrom("found", "planned", "copied", "done"),
      assetName: fc.constantFrom("a", "b", "c"),
      bytes: fc.nat(),
      blobs: fc.nat(),
      result: fc.constantFrom("changed", "unchanged", "failed", "conflict"),
      after: fc.nat(5_000),
    });
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const board = new ProgressBoard();
        let now = 0;
        for (const { after, ...told } of events) {
          now += after;
          const { target: _target, leftMs, ...figures } = board.add({ ...JOB, ...told } as ProgressEvent, now);
          for (const figure of [...Object.values(figures), leftMs ?? 0]) expect(Number.isFinite(figure) && figure >= 0).toBe(true);
          expect(figures.share).toBeLessThanOrEqual(1);
          expect(figures.done).toBeLessThanOrEqual(figures.found);
          expect(figures.copiedBytes).toBeLessThanOrEqual(figures.plannedBytes);
        }
      }),
    );
  });
});
