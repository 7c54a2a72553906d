/** Cursors in a table: few rows, written once a page. */
import type { Cursor, CursorStore } from "../../core/ports/cursor.ts";
import type { Table } from "../../core/table.ts";
import { jsonValues, keyOf, recordOf } from "../../core/tableRows.ts";

const PARTITION = "cursors";

export class TableCursors implements CursorStore {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async load(scope: string, region: string): Promise<Cursor | null> {
    const row = await this.#table.get(PARTITION, cursorKey(scope, region));
    return row === null ? null : (recordOf(row) as Cursor);
  }

  async save(scope: string, region: string, cursor: Cursor): Promise<void> {
    const values = jsonValues(cursor, `the cursor of ${region}`);
    await this.#table.write(PARTITION, [{ type: "replace", key: cursorKey(scope, region), values, etag: null }]);
  }

  /** A row that is not there is refused, and that is as well. */
  async clear(scope: string, region: string): Promise<void> {
    await this.#table.write(PARTITION, [{ type: "delete", key: cursorKey(scope, region), etag: null }]);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** The name of a region has one line. */
function cursorKey(scope: string, region: string): string {
  return keyOf(`${region}\n${scope}`);
}
