/** The stores as a plan sees them: they are read, and what would be written is told instead. */
import type { CatalogueEntry } from "../../core/contracts.ts";
import type { CatalogueStore } from "../../core/ports/catalogue.ts";
import type { CursorStore } from "../../core/ports/cursor.ts";
import type { Journal } from "../../core/ports/journal.ts";

/** `wouldPut` is told what would become of an entry. */
export function readOnlyCatalogue(store: CatalogueStore, wouldPut: (entry: CatalogueEntry) => void): CatalogueStore {
  return {
    get: async (locatorId) => store.get(locatorId),
    put: async (entry, expected) => {
      wouldPut(entry);
      return expected ?? "";
    },
    remove: nothing,
    list: () => store.list(),
    fingerprintKey: async () => store.fingerprintKey(),
    revision: async () => store.revision(),
    changes: async (since) => store.changes(since),
    [Symbol.asyncDispose]: nothing,
  };
}

/** Every lease is free: nothing is done under it. */
export function readOnlyJournal(journal: Journal): Journal {
  return {
    acquire: () => Promise.resolve(true),
    release: nothing,
    load: async (jobId) => journal.load(jobId),
    save: nothing,
    jobs: async (limit) => journal.jobs(limit),
    conflicts: async (limit) => journal.conflicts(limit),
    blobs: async (jobId) => journal.blobs(jobId),
    blobsAfter: async (jobId, after, limit) => journal.blobsAfter(jobId, after, limit),
    recordBlob: nothing,
    recordBlobs: nothing,
    proof: async (scope, entity) => journal.proof(scope, entity),
    recordProof: nothing,
    [Symbol.asyncDispose]: nothing,
  };
}

/** A plan begins where `replicate` would go on, and leaves that place as it is. */
export function readOnlyCursors(cursors: CursorStore): CursorStore {
  return {
    load: async (scope, region) => cursors.load(scope, region),
    save: nothing,
    clear: nothing,
    [Symbol.asyncDispose]: nothing,
  };
}

function nothing(): Promise<void> {
  return Promise.resolve();
}
