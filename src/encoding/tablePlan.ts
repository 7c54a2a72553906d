/** What a few writes of jobs make of a table's rows, and which of them are refused. */
import type { EncodingMessage } from "../core/encoding.ts";
import type { JobWrite, WriteResult } from "../core/ports/encodingStore.ts";
import { MAX_CHANGES, type RowChange } from "../core/table.ts";
import { jsonValues } from "../core/tableRows.ts";
import { clientKey, jobChanges, jobKey, messageKey, type StoredJob } from "./tableJobRows.ts";
import { counted, type Totals } from "./tableTotals.ts";

/** As things stand before the writes. */
export interface Situation {
  /** In the order of the writes. */
  readonly stored: readonly (StoredJob | null)[];
  /** Keys of client ids that are there already. */
  readonly clients: ReadonlySet<string>;
  readonly totals: Totals;
  readonly mark: string;
}

export interface Plan {
  /** `made`: if the changes are. */
  readonly results: readonly ("made" | "conflict" | "full")[];
  readonly changes: readonly RowChange[];
  readonly totals: Totals;
}

/** Rows that a write of a job changes at most, beside its messages. */
const ROWS = 6;

/** Writes in groups that fit into one transaction, the totals included. */
export function grouped(writes: readonly JobWrite[]): JobWrite[][] {
  const groups: JobWrite[][] = [];
  let rows = MAX_CHANGES;
  for (const write of writes) {
    const own = ROWS + write.messages.length;
    if (rows + own >= MAX_CHANGES) {
      groups.push([]);
      rows = 0;
    }
    groups.at(-1)?.push(write);
    rows += own;
  }
  return groups;
}

export function planned(writes: readonly JobWrite[], situation: Situation): Plan {
  const taken = new Set(situation.clients);
  let plan: Plan = { results: [], changes: [], totals: situation.totals };
  for (const [index, write] of writes.entries()) plan = withWrite(plan, write, situation.stored[index] ?? null, taken, situation.mark);
  return plan;
}

/** `taken`: what no other write may use any more: ids of jobs that are written, keys of client ids. */
function withWrite(plan: Plan, write: JobWrite, before: StoredJob | null, taken: Set<string>, mark: string): Plan {
  const { job, expected, timers, places, capacity, messages } = write;
  const refused = (why: "conflict" | "full"): Plan => ({ ...plan, results: [...plan.results, why] });
  const client = clientKey(job.clientId);
  if ((before?.etag ?? null) !== expected || taken.has(job.id) || (before === null && taken.has(client))) return refused("conflict");
  const was = before === null ? { state: null, places: [] } : { state: before.job.state, places: before.places };
  const totals = counted(plan.totals, was, { state: job.state, places }, capacity);
  if (totals === null) return refused("full");
  taken.add(job.id).add(client);
  const own = jobChanges(before, { job, timers, places, mark });
  const named: RowChange[] = before === null ? [{ type: "insert", key: client, values: { id: job.id } }] : [];
  const changes = [...plan.changes, ...own, ...named, ...messages.map(messageChange)];
  return { results: [...plan.results, "made"], changes, totals };
}

function messageChange(message: EncodingMessage): RowChange {
  const values = { ...jsonValues(message, `message ${message.id}`), visibleAt: "0" };
  return { type: "replace", key: messageKey(message), values, etag: null };
}

/** The etags are in the order of the changes. */
export function resultsOf({ results, changes }: Plan, writes: readonly JobWrite[], etags: readonly string[]): readonly WriteResult[] {
  const places = new Map(changes.map(({ key }, index) => [key, index]));
  return results.map((result, index) => {
    if (result !== "made") return { ok: false, why: result };
    const at = places.get(jobKey(writes[index]?.job.id ?? "")) ?? -1;
    return { ok: true, version: etags[at] ?? "" };
  });
}
