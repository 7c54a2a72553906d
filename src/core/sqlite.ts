/** The embedded state: one SQLite file for catalogue, journal, work, overrides and the last health, shared by several processes of one machine. */
import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PaircastError } from "./errors.ts";

/** How long a statement waits for another process's write. */
const BUSY_MS = 5_000;

/** Steps from one schema version to the next; the version is the number of steps done (`user_version`). Never edited, only added to. */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE catalogue (locator_id TEXT PRIMARY KEY, version INTEGER NOT NULL, entry TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE catalogue_state (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL, fingerprint_key BLOB NOT NULL);
   CREATE TABLE jobs (id TEXT PRIMARY KEY, source TEXT NOT NULL, target TEXT NOT NULL, asset_name TEXT NOT NULL, step TEXT NOT NULL,
     state TEXT NOT NULL, attempts INTEGER NOT NULL, error_code TEXT, error_message TEXT, updated_at INTEGER NOT NULL) WITHOUT ROWID;
   CREATE INDEX jobs_by_update ON jobs (updated_at DESC);
   CREATE TABLE leases (job_id TEXT PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE blobs (job_id TEXT NOT NULL, name TEXT NOT NULL, source_etag TEXT NOT NULL, target_etag TEXT NOT NULL,
     length INTEGER NOT NULL, md5 TEXT NOT NULL, PRIMARY KEY (job_id, name)) WITHOUT ROWID;
   CREATE TABLE proofs (scope TEXT NOT NULL, entity TEXT NOT NULL, fingerprint TEXT NOT NULL, PRIMARY KEY (scope, entity)) WITHOUT ROWID;`,
  `CREATE TABLE overrides (region TEXT NOT NULL, service TEXT NOT NULL, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, reason TEXT NOT NULL,
     set_by TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, PRIMARY KEY (region, service)) WITHOUT ROWID;
   CREATE TABLE override_audit (number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, action TEXT NOT NULL, done_by TEXT NOT NULL,
     override TEXT NOT NULL);
   CREATE TABLE override_state (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL);
   INSERT INTO override_state (id, revision) VALUES (1, 0);`,
  "CREATE TABLE health_memory (id INTEGER PRIMARY KEY CHECK (id = 1), snapshot TEXT NOT NULL);",
  "ALTER TABLE overrides ADD COLUMN forced INTEGER NOT NULL DEFAULT 0;",
  `CREATE INDEX catalogue_by_version ON catalogue (version);
   CREATE TABLE catalogue_removed (locator_id TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
   CREATE INDEX catalogue_removed_by_version ON catalogue_removed (version);
   CREATE TABLE work (id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, body TEXT NOT NULL, visible_at INTEGER NOT NULL,
     takes INTEGER NOT NULL, put_at INTEGER NOT NULL, buried TEXT);
   CREATE INDEX work_by_visibility ON work (queue, visible_at) WHERE buried IS NULL;
   CREATE INDEX work_by_burial ON work (queue, put_at DESC) WHERE buried IS NOT NULL;`,
  `CREATE TABLE cursors (scope TEXT NOT NULL, region TEXT NOT NULL, started_at INTEGER NOT NULL, place TEXT NOT NULL, pages INTEGER NOT NULL,
     PRIMARY KEY (scope, region)) WITHOUT ROWID;`,
  `CREATE TABLE key_records (id TEXT PRIMARY KEY, version TEXT NOT NULL, key_id TEXT NOT NULL, at INTEGER NOT NULL, sealed TEXT NOT NULL)
     WITHOUT ROWID;`,
  `ALTER TABLE jobs ADD COLUMN conflicts TEXT;
   CREATE INDEX jobs_in_conflict ON jobs (updated_at DESC) WHERE conflicts IS NOT NULL;`,
  `CREATE TABLE encoding_jobs (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, client_id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL,
     state TEXT NOT NULL, priority INTEGER NOT NULL, created_at INTEGER NOT NULL, place_at INTEGER, follow_at INTEGER, places TEXT NOT NULL,
     job TEXT NOT NULL);
   CREATE INDEX encoding_jobs_to_place ON encoding_jobs (priority, created_at, place_at) WHERE place_at IS NOT NULL;
   CREATE INDEX encoding_jobs_to_follow ON encoding_jobs (follow_at) WHERE follow_at IS NOT NULL;
   CREATE INDEX encoding_jobs_in_accounts ON encoding_jobs (follow_at, places) WHERE places <> '';
   CREATE INDEX encoding_jobs_by_state ON encoding_jobs (state, id);
   CREATE TABLE encoding_counts (state TEXT PRIMARY KEY, jobs INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE encoding_places (account TEXT PRIMARY KEY, taken INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE encoding_outbox (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, visible_at INTEGER NOT NULL, message TEXT NOT NULL);
   CREATE TABLE encoding_accounts (account TEXT PRIMARY KEY, version INTEGER NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;`,
  `CREATE TABLE deletions (id TEXT PRIMARY KEY, version INTEGER NOT NULL, deletion TEXT NOT NULL) WITHOUT ROWID;
   CREATE TABLE deletions_state (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL);
   INSERT INTO deletions_state (id, version) VALUES (1, 0);`,
];

/**
 * Opens (or makes) the file. Write-ahead log, so that readers never wait; every commit reaches the disk before it returns.
 * Throws `state_unavailable` (the file cannot be opened or is no database) or `state_newer` (a later release of paircast wrote it).
 */
export function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { timeout: BUSY_MS });
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    migrate(database, path);
    return database;
  } catch (cause) {
    database?.close();
    if (cause instanceof PaircastError) throw cause;
    throw new PaircastError("state_unavailable", `open state file ${path}: ${reasonOf(path, cause)}; check state.path`, { cause });
  }
}

/** https://www.sqlite.org/rescode.html */
const REASONS: Readonly<Record<number, string>> = {
  5: "another process keeps it locked",
  8: "it, or its folder, cannot be written",
  11: "it is damaged",
  13: "the disk is full",
  26: "it is no SQLite database",
};
const CANTOPEN = 14;

function reasonOf(path: string, cause: unknown): string {
  const extended = cause instanceof Error && "errcode" in cause ? Number(cause.errcode) : 0;
  // The low byte is the primary code.
  const code = extended & 0xff;
  if (code === CANTOPEN) return whyNotOpened(path);
  return REASONS[code] ?? `it cannot be used (${cause instanceof Error ? cause.message : "unknown failure"})`;
}

function whyNotOpened(path: string): string {
  const folder = dirname(path);
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return "it is a folder";
    const parent = statSync(folder, { throwIfNoEntry: false });
    if (parent === undefined) return `its folder ${folder} does not exist`;
    if (!parent.isDirectory()) return `${folder} is no folder`;
  } catch {
    // Not even that may be looked at.
  }
  return "this user may not read and write it and its folder";
}

/** Runs `work` as one transaction that holds the write lock from its beginning, so that what it reads cannot change under it. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function migrate(database: DatabaseSync, path: string): void {
  if (schemaVersion(database) === MIGRATIONS.length) return;
  inTransaction(database, () => {
    const version = schemaVersion(database);
    if (version > MIGRATIONS.length)
      throw new PaircastError(
        "state_newer",
        `open state file ${path}: its schema ${version} is newer than this release knows; use the newer release`,
      );
    for (const step of MIGRATIONS.slice(version)) database.exec(step);
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
    database
      .prepare("INSERT INTO catalogue_state (id, revision, fingerprint_key) VALUES (1, 0, ?) ON CONFLICT DO NOTHING")
      .run(randomBytes(32));
  });
}

function schemaVersion(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
}
