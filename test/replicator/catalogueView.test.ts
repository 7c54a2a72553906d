import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { silentLog } from "../../src/core/log.ts";
import type { CatalogueStore } from "../../src/core/ports/catalogue.ts";
import { CachedCatalogueView, viewedStore } from "../../src/replicator/catalogueView.ts";
import { catalogueEntry } from "../fakes/catalogueEntry.ts";
import { ManualClock } from "../fakes/clock.ts";
import { MemoryCatalogue } from "../fakes/memoryCatalogue.ts";

function setup() {
  const store = new MemoryCatalogue();
  const clock = new ManualClock();
  const counts: (number | undefined)[] = [];
  const view: CachedCatalogueView = new CachedCatalogueView({
    store,
    clock,
    log: silentLog,
    onChange: () => void counts.push(view.verified("westeurope")),
  });
  return { store, clock, counts, view };
}

describe("the catalogue's view", () => {
  it("finds entries by locator and by key, in any case", async () => {
    const { store, view } = setup();
    await store.put(catalogueEntry("abc"), null);
    await view.refresh();
    expect(view.byLocator("ABC")?.locatorId).toBe("abc");
    expect(view.byKey("0A0A0A0A-0000-4000-8000-000000000000")?.locatorId).toBe("abc");
    expect(view.byLocator("other")).toBeUndefined();
  });

  it("follows writes of others within a second, and reads what has changed, only when something has", async () => {
    const { store, clock, view, counts } = setup();
    const stop = new AbortController();
    const following = view.follow(stop.signal);
    await clock.advance(0);
    await store.put(catalogueEntry("abc"), null);
    await clock.advance(1_000);
    expect(view.entries()).toHaveLength(1);
    await clock.advance(10_000);
    expect(store.calls.count("list")).toBe(1);
    expect(store.calls.count("changes")).toBe(1);
    expect(counts).toEqual([0, 1]);
    stop.abort();
    await following;
  });

  it("sees its own process's writes before they return", async () => {
    const { store, view } = setup();
    const viewed = viewedStore(store, view);
    const version = await viewed.put(catalogueEntry("abc"), null);
    expect(view.byLocator("abc")).toBeDefined();
    await viewed.remove("abc", version);
    expect(view.byLocator("abc")).toBeUndefined();
    expect(view.byKey("0a0a0a0a-0000-4000-8000-000000000000")).toBeUndefined();
  });

  it("does not miss a write that comes after its list was read and before it is taken over", async () => {
    const { store, clock } = setup();
    const listed = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const slow: CatalogueStore = {
      ...viewedStore(store, new CachedCatalogueView({ store, clock, log: silentLog })),
      list: async function* () {
        yield* store.list();
        listed.resolve();
        await gate.promise;
      },
    };
    const view = new CachedCatalogueView({ store: slow, clock, log: silentLog });
    const first = view.refresh();
    await listed.promise;
    await store.put(catalogueEntry("late"), null);
    const second = view.refresh();
    gate.resolve();
    await Promise.all([first, second]);
    expect(view.byLocator("late")).toBeDefined();
  });

  it("sees every one of many writes at once", async () => {
    const { store, view } = setup();
    const viewed = viewedStore(store, view);
    const ids = Array.from({ length: 20 }, (_, at) => `id-${at}`);
    await Promise.all(ids.map((id) => viewed.put(catalogueEntry(id), null)));
    expect(view.entries()).toHaveLength(20);
  });

  it("reads the whole list again where the store does not know the changes any more", async () => {
    const { store, clock } = setup();
    const forgetful: CatalogueStore = {
      ...viewedStore(store, new CachedCatalogueView({ store, clock, log: silentLog })),
      changes: async () => null,
    };
    const view = new CachedCatalogueView({ store: forgetful, clock, log: silentLog });
    await store.put(catalogueEntry("abc"), null);
    await view.refresh();
    await store.put(catalogueEntry("def"), null);
    await view.refresh();
    expect(view.entries().map(({ locatorId }) => locatorId)).toEqual(["abc", "def"]);
    expect(store.calls.count("list")).toBe(2);
  });

  it("keeps the order of the ids, also when very much has changed at once", async () => {
    const { store, view } = setup();
    await view.refresh();
    for (const round of [0, 1]) {
      for (let at = 0; at < 200; at += 2) await store.put(catalogueEntry(`id-${String((at * 37 + round) % 200).padStart(3, "0")}`), null);
      const [first] = view.entries();
      if (first !== undefined) await store.remove(first.locatorId, (await store.get(first.locatorId))?.version ?? "");
      await view.refresh();
      const ids = view.entries().map(({ locatorId }) => locatorId);
      expect(ids).toEqual(ids.toSorted());
    }
    expect(view.entries()).toHaveLength(199);
    expect(view.byLocator("id-000")).toBeUndefined();
    expect(store.calls.count("list")).toBe(1);
  });

  it("is after any changes what it would be if it were read anew", async () => {
    const id = fc.constantFrom("a", "B", "c", "d", "e");
    const key = fc.constantFrom("K1", "k1", "k2", "k3");
    const change = fc.record({ id, keys: fc.uniqueArray(key, { maxLength: 2 }), remove: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 6 }), async (rounds) => {
        const { store, view, clock } = setup();
        for (const round of rounds) {
          for (const { id: locator, keys, remove } of round) {
            const version = (await store.get(locator))?.version ?? null;
            const entry = catalogueEntry(locator, { keys: keys.map((each) => ({ id: each, fingerprint: "f" })) });
            if (remove && version !== null) await store.remove(locator, version);
            else await store.put(entry, version);
          }
          await view.refresh();
          const fresh = new CachedCatalogueView({ store, clock, log: silentLog });
          await fresh.refresh();
          expect(view.entries()).toEqual(fresh.entries());
          for (const each of ["k1", "k2", "k3"]) expect(view.byKey(each)).toEqual(fresh.byKey(each));
        }
      }),
    );
  });

  it("keeps the last entries while the store cannot be read", async () => {
    const { store, clock, view } = setup();
    await store.put(catalogueEntry("abc"), null);
    const stop = new AbortController();
    const following = view.follow(stop.signal);
    await clock.advance(500);
    store.calls.failAll("revision", new Error("locked"));
    await clock.advance(5_000);
    expect(view.entries()).toHaveLength(1);
    store.calls.heal();
    await store.put(catalogueEntry("def"), null);
    await clock.advance(1_000);
    expect(view.entries()).toHaveLength(2);
    stop.abort();
    await following;
  });
});
