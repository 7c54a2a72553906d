/** The catalogue in SQLite. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { CatalogueEntry } from "../../core/contracts.ts";
import { PaircastError } from "../../core/errors.ts";
import type { CatalogueChanges, CatalogueStore, VersionedEntry } from "../../core/ports/catalogue.ts";
import type { Fence } from "../../core/ports/journal.ts";
import { inTransaction, openDatabase } from "../../core/sqlite.ts";

const PAGE = 200;

type Row = Record<string, SQLOutputValue>;

export class SqliteCatalogue implements CatalogueStore {
  readonly #database: DatabaseSync;

  /** Opens its own connection; see `openDatabase` for the errors. */
  constructor(path: string) {
    this.#database = openDatabase(path);
  }

  async get(locatorId: string): Promise<VersionedEntry | null> {
    const row = this.#database.prepare("SELECT version, entry FROM catalogue WHERE locator_id = ?").get(locatorId.toLowerCase());
    return row === undefined ? null : versioned(row);
  }

  async put(entry: CatalogueEntry, expected: string | null, fence?: Fence): Promise<string> {
    return inTransaction(this.#database, () => {
      const id = entry.locatorId.toLowerCase();
      this.#expect(id, expected);
      if (fence !== undefined) this.#expectLease(id, fence);
      const version = this.#nextRevision();
      this.#database
        .prepare(
          "INSERT INTO catalogue (locator_id, version, entry) VALUES (?, ?, ?) ON CONFLICT (locator_id) DO UPDATE SET version = excluded.version, entry = excluded.entry",
        )
        .run(id, version, JSON.stringify(entry));
      this.#database.prepare("DELETE FROM catalogue_removed WHERE locator_id = ?").run(id);
      return String(version);
    });
  }

  async remove(locatorId: string, expected: string): Promise<void> {
    inTransaction(this.#database, () => {
      const id = locatorId.toLowerCase();
      this.#expect(id, expected);
      const version = this.#nextRevision();
      this.#database.prepare("DELETE FROM catalogue WHERE locator_id = ?").run(id);
      this.#database.prepare("INSERT OR REPLACE INTO catalogue_removed (locator_id, version) VALUES (?, ?)").run(id, version);
    });
  }

  /** Pages by key, so that no read stays open between two entries. */
  async *list(): AsyncGenerator<VersionedEntry> {
    const page = this.#database.prepare(
      "SELECT locator_id, version, entry FROM catalogue WHERE locator_id > ? ORDER BY locator_id LIMIT ?",
    );
    let after = "";
    for (;;) {
      const rows = page.all(after, PAGE);
      for (const row of rows) yield versioned(row);
      if (rows.length < PAGE) return;
      after = String(rows.at(-1)?.["locator_id"]);
    }
  }

  async fingerprintKey(): Promise<Uint8Array> {
    const key = this.#state()["fingerprint_key"];
    if (key instanceof Uint8Array) return key;
    throw new PaircastError("state_unavailable", "read the catalogue's fingerprint key: the state file has none; restore it from a backup");
  }

  async revision(): Promise<string> {
    return String(this.#state()["revision"]);
  }

  /** What is written between these reads is in the next ones again: the revision is read first. */
  async changes(since: string): Promise<CatalogueChanges | null> {
    const revision = await this.revision();
    const after = /^\d+$/.test(since) ? Number(since) : Number.POSITIVE_INFINITY;
    if (after > Number(revision)) return null;
    const written = this.#database.prepare("SELECT locator_id, entry FROM catalogue WHERE version > ?").all(after);
    const removed = this.#database.prepare("SELECT locator_id FROM catalogue_removed WHERE version > ?").all(after);
    const changed = new Map<string, CatalogueEntry | null>(written.map((row) => [idOf(row), entryOf(row)]));
    for (const row of removed) changed.set(idOf(row), null);
    return { revision, changed };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  #expectLease(id: string, { jobId, owner }: Fence): void {
    if (this.#database.prepare("SELECT 1 FROM leases WHERE job_id = ? AND owner = ?").get(jobId, owner) !== undefined) return;
    throw new PaircastError("lease_lost", `write catalogue entry ${id}: another process has taken ${jobId} over`, { retry: "retry" });
  }

  #state(): Row {
    return this.#database.prepare("SELECT revision, fingerprint_key FROM catalogue_state WHERE id = 1").get() ?? {};
  }

  #expect(id: string, expected: string | null): void {
    const row = this.#database.prepare("SELECT version FROM catalogue WHERE locator_id = ?").get(id);
    const stored = row === undefined ? null : String(row["version"]);
    if (stored === expected) return;
    throw new PaircastError(
      "catalogue_conflict",
      `write catalogue entry ${id}: version ${stored ?? "none"} is stored, not ${expected ?? "none"}`,
      {
        retry: "conflict",
      },
    );
  }

  /** Versions are revisions: never used twice, so that an entry removed and made again is not taken for the old one. */
  #nextRevision(): number {
    this.#database.exec("UPDATE catalogue_state SET revision = revision + 1 WHERE id = 1");
    return Number(this.#state()["revision"]);
  }
}

function versioned(row: Row): VersionedEntry {
  return { entry: entryOf(row), version: String(row["version"]) };
}

function entryOf(row: Row): CatalogueEntry {
  return JSON.parse(String(row["entry"])) as CatalogueEntry;
}

function idOf(row: Row): string {
  return String(row["locator_id"]);
}
