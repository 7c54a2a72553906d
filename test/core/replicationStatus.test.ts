import { describe, expect, it } from "vitest";
import type { CatalogueEntry, RegionCopy } from "../../src/core/contracts.ts";
import type { JobRecord } from "../../src/core/ports/journal.ts";
import { TargetCounts } from "../../src/core/replicationStatus.ts";
import { newJob } from "../../src/replicator/job.ts";

const HOUR = 3_600_000;
const NOW = 10 * HOUR;

function entry(regions: Readonly<Record<string, RegionCopy>>): CatalogueEntry {
  return {
    locatorId: "l",
    locatorName: "l",
    assetName: "a",
    source: "west",
    streamingPolicyName: null,
    contentKeyPolicyName: null,
    manifests: { hls: null, dash: null },
    keys: [],
    regions,
    publishedAt: 0,
  };
}

function copy(state: RegionCopy["state"], at: number): RegionCopy {
  return { state, at, detail: "" };
}

function job(state: JobRecord["state"], at: number, target = "north"): JobRecord {
  return { ...newJob({ source: "west", target, assetName: "a" }, at), state };
}

describe("how far replication is", () => {
  it("counts for each target what it has, what it lacks and since when", () => {
    const counts = new TargetCounts(["west", "north"], NOW);
    counts.entry(entry({ west: copy("verified", 1), north: copy("verified", 2) }));
    counts.entry(entry({ west: copy("verified", 30) }));
    counts.entry(entry({ west: copy("verified", 10), north: copy("withdrawn", 20) }));
    // Unpublished: nobody waits for it.
    counts.entry(entry({ west: copy("withdrawn", 5), north: copy("withdrawn", 5) }));
    expect(counts.targets).toMatchObject([
      { target: "west", verified: 3, pending: 0, oldestPendingAt: null },
      { target: "north", verified: 1, pending: 2, oldestPendingAt: 20 },
    ]);
  });

  it("counts failures, conflicts and the jobs of the last hour, of targets that are configured", () => {
    const counts = new TargetCounts(["north"], NOW);
    for (const one of [
      job("failed", 0),
      job("done", NOW - HOUR),
      job("done", NOW - HOUR - 1),
      job("running", NOW),
      job("done", NOW, "east"),
    ])
      counts.job(one);
    counts.conflict(job("conflict", 0));
    counts.conflict(job("conflict", 0, "east"));
    expect(counts.targets).toMatchObject([{ target: "north", failed: 1, conflicts: 1, doneLastHour: 1 }]);
  });
});
