import type { CatalogueEntry } from "../contracts.ts";
import type { Fence } from "./journal.ts";

/**
 * Reads the catalogue. Both look-ups are plain reads of memory: no I/O, safe on the hot path. Ids are compared in lower case.
 * The view may lag the store by at most a second. `entries` gives the same array until something changes, so that what is computed from it
 * can be kept.
 */
export interface CatalogueView {
  byLocator(locatorId: string): CatalogueEntry | undefined;
  byKey(keyId: string): CatalogueEntry | undefined;
  entries(): readonly CatalogueEntry[];
}

/** A stored entry with the version that a later write must name. */
export interface VersionedEntry {
  readonly entry: CatalogueEntry;
  readonly version: string;
}

/**
 * Keeps the catalogue.
 * - `put` writes if and only if the stored version equals `expected` (null: there is no entry); otherwise it throws `catalogue_conflict`
 *   (retry class `conflict`) and nothing changes. It returns the new version. A write that returned survives a crash.
 * - With `fence`, `put` writes only while that lease of the journal is held by that owner, or was and nobody has taken it since; otherwise it
 *   throws `lease_lost` (retry class `retry`) and nothing changes. The look at the lease and the write are one: there is no moment between them.
 * - `remove` follows the same rule as `put` without a fence.
 * - `list` yields every entry that existed during the whole listing exactly once, ordered by locator id.
 * - `fingerprintKey` is 32 random bytes, made once per store and the same for everyone who shares it.
 * - `revision` changes whenever any entry has changed, through whichever process; it is cheap to call.
 * - `changes` gives what has changed since a revision that `revision` or `changes` gave, and the revision that this leads to. It costs by what has
 *   changed, not by what there is. Null where that is not known (any more): then only `list` tells.
 */
export interface CatalogueStore extends AsyncDisposable {
  get(locatorId: string): Promise<VersionedEntry | null>;
  put(entry: CatalogueEntry, expected: string | null, fence?: Fence): Promise<string>;
  remove(locatorId: string, expected: string): Promise<void>;
  list(): AsyncIterable<VersionedEntry>;
  fingerprintKey(): Promise<Uint8Array>;
  revision(): Promise<string>;
  changes(since: string): Promise<CatalogueChanges | null>;
}

/** The last state of everything that has changed: each locator once, in lower case; a null entry was removed. */
export interface CatalogueChanges {
  readonly revision: string;
  readonly changed: ReadonlyMap<string, CatalogueEntry | null>;
}
