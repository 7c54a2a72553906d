/** Deletions in a table: few rows, and the row's own etag is the version. */
import { PaircastError } from "../../core/errors.ts";
import type { Deletion, DeletionStore, VersionedDeletion } from "../../core/ports/deletions.ts";
import type { Row, RowChange, Table } from "../../core/table.ts";
import { jsonValues, keyOf, keysUnder, recordOf } from "../../core/tableRows.ts";

const PARTITION = "deletions";
const PREFIX = "deletion-";

export class TableDeletions implements DeletionStore {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async get(id: string): Promise<VersionedDeletion | null> {
    const row = await this.#table.get(PARTITION, rowKey(id));
    return row === null ? null : versioned(row);
  }

  async put(deletion: Deletion, expected: string | null): Promise<string> {
    const { id } = deletion;
    const key = rowKey(id);
    const values = jsonValues(deletion, `deletion ${id}`);
    const change: RowChange = expected === null ? { type: "insert", key, values } : { type: "replace", key, values, etag: expected };
    const etags = await this.#table.write(PARTITION, [change]);
    if (etags !== null) return etags[0] ?? "";
    // A write whose answer was lost is sent again by itself and then fails.
    const stored = await this.get(id);
    if (stored !== null && JSON.stringify(stored.deletion) === JSON.stringify(deletion)) return stored.version;
    throw conflict(id);
  }

  async remove(id: string, expected: string): Promise<void> {
    if ((await this.get(id)) === null) throw conflict(id);
    const etags = await this.#table.write(PARTITION, [{ type: "delete", key: rowKey(id), etag: expected }]);
    if (etags === null && (await this.get(id)) !== null) throw conflict(id);
  }

  async *list(): AsyncGenerator<VersionedDeletion> {
    for await (const row of this.#table.list(PARTITION, keysUnder(PREFIX))) yield versioned(row);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function rowKey(id: string): string {
  return `${PREFIX}${keyOf(id)}`;
}

function versioned(row: Row): VersionedDeletion {
  return { deletion: recordOf(row) as Deletion, version: row.etag };
}

function conflict(id: string): PaircastError {
  return new PaircastError("deletion_conflict", `write deletion ${id}: another version is stored, or none`, { retry: "conflict" });
}
