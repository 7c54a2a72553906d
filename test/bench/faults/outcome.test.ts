import { describe, expect, it } from "vitest";
import { failoverOf } from "../failover/measure.ts";
import type { Play } from "../player.ts";
import { described, outcomeOf, together } from "./outcome.ts";

const span = { from: 0, fault: 3_000, to: 18_000, quietMs: 5_000 };
const play = (at: number, failure: string | null, ms = 20): Play => ({ at, ended: at + ms, failure, host: "127.0.0.21" });

describe("outcomeOf", () => {
  it("counts failures from the fault to the last of them", () => {
    const outcome = outcomeOf([play(1_000, null), play(3_100, "key: 503"), play(4_500, "key: 503"), play(5_000, null)], span);
    expect(outcome).toMatchObject({ plays: 3, failed: 2, lastFailed: 1.5, recovered: true, falsely: 0 });
    expect(outcome.failures).toEqual(new Map([["key: 503", 2]]));
  });

  it("counts a play that the fault met on its way", () => {
    expect(outcomeOf([play(2_900, "segment: reset", 500)], span)).toMatchObject({ failed: 1, lastFailed: 0, falsely: 0 });
  });

  it("tells failures before the fault from those by it", () => {
    expect(outcomeOf([play(1_000, "manifest: 503")], span)).toMatchObject({ failed: 0, falsely: 1, recovered: true });
  });

  it("has not recovered while plays fail towards the end", () => {
    expect(outcomeOf([play(13_500, "key: 503")], span)).toMatchObject({ recovered: false, lastFailed: Infinity });
  });

  it("describes the worst of several", () => {
    const well = outcomeOf([play(4_000, null)], span);
    const late = outcomeOf([play(4_000, "x"), play(4_200, "x")], span);
    const never = outcomeOf([play(17_000, "x")], span);
    expect([described([]), described([well]), described([well, late]), described([well, never]), described([never])]).toEqual([
      "",
      "0 failed",
      "2 failed, 1.2 s",
      "1 of 2 never",
      "never",
    ]);
    expect(together([well, late, never])).toEqual({ cells: 3, recovered: 2, failed: 3, lastFailed: Infinity });
  });
});

describe("failoverOf", () => {
  const shot = (at: number, region: string | null, ms = 2) => ({ at, ended: at + ms, region });

  it("takes a redirect to the faulted region for a failed request", () => {
    const shots = [shot(10, "a"), shot(100, "a"), shot(110, null), shot(150, "b"), shot(160, "b")];
    expect(failoverOf(shots, 50, true)).toEqual({ elsewhereMs: 102, failed: 2, slowestMs: 2, early: 0 });
  });

  it("takes a late answer of the faulted region for an answer where keys are proxied", () => {
    expect(failoverOf([shot(45, "a", 10), shot(60, null, 30), shot(70, "b", 80)], 50, false)).toEqual({
      elsewhereMs: 100,
      failed: 1,
      slowestMs: 80,
      early: 0,
    });
  });

  it("says when the other region was used before the fault, and when it never was", () => {
    expect(failoverOf([shot(10, "b"), shot(60, "a")], 50, true)).toMatchObject({ early: 1, elsewhereMs: Infinity });
  });
});
