/** What every `CatalogueStore` does: the contract in `src/core/ports`, sentence by sentence. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CatalogueStore } from "../../src/core/ports/catalogue.ts";
import type { Journal } from "../../src/core/ports/journal.ts";
import { catalogueEntry } from "../fakes/catalogueEntry.ts";
import { eachTest } from "./eachTest.ts";

export interface CatalogueHarness extends AsyncDisposable {
  readonly store: CatalogueStore;
  /** The same store as another process or connection sees it. */
  readonly second: CatalogueStore;
  /** The journal whose leases fence its writes. */
  readonly journal: Journal;
}

const LEASE_LOST = { code: "lease_lost", retry: "retry" };
const CONFLICT = { code: "catalogue_conflict", retry: "conflict" };

export function catalogueStoreConformance(name: string, make: () => Promise<CatalogueHarness>): void {
  describe(`catalogue store: ${name}`, () => {
    const harness = eachTest(make);

    it("gives back what was put, and null for what was not", async () => {
      const { store, second } = harness();
      const version = await store.put(catalogueEntry("a"), null);
      expect(await second.get("a")).toEqual({ entry: catalogueEntry("a"), version });
      expect(await store.get("b")).toBeNull();
    });

    it("compares ids in lower case", async () => {
      await harness().store.put(catalogueEntry("ab"), null);
      expect((await harness().second.get("AB"))?.entry.locatorId).toBe("ab");
    });

    it("writes only over the version that is named, and changes nothing otherwise", async () => {
      const { store, second } = harness();
      const first = await store.put(catalogueEntry("a"), null);
      await expect(second.put(catalogueEntry("a", { assetName: "other" }), null)).rejects.toMatchObject(CONFLICT);
      const next = await second.put(catalogueEntry("a", { assetName: "newer" }), first);
      expect(next).not.toBe(first);
      await expect(store.put(catalogueEntry("a", { assetName: "lost" }), first)).rejects.toMatchObject(CONFLICT);
      await expect(store.put(catalogueEntry("b"), "1")).rejects.toMatchObject(CONFLICT);
      expect((await store.get("a"))?.entry.assetName).toBe("newer");
      expect(await store.get("b")).toBeNull();
    });

    it("removes only the version that is named, and never gives a version twice", async () => {
      const { store, second } = harness();
      const first = await store.put(catalogueEntry("a"), null);
      const next = await store.put(catalogueEntry("a", { publishedAt: 2 }), first);
      await expect(second.remove("a", first)).rejects.toMatchObject(CONFLICT);
      await second.remove("a", next);
      expect(await store.get("a")).toBeNull();
      const again = await store.put(catalogueEntry("a"), null);
      expect([first, next]).not.toContain(again);
      await expect(store.remove("a", next)).rejects.toMatchObject(CONFLICT);
    });

    it("lets exactly one of two writers win", async () => {
      const { store, second } = harness();
      const results = await Promise.allSettled([store.put(catalogueEntry("a"), null), second.put(catalogueEntry("a"), null)]);
      expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    });

    it("lists every entry once, in order, also while others are written and removed", async () => {
      const { store, second } = harness();
      const ids = Array.from({ length: 450 }, (_, at) => `id-${String(at).padStart(4, "0")}`);
      const versions = new Map<string, string>();
      for (const id of ids) versions.set(id, await store.put(catalogueEntry(id), null));
      const seen: string[] = [];
      for await (const { entry } of store.list()) {
        seen.push(entry.locatorId);
        if (seen.length === 10) await second.remove("id-0440", versions.get("id-0440") ?? "");
        if (seen.length === 20) await second.put(catalogueEntry("id-0000-late"), null);
        if (seen.length === 30) await second.put(catalogueEntry("id-0300", { publishedAt: 5 }), versions.get("id-0300") ?? "");
      }
      expect(seen).toEqual([...seen].sort());
      expect(new Set(seen).size).toBe(seen.length);
      for (const id of ids) if (id !== "id-0440") expect(seen).toContain(id);
    });

    it("changes its revision with every write of either, and with no read", async () => {
      const { store, second } = harness();
      const before = await second.revision();
      expect(await second.revision()).toBe(before);
      const version = await store.put(catalogueEntry("a"), null);
      const after = await second.revision();
      expect(after).not.toBe(before);
      await expect(store.put(catalogueEntry("a"), null)).rejects.toMatchObject(CONFLICT);
      expect(await second.revision()).toBe(after);
      await second.remove("a", version);
      expect(await store.revision()).not.toBe(after);
    });

    it("gives what has changed since a revision: each locator once, as it is now", async () => {
      const { store, second } = harness();
      const kept = await store.put(catalogueEntry("kept"), null);
      const gone = await store.put(catalogueEntry("gone"), null);
      const since = await second.revision();
      expect(await second.changes(since)).toEqual({ revision: since, changed: new Map() });
      await store.put(catalogueEntry("kept", { publishedAt: 2 }), kept);
      await second.remove("gone", gone);
      const brief = await second.put(catalogueEntry("Brief"), null);
      await store.remove("brief", brief);
      await store.put(catalogueEntry("back"), null);
      await store.remove("back", (await store.get("back"))?.version ?? "");
      await second.put(catalogueEntry("back", { publishedAt: 3 }), null);
      const changes = await store.changes(since);
      expect(changes?.revision).toBe(await store.revision());
      expect(changes?.changed).toEqual(
        new Map([
          ["kept", catalogueEntry("kept", { publishedAt: 2 })],
          ["gone", null],
          ["brief", null],
          ["back", catalogueEntry("back", { publishedAt: 3 })],
        ]),
      );
      expect((await store.changes(changes?.revision ?? ""))?.changed.size).toBe(0);
    });

    it("gives no changes since what is no revision of it", async () => {
      const { store } = harness();
      await store.put(catalogueEntry("a"), null);
      for (const since of ["", "yesterday", "-1", "999999999"]) expect(await store.changes(since)).toBeNull();
    });

    it("writes under a fence while the lease is its owner's, and nothing once it is another's or was given back", async () => {
      const { store, second, journal } = harness();
      const [mine, theirs] = [
        { jobId: "w/intro->n", owner: "one" },
        { jobId: "w/intro->n", owner: "two" },
      ];
      await expect(store.put(catalogueEntry("a"), null, mine)).rejects.toMatchObject(LEASE_LOST);
      await journal.acquire(mine.jobId, mine.owner, 1_000, 500);
      const first = await store.put(catalogueEntry("a"), null, mine);
      await journal.acquire(mine.jobId, mine.owner, 1_200, 500);
      const next = await store.put(catalogueEntry("a", { publishedAt: 2 }), first, mine);
      await expect(second.put(catalogueEntry("a", { publishedAt: 3 }), next, theirs)).rejects.toMatchObject(LEASE_LOST);
      await journal.acquire(theirs.jobId, theirs.owner, 2_000, 500);
      await expect(store.put(catalogueEntry("a", { publishedAt: 3 }), next, mine)).rejects.toMatchObject(LEASE_LOST);
      await expect(store.put(catalogueEntry("b"), null, mine)).rejects.toMatchObject(LEASE_LOST);
      expect(await store.get("b")).toBeNull();
      const last = await second.put(catalogueEntry("a", { publishedAt: 4 }), next, theirs);
      await journal.release(theirs.jobId, theirs.owner);
      await expect(second.put(catalogueEntry("a", { publishedAt: 5 }), last, theirs)).rejects.toMatchObject(LEASE_LOST);
      expect((await store.get("a"))?.entry.publishedAt).toBe(4);
    });

    it("lets a worker that was taken over between two writes not win against the new one", async () => {
      const { store, second, journal } = harness();
      const fence = (owner: string) => ({ jobId: "job", owner });
      await journal.acquire("job", "slow", 1_000, 500);
      const version = await store.put(catalogueEntry("a"), null, fence("slow"));
      await journal.acquire("job", "heir", 1_500, 500);
      const [slow, heir] = await Promise.allSettled([
        store.put(catalogueEntry("a", { publishedAt: 2 }), version, fence("slow")),
        second.put(catalogueEntry("a", { publishedAt: 3 }), version, fence("heir")),
      ]);
      expect([slow.status, heir.status]).toEqual(["rejected", "fulfilled"]);
      expect((await store.get("a"))?.entry.publishedAt).toBe(3);
    });

    it("has one fingerprint key of 32 bytes for all who share it", async () => {
      const key = await harness().store.fingerprintKey();
      expect(key.length).toBe(32);
      expect(Buffer.from(await harness().second.fingerprintKey())).toEqual(Buffer.from(key));
    });

    it("keeps any text byte for byte", async () => {
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 40 }), fc.uuid(), async (text, id) => {
          const { store } = harness();
          const entry = catalogueEntry(id, { locatorName: text, assetName: text });
          await store.put(entry, (await store.get(id))?.version ?? null);
          expect((await store.get(id))?.entry).toEqual(entry);
        }),
        { numRuns: 30, examples: [["line\u2028paragraph\u2029end", "11111111-0000-4000-8000-000000000009"]] },
      );
    });
  });
}
