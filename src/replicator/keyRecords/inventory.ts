/** What the record of keys has, and what it lacks. */
import { errorChain } from "../../core/errors.ts";
import type { CatalogueStore } from "../../core/ports/catalogue.ts";
import type { KeyRecords, SealedRecord } from "../../core/ports/keyRecords.ts";
import type { RecordBook } from "./book.ts";
import { LOCATOR_PREFIX, locatorRecordId } from "./content.ts";

const EXAMPLES = 5;

export interface Inventory {
  /** The configured ones, the newest first, and those that are not configured. */
  readonly masterKeys: readonly { readonly id: string; readonly configured: boolean; readonly records: number }[];
  readonly unreadable: Told;
  /** Videos of the catalogue without a record, by locator id. */
  readonly missing: Told;
}

interface Told {
  readonly count: number;
  readonly examples: readonly string[];
}

export interface InventoryOptions {
  readonly catalogue: Pick<CatalogueStore, "list">;
  readonly keyRecords: Pick<KeyRecords, "list">;
  readonly book: RecordBook;
  /** Fingerprints of the configured ones, the newest first. */
  readonly masterKeys: readonly string[];
}

/** Reads every record. */
export async function survey({ catalogue, keyRecords, book, masterKeys }: InventoryOptions, stop?: AbortSignal): Promise<Inventory> {
  const counts = new Map(masterKeys.map((id) => [id, 0]));
  const unreadable = new Examples();
  const recorded = new Set<string>();
  for await (const record of keyRecords.list()) {
    stop?.throwIfAborted();
    counts.set(record.keyId, (counts.get(record.keyId) ?? 0) + 1);
    recorded.add(record.id);
    const problem = await problemOf(book, record);
    if (problem !== null) unreadable.add(problem);
  }
  const missing = new Examples();
  for await (const { entry } of catalogue.list()) {
    stop?.throwIfAborted();
    // Packaged videos have no streaming policy, and their keys are files.
    if (entry.streamingPolicyName !== null && !recorded.has(locatorRecordId(entry.locatorId))) missing.add(entry.locatorId);
  }
  const listed = [...counts].map(([id, records]) => ({ id, configured: masterKeys.includes(id), records }));
  return { masterKeys: listed, unreadable: unreadable.told(), missing: missing.told() };
}

/** Removes the records of locators that the catalogue does not know; with `dryRun` only says which. Gives their ids. */
export async function prune(
  { catalogue, keyRecords }: { readonly catalogue: Pick<CatalogueStore, "get">; readonly keyRecords: KeyRecords },
  dryRun: boolean,
  stop?: AbortSignal,
): Promise<readonly string[]> {
  const removed: string[] = [];
  for await (const { id, version } of keyRecords.list()) {
    stop?.throwIfAborted();
    if (!id.startsWith(LOCATOR_PREFIX) || (await catalogue.get(id.slice(LOCATOR_PREFIX.length))) !== null) continue;
    if (!dryRun) await keyRecords.remove(id, version);
    removed.push(id);
  }
  return removed;
}

async function problemOf(book: RecordBook, record: SealedRecord): Promise<string | null> {
  try {
    await book.check(record);
    return null;
  } catch (error) {
    return errorChain(error);
  }
}

class Examples {
  readonly #examples: string[] = [];
  #count = 0;

  add(example: string): void {
    this.#count += 1;
    if (this.#examples.length < EXAMPLES) this.#examples.push(example);
  }

  told(): Told {
    return { count: this.#count, examples: this.#examples };
  }
}
