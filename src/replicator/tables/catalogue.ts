/** The catalogue in a table: one partition, so that an entry, its place in the change log and a look at a lease are one transaction. */
import { randomBytes } from "node:crypto";
import type { Clock, Random } from "../../core/clock.ts";
import type { CatalogueEntry } from "../../core/contracts.ts";
import { PaircastError } from "../../core/errors.ts";
import type { CatalogueChanges, CatalogueStore, VersionedEntry } from "../../core/ports/catalogue.ts";
import type { Fence } from "../../core/ports/journal.ts";
import type { Row, RowChange, Table } from "../../core/table.ts";
import { jsonValues, keyOf, keysUnder, recordOf } from "../../core/tableRows.ts";
import { counted, readChanges, readHead, readRevision, shardOf, wasCounted, type Head } from "./changeLog.ts";
import { CATALOGUE, type TableLeases } from "./leases.ts";

/** Others write in the same shard at the same moment; each time one of them wins. */
const ATTEMPTS = 30;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 200;
/** Layout of the rows. */
const LAYOUT = "1";

export interface TableCatalogueOptions {
  readonly table: Table;
  readonly leases: TableLeases;
  readonly clock: Clock;
  readonly random: Random;
}

interface Write {
  readonly id: string;
  /** Null: remove. */
  readonly entry: CatalogueEntry | null;
  readonly expected: string | null;
  readonly fence: Fence | null;
  /** Put into the row, so that a write whose answer was lost is known again. */
  readonly mark: string;
}

export class TableCatalogue implements CatalogueStore {
  readonly #options: TableCatalogueOptions;
  readonly #heads = new Map<number, Head>();
  /** The last write of each shard: this process's own need not get into each other's way. */
  readonly #turns = new Map<number, Promise<unknown>>();

  private constructor(options: TableCatalogueOptions) {
    this.#options = options;
  }

  /** Throws `state_newer` where a later release of paircast has made the table. */
  static async open(options: TableCatalogueOptions): Promise<TableCatalogue> {
    const { layout } = await storeRow(options.table);
    if (layout !== LAYOUT)
      throw new PaircastError(
        "state_newer",
        `open the catalogue's table: its layout ${layout} is not this release's; use the newer release`,
      );
    return new TableCatalogue(options);
  }

  async get(locatorId: string): Promise<VersionedEntry | null> {
    const row = await this.#options.table.get(CATALOGUE, entryKey(locatorId.toLowerCase()));
    return row === null ? null : versioned(row);
  }

  async put(entry: CatalogueEntry, expected: string | null, fence?: Fence): Promise<string> {
    const mark = this.#options.random.uuid();
    return this.#write({ id: entry.locatorId.toLowerCase(), entry, expected, fence: fence ?? null, mark });
  }

  async remove(locatorId: string, expected: string): Promise<void> {
    const mark = this.#options.random.uuid();
    await this.#write({ id: locatorId.toLowerCase(), entry: null, expected, fence: null, mark });
  }

  async *list(): AsyncGenerator<VersionedEntry> {
    for await (const row of this.#options.table.list(CATALOGUE, keysUnder("entry-"))) yield versioned(row);
  }

  async fingerprintKey(): Promise<Uint8Array> {
    return Buffer.from((await storeRow(this.#options.table)).fingerprintKey, "base64");
  }

  async revision(): Promise<string> {
    return readRevision(this.#options.table);
  }

  async changes(since: string): Promise<CatalogueChanges | null> {
    return readChanges(this.#options.table, since);
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #write(write: Write): Promise<string> {
    const shard = shardOf(write.id);
    const turn = (this.#turns.get(shard) ?? Promise.resolve()).then(async () => this.#writeNow(write));
    this.#turns.set(
      shard,
      turn.catch(() => undefined),
    );
    return turn;
  }

  /** One request where nobody else has written in the shard since this process did. */
  async #writeNow(write: Write): Promise<string> {
    const { clock, random } = this.#options;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const head = await this.#head(write, attempt > 1);
      const version = await this.#tryOnce(write, head, attempt > 1);
      if (version !== null) return version;
      const stored = await this.#confirm(write, head);
      if (stored !== null) return stored;
      await clock.sleep(random.next() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * attempt));
    }
    throw new PaircastError("state_unavailable", `write catalogue entry ${write.id}: too many others write at the same time`, {
      retry: "retry",
    });
  }

  async #head({ id, entry }: Write, fresh: boolean): Promise<Head> {
    const shard = shardOf(id);
    // A removal in a transaction names no etag, so the entry is looked at under the count that the transaction names.
    const known = fresh || entry === null ? undefined : this.#heads.get(shard);
    return known ?? readHead(this.#options.table, shard);
  }

  /** Null where something was not as it was thought to be. */
  async #tryOnce(write: Write, head: Head, fresh: boolean): Promise<string | null> {
    const { table, leases } = this.#options;
    const { id, entry, fence, mark } = write;
    if (entry === null) this.#expect(write, await this.get(id));
    const own = entryChange(write, head.count + 1);
    const conditions = await leases.conditions(fence, fresh);
    if (conditions === null) throw leaseLost(write);
    const log = counted(head, { id, entry, mark });
    const etags = await table.write(CATALOGUE, [...log, own, ...conditions]);
    if (etags === null) return null;
    const [headEtag = "", , entryEtag = "", ...leaseEtags] = etags;
    this.#heads.set(head.shard, { shard: head.shard, count: head.count + 1, etag: headEtag });
    leases.confirmed(fence, leaseEtags);
    return versionOf(head.count + 1, entryEtag);
  }

  /** Why it was not written: throws where the entry is another one, gives the version where it was written after all. */
  async #confirm(write: Write, head: Head): Promise<string | null> {
    const { table } = this.#options;
    const { id, entry, mark } = write;
    this.#heads.delete(head.shard);
    const row = await table.get(CATALOGUE, entryKey(id));
    if (entry !== null && row?.values["mark"] === mark) return versioned(row).version;
    if (entry === null && row === null && (await wasCounted(table, head, mark))) return "";
    this.#expect(write, row === null ? null : versioned(row));
    return null;
  }

  #expect(write: Write, stored: VersionedEntry | null): void {
    if ((stored?.version ?? null) !== write.expected) throw conflict(write, stored === null ? "none" : "another");
  }
}

function conflict({ id }: Write, stored: string): PaircastError {
  return new PaircastError("catalogue_conflict", `write catalogue entry ${id}: ${stored} is stored, not the version that is named`, {
    retry: "conflict",
  });
}

function leaseLost({ id, fence }: Write): PaircastError {
  const job = fence?.jobId ?? "its job";
  return new PaircastError("lease_lost", `write catalogue entry ${id}: another process has taken ${job} over`, { retry: "retry" });
}

/** Throws where `expected` is no version of this store: then it cannot be the stored one. */
function entryChange(write: Write, count: number): RowChange {
  const { id, entry, expected, mark } = write;
  const key = entryKey(id);
  if (entry === null) return { type: "delete", key, etag: null };
  const values = { ...jsonValues(entry, `entry ${id}`), count: String(count), mark };
  if (expected === null) return { type: "insert", key, values };
  const etag = /^\d+ (.+)$/.exec(expected)?.[1];
  if (etag === undefined) throw conflict(write, "another");
  return { type: "replace", key, values, etag };
}

function versioned(row: Row): VersionedEntry {
  return { entry: recordOf(row) as CatalogueEntry, version: versionOf(Number(row.values["count"]), row.etag) };
}

/** Counts are never given twice in a shard; the etag in it saves reading the row before it is written. */
function versionOf(count: number, etag: string): string {
  return `${count} ${etag}`;
}

function entryKey(id: string): string {
  return `entry-${keyOf(id)}`;
}

/** Made by whoever comes first. */
async function storeRow(table: Table): Promise<{ readonly layout: string; readonly fingerprintKey: string }> {
  for (;;) {
    const row = await table.get(CATALOGUE, "store");
    if (row !== null) return { layout: row.values["layout"] ?? "", fingerprintKey: row.values["fingerprintKey"] ?? "" };
    const values = { layout: LAYOUT, fingerprintKey: randomBytes(32).toString("base64") };
    await table.write(CATALOGUE, [{ type: "insert", key: "store", values }]);
  }
}
