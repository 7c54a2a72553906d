import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BlobContainer } from "../../../src/core/ports/storage.ts";
import { Unordered, walk, walkSorted, type Met, type WalkedSides } from "../../../src/replicator/copying/walk.ts";
import { MemoryBlobContainer } from "../../fakes/memoryBlobContainer.ts";
import { MemoryJournal } from "../../fakes/memoryJournal.ts";

const NAMES = ["a", "a-b", "a/b", "b", "b.ts", "ü", "\u{ffee}", "\u{1f600}"];
const some = fc.subarray(NAMES);

/** A container that lists its blobs in this order. */
function listing(names: readonly string[], label: string): BlobContainer {
  const inner = new MemoryBlobContainer(label);
  for (const name of names) inner.put(name, Buffer.from(name));
  return Object.assign(inner, {
    list: async function* () {
      for (const name of names) {
        const blob = await inner.head(name);
        if (blob !== null) yield blob;
      }
    },
  });
}

async function sides(source: readonly string[], target: readonly string[], records: readonly string[]): Promise<WalkedSides> {
  const journal = new MemoryJournal();
  for (const name of records) await journal.recordBlob("job", { name, sourceEtag: "s", targetEtag: "t", length: 1, md5: "m" });
  return { source: listing(source, "w/c"), target: listing(target, "n/c"), journal, jobId: "job" };
}

function inBytes(names: readonly string[]): readonly string[] {
  return names.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
}

function named(met: readonly Met[]) {
  return met.map(({ source, target, record }) => [source?.name ?? null, target?.name ?? null, record?.name ?? null]);
}

describe("the walk along both sides", () => {
  it("meets every name once, with what each side and the journal have of it", async () => {
    await fc.assert(
      fc.asyncProperty(some, some, some, async (source, target, records) => {
        const walked = named(await Array.fromAsync(walk(await sides(inBytes(source), inBytes(target), records))));
        const has = (names: readonly string[], name: string): string | null => (names.includes(name) ? name : null);
        const all = inBytes([...new Set([...source, ...target])]);
        expect(walked).toEqual(all.map((name) => [has(source, name), has(target, name), has(records, name)]));
      }),
    );
  });

  it("sorts for a service with an order of its own, and says before that it has to", async () => {
    const shuffled = fc.shuffledSubarray(NAMES, { minLength: 2 });
    await fc.assert(
      fc.asyncProperty(shuffled, some, some, async (source, target, records) => {
        fc.pre(inBytes(source).some((name, at) => name !== source[at]));
        const given = await sides(source, inBytes(target), records);
        await expect(Array.fromAsync(walk(given))).rejects.toThrow(Unordered);
        const same = await sides(inBytes(source), inBytes(target), records);
        expect(named(await Array.fromAsync(walkSorted(given)))).toEqual(named(await Array.fromAsync(walk(same))));
      }),
    );
  });

  it("holds no more than a page of either side", async () => {
    let ahead = 0;
    let most = 0;
    const endless = (label: string): BlobContainer =>
      Object.assign(new MemoryBlobContainer(label), {
        list: async function* () {
          const inner = new MemoryBlobContainer(label);
          for (let at = 0; at < 5000; at += 1) {
            ahead += 1;
            most = Math.max(most, ahead);
            yield inner.put(String(at).padStart(6, "0"), new Uint8Array());
          }
        },
      });
    const given = { source: endless("w/c"), target: endless("n/c"), journal: new MemoryJournal(), jobId: "job" };
    let met = 0;
    for await (const _ of walk(given)) {
      met += 1;
      ahead -= 2;
    }
    expect([met, most <= 4]).toEqual([5000, true]);
  });
});
