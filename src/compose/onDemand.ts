/** The catalogue without live events: what is replicated, verified again, deleted and probed as a whole video. Live events are watched by themselves. */
import type { CatalogueEntry } from "../core/contracts.ts";
import { isLive } from "../core/live.ts";
import type { CatalogueStore, CatalogueView } from "../core/ports/catalogue.ts";

/** The same array until the view's changes. */
export function onDemandView(view: CatalogueView): CatalogueView {
  let [seen, kept]: [readonly CatalogueEntry[] | null, readonly CatalogueEntry[]] = [null, []];
  return {
    byLocator: (locatorId) => view.byLocator(locatorId),
    byKey: (keyId) => view.byKey(keyId),
    entries: () => {
      const entries = view.entries();
      if (entries !== seen) [seen, kept] = [entries, entries.some(isLive) ? entries.filter((entry) => !isLive(entry)) : entries];
      return kept;
    },
  };
}

/** Lists and changes leave them out; what is asked for by its id is given. */
export function onDemandCatalogue(store: CatalogueStore): CatalogueStore {
  return {
    get: async (locatorId) => store.get(locatorId),
    put: async (entry, expected, fence) => store.put(entry, expected, fence),
    remove: async (locatorId, expected) => store.remove(locatorId, expected),
    list: async function* () {
      for await (const stored of store.list()) if (!isLive(stored.entry)) yield stored;
    },
    fingerprintKey: async () => store.fingerprintKey(),
    revision: async () => store.revision(),
    changes: async (since) => {
      const changes = await store.changes(since);
      if (changes === null) return null;
      return { ...changes, changed: new Map([...changes.changed].filter(([, entry]) => entry === null || !isLive(entry))) };
    },
    [Symbol.asyncDispose]: async () => store[Symbol.asyncDispose](),
  };
}
