/**
 * What has changed in the catalogue, and how often: counters that writers of one shard of the locators share, and after each count the change
 * itself in a ring of rows. A reader that knows the counts reads what came since, and nothing else.
 */
import type { CatalogueEntry } from "../../core/contracts.ts";
import type { CatalogueChanges } from "../../core/ports/catalogue.ts";
import type { Row, RowChange, Table } from "../../core/table.ts";
import { ascending, jsonValues, keysUnder, recordOf } from "../../core/tableRows.ts";
import { CATALOGUE } from "./leases.ts";

/** Writers of different shards do not get into each other's way. */
const SHARDS = 8;
/** So many changes of a shard are remembered. */
const RING = 4096;

/** How far a shard has been counted; a null etag: not at all yet. */
export interface Head {
  readonly shard: number;
  readonly count: number;
  readonly etag: string | null;
}

interface Change {
  readonly count: number;
  readonly id: string;
  /** Null: removed. */
  readonly entry: CatalogueEntry | null;
  /** Of the write, so that one whose answer was lost is known again. */
  readonly mark: string;
}

export function shardOf(id: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < id.length; at += 1) hash = Math.imul(hash ^ id.charCodeAt(at), 0x0100_0193) >>> 0;
  return ((hash ^ (hash >>> 16)) >>> 0) % SHARDS;
}

export async function readHead(table: Table, shard: number): Promise<Head> {
  const row = await table.get(CATALOGUE, headKey(shard));
  return row === null ? { shard, count: 0, etag: null } : { shard, count: countOf(row), etag: row.etag };
}

/** Counts one further, and says what has changed: two rows, the head's first. */
export function counted({ shard, count, etag }: Head, written: Omit<Change, "count">): readonly [RowChange, RowChange] {
  const next = count + 1;
  const values = { count: String(next) };
  const head: RowChange =
    etag === null ? { type: "insert", key: headKey(shard), values } : { type: "replace", key: headKey(shard), values, etag };
  const change: Change = { count: next, ...written };
  return [head, { type: "replace", key: ringKey(shard, next % RING), values: jsonValues(change, `entry ${written.id}`), etag: null }];
}

/** Whether the write after this count was the one with the mark. */
export async function wasCounted(table: Table, { shard, count }: Head, mark: string): Promise<boolean> {
  const row = await table.get(CATALOGUE, ringKey(shard, (count + 1) % RING));
  return row !== null && (recordOf(row) as Change).mark === mark;
}

/** The counts of all shards, as a revision: one request. */
export async function readRevision(table: Table): Promise<string> {
  const counts = Array.from({ length: SHARDS }, () => 0);
  for await (const row of table.list(CATALOGUE, keysUnder("head-"))) counts[Number(row.key.slice("head-".length))] = countOf(row);
  return counts.join(".");
}

/** One request for the counts, and one or two for each shard that has changed. */
export async function readChanges(table: Table, since: string): Promise<CatalogueChanges | null> {
  const known = countsOf(since);
  if (known === null) return null;
  const revision = await readRevision(table);
  const reads = (countsOf(revision) ?? []).map(async (count, shard) => changesOf(table, shard, known[shard] ?? 0, count));
  const changed = new Map<string, CatalogueEntry | null>();
  for (const changes of await Promise.all(reads)) {
    if (changes === null) return null;
    // In the order of the writes: an entry's shard never changes.
    for (const { id, entry } of changes) changed.set(id, entry);
  }
  return { revision, changed };
}

/** Null where some were overwritten already: by the ring's next round, also while it is read. */
async function changesOf(table: Table, shard: number, after: number, upTo: number): Promise<readonly Change[] | null> {
  if (after === upTo) return [];
  if (after > upTo || upTo - after > RING) return null;
  const [first, last] = [(after + 1) % RING, upTo % RING];
  const slots = first <= last ? [[first, last] as const] : [[first, RING - 1] as const, [0, last] as const];
  const changes: Change[] = [];
  for (const [from, to] of slots) {
    const rows = table.list(CATALOGUE, { from: ringKey(shard, from), below: ringKey(shard, to + 1) });
    for await (const row of rows) changes.push(recordOf(row) as Change);
  }
  return changes.length === upTo - after && changes.every(({ count }, at) => count === after + 1 + at) ? changes : null;
}

function countsOf(revision: string): readonly number[] | null {
  const counts = revision.split(".").map(Number);
  return counts.length === SHARDS && counts.every((count) => Number.isSafeInteger(count) && count >= 0) ? counts : null;
}

function countOf(row: Row): number {
  return Number(row.values["count"]);
}

function headKey(shard: number): string {
  return `head-${shard}`;
}

function ringKey(shard: number, slot: number): string {
  return `change-${shard}-${ascending(slot)}`;
}
