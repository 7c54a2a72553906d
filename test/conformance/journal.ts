/** What every `Journal` does: the contract in `src/core/ports`, sentence by sentence. */
import { describe, expect, it } from "vitest";
import type { BlobRecord, ConflictRecord, JobRecord, Journal } from "../../src/core/ports/journal.ts";
import { eachTest } from "./eachTest.ts";

export interface JournalHarness extends AsyncDisposable {
  readonly journal: Journal;
  /** The same journal as another process or connection sees it. */
  readonly second: Journal;
}

export function jobRecord(id: string, change: Partial<JobRecord> = {}): JobRecord {
  return {
    id,
    source: "westeurope",
    target: "northeurope",
    assetName: "intro",
    step: "planned",
    state: "running",
    attempts: 1,
    errorCode: null,
    errorMessage: null,
    conflicts: [],
    updatedAt: 1_000,
    ...change,
  };
}

const CONFLICT: ConflictRecord = {
  what: "locator intro-1",
  source: "content keys k (fingerprint 0a1b2c)",
  target: "content keys k (fingerprint 3d4e5f)",
  advice: "replicate with --recreate",
  locatorId: "11111111-1111-4111-8111-111111111111",
  keepsServing: true,
};

function blobRecord(name: string, change: Partial<BlobRecord> = {}): BlobRecord {
  return { name, sourceEtag: '"0x1"', targetEtag: '"0x2"', length: 6_000_000_000, md5: "1B2M2Y8AsgTpgAmY7PhCfg==", ...change };
}

export function journalConformance(name: string, make: () => Promise<JournalHarness>): void {
  describe(`journal: ${name}`, () => {
    const harness = eachTest(make);

    it("gives a lease to one owner at a time, who may renew it", async () => {
      const { journal, second } = harness();
      expect(await journal.acquire("job", "one", 1_000, 500)).toBe(true);
      expect(await second.acquire("job", "two", 1_400, 500)).toBe(false);
      expect(await journal.acquire("job", "one", 1_400, 500)).toBe(true);
      expect(await second.acquire("job", "two", 1_899, 500)).toBe(false);
      expect(await second.acquire("other", "two", 1_899, 500)).toBe(true);
    });

    it("gives a lease that has run out to the next", async () => {
      const { journal, second } = harness();
      await journal.acquire("job", "one", 1_000, 500);
      expect(await second.acquire("job", "two", 1_500, 500)).toBe(true);
      expect(await journal.acquire("job", "one", 1_600, 500)).toBe(false);
    });

    it("takes a lease back from its holder only", async () => {
      const { journal, second } = harness();
      await journal.acquire("job", "one", 1_000, 500);
      await second.release("job", "two");
      expect(await second.acquire("job", "two", 1_100, 500)).toBe(false);
      await journal.release("job", "one");
      await journal.release("job", "one");
      expect(await second.acquire("job", "two", 1_100, 500)).toBe(true);
    });

    it("replaces a job, and gives null for one that it does not know", async () => {
      const { journal, second } = harness();
      await journal.save(jobRecord("job"));
      const changed = jobRecord("job", {
        step: "published",
        state: "failed",
        attempts: 3,
        errorCode: "x",
        errorMessage: "ü'\n",
        conflicts: [CONFLICT],
        updatedAt: 2_000,
      });
      await journal.save(changed);
      expect(await second.load("job")).toEqual(changed);
      expect(await second.load("other")).toBeNull();
    });

    it("lists the newest jobs first, at most so many", async () => {
      const { journal, second } = harness();
      for (const [id, updatedAt] of Object.entries({ a: 1, b: 3, c: 2 })) await journal.save(jobRecord(id, { updatedAt }));
      expect((await second.jobs(2)).map(({ id }) => id)).toEqual(["b", "c"]);
      expect((await second.jobs(10)).map(({ id }) => id)).toEqual(["b", "c", "a"]);
    });

    it("lists the jobs with conflicts, the newest first, while they have any", async () => {
      const { journal, second } = harness();
      expect(await second.conflicts(10)).toEqual([]);
      for (const [id, updatedAt] of Object.entries({ a: 1, b: 3, c: 2 }))
        await journal.save(jobRecord(id, { updatedAt, conflicts: id === "c" ? [] : [CONFLICT] }));
      expect((await second.conflicts(10)).map(({ id }) => id)).toEqual(["b", "a"]);
      expect((await second.conflicts(1))[0]).toEqual(jobRecord("b", { updatedAt: 3, conflicts: [CONFLICT] }));
      await journal.save(jobRecord("a", { updatedAt: 5, conflicts: [CONFLICT] }));
      expect((await second.conflicts(10)).map(({ id }) => id)).toEqual(["a", "b"]);
      await second.save(jobRecord("a", { updatedAt: 6 }));
      await journal.save(jobRecord("b", { updatedAt: 7, state: "done" }));
      expect(await journal.conflicts(10)).toEqual([]);
      expect((await journal.jobs(10)).map(({ id }) => id)).toEqual(["b", "a", "c"]);
    });

    it("keeps the blobs of each job apart, the last record of each", async () => {
      const { journal, second } = harness();
      await journal.recordBlob("job", blobRecord("a/ü 1.mp4"));
      await journal.recordBlob("job", blobRecord("a/ü 1.mp4", { targetEtag: '"0x3"' }));
      await journal.recordBlob("job", blobRecord("b.mp4"));
      await journal.recordBlob("other", blobRecord("c.mp4"));
      const blobs = await second.blobs("job");
      expect([...blobs.keys()].sort()).toEqual(["a/ü 1.mp4", "b.mp4"]);
      expect(blobs.get("a/ü 1.mp4")).toEqual(blobRecord("a/ü 1.mp4", { targetEtag: '"0x3"' }));
      expect((await second.blobs("unknown")).size).toBe(0);
    });

    it("gives the blobs of a job page by page, in the order of their names' bytes", async () => {
      const { journal, second } = harness();
      // Of these, UTF-16 has the last but one after the last.
      const names = ["a b", "a!b", "a%b", "a-b", "a.b", "a/b", "a0", "aB", "a_b", "ab", "a~", "aé", "a\u{ffee}", "a\u{1f600}"];
      const ordered = names.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
      await journal.recordBlobs(
        "job",
        names.map((name) => blobRecord(name)),
      );
      await journal.recordBlobs("other", [blobRecord("aa")]);
      await journal.recordBlobs("job", []);
      const found: string[] = [];
      for (let after: string | null = null; ; after = found.at(-1) ?? null) {
        const page = await second.blobsAfter("job", after, 3);
        found.push(...page.map(({ name }) => name));
        if (page.length < 3) break;
      }
      expect(found).toEqual(ordered);
      expect(await second.blobsAfter("job", "a-b", 1)).toEqual([blobRecord(ordered[ordered.indexOf("a-b") + 1] ?? "")]);
      expect(await second.blobsAfter("unknown", null, 3)).toEqual([]);
    });

    it("keeps the last proof of an entity, for each scope", async () => {
      const { journal, second } = harness();
      await journal.recordProof("w->n", "content key policy p", "one");
      await journal.recordProof("w->n", "content key policy p", "two");
      expect(await second.proof("w->n", "content key policy p")).toBe("two");
      expect(await second.proof("n->w", "content key policy p")).toBeNull();
    });
  });
}
