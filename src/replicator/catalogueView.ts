/** The catalogue in memory, for the hot path: follows what has changed whenever the store's revision has. */
import type { Clock } from "../core/clock.ts";
import type { CatalogueEntry } from "../core/contracts.ts";
import { follow } from "../core/follow.ts";
import type { Log } from "../core/log.ts";
import type { CatalogueStore, CatalogueView } from "../core/ports/catalogue.ts";
import { CatalogueContents } from "./catalogueContents.ts";

export interface CatalogueViewOptions {
  readonly store: CatalogueStore;
  readonly clock: Clock;
  readonly log: Log;
  /** How often the revision is asked for. Default 500 ms: the view may lag by a second. */
  readonly pollMs?: number;
  /** Called with all entries after each change, for instance `recordCatalogue`. */
  readonly onChange?: (entries: readonly CatalogueEntry[]) => void;
}

export class CachedCatalogueView implements CatalogueView {
  readonly #options: CatalogueViewOptions;
  #revision: string | null = null;
  #contents = new CatalogueContents();
  #refreshing: Promise<void> | null = null;
  #again = false;

  constructor(options: CatalogueViewOptions) {
    this.#options = options;
  }

  byLocator(locatorId: string): CatalogueEntry | undefined {
    return this.#contents.byLocator(locatorId);
  }

  byKey(keyId: string): CatalogueEntry | undefined {
    return this.#contents.byKey(keyId);
  }

  entries(): readonly CatalogueEntry[] {
    return this.#contents.entries;
  }

  /** Reads the store if its revision has changed. Calls that come together share one read, which begins after the last of them. */
  async refresh(): Promise<void> {
    if (this.#refreshing !== null) {
      this.#again = true;
      return this.#refreshing;
    }
    this.#refreshing = this.#readWhileAsked();
    try {
      await this.#refreshing;
    } finally {
      this.#refreshing = null;
    }
  }

  /** Follows the store until `stop` aborts. A store that cannot be read leaves the last view in place. Never rejects. */
  async follow(stop: AbortSignal): Promise<void> {
    const { clock, log, pollMs = 500 } = this.#options;
    return follow(async () => this.refresh(), { clock, log, pollMs, unreadable: "catalogue.unreadable" }, stop);
  }

  async #readWhileAsked(): Promise<void> {
    do {
      this.#again = false;
      await this.#read();
    } while (this.#again);
  }

  async #read(): Promise<void> {
    const { store, onChange } = this.#options;
    const revision = await store.revision();
    if (revision === this.#revision) return;
    const changes = this.#revision === null ? null : await store.changes(this.#revision);
    if (changes === null) this.#contents = await readAll(store);
    else this.#contents.apply(changes.changed);
    this.#revision = changes?.revision ?? revision;
    onChange?.(this.#contents.entries);
  }
}

async function readAll(store: CatalogueStore): Promise<CatalogueContents> {
  const all = new Map<string, CatalogueEntry>();
  for await (const { entry } of store.list()) all.set(entry.locatorId.toLowerCase(), entry);
  const contents = new CatalogueContents();
  contents.apply(all);
  return contents;
}

/** The same store, whose writes are seen by `view` before they return. */
export function viewedStore(store: CatalogueStore, view: CachedCatalogueView): CatalogueStore {
  return {
    get: (locatorId) => store.get(locatorId),
    list: () => store.list(),
    fingerprintKey: () => store.fingerprintKey(),
    revision: () => store.revision(),
    changes: (since) => store.changes(since),
    put: async (entry, expected, fence) => {
      const version = await store.put(entry, expected, fence);
      await view.refresh();
      return version;
    },
    remove: async (locatorId, expected) => {
      await store.remove(locatorId, expected);
      await view.refresh();
    },
    [Symbol.asyncDispose]: async () => store[Symbol.asyncDispose](),
  };
}

/** Locators verified in each region, for the gauge: also the regions that have none (any more). */
export function verifiedCounts(entries: readonly CatalogueEntry[], regions: readonly string[]): ReadonlyMap<string, number> {
  return new Map(regions.map((region) => [region, entries.filter((entry) => entry.regions[region]?.state === "verified").length]));
}
