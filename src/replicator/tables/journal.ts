/** The journal in a table; its leases are in the catalogue's. */
import { LRUCache } from "lru-cache";
import { PaircastError } from "../../core/errors.ts";
import type { BlobRecord, JobRecord, Journal } from "../../core/ports/journal.ts";
import type { Row, RowChange, Table } from "../../core/table.ts";
import { descending, jsonValues, keyOf, keysUnder, recordOf } from "../../core/tableRows.ts";
import { GatheredWrites } from "./gathered.ts";
import type { TableLeases } from "./leases.ts";

/** Partitions of jobs: each takes some two thousand rows a second. */
const SHARDS = 4;
/** Jobs whose place among the newest is remembered; of others it is read. */
const KNOWN_JOBS = 20_000;
const ATTEMPTS = 10;
/** Beginnings of the keys of the lists. */
const NEWEST = "newest-";
const CONFLICTS = "conflicts-";

export interface TableJournalOptions {
  readonly table: Table;
  readonly leases: TableLeases;
}

export class TableJournal implements Journal {
  readonly #table: Table;
  readonly #leases: TableLeases;
  readonly #gathered: GatheredWrites;
  /** Keys of each job's rows in the lists. */
  readonly #places = new LRUCache<string, readonly string[]>({ max: KNOWN_JOBS });

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
    const job = jobOf(row);
    this.#places.set(jobId, placesOf(job));
    return job;
  }

  /** One request where this process has loaded or saved the job before. */
  async save(job: JobRecord): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const former = this.#places.get(job.id) ?? (await this.#storedPlaces(job.id));
      if ((await this.#table.write(partitionOf(job.id), changesFor(job, former))) !== null) {
        this.#places.set(job.id, placesOf(job));
        return;
      }
      // Another process has moved it, or this is a write whose answer was lost.
      this.#places.delete(job.id);
    }
    throw new PaircastError("state_unavailable", `save job ${job.id}: others save it all the time`, { retry: "retry" });
  }

  async jobs(limit: number): Promise<readonly JobRecord[]> {
    return this.#listed(NEWEST, limit);
  }

  async conflicts(limit: number): Promise<readonly JobRecord[]> {
    return this.#listed(CONFLICTS, limit);
  }

  async #listed(prefix: string, limit: number): Promise<readonly JobRecord[]> {
    const range = keysUnder(prefix, limit);
    const shards = Array.from({ length: SHARDS }, async (_, shard) => Array.fromAsync(this.#table.list(`jobs-${shard}`, range)));
    const rows = (await Promise.all(shards)).flat().sort((one, other) => (one.key < other.key ? -1 : 1));
    return rows.slice(0, limit).map(jobOf);
  }

  async blobs(jobId: string): Promise<ReadonlyMap<string, BlobRecord>> {
    const blobs = new Map<string, BlobRecord>();
    for await (const row of this.#table.list(blobsOf(jobId), keysUnder("blob-"))) {
      const blob = recordOf(row) as BlobRecord;
      blobs.set(blob.name, blob);
    }
    return blobs;
  }

  async blobsAfter(jobId: string, after: string | null, limit: number): Promise<readonly BlobRecord[]> {
    const all = keysUnder("blob-", limit);
    // No key is between one and itself with the first of the signs that keys are made of.
    const range = after === null ? all : { ...all, from: `blob-${keyOf(after)}!` };
    const rows = await Array.fromAsync(this.#table.list(blobsOf(jobId), range));
    return rows.map((row) => recordOf(row) as BlobRecord);
  }

  async recordBlobs(jobId: string, blobs: readonly BlobRecord[]): Promise<void> {
    await Promise.all(blobs.map(async (blob) => this.recordBlob(jobId, blob)));
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

  async #storedPlaces(jobId: string): Promise<readonly string[]> {
    const stored = await this.load(jobId);
    return stored === null ? [] : placesOf(stored);
  }
}

/** The job under its id and in the lists, where it leaves its former places. */
function changesFor(job: JobRecord, former: readonly string[]): RowChange[] {
  const values = jsonValues(job, `job ${job.id}`);
  const places = placesOf(job);
  const left = former.filter((place) => !places.includes(place));
  return [
    ...[jobKey(job.id), ...places].map((key): RowChange => ({ type: "replace", key, values, etag: null })),
    ...left.map((key): RowChange => ({ type: "delete", key, etag: null })),
  ];
}

/** Earlier releases kept no conflicts. */
function jobOf(row: Row): JobRecord {
  return { conflicts: [], ...(recordOf(row) as Omit<JobRecord, "conflicts">) };
}

function jobKey(jobId: string): string {
  return `job-${keyOf(jobId)}`;
}

function placesOf({ id, updatedAt, conflicts }: JobRecord): readonly string[] {
  const place = `${descending(updatedAt)}-${keyOf(id)}`;
  return conflicts.length === 0 ? [`${NEWEST}${place}`] : [`${NEWEST}${place}`, `${CONFLICTS}${place}`];
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
