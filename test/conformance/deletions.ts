/** What every `DeletionStore` does: the contract in `src/core/ports`, sentence by sentence. */
import { describe, expect, it } from "vitest";
import type { Deletion, DeletionStore } from "../../src/core/ports/deletions.ts";
import { eachTest } from "./eachTest.ts";

export interface DeletionsHarness extends AsyncDisposable {
  readonly store: DeletionStore;
  /** The same store as another process or connection sees it. */
  readonly second: DeletionStore;
}

const CONFLICT = { code: "deletion_conflict", retry: "conflict" };

export function deletionOf(locatorId: string, change: Partial<Deletion> = {}): Deletion {
  const target = change.target ?? "north";
  return {
    id: `${target}/${locatorId}`,
    locatorId,
    locatorName: `locator-${locatorId}`,
    assetName: `asset ${locatorId}`,
    source: "west",
    target,
    goneAt: 1_700_000_000_000,
    notedAt: 1_700_000_000_500,
    word: null,
    state: "pending",
    at: 1_700_000_000_500,
    begunAt: null,
    detail: null,
    bytes: null,
    ...change,
  };
}

export function deletionsConformance(name: string, make: () => Promise<DeletionsHarness>): void {
  describe(`deletions: ${name}`, () => {
    const harness = eachTest(make);

    it("gives back what was put, and null for what was not", async () => {
      const { store, second } = harness();
      const deletion = deletionOf("a", { assetName: "ä/b %?#'", word: "approve", detail: "what", bytes: 5_000_000_000, begunAt: 7 });
      const version = await store.put(deletion, null);
      expect(await second.get(deletion.id)).toEqual({ deletion, version });
      expect(await store.get("north/b")).toBeNull();
    });

    it("writes only over the version that is named, and changes nothing otherwise", async () => {
      const { store, second } = harness();
      const first = await store.put(deletionOf("a"), null);
      await expect(second.put(deletionOf("a", { word: "keep" }), null)).rejects.toMatchObject(CONFLICT);
      const next = await second.put(deletionOf("a", { word: "approve" }), first);
      expect(next).not.toBe(first);
      await expect(store.put(deletionOf("a", { word: "keep" }), first)).rejects.toMatchObject(CONFLICT);
      await expect(store.put(deletionOf("b"), first)).rejects.toMatchObject(CONFLICT);
      expect((await store.get("north/a"))?.deletion.word).toBe("approve");
      expect(await store.get("north/b")).toBeNull();
    });

    it("removes only the version that is named", async () => {
      const { store, second } = harness();
      const first = await store.put(deletionOf("a"), null);
      const next = await store.put(deletionOf("a", { state: "deleting" }), first);
      await expect(second.remove("north/a", first)).rejects.toMatchObject(CONFLICT);
      await second.remove("north/a", next);
      expect(await store.get("north/a")).toBeNull();
      await expect(store.remove("north/a", next)).rejects.toMatchObject(CONFLICT);
    });

    it("does not take one that was removed and put again for the one before", async () => {
      const { store, second } = harness();
      const first = await store.put(deletionOf("a"), null);
      await store.remove("north/a", first);
      await store.put(deletionOf("a", { word: "keep" }), null);
      await expect(second.put(deletionOf("a", { state: "deleting" }), first)).rejects.toMatchObject(CONFLICT);
    });

    it("lets exactly one of two writers win", async () => {
      const { store, second } = harness();
      const results = await Promise.allSettled([
        store.put(deletionOf("a", { word: "keep" }), null),
        second.put(deletionOf("a", { word: "approve" }), null),
      ]);
      expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    });

    it("lists every deletion once, in order, also while others are written and removed", async () => {
      const { store, second } = harness();
      const ids = Array.from({ length: 230 }, (_, at) => `l${String(at).padStart(4, "0")}`);
      const versions = new Map<string, string>();
      for (const id of ids) versions.set(id, await store.put(deletionOf(id), null));
      const seen: string[] = [];
      for await (const { deletion } of store.list()) {
        seen.push(deletion.locatorId);
        if (seen.length === 10) await second.remove("north/l0220", versions.get("l0220") ?? "");
        if (seen.length === 20) await second.put(deletionOf("l0000-late"), null);
        if (seen.length === 30) await second.put(deletionOf("l0100", { word: "keep" }), versions.get("l0100") ?? "");
      }
      expect(seen).toEqual([...seen].sort());
      expect(new Set(seen).size).toBe(seen.length);
      for (const id of ids) if (id !== "l0220") expect(seen).toContain(id);
    });
  });
}
