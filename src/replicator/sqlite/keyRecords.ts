/** The record of keys in SQLite, in the file of the catalogue and of the leases. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { PaircastError } from "../../core/errors.ts";
import type { Fence } from "../../core/ports/journal.ts";
import type { KeyRecords, SealedRecord } from "../../core/ports/keyRecords.ts";
import { inTransaction, openDatabase } from "../../core/sqlite.ts";

const PAGE = 100;

export class SqliteKeyRecords implements KeyRecords {
  readonly #database: DatabaseSync;

  /** Opens its own connection; see `openDatabase` for the errors. */
  constructor(path: string) {
    this.#database = openDatabase(path);
  }

  async get(id: string): Promise<SealedRecord | null> {
    const row = this.#database.prepare("SELECT * FROM key_records WHERE id = ?").get(id);
    return row === undefined ? null : recordOf(row);
  }

  async put({ id, version, keyId, at, sealed }: SealedRecord, expected: string | null, fence?: Fence): Promise<void> {
    inTransaction(this.#database, () => {
      this.#expect(id, expected);
      if (fence !== undefined) this.#expectLease(id, fence);
      this.#database
        .prepare("INSERT OR REPLACE INTO key_records (id, version, key_id, at, sealed) VALUES (?, ?, ?, ?, ?)")
        .run(id, version, keyId, at, sealed);
    });
  }

  async remove(id: string, expected: string): Promise<void> {
    inTransaction(this.#database, () => {
      this.#expect(id, expected);
      this.#database.prepare("DELETE FROM key_records WHERE id = ?").run(id);
    });
  }

  /** Pages by id, so that no read stays open between two records. */
  async *list(): AsyncGenerator<SealedRecord> {
    const page = this.#database.prepare("SELECT * FROM key_records WHERE id > ? ORDER BY id LIMIT ?");
    let after = "";
    for (;;) {
      const records = page.all(after, PAGE).map(recordOf);
      yield* records;
      if (records.length < PAGE) return;
      after = records.at(-1)?.id ?? after;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  #expect(id: string, expected: string | null): void {
    const row = this.#database.prepare("SELECT version FROM key_records WHERE id = ?").get(id);
    const stored = row === undefined ? null : String(row["version"]);
    if (stored === expected) return;
    throw new PaircastError("key_record_conflict", `write key record ${id}: ${stored === null ? "none" : "another version"} is stored`, {
      retry: "conflict",
    });
  }

  #expectLease(id: string, { jobId, owner }: Fence): void {
    if (this.#database.prepare("SELECT 1 FROM leases WHERE job_id = ? AND owner = ?").get(jobId, owner) !== undefined) return;
    throw new PaircastError("lease_lost", `write key record ${id}: another process has taken ${jobId} over`, { retry: "retry" });
  }
}

function recordOf(row: Record<string, SQLOutputValue>): SealedRecord {
  const text = (name: string): string => String(row[name]);
  return { id: text("id"), version: text("version"), keyId: text("key_id"), at: Number(row["at"]), sealed: text("sealed") };
}
