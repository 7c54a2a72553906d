/** Keeps an index of the catalogue up to date: read once, and then by what has changed. */
import type { CatalogueStore } from "../../core/ports/catalogue.ts";
import { CatalogueIndex } from "./catalogueIndex.ts";

export class CatalogueIndexReader {
  readonly #store: CatalogueStore;
  readonly #regions: readonly string[];
  #index: CatalogueIndex;
  #revision: string | null = null;

  constructor(store: CatalogueStore, regions: readonly string[]) {
    this.#store = store;
    this.#regions = regions;
    this.#index = new CatalogueIndex(regions);
  }

  /** The index as the catalogue is now; another one where its changes are not known any more. Rejects where the store cannot be read. */
  async refresh(): Promise<CatalogueIndex> {
    const store = this.#store;
    const revision = await store.revision();
    if (revision === this.#revision) return this.#index;
    const changes = this.#revision === null ? null : await store.changes(this.#revision);
    if (changes === null) this.#index = await this.#readAll();
    else for (const [id, entry] of changes.changed) this.#index.apply(id, entry);
    this.#revision = changes?.revision ?? revision;
    return this.#index;
  }

  async #readAll(): Promise<CatalogueIndex> {
    const index = new CatalogueIndex(this.#regions);
    for await (const { entry } of this.#store.list()) index.apply(entry.locatorId, entry);
    return index;
  }
}
