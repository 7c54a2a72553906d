/** The record of keys in a table: in the catalogue's partition, so that a record and the look at a lease are one transaction. */
import { PaircastError } from "../../core/errors.ts";
import type { Fence } from "../../core/ports/journal.ts";
import type { KeyRecords, SealedRecord } from "../../core/ports/keyRecords.ts";
import type { Row, RowChange, Table } from "../../core/table.ts";
import { jsonValues, keyOf, keysUnder, recordOf } from "../../core/tableRows.ts";
import { CATALOGUE, type TableLeases } from "./leases.ts";

/** Each time something else than the record has changed: the lease was renewed meanwhile. */
const ATTEMPTS = 5;

export interface TableKeyRecordsOptions {
  /** That of the catalogue. */
  readonly table: Table;
  readonly leases: TableLeases;
}

interface Write {
  readonly id: string;
  /** Null: remove. */
  readonly record: SealedRecord | null;
  readonly expected: string | null;
  readonly fence: Fence | null;
}

export class TableKeyRecords implements KeyRecords {
  readonly #table: Table;
  readonly #leases: TableLeases;

  constructor({ table, leases }: TableKeyRecordsOptions) {
    this.#table = table;
    this.#leases = leases;
  }

  async get(id: string): Promise<SealedRecord | null> {
    const row = await this.#row(id);
    return row === null ? null : sealedIn(row);
  }

  async put(record: SealedRecord, expected: string | null, fence?: Fence): Promise<void> {
    await this.#write({ id: record.id, record, expected, fence: fence ?? null });
  }

  async remove(id: string, expected: string): Promise<void> {
    await this.#write({ id, record: null, expected, fence: null });
  }

  async *list(): AsyncGenerator<SealedRecord> {
    for await (const row of this.#table.list(CATALOGUE, keysUnder(PREFIX))) yield sealedIn(row);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #write(write: Write): Promise<void> {
    const { id, fence } = write;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const row = await this.#row(id);
      if (attempt > 1 && isDone(write, row)) return;
      const change = changeOf(write, row);
      const conditions = await this.#leases.conditions(fence, attempt > 1);
      if (conditions === null) throw leaseLost(write);
      const etags = await this.#table.write(CATALOGUE, [change, ...conditions]);
      if (etags === null) continue;
      this.#leases.confirmed(fence, etags.slice(1));
      return;
    }
    throw new PaircastError("state_unavailable", `write key record ${id}: too many others write at the same time`, { retry: "retry" });
  }

  async #row(id: string): Promise<Row | null> {
    return this.#table.get(CATALOGUE, `${PREFIX}${keyOf(id)}`);
  }
}

const PREFIX = "keyrecord-";

/** A write whose answer was lost is sent again by itself and then fails. */
function isDone({ record }: Write, row: Row | null): boolean {
  return record === null ? row === null : row !== null && sealedIn(row).version === record.version;
}

function changeOf({ id, record, expected }: Write, row: Row | null): RowChange {
  const stored = row === null ? null : sealedIn(row).version;
  if (stored !== expected) {
    const what = stored === null ? "none" : "another version";
    throw new PaircastError("key_record_conflict", `write key record ${id}: ${what} is stored`, { retry: "conflict" });
  }
  const key = `${PREFIX}${keyOf(id)}`;
  if (record === null) return { type: "delete", key, etag: row?.etag ?? null };
  const values = jsonValues(record, `key record ${id}`);
  return row === null ? { type: "insert", key, values } : { type: "replace", key, values, etag: row.etag };
}

function leaseLost({ id, fence }: Write): PaircastError {
  const job = fence?.jobId ?? "its job";
  return new PaircastError("lease_lost", `write key record ${id}: another process has taken ${job} over`, { retry: "retry" });
}

function sealedIn(row: Row): SealedRecord {
  return recordOf(row) as SealedRecord;
}
