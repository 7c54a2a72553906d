/** Catalogue entries by locator, by key and in order, changed in place: a change costs by what has changed, and one copy of a list of references. */
import type { CatalogueEntry } from "../core/contracts.ts";

export class CatalogueContents {
  readonly #byLocator = new Map<string, CatalogueEntry>();
  /** Locators that have the key, in order. One, but for keys that somebody has given to several videos. */
  readonly #locatorsByKey = new Map<string, readonly string[]>();
  readonly #verified = new Map<string, number>();
  #entries: readonly CatalogueEntry[] = [];

  /** By locator id. The same array until something changes. */
  get entries(): readonly CatalogueEntry[] {
    return this.#entries;
  }

  /** How many locators are verified in a region. */
  verified(region: string): number {
    return this.#verified.get(region) ?? 0;
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
      this.#count(this.#byLocator.get(id) ?? null, -1);
      this.#count(entry, 1);
      if (entry === null) this.#byLocator.delete(id);
      else this.#byLocator.set(id, entry);
      for (const key of entry?.keys ?? []) this.#addKey(key.id.toLowerCase(), id);
    }
    this.#entries = merged(this.#entries, changed);
  }

  #count(entry: CatalogueEntry | null, change: 1 | -1): void {
    for (const [region, { state }] of Object.entries(entry?.regions ?? {}))
      if (state === "verified") this.#verified.set(region, this.verified(region) + change);
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

/** More changes than this are sorted in with everything; each of fewer moves what comes after it. */
const FEW = 64;

function merged(entries: readonly CatalogueEntry[], changed: ReadonlyMap<string, CatalogueEntry | null>): readonly CatalogueEntry[] {
  if (changed.size > FEW) return mergedMany(entries, changed);
  const all = entries.slice();
  for (const [id, entry] of changed) {
    const at = placeOf(all, id);
    const isThere = all[at] !== undefined && idOf(all[at]) === id;
    all.splice(at, isThere ? 1 : 0, ...(entry === null ? [] : [entry]));
  }
  return all;
}

function mergedMany(entries: readonly CatalogueEntry[], changed: ReadonlyMap<string, CatalogueEntry | null>): readonly CatalogueEntry[] {
  const stays = entries.map((entry) => ({ id: idOf(entry), entry })).filter(({ id }) => !changed.has(id));
  const fresh = [...changed].flatMap(([id, entry]) => (entry === null ? [] : [{ id, entry }]));
  return [...stays, ...fresh].sort((one, other) => (one.id < other.id ? -1 : 1)).map(({ entry }) => entry);
}

/** Where an id stands, or would stand. */
function placeOf(entries: readonly CatalogueEntry[], id: string): number {
  let [from, below] = [0, entries.length];
  while (from < below) {
    const middle = (from + below) >>> 1;
    const entry = entries[middle];
    if (entry !== undefined && idOf(entry) < id) from = middle + 1;
    else below = middle;
  }
  return from;
}

function idOf({ locatorId }: CatalogueEntry): string {
  return locatorId.toLowerCase();
}
