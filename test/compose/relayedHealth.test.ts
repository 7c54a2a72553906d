import { expect, test } from "vitest";
import { RelayedHealth } from "../../src/compose/workers/relayedHealth.ts";

test("what a worker's traffic saw is passed on with the viewer that saw it: a quorum is of viewers, not of workers", () => {
  const told: unknown[][] = [];
  const health = new RelayedHealth({ takenAt: 1, regions: {} }, (...words) => {
    told.push(words);
  });
  const outcome = { ok: true, durationMs: 1 } as const;
  health.observe("westeurope", "keys", outcome, "203.0.113.9");
  health.observe("westeurope", "streaming", outcome);
  expect(told).toEqual([
    ["westeurope", "keys", outcome, "203.0.113.9"],
    ["westeurope", "streaming", outcome, undefined],
  ]);
});
