import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/core/clock.ts";
import type { BlobContainer } from "../../../src/core/ports/storage.ts";
import { copyBlobs, surveyBlobs, type CopyOptions } from "../../../src/replicator/copy.ts";
import { isProven } from "../../../src/replicator/planBlobs.ts";
import { MemoryBlobContainer } from "../../fakes/memoryBlobContainer.ts";
import { MemoryJournal } from "../../fakes/memoryJournal.ts";

function setup(change: Partial<CopyOptions> = {}) {
  const source = new MemoryBlobContainer("w/c");
  const target = new MemoryBlobContainer("n/c");
  const journal = new MemoryJournal();
  const counts = { copied: [] as string[], adopted: [] as string[] };
  const options: CopyOptions = {
    source,
    target,
    journal,
    jobId: "job",
    clock: systemClock,
    concurrency: 4,
    onCopied: ({ name }) => void counts.copied.push(name),
    onAdopted: ({ name }) => void counts.adopted.push(name),
    ...change,
  };
  return { source, target, journal, options, counts };
}

const NAMES = Array.from({ length: 40 }, (_, at) => `seg-${String(at).padStart(3, "0")}.m4s`);

describe("a plan that is too large to be held", () => {
  it("is found again while it is carried out, with the same result", async () => {
    for (const held of [5, 1000]) {
      const { source, target, options, counts } = setup({ held });
      for (const name of NAMES) source.put(name, Buffer.from(name));
      for (const name of NAMES.slice(10, 20)) target.put(name, Buffer.from(name));
      const plan = await surveyBlobs(options);
      expect(plan.actions === null).toBe(held === 5);
      expect(plan.totals).toEqual({ copy: 30, bytes: 30 * 11, adopt: 10, skip: 0 });
      await copyBlobs(options, plan);
      expect(target.names()).toEqual(NAMES);
      expect(counts.copied.toSorted()).toEqual(NAMES.filter((_, at) => at < 10 || at >= 20));
      expect(counts.adopted.toSorted()).toEqual(NAMES.slice(10, 20));
      expect(isProven(await surveyBlobs(options))).toBe(true);
    }
  });

  it("does not read again what was compared once it was too large", async () => {
    const { source, target, options, counts } = setup({ held: 2 });
    for (const name of NAMES.slice(0, 10)) for (const side of [source, target]) side.put(name, Buffer.from(name), { contentMd5: null });
    const plan = await surveyBlobs(options);
    await copyBlobs(options, plan);
    expect(counts.adopted.toSorted()).toEqual(NAMES.slice(0, 10));
    expect(source.calls.count("read")).toBeLessThanOrEqual(10 + 2);
  });
});

describe("what a survey says", () => {
  it("refuses archived blobs of the source before anything is copied, and says what to do", async () => {
    const { source, target, options } = setup();
    source.put("a", Buffer.from("a"));
    for (const name of ["b", "c", "d", "e"]) source.put(name, Buffer.from(name), { tier: "Archive" });
    const message = /w\/c: b, c, d and 1 more is in the archive tier.*rehydrate/;
    await expect(surveyBlobs(options)).rejects.toMatchObject({
      code: "blob_archived",
      retry: "never",
      message: expect.stringMatching(message),
    });
    expect(target.calls.mutations).toEqual([]);
  });

  it("notes blobs beside the source's, and page and append blobs that become block blobs", async () => {
    const { source, target, options } = setup();
    source.put("log", Buffer.from("x"), { type: "AppendBlob" });
    target.put("stray", Buffer.from("x"));
    expect((await surveyBlobs(options)).notes).toEqual([
      "left alone on the target: 1 blobs that the source lacks, such as stray",
      "carried as block blobs: 1 page or append blobs of the source, such as log",
    ]);
  });

  it("copies what it is told to last when all else is there", async () => {
    const { source, options, counts } = setup({ last: (name) => name.endsWith(".m3u8"), concurrency: 2 });
    for (const name of ["a.m3u8", "b.ts", "c.m3u8", "d.ts"]) source.put(name, Buffer.from(name));
    await copyBlobs(options, await surveyBlobs(options));
    expect(counts.copied.slice(0, 2).toSorted()).toEqual(["b.ts", "d.ts"]);
    expect(counts.copied.slice(2).toSorted()).toEqual(["a.m3u8", "c.m3u8"]);
  });

  it("holds for services that do not list in the order of names", async () => {
    const { source, options, counts } = setup();
    for (const name of NAMES) source.put(name, Buffer.from(name));
    const reversed: BlobContainer = Object.assign(Object.create(source) as BlobContainer, {
      label: source.label,
      list: async function* () {
        yield* (await Array.fromAsync(MemoryBlobContainer.prototype.list.call(source))).toReversed();
      },
      head: async (name: string) => source.head(name),
      read: async (...given: Parameters<BlobContainer["read"]>) => source.read(...given),
    });
    const unordered = { ...options, source: reversed, held: 3 };
    await copyBlobs(unordered, await surveyBlobs(unordered));
    expect(counts.copied.toSorted()).toEqual(NAMES);
    expect(isProven(await surveyBlobs(unordered))).toBe(true);
  });

  it("keeps in the journal what was copied before a failure", async () => {
    const { source, target, journal, options } = setup({ concurrency: 1 });
    for (const name of NAMES.slice(0, 5)) source.put(name, Buffer.from(name));
    target.calls.failNth("copyFrom", 4, new Error("planned"));
    await expect(copyBlobs(options, await surveyBlobs(options))).rejects.toThrow("planned");
    expect([...(await journal.blobs("job")).keys()]).toEqual(NAMES.slice(0, 3));
  });
});
