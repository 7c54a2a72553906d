/** Catalogue entries by locator, by key and in order, changed in place: a change costs by what has changed, and one copy of a list of references. */
import type { CatalogueEntry } from "../core/contracts.ts";

export class CatalogueContents {
  readonly #byLocator = new Map<string, CatalogueEntry>();
  /** Locators that have the key, in order. One, but for keys that somebody has given to several videos. */
  readonly #locatorsByKey = new Map<string, readonly string[]>();
  #entries: readonly CatalogueEntry[] = [];

  /** By locator id. The same array until something changes. */
  get entries(): readonly CatalogueEntry[] {
    return this.#entries;
  }

  byLocator(locatorId: string): CatalogueEntry | undefined {
    return this.#byLocator.get(locatorId.toLowerCase());
  }

  /** Of several, the last. */
  byKey(keyId: string): CatalogueEntry | undefined {
    const locator = this.#locatorsByKey.get(keyId.toLowerCase())?.at(-1);
    return locator === undefined ? undefined : this.#byLocator.get(locator);
  }

  /** Locator ids in lower case; null for an entry that is gone. */
  apply(changed: ReadonlyMap<string, CatalogueEntry | null>): void {
    if (changed.size === 0) return;
    for (const [id, entry] of changed) {
      this.#forgetKeys(id);
      if (entry === null) this.#byLocator.delete(id);
      else this.#byLocator.set(id, entry);
      for (const key of entry?.keys ?? []) this.#addKey(key.id.toLowerCase(), id);
    }
    this.#entries = merged(this.#entries, changed);
  }

  #forgetKeys(locator: string): void {
    for (const { id } of this.#byLocator.get(locator)?.keys ?? []) {
      const key = id.toLowerCase();
      const others = (this.#locatorsByKey.get(key) ?? []).filter((each) => each !== locator);
      if (others.length === 0) this.#locatorsByKey.delete(key);
      else this.#locatorsByKey.set(key, others);
    }
  }

  #addKey(key: string, locator: string): void {
    const known = this.#locatorsByKey.get(key);
    this.#locatorsByKey.set(key, known === undefined ? [locator] : [...known, locator].sort());
  }
}

/** What stays, with what is new, in order: one pass over both. */
function merged(entries: readonly CatalogueEntry[], changed: ReadonlyMap<string, CatalogueEntry | null>): CatalogueEntry[] {
  const fresh = [...changed].flatMap(([id, entry]) => (entry === null ? [] : [{ id, entry }])).sort((one, other) => (one.id < other.id ? -1 : 1));
  const all: CatalogueEntry[] = [];
  let next = 0;
  for (const entry of entries) {
    const id = entry.locatorId.toLowerCase();
    for (let one = fresh[next]; one !== undefined && one.id < id; one = fresh[next]) {
      all.push(one.entry);
      next += 1;
    }
    if (!changed.has(id)) all.push(entry);
  }
  for (const { entry } of fresh.slice(next)) all.push(entry);
  return all;
}
