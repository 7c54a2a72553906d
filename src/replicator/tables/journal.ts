/** The journal in a table; its leases are in the catalogue's. */
import { LRUCache } from "lru-cache";
import { PaircastError } from "../../core/errors.ts";
import type { BlobRecord, JobRecord, Journal } from "../../core/ports/journal.ts";
import type { RowChange, Table } from "../../core/table.ts";
import { descending, jsonValues, keyOf, keysUnder, recordOf } from "../../core/tableRows.ts";
import { GatheredWrites } from "./gathered.ts";
import type { TableLeases } from "./leases.ts";

/** Partitions of jobs: each takes some two thousand rows a second. */
const SHARDS = 4;
/** Jobs whose place among the newest is remembered; of others it is read. */
const KNOWN_JOBS = 20_000;
const ATTEMPTS = 10;

export interface TableJournalOptions {
  readonly table: Table;
  readonly leases: TableLeases;
}

export class TableJournal implements Journal {
  readonly #table: Table;
  readonly #leases: TableLeases;
  readonly #gathered: GatheredWrites;
  /** Key of each job's row among the newest. */
  readonly #places = new LRUCache<string, string>({ max: KNOWN_JOBS });

  constructor({ table, leases }: TableJournalOptions) {
    this.#table = table;
    this.#leases = leases;
    this.#gathered = new GatheredWrites(table);
  }

  async acquire(jobId: string, owner: string, now: number, leaseMs: number): Promise<boolean> {
    return this.#leases.acquire(jobId, owner, now, leaseMs);
  }

  async release(jobId: string, owner: string): Promise<void> {
    await this.#leases.release(jobId, owner);
  }

  async load(jobId: string): Promise<JobRecord | null> {
    const row = await this.#table.get(partitionOf(jobId), jobKey(jobId));
    if (row === null) return null;
    const job = recordOf(row) as JobRecord;
    this.#places.set(jobId, placeOf(job));
    return job;
  }

  /** One request where this process has loaded or saved the job before. */
  async save(job: JobRecord): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const former = this.#places.get(job.id) ?? (await this.#storedPlace(job.id));
      if ((await this.#table.write(partitionOf(job.id), changesFor(job, former))) !== null) {
        this.#places.set(job.id, placeOf(job));
        return;
      }
      // Another process has moved it, or this is a write whose answer was lost.
      this.#places.delete(job.id);
    }
    throw new PaircastError("state_unavailable", `save job ${job.id}: others save it all the time`, { retry: "retry" });
  }

  async jobs(limit: number): Promise<readonly JobRecord[]> {
    const range = keysUnder("newest-", limit);
    const shards = Array.from({ length: SHARDS }, async (_, shard) => Array.fromAsync(this.#table.list(`jobs-${shard}`, range)));
    const rows = (await Promise.all(shards)).flat().sort((one, other) => (one.key < other.key ? -1 : 1));
    return rows.slice(0, limit).map((row) => recordOf(row) as JobRecord);
  }

  async blobs(jobId: string): Promise<ReadonlyMap<string, BlobRecord>> {
    const blobs = new Map<string, BlobRecord>();
    for await (const row of this.#table.list(blobsOf(jobId), keysUnder("blob-"))) {
      const blob = recordOf(row) as BlobRecord;
      blobs.set(blob.name, blob);
    }
    return blobs;
  }

  async recordBlob(jobId: string, blob: BlobRecord): Promise<void> {
    await this.#gathered.replace(blobsOf(jobId), `blob-${keyOf(blob.name)}`, jsonValues(blob, `blob ${blob.name}`));
  }

  async proof(scope: string, entity: string): Promise<string | null> {
    const row = await this.#table.get(proofsOf(scope), keyOf(entity));
    return row?.values["fingerprint"] ?? null;
  }

  async recordProof(scope: string, entity: string, fingerprint: string): Promise<void> {
    await this.#gathered.replace(proofsOf(scope), keyOf(entity), { fingerprint });
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #storedPlace(jobId: string): Promise<string | null> {
    const stored = await this.load(jobId);
    return stored === null ? null : placeOf(stored);
  }
}

/** The job under its id and among the newest, where it leaves its former place. */
function changesFor(job: JobRecord, former: string | null): RowChange[] {
  const values = jsonValues(job, `job ${job.id}`);
  const place = placeOf(job);
  const changes: RowChange[] = [
    { type: "replace", key: jobKey(job.id), values, etag: null },
    { type: "replace", key: place, values, etag: null },
  ];
  return former === null || former === place ? changes : [...changes, { type: "delete", key: former, etag: null }];
}

function jobKey(jobId: string): string {
  return `job-${keyOf(jobId)}`;
}

function placeOf({ id, updatedAt }: JobRecord): string {
  return `newest-${descending(updatedAt)}-${keyOf(id)}`;
}

function partitionOf(jobId: string): string {
  let sum = 0;
  for (let at = 0; at < jobId.length; at += 1) sum = (sum * 31 + jobId.charCodeAt(at)) % 65_521;
  return `jobs-${sum % SHARDS}`;
}

function blobsOf(jobId: string): string {
  return `blobs-${keyOf(jobId)}`;
}

function proofsOf(scope: string): string {
  return `proofs-${keyOf(scope)}`;
}
