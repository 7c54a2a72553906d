import { describe, expect, it } from "vitest";
import type { CatalogueEntry, RegionCopy } from "../../src/core/contracts.ts";
import { withCopy, withoutCopy } from "../../src/replicator/entry.ts";
import { judge, type Finding } from "../../src/replicator/verdict.ts";
import { advance, newJob, STEPS } from "../../src/replicator/job.ts";
import { catalogueEntry } from "../fakes/catalogueEntry.ts";

function facts(change: Partial<CatalogueEntry> = {}) {
  const { regions: _regions, publishedAt: _publishedAt, ...rest } = catalogueEntry("id", change);
  return rest;
}

const VERIFIED: RegionCopy = { state: "verified", at: 5_000, detail: "verified" };

describe("a catalogue entry", () => {
  it("gains a region and keeps its others and its time of publication", () => {
    const next = withCopy(catalogueEntry("id"), facts(), "northeurope", VERIFIED);
    expect(next).toMatchObject({ publishedAt: 1_000, regions: { westeurope: { at: 1_000 }, northeurope: VERIFIED } });
    expect(withCopy(null, facts(), "westeurope", VERIFIED)).toMatchObject({ publishedAt: 5_000, regions: { westeurope: VERIFIED } });
  });

  it("stays as it is when it says so already, in whatever order the keys come", () => {
    const keys = [
      { id: "a", fingerprint: "1" },
      { id: "b", fingerprint: "2" },
    ];
    expect(withCopy(catalogueEntry("id", { keys }), facts({ keys: keys.toReversed() }), "westeurope", VERIFIED)).toBeNull();
    expect(withCopy(catalogueEntry("id"), facts({ manifests: { hls: "/new", dash: null } }), "westeurope", VERIFIED)).not.toBeNull();
  });

  it("withdraws copies that were verified under other keys", () => {
    const stored = withCopy(catalogueEntry("id"), facts(), "northeurope", VERIFIED) ?? catalogueEntry("id");
    const next = withCopy(stored, facts({ keys: [{ id: "new", fingerprint: "3" }] }), "westeurope", VERIFIED);
    expect(next?.regions).toMatchObject({ westeurope: VERIFIED, northeurope: { state: "withdrawn" } });
  });

  it("loses a region once", () => {
    const without = withoutCopy(catalogueEntry("id"), "westeurope", 9, "gone");
    expect(without?.regions).toEqual({ westeurope: { state: "withdrawn", at: 9, detail: "gone" } });
    expect(without === null ? null : withoutCopy(without, "westeurope", 10, "gone")).toBeNull();
    expect(withoutCopy(catalogueEntry("id"), "northeurope", 9, "gone")).toBeNull();
  });
});

describe("the verdict on a copy", () => {
  const finding = (result: Finding["result"], reason: Finding["reason"] = null): Finding => ({
    subject: result,
    result,
    detail: "why",
    reason,
  });

  it("is good when nothing failed, and says what is not proven", () => {
    expect(judge([finding("proven"), finding("unproven")])).toMatchObject({
      ok: true,
      wrong: false,
      detail: "verified proven; unproven not proven: why",
    });
  });

  it("tells a wrong copy from a region that is ill", () => {
    expect(judge([finding("failed", "timeout")])).toMatchObject({ ok: false, wrong: false });
    expect(judge([finding("failed", "segment")])).toMatchObject({ ok: false, wrong: false });
    expect(judge([finding("failed", "key_mismatch")])).toMatchObject({ ok: false, wrong: true });
    expect(judge([finding("proven"), finding("failed", "not_found")])).toMatchObject({ ok: false, wrong: true });
  });
});

describe("a job's record", () => {
  const job = newJob({ source: "w", target: "n", assetName: "a/b" }, 1);

  it("goes through its steps in order and is done at the last", () => {
    let record = advance(job, { type: "started" }, 2);
    expect(record).toMatchObject({ id: "w/a/b->n", attempts: 1, state: "running" });
    for (const step of STEPS) record = advance(record, { type: "reached", step }, 3);
    expect(record).toMatchObject({ step: "published", state: "done", updatedAt: 3 });
    expect(advance(record, { type: "reached", step: "copied" }, 4).step).toBe("published");
  });

  it("keeps its last error until it is started again, and then begins anew", () => {
    const failed = advance(
      advance(job, { type: "started" }, 2),
      { type: "failed", conflict: true, code: "x", message: "y", conflicts: [] },
      3,
    );
    expect(failed).toMatchObject({ state: "conflict", errorCode: "x" });
    expect(advance(failed, { type: "started" }, 4)).toMatchObject({ state: "running", step: "planned", attempts: 2, errorCode: null });
  });
});
