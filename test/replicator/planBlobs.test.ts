import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BlobRecord } from "../../src/core/ports/journal.ts";
import type { BlobInfo } from "../../src/core/ports/storage.ts";
import { planBlob, settleCompared } from "../../src/replicator/planBlobs.ts";

function blob(change: Partial<BlobInfo> = {}): BlobInfo {
  return {
    name: "video.mp4",
    length: 10,
    etag: "s1",
    type: "BlockBlob",
    contentMd5: "md5",
    contentType: null,
    contentEncoding: null,
    contentLanguage: null,
    contentDisposition: null,
    cacheControl: null,
    metadata: {},
    tier: null,
    copyStatus: null,
    ...change,
  };
}

const RECORD: BlobRecord = { name: "video.mp4", sourceEtag: "s1", targetEtag: "t1", length: 10, md5: "md5" };

function plan(source: BlobInfo, target: BlobInfo | null, record: BlobRecord | null = null) {
  return planBlob(source, target, record);
}

const status = fc.constantFrom(null, "success", "pending", "failed", "aborted") satisfies fc.Arbitrary<BlobInfo["copyStatus"]>;
const md5 = fc.constantFrom(null, "one", "two");
const side = (prefix: string): fc.Arbitrary<BlobInfo> =>
  fc
    .record({ length: fc.constantFrom(10, 11), etag: fc.constantFrom(`${prefix}1`, `${prefix}2`), contentMd5: md5, copyStatus: status })
    .map((change) => blob(change));
const record = fc.option(
  fc
    .record({ sourceEtag: fc.constantFrom("s1", "s2"), targetEtag: fc.constantFrom("t1", "t2") })
    .map((change) => ({ ...RECORD, ...change })),
);

describe("the plan of a blob", () => {
  it("is to copy what the target lacks", () => {
    expect(plan(blob(), null)).toEqual({ kind: "copy", source: blob(), condition: "absent" });
  });

  it("is to skip what the journal proves, as long as both sides are as they were", () => {
    const target = blob({ etag: "t1" });
    expect(plan(blob(), target, RECORD)).toMatchObject({ kind: "skip" });
    expect(plan(blob(), { ...target, etag: "t2" }, RECORD)).toMatchObject({ kind: "adopt" });
    expect(plan(blob({ etag: "s2" }), target, RECORD)).toMatchObject({ kind: "adopt" });
  });

  it("is to look at the bytes where a side has no MD5", () => {
    expect(plan(blob({ contentMd5: null }), blob({ etag: "t1" }))).toMatchObject({ kind: "compare", ours: false });
    expect(plan(blob({ etag: "s2" }), blob({ etag: "t1", contentMd5: null }), RECORD)).toMatchObject({ kind: "compare", ours: true });
  });

  it("is to replace what is ours by its ETag when the source has changed, and nobody else's", () => {
    const target = blob({ etag: "t1" });
    const changed = blob({ etag: "s2", length: 20, contentMd5: "new" });
    expect(plan(changed, target, RECORD)).toEqual({ kind: "copy", source: changed, condition: { etag: "t1" } });
    expect(plan(changed, target)).toMatchObject({ kind: "conflict" });
    expect(plan(changed, { ...target, etag: "t2" }, RECORD)).toMatchObject({ kind: "conflict" });
  });

  it("is to wait for a pending copy, and to replace what a failed one left", () => {
    expect(plan(blob(), blob({ etag: "t1", copyStatus: "pending", length: 0 }))).toMatchObject({ kind: "copy", condition: "absent" });
    expect(plan(blob(), blob({ etag: "t1", copyStatus: "failed", length: 0 }))).toMatchObject({ kind: "copy", condition: { etag: "t1" } });
  });

  it("names what the source has not finished and what the target has beside it", () => {
    expect(planBlob(blob({ copyStatus: "pending" }), null, null)).toEqual({ kind: "unready", name: "video.mp4" });
    expect(planBlob(null, blob({ name: "extra.mp4" }), null)).toEqual({ kind: "extra", name: "extra.mp4" });
  });

  it("names what is archived in the source, unless it is proven on the target", () => {
    const archived = blob({ tier: "Archive" });
    expect(plan(archived, null)).toEqual({ kind: "archived", name: "video.mp4" });
    expect(plan(archived, blob({ etag: "t1", contentMd5: null }))).toEqual({ kind: "archived", name: "video.mp4" });
    expect(plan(archived, blob({ etag: "t1" }), RECORD)).toMatchObject({ kind: "skip" });
    expect(plan(archived, blob({ etag: "t1" }))).toMatchObject({ kind: "adopt" });
  });

  it.each([
    ["contentType", { contentType: "video/mp4" }, { contentType: "text/plain" }],
    ["cacheControl", { cacheControl: "no-store" }, { cacheControl: "max-age=1" }],
    ["metadata", { metadata: { a: "1" } }, { metadata: { a: "2" } }],
    ["metadata", { metadata: { a: "1" } }, { metadata: { a: "1", b: "2" } }],
  ])("is to carry a changed %s to what is ours, and a conflict where it is not", (property, one, other) => {
    const [source, target] = [blob({ etag: "s2", ...one }), blob({ etag: "t1", ...other })];
    expect(plan(source, target, RECORD)).toMatchObject({ kind: "copy", condition: { etag: "t1" } });
    const finding = plan(source, target);
    expect(finding).toMatchObject({ kind: "conflict" });
    expect(finding.kind === "conflict" && finding.conflict.source).toContain(property);
  });

  it("takes for equal what one side does not list", () => {
    const listed = blob({ contentType: "video/mp4", metadata: { a: "1" } });
    expect(plan(listed, blob({ etag: "t1" }))).toMatchObject({ kind: "adopt" });
    expect(plan(blob(), { ...listed, etag: "t1" })).toMatchObject({ kind: "adopt" });
  });

  it("never overwrites readable content without the journal's proof that it is ours", () => {
    fc.assert(
      fc.property(side("s"), side("t"), record, fc.boolean(), (source, target, known, equal) => {
        const first = plan(source, target, known);
        const action = first.kind === "compare" ? settleCompared(first, first.ours, equal ? "one" : null) : first;
        const readable = target.copyStatus === null || target.copyStatus === "success";
        if (action.kind !== "copy" || !readable) return;
        expect(known?.targetEtag).toBe(target.etag);
        expect(action.condition).toEqual({ etag: target.etag });
      }),
      { numRuns: 500 },
    );
  });

  it("never takes for equal what differs in length or in MD5, unless the journal has seen these very versions equal", () => {
    fc.assert(
      fc.property(side("s"), side("t"), record, (source, target, known) => {
        const action = plan(source, target, known);
        if (action.kind !== "skip" && action.kind !== "adopt") return;
        expect(source.length).toBe(target.length);
        if (action.kind === "adopt") expect(source.contentMd5).toBe(target.contentMd5);
        else expect([known?.sourceEtag, known?.targetEtag]).toEqual([source.etag, target.etag]);
      }),
      { numRuns: 500 },
    );
  });
});
