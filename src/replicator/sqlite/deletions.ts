/** Deletions in SQLite, in the same file as the catalogue. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { PaircastError } from "../../core/errors.ts";
import type { Deletion, DeletionStore, VersionedDeletion } from "../../core/ports/deletions.ts";
import { inTransaction, openDatabase } from "../../core/sqlite.ts";

const PAGE = 100;

export class SqliteDeletions implements DeletionStore {
  readonly #database: DatabaseSync;

  /** Opens its own connection; see `openDatabase` for the errors. */
  constructor(path: string) {
    this.#database = openDatabase(path);
  }

  async get(id: string): Promise<VersionedDeletion | null> {
    const row = this.#database.prepare("SELECT id, version, deletion FROM deletions WHERE id = ?").get(id);
    return row === undefined ? null : versioned(row);
  }

  /** Versions never come twice, also not for an id that was removed in between. */
  async put(deletion: Deletion, expected: string | null): Promise<string> {
    return inTransaction(this.#database, () => {
      this.#expect(deletion.id, expected);
      this.#database.prepare("UPDATE deletions_state SET version = version + 1").run();
      const version = Number(this.#database.prepare("SELECT version FROM deletions_state").get()?.["version"]);
      this.#database
        .prepare("INSERT OR REPLACE INTO deletions (id, version, deletion) VALUES (?, ?, ?)")
        .run(deletion.id, version, JSON.stringify(deletion));
      return String(version);
    });
  }

  async remove(id: string, expected: string): Promise<void> {
    inTransaction(this.#database, () => {
      this.#expect(id, expected);
      this.#database.prepare("DELETE FROM deletions WHERE id = ?").run(id);
    });
  }

  /** Pages by id, so that no read stays open between two deletions. */
  async *list(): AsyncGenerator<VersionedDeletion> {
    const page = this.#database.prepare("SELECT id, version, deletion FROM deletions WHERE id > ? ORDER BY id LIMIT ?");
    let after = "";
    for (;;) {
      const rows = page.all(after, PAGE).map(versioned);
      yield* rows;
      if (rows.length < PAGE) return;
      after = rows.at(-1)?.deletion.id ?? after;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  #expect(id: string, expected: string | null): void {
    const row = this.#database.prepare("SELECT version FROM deletions WHERE id = ?").get(id);
    const stored = row === undefined ? null : String(row["version"]);
    if (stored === expected) return;
    throw new PaircastError("deletion_conflict", `write deletion ${id}: ${stored === null ? "none" : "another version"} is stored`, {
      retry: "conflict",
    });
  }
}

function versioned(row: Record<string, SQLOutputValue>): VersionedDeletion {
  return { deletion: JSON.parse(String(row["deletion"])) as Deletion, version: String(row["version"]) };
}
