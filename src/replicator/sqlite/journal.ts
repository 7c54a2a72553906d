/** The journal in SQLite, in the same file as the catalogue. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { BlobRecord, JobRecord, Journal } from "../../core/ports/journal.ts";
import { inTransaction, openDatabase } from "../../core/sqlite.ts";

type Row = Record<string, SQLOutputValue>;

export class SqliteJournal implements Journal {
  readonly #database: DatabaseSync;

  /** Opens its own connection; see `openDatabase` for the errors. */
  constructor(path: string) {
    this.#database = openDatabase(path);
  }

  async acquire(jobId: string, owner: string, now: number, leaseMs: number): Promise<boolean> {
    const { changes } = this.#database
      .prepare(
        `INSERT INTO leases (job_id, owner, until) VALUES (?1, ?2, ?4) ON CONFLICT (job_id) DO UPDATE
           SET owner = excluded.owner, until = excluded.until WHERE leases.owner = excluded.owner OR leases.until <= ?3`,
      )
      .run(jobId, owner, now, now + leaseMs);
    return changes > 0;
  }

  async release(jobId: string, owner: string): Promise<void> {
    this.#database.prepare("DELETE FROM leases WHERE job_id = ? AND owner = ?").run(jobId, owner);
  }

  async load(jobId: string): Promise<JobRecord | null> {
    const row = this.#database.prepare("SELECT * FROM jobs WHERE id = ?").get(jobId);
    return row === undefined ? null : jobOf(row);
  }

  async save(job: JobRecord): Promise<void> {
    this.#database
      .prepare(
        `INSERT OR REPLACE INTO jobs (id, source, target, asset_name, step, state, attempts, error_code, error_message, updated_at, conflicts)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        job.id,
        job.source,
        job.target,
        job.assetName,
        job.step,
        job.state,
        job.attempts,
        job.errorCode,
        job.errorMessage,
        job.updatedAt,
        job.conflicts.length === 0 ? null : JSON.stringify(job.conflicts),
      );
  }

  async jobs(limit: number): Promise<readonly JobRecord[]> {
    return this.#database.prepare("SELECT * FROM jobs ORDER BY updated_at DESC, id LIMIT ?").all(limit).map(jobOf);
  }

  async conflicts(limit: number): Promise<readonly JobRecord[]> {
    const rows = this.#database.prepare("SELECT * FROM jobs WHERE conflicts IS NOT NULL ORDER BY updated_at DESC, id LIMIT ?").all(limit);
    return rows.map(jobOf);
  }

  async blobs(jobId: string): Promise<ReadonlyMap<string, BlobRecord>> {
    const rows = this.#database.prepare("SELECT * FROM blobs WHERE job_id = ?").all(jobId);
    return new Map(rows.map((row) => [String(row["name"]), blobOf(row)]));
  }

  async blobsAfter(jobId: string, after: string | null, limit: number): Promise<readonly BlobRecord[]> {
    const beyond = after === null ? "" : " AND name > ?3";
    const statement = this.#database.prepare(`SELECT * FROM blobs WHERE job_id = ?1${beyond} ORDER BY name LIMIT ?2`);
    return (after === null ? statement.all(jobId, limit) : statement.all(jobId, limit, after)).map(blobOf);
  }

  async recordBlob(jobId: string, blob: BlobRecord): Promise<void> {
    await this.recordBlobs(jobId, [blob]);
  }

  async recordBlobs(jobId: string, blobs: readonly BlobRecord[]): Promise<void> {
    const statement = this.#database.prepare(
      "INSERT OR REPLACE INTO blobs (job_id, name, source_etag, target_etag, length, md5) VALUES (?, ?, ?, ?, ?, ?)",
    );
    inTransaction(this.#database, () => {
      for (const blob of blobs) statement.run(jobId, blob.name, blob.sourceEtag, blob.targetEtag, blob.length, blob.md5);
    });
  }

  async proof(scope: string, entity: string): Promise<string | null> {
    const row = this.#database.prepare("SELECT fingerprint FROM proofs WHERE scope = ? AND entity = ?").get(scope, entity);
    return row === undefined ? null : String(row["fingerprint"]);
  }

  async recordProof(scope: string, entity: string, fingerprint: string): Promise<void> {
    this.#database.prepare("INSERT OR REPLACE INTO proofs (scope, entity, fingerprint) VALUES (?, ?, ?)").run(scope, entity, fingerprint);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }
}

function jobOf(row: Row): JobRecord {
  return {
    id: String(row["id"]),
    source: String(row["source"]),
    target: String(row["target"]),
    assetName: String(row["asset_name"]),
    step: row["step"] as JobRecord["step"],
    state: row["state"] as JobRecord["state"],
    attempts: Number(row["attempts"]),
    errorCode: nullable(row["error_code"]),
    errorMessage: nullable(row["error_message"]),
    updatedAt: Number(row["updated_at"]),
    conflicts: JSON.parse(nullable(row["conflicts"]) ?? "[]") as JobRecord["conflicts"],
  };
}

function blobOf(row: Row): BlobRecord {
  return {
    name: String(row["name"]),
    sourceEtag: String(row["source_etag"]),
    targetEtag: String(row["target_etag"]),
    length: Number(row["length"]),
    md5: String(row["md5"]),
  };
}

function nullable(value: SQLOutputValue | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}
