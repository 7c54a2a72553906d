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
  /** Called after each change with what has changed, locator ids in lower case; null: the entry is gone. At first that is everything. */
  readonly onChange?: (changed: ReadonlyMap<string, CatalogueEntry | null>) => void;
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

  /** How many locators are verified in a region: for the gauge, without a look at all of them. */
  verified(region: string): number {
    return this.#contents.verified(region);
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
    const changed = changes?.changed ?? (await this.#readAll());
    if (changes !== null) this.#contents.apply(changed);
    this.#revision = changes?.revision ?? revision;
    onChange?.(changed);
  }

  /** All there is, and what was there before and is not any more. */
  async #readAll(): Promise<ReadonlyMap<string, CatalogueEntry | null>> {
    const all = new Map<string, CatalogueEntry>();
    for await (const { entry } of this.#options.store.list()) all.set(entry.locatorId.toLowerCase(), entry);
    const gone = this.#contents.entries.map(({ locatorId }) => locatorId.toLowerCase()).filter((id) => !all.has(id));
    this.#contents = new CatalogueContents();
    this.#contents.apply(all);
    return new Map<string, CatalogueEntry | null>([...all, ...gone.map((id) => [id, null] as const)]);
  }
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
