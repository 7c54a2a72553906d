import { createHash } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import type { BlobContainer } from "../../src/core/ports/storage.ts";
import { forEachBounded } from "../../src/replicator/bounded.ts";
import { copyBlobs, surveyBlobs, type CopyOptions } from "../../src/replicator/copy.ts";
import { contentMd5 } from "../../src/replicator/hash.ts";
import { MemoryBlobContainer } from "../fakes/memoryBlobContainer.ts";
import { MemoryJournal } from "../fakes/memoryJournal.ts";

function setup(target: BlobContainer = new MemoryBlobContainer("n/c")) {
  const source = new MemoryBlobContainer("w/c");
  const journal = new MemoryJournal();
  const copied: string[] = [];
  const options: CopyOptions = {
    source,
    target,
    journal,
    jobId: "job",
    clock: systemClock,
    concurrency: 3,
    onCopied: ({ name }) => void copied.push(name),
    onAdopted: () => undefined,
  };
  return { source, journal, copied, options };
}

describe("copying blobs", () => {
  it("has at most so many under way at a time", async () => {
    const inner = new MemoryBlobContainer("n/c");
    let now = 0;
    let most = 0;
    const target: BlobContainer = {
      ...withCopies(inner, () => null),
      copyFrom: async (from, blob, condition) => {
        now += 1;
        most = Math.max(most, now);
        await turn();
        const copied = await inner.copyFrom(from, blob, condition);
        now -= 1;
        return copied;
      },
    };
    const { source, options, journal } = setup(target);
    for (let at = 0; at < 20; at += 1) source.put(`b${at}`, Buffer.from(`content ${at}`));
    await copyBlobs(options, await surveyBlobs(options));
    expect(most).toBe(3);
    expect((await journal.blobs("job")).size).toBe(20);
  });

  it("replaces at once a copy that arrived wrong, and gives up after the second", async () => {
    const inner = new MemoryBlobContainer("n/c");
    let wrong = 1;
    const lossy = withCopies(inner, (name) => {
      if (wrong <= 0) return null;
      wrong -= 1;
      return inner.put(name, Buffer.from("garbled!"));
    });
    const { source, options, copied } = setup(lossy);
    source.put("a", Buffer.from("original"));
    await copyBlobs(options, await surveyBlobs(options));
    expect(copied).toEqual(["a"]);
    expect(Buffer.from(inner.content("a") ?? []).toString()).toBe("original");
    inner.remove("a");
    wrong = 2;
    const { journal } = setup();
    await expect(copyBlobs({ ...options, journal }, await surveyBlobs({ ...options, journal }))).rejects.toMatchObject({
      code: "copy_mismatch",
    });
    expect((await journal.blobs("job")).size).toBe(0);
  });

  it("takes what it copies from the bandwidth, once, whether or not the container asks for it", async () => {
    const inner = new MemoryBlobContainer("n/c");
    const asking: BlobContainer = {
      ...withCopies(inner, () => null),
      copyFrom: async (from, blob, condition, signal, pace) => {
        await pace?.(4);
        await pace?.(blob.length - 4);
        return inner.copyFrom(from, blob, condition, signal);
      },
    };
    for (const target of [asking, new MemoryBlobContainer("n/c")]) {
      const { source, options } = setup(target);
      for (const name of ["a", "b"]) source.put(name, Buffer.from("10 bytes  "));
      const taken: number[] = [];
      const bandwidth = { take: async (bytes: number) => void taken.push(bytes) };
      await copyBlobs({ ...options, bandwidth, concurrency: 1 }, await surveyBlobs(options));
      expect(taken).toEqual(target === asking ? [4, 6, 4, 6] : [10, 10]);
    }
  });

  it("waits for a copy that an earlier run has started", async () => {
    const target = new MemoryBlobContainer("n/c");
    const { source, options, copied } = setup(target);
    source.put("a", Buffer.from("content"));
    target.putPending("a", Buffer.from("content"));
    const plan = await surveyBlobs(options);
    const begun = Promise.withResolvers<void>();
    target.calls.onCall = () => begun.resolve();
    const copying = copyBlobs(options, plan);
    await begun.promise;
    await turn();
    target.settlePending("a", "success");
    await copying;
    expect(copied).toEqual(["a"]);
    expect(target.calls.count("copyFrom")).toBe(1);
  });

  it("adopts what came to be there since it was listed, or refuses it", async () => {
    const target = new MemoryBlobContainer("n/c");
    const { source, options, copied, journal } = setup(target);
    source.put("a", Buffer.from("content"));
    source.put("b", Buffer.from("content"));
    const plan = await surveyBlobs(options);
    target.put("a", Buffer.from("content"));
    target.put("b", Buffer.from("CONTENT"));
    await expect(copyBlobs(options, plan)).rejects.toMatchObject({ code: "replica_conflict" });
    expect(copied).toEqual([]);
    expect([...(await journal.blobs("job")).keys()]).toEqual(["a"]);
  });

  it("hashes in chunks, and only the version that was listed", async () => {
    const container = new MemoryBlobContainer("w/c");
    const content = Buffer.alloc(9 * 1024 * 1024, "paircast");
    const blob = container.put("big", content, { contentMd5: null });
    expect(await contentMd5(container, blob)).toBe(createHash("md5").update(content).digest("base64"));
    expect(container.calls.count("read")).toBe(3);
    container.put("big", content);
    await expect(contentMd5(container, blob)).rejects.toMatchObject({ code: "blob_changed" });
  });
});

describe("bounded work", () => {
  it("begins nothing after a failure and waits for what is under way", async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const work = async (item: number): Promise<void> => {
      begun.push(item);
      await Promise.resolve();
      if (item === 1) throw new Error("second");
      await Promise.resolve();
      ended.push(item);
    };
    await expect(forEachBounded([0, 1, 2, 3, 4, 5], 2, work)).rejects.toThrow("second");
    expect(ended.length).toBe(begun.length - 1);
    expect(begun).not.toContain(5);
  });

  it("does not reject a stop that came after the last item", async () => {
    const stop = new AbortController();
    await forEachBounded([1], 1, () => Promise.resolve(stop.abort()), stop.signal);
    await expect(forEachBounded([1], 1, () => Promise.resolve(), stop.signal)).rejects.toThrow();
  });
});

/** The container, with some copies done by `instead`. */
function withCopies(inner: MemoryBlobContainer, instead: (name: string) => ReturnType<MemoryBlobContainer["put"]> | null): BlobContainer {
  return {
    label: inner.label,
    list: (signal) => inner.list(signal),
    head: (name, signal) => inner.head(name, signal),
    read: (blob, offset, count, signal) => inner.read(blob, offset, count, signal),
    readUrl: (name) => inner.readUrl(name),
    write: (name, content, options, signal) => inner.write(name, content, options, signal),
    copyFrom: async (source, blob, condition, signal) => instead(blob.name) ?? inner.copyFrom(source, blob, condition, signal),
  };
}
