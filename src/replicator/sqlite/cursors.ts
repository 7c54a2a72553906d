/** Cursors in SQLite, in the same file as the catalogue. */
import type { DatabaseSync } from "node:sqlite";
import type { Cursor, CursorStore } from "../../core/ports/cursor.ts";
import { openDatabase } from "../../core/sqlite.ts";

export class SqliteCursors implements CursorStore {
  readonly #database: DatabaseSync;

  /** Opens its own connection; see `openDatabase` for the errors. */
  constructor(path: string) {
    this.#database = openDatabase(path);
  }

  async load(scope: string, region: string): Promise<Cursor | null> {
    const row = this.#database.prepare("SELECT started_at, place, pages FROM cursors WHERE scope = ? AND region = ?").get(scope, region);
    if (row === undefined) return null;
    return { startedAt: Number(row["started_at"]), place: String(row["place"]), pages: Number(row["pages"]) };
  }

  async save(scope: string, region: string, { startedAt, place, pages }: Cursor): Promise<void> {
    this.#database
      .prepare("INSERT OR REPLACE INTO cursors (scope, region, started_at, place, pages) VALUES (?, ?, ?, ?, ?)")
      .run(scope, region, startedAt, place, pages);
  }

  async clear(scope: string, region: string): Promise<void> {
    this.#database.prepare("DELETE FROM cursors WHERE scope = ? AND region = ?").run(scope, region);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }
}
