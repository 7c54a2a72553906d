/** What a pass has to know of every catalogued video, in some 30 bytes each: where it comes from, where it is verified, where it was listed. Pure. */
import type { CatalogueEntry } from "../../core/contracts.ts";
import { FingerprintTable } from "./fingerprints.ts";

/** What the catalogue says of one locator. */
export interface KnownLocator {
  /** Null: a region that takes no part here. */
  readonly source: string | null;
  /** When the source's copy was last verified or withdrawn, epoch milliseconds, rounded up to seconds; 0 where there is none. */
  readonly sourceAt: number;
  isVerified(region: string): boolean;
}

const SOURCE = 0;
const SOURCE_AT = 1;
const BITS = 2;
/** In place of a source: the entry was removed. */
const REMOVED = 0;
const ELSEWHERE = 1;
const FIRST_REGION = 2;
const BITS_PER_WORD = 32;

export class CatalogueIndex {
  readonly #regions: readonly string[];
  readonly #numbers: ReadonlyMap<string, number>;
  /** Words for a bit of each region. */
  readonly #words: number;
  readonly #table: FingerprintTable;

  /** `regions` that are listed or copied to. */
  constructor(regions: readonly string[]) {
    this.#regions = regions;
    this.#numbers = new Map(regions.map((region, number) => [region, number]));
    this.#words = Math.ceil(regions.length / BITS_PER_WORD);
    this.#table = new FingerprintTable(BITS + 2 * this.#words);
  }

  /** Null for an entry that is gone. What was listed stays. */
  apply(locatorId: string, entry: CatalogueEntry | null): void {
    const row = this.#table.add(locatorId.toLowerCase());
    const source = entry === null ? undefined : this.#numbers.get(entry.source);
    row[SOURCE] = entry === null ? REMOVED : source === undefined ? ELSEWHERE : FIRST_REGION + source;
    row[SOURCE_AT] = entry === null ? 0 : Math.ceil((entry.regions[entry.source]?.at ?? 0) / 1000);
    for (const [region, number] of this.#numbers) set(row, BITS, number, entry?.regions[region]?.state === "verified");
  }

  /** Null where the catalogue has no such locator. */
  known(locatorId: string): KnownLocator | null {
    const row = this.#row(locatorId);
    return row === null ? null : this.#knownIn(row);
  }

  /** Notes that a region lists the locator, where the catalogue has it. */
  listed(locatorId: string, region: string): KnownLocator | null {
    const row = this.#row(locatorId);
    const number = this.#numbers.get(region);
    if (row === null) return null;
    if (number !== undefined) set(row, BITS + this.#words, number, true);
    return this.#knownIn(row);
  }

  isListed(locatorId: string, region: string): boolean {
    const row = this.#row(locatorId);
    return row !== null && this.#isListed(row, this.#numbers.get(region));
  }

  /** Begins anew: nothing is listed anywhere. */
  forgetListings(): void {
    for (const row of this.#table.rows()) row.fill(0, BITS + this.#words);
  }

  /** Of the videos that come from the region and are verified there: how many, and how many of them it does not list. */
  served(region: string): { readonly all: number; readonly gone: number } {
    const number = this.#numbers.get(region);
    let [all, gone] = [0, 0];
    for (const row of this.#table.rows()) {
      if (number === undefined || row[SOURCE] !== FIRST_REGION + number || !has(row, BITS, number)) continue;
      all += 1;
      if (!this.#isListed(row, number)) gone += 1;
    }
    return { all, gone };
  }

  /** Whether any copy that is verified in the region, and comes from another, is not listed there although its source lists it. */
  lacks(region: string): boolean {
    for (const row of this.#table.rows()) if (this.#isLacking(row, region)) return true;
    return false;
  }

  isLacking(locatorId: string, region: string): boolean {
    const row = this.#row(locatorId);
    return row !== null && this.#isLacking(row, region);
  }

  #isLacking(row: Uint32Array, region: string): boolean {
    const number = this.#numbers.get(region);
    const source = (row[SOURCE] ?? 0) - FIRST_REGION;
    if (number === undefined || source < 0 || source === number) return false;
    return has(row, BITS, number) && !this.#isListed(row, number) && this.#isListed(row, source);
  }

  #isListed(row: Uint32Array, number: number | undefined): boolean {
    return number !== undefined && has(row, BITS + this.#words, number);
  }

  #row(locatorId: string): Uint32Array | null {
    const row = this.#table.find(locatorId.toLowerCase());
    return row === null || row[SOURCE] === REMOVED ? null : row;
  }

  #knownIn(row: Uint32Array): KnownLocator {
    const source = row[SOURCE] ?? REMOVED;
    return {
      source: source < FIRST_REGION ? null : (this.#regions[source - FIRST_REGION] ?? null),
      sourceAt: (row[SOURCE_AT] ?? 0) * 1000,
      isVerified: (region) => {
        const number = this.#numbers.get(region);
        return number !== undefined && has(row, BITS, number);
      },
    };
  }
}

function has(row: Uint32Array, from: number, number: number): boolean {
  return ((row[from + Math.floor(number / BITS_PER_WORD)] ?? 0) & (1 << (number % BITS_PER_WORD))) !== 0;
}

function set(row: Uint32Array, from: number, number: number, value: boolean): void {
  const at = from + Math.floor(number / BITS_PER_WORD);
  const bit = 1 << (number % BITS_PER_WORD);
  row[at] = value ? (row[at] ?? 0) | bit : (row[at] ?? 0) & ~bit;
}
