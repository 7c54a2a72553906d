import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BlobRecord } from "../../../src/core/ports/journal.ts";
import type { BlobInfo } from "../../../src/core/ports/storage.ts";
import { judgeDifferent, judgeListed } from "../../../src/replicator/verification/blobVerdict.ts";
import { classOf, consequences, damageOf, type ProblemKind } from "../../../src/replicator/verification/consequences.ts";
import { MemoryBlobContainer } from "../../fakes/memoryBlobContainer.ts";

const md5 = (text: string): string => createHash("md5").update(text).digest("base64");

function blob(change: Partial<BlobInfo> = {}): BlobInfo {
  return { ...new MemoryBlobContainer("test").put("video.mp4", Buffer.from("good")), etag: "1", ...change };
}

function record(change: Partial<BlobRecord> = {}): BlobRecord {
  return { name: "video.mp4", sourceEtag: "1", targetEtag: "1", length: 4, md5: md5("good"), ...change };
}

describe("what two listings show", () => {
  it("is the blob's content to be looked at, where all else agrees", () => {
    expect(judgeListed({ source: blob(), target: blob(), record: record() })).toEqual({ kind: "content", proven: true });
    for (const one of [null, record({ targetEtag: "0" }), record({ sourceEtag: "0" })])
      expect(judgeListed({ source: blob(), target: blob(), record: one })).toEqual({ kind: "content", proven: false });
    expect(judgeListed({ source: blob(), target: blob({ length: 3 }), record: record() })).toEqual({ kind: "differ" });
  });

  it.each([
    ["extra", { source: null, target: blob(), record: null }],
    ["source_missing", { source: null, target: blob(), record: record() }],
    ["source_added", { source: blob(), target: null, record: null }],
    ["target_missing", { source: blob(), target: null, record: record() }],
    ["target_missing", { source: blob(), target: blob({ copyStatus: "failed" }), record: null }],
    ["source_unready", { source: blob({ copyStatus: "pending" }), target: blob(), record: null }],
    ["target_archived", { source: blob(), target: blob({ tier: "Archive" }), record: record() }],
    ["source_archived", { source: blob({ tier: "Archive" }), target: blob(), record: record() }],
    ["target_properties", { source: blob(), target: blob({ contentType: "text/html", etag: "2" }), record: record() }],
    ["source_properties", { source: blob({ contentType: "video/mp4", etag: "2" }), target: blob(), record: record() }],
    ["target_labels", { source: blob(), target: blob({ metadata: { a: "b" }, etag: "2" }), record: record() }],
  ] as const)("is %s", (expected, sides) => {
    const found = judgeListed(sides);
    expect(found.kind === "problem" ? found.problem : found.kind).toBe(expected);
  });

  it("takes no offence at tiers, at names of metadata in capitals, and at an empty header", () => {
    const source = blob({ metadata: { Title: "x" }, tier: "Hot", cacheControl: "" });
    expect(judgeListed({ source, target: blob({ metadata: { title: "x" }, tier: "Cool" }), record: null }).kind).toBe("content");
  });
});

describe("of two blobs with different bytes", () => {
  const cases: readonly [string, { source: string; target: string; sourceEtag?: string; targetEtag?: string; record?: null }, string][] = [
    ["the target's are not the recorded ones", { source: "good", target: "baad" }, "target_damaged"],
    ["the target was rewritten", { source: "good", target: "baad", targetEtag: "2" }, "target_rewritten"],
    ["the source's are not the recorded ones", { source: "baad", target: "good" }, "source_damaged"],
    ["the source was rewritten", { source: "newe", target: "good", sourceEtag: "2" }, "source_rewritten"],
    [
      "the source was rewritten, and the target is not what was copied",
      { source: "newe", target: "baad", sourceEtag: "2" },
      "target_damaged",
    ],
    ["both were rewritten", { source: "newe", target: "othr", sourceEtag: "2", targetEtag: "2" }, "target_rewritten"],
    ["neither has the recorded ones", { source: "baad", target: "wors" }, "undecided"],
  ];

  it.each(cases)("where %s", (_, { source, target, sourceEtag = "1", targetEtag = "1" }, expected) => {
    const digests = { source: md5(source), target: md5(target) };
    // A rewritten blob says its own Content-MD5, a damaged one that of what was written.
    const claim = (text: string, etag: string): string => md5(etag === "1" ? "good" : text);
    const sides = [
      blob({ etag: sourceEtag, contentMd5: claim(source, sourceEtag) }),
      blob({ etag: targetEtag, contentMd5: claim(target, targetEtag) }),
    ] as const;
    expect(judgeDifferent(...sides, record(), digests)).toBe(expected);
  });

  it("a source that was rewritten and contradicts its own Content-MD5 is damaged", () => {
    const source = blob({ etag: "2", contentMd5: md5("newe") });
    expect(judgeDifferent(source, blob(), record(), { source: md5("baad"), target: md5("good") })).toBe("source_damaged");
  });

  it("without a record, the one that contradicts its own Content-MD5 is to blame, and otherwise nobody", () => {
    const digests = { source: md5("good"), target: md5("baad") };
    expect(judgeDifferent(blob(), blob(), null, digests)).toBe("target_damaged");
    expect(judgeDifferent(blob(), blob(), null, { source: digests.target, target: digests.source })).toBe("source_damaged");
    expect(judgeDifferent(blob({ contentMd5: null }), blob({ contentMd5: null }), null, digests)).toBe("undecided");
    expect(judgeDifferent(blob(), blob(), null, { source: md5("x"), target: md5("y") })).toBe("undecided");
  });

  it("one that ends before its length is to blame", () => {
    expect(judgeDifferent(blob(), blob(), record(), { source: md5("good"), target: null })).toBe("target_damaged");
    expect(judgeDifferent(blob(), blob(), record(), { source: null, target: md5("good") })).toBe("source_damaged");
  });
});

const KINDS: readonly ProblemKind[] = [
  ...(["target_damaged", "target_missing", "target_properties", "target_labels", "target_rewritten", "target_archived"] as const),
  ...([
    "source_damaged",
    "source_missing",
    "source_rewritten",
    "source_added",
    "source_properties",
    "source_archived",
    "source_unready",
  ] as const),
  ...(["undecided", "entity_lost", "entity_behind", "entity_conflict", "entity_differs"] as const),
  ...(["playback", "playback_doubtful", "source_entity", "source_keys"] as const),
];

describe("consequences", () => {
  const problems = fc.array(
    fc.constantFrom(...KINDS).map((kind) => ({ kind, what: "x", detail: "y" })),
    { maxLength: 6 },
  );

  it("of a damaged source are never a copy of it, nor that its good target is taken away for it", () => {
    fc.assert(
      fc.property(problems, (others) => {
        const found = consequences([...others, { kind: "source_damaged", what: "x", detail: "y" }], false);
        expect(found.repair).toBe(false);
        expect(found.asked.map(({ kind }) => kind)).not.toContain("source_damaged");
      }),
    );
  });

  it("for the original are no repair, and nothing for another copy", () => {
    fc.assert(
      fc.property(problems, (found) => {
        const { repair, asked } = consequences(found, true);
        expect([repair, asked]).toEqual([false, []]);
      }),
    );
  });

  it("name no more damage than an entry can hold, and say that there is more", () => {
    const damaged = (count: number, name: string) =>
      Array.from(
        { length: count },
        (_, at) => ({ kind: "target_damaged", what: "x", detail: "y", blob: { name: `${name}${at}`, md5: null } }) as const,
      );
    expect(damageOf(damaged(100, "a"))).toMatchObject({ more: false });
    for (const found of [damageOf(damaged(101, "a")), damageOf(damaged(100, "long".repeat(200)))]) {
      expect(found?.more).toBe(true);
      expect(JSON.stringify(found).length).toBeLessThan(32_768);
    }
    expect(damageOf([{ kind: "entity_lost", what: "x", detail: "y" }])).toBeNull();
  });

  it("are nothing where nothing is wrong, and every kind has a class", () => {
    expect(consequences([], false)).toEqual({ asked: [], source: [], repair: false, relabel: [], behind: false });
    for (const kind of KINDS) expect(classOf({ kind, what: "x", detail: "y" })).toBeTruthy();
  });
});
