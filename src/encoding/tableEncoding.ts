/** Encoding's records in a table, for the workers of any number of machines. */
import type { Clock, Random } from "../core/clock.ts";
import type { AccountState, EncodingJob, EncodingMessage, EncodingState } from "../core/encoding.ts";
import { PaircastError } from "../core/errors.ts";
import type {
  EncodingStore,
  Errand,
  JobFilter,
  JobWrite,
  Timers,
  VersionedAccount,
  VersionedJob,
  WriteResult,
} from "../core/ports/encodingStore.ts";
import type { Row, RowChange, Table } from "../core/table.ts";
import { ascending, jsonValues, keysUnder, recordOf } from "../core/tableRows.ts";
import { accountKey, clientKey, ENCODING, jobChanges, jobKey, otherRows, placesOfText, storedJob, type StoredJob } from "./tableJobRows.ts";
import { grouped, planned, resultsOf } from "./tablePlan.ts";
import { counted, TOTALS_KEY, totalsChange, totalsOf } from "./tableTotals.ts";

export interface TableEncodingOptions {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
}

/** Others write at the same moment; each time one of them wins. */
const ATTEMPTS = 40;
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 200;
export class TableEncoding implements EncodingStore {
  readonly #options: TableEncodingOptions;
  /** The last write: this process's own need not get into each other's way. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Keys of messages that were given out. */
  readonly #messages = new Map<string, string>();

  constructor(options: TableEncodingOptions) {
    this.#options = options;
  }

  async write(writes: readonly JobWrite[]): Promise<readonly WriteResult[]> {
    const results: WriteResult[] = [];
    for (const together of grouped(writes)) results.push(...(await this.#inTurn(async () => this.#writeTogether(together))));
    return results;
  }

  async get(id: string): Promise<VersionedJob | null> {
    const stored = await this.#stored(id);
    return stored === null ? null : { job: stored.job, version: stored.etag };
  }

  async byClientId(clientId: string): Promise<VersionedJob | null> {
    const row = await this.#row(clientKey(clientId));
    return row === null ? null : this.get(row.values["id"] ?? "");
  }

  async take(errand: Errand, now: number, leaseMs: number, limit: number): Promise<readonly VersionedJob[]> {
    const taken: VersionedJob[] = [];
    for await (const row of this.#due(errand, now)) {
      if (taken.length === limit) break;
      const held = await this.#retime(row.values["id"] ?? "", errand, (at) => (at <= now ? now + leaseMs : null));
      if (held !== null) taken.push(held);
    }
    return taken;
  }

  async hasten(account: string, at: number): Promise<void> {
    const { table } = this.#options;
    for await (const row of table.list(ENCODING, { from: `follow-${ascending(Math.floor(at))}`, below: "follow." })) {
      if (!placesOfText(row.values["places"] ?? "").includes(account)) continue;
      await this.#retime(row.values["id"] ?? "", "follow", (due) => (due > at ? at : null));
    }
  }

  async places(): Promise<ReadonlyMap<string, number>> {
    const { places } = totalsOf(await this.#row(TOTALS_KEY));
    return new Map(Object.entries(places).filter(([, taken]) => taken > 0));
  }

  async remove(id: string, expected: string): Promise<boolean> {
    return this.#inTurn(async () =>
      this.#persist(`remove encoding job ${id}`, async () => {
        const stored = await this.#stored(id);
        if (stored?.etag !== expected) return false;
        const row = await this.#row(TOTALS_KEY);
        const before = { state: stored.job.state, places: stored.places };
        const totals = counted(totalsOf(row), before, { state: null, places: [] }, {}) ?? totalsOf(row);
        // A condition on what is deleted would have to stand alone. Every write replaces the totals, so that none passes unseen.
        const own: RowChange = { type: "delete", key: jobKey(id), etag: null };
        const made = await this.#options.table.write(ENCODING, [own, ...otherRows(stored), totalsChange(row, totals)]);
        return made === null ? null : true;
      }),
    );
  }

  async list({ state, after, limit }: JobFilter): Promise<readonly EncodingJob[]> {
    const jobs: EncodingJob[] = [];
    const range = { from: after === undefined ? "job-" : `${jobKey(after)}-`, below: "job." };
    for await (const row of this.#options.table.list(ENCODING, state === undefined ? { ...range, limit } : range)) {
      const { job } = storedJob(row);
      if (state === undefined || job.state === state) jobs.push(job);
      if (jobs.length === limit) break;
    }
    return jobs;
  }

  async count(): Promise<Readonly<Record<EncodingState, number>>> {
    return totalsOf(await this.#row(TOTALS_KEY)).states;
  }

  async outbox(now: number, leaseMs: number, limit: number): Promise<readonly EncodingMessage[]> {
    const messages: EncodingMessage[] = [];
    for await (const row of this.#options.table.list(ENCODING, keysUnder("out-"))) {
      if (messages.length === limit) break;
      if (Number(row.values["visibleAt"]) > now) continue;
      const values = { ...row.values, visibleAt: String(now + leaseMs) };
      if ((await this.#options.table.write(ENCODING, [{ type: "replace", key: row.key, values, etag: row.etag }])) === null) continue;
      const message = recordOf(row) as EncodingMessage;
      this.#messages.set(message.id, row.key);
      messages.push(message);
    }
    return messages;
  }

  async settle(ids: readonly string[]): Promise<void> {
    if (ids.some((id) => !this.#messages.has(id))) await this.#findMessages();
    for (const id of ids) {
      const key = this.#messages.get(id);
      this.#messages.delete(id);
      // Refused where it is not there, and that is as well.
      if (key !== undefined) await this.#options.table.write(ENCODING, [{ type: "delete", key, etag: null }]);
    }
  }

  /** Their keys begin with their times. */
  async oldestMessageAt(): Promise<number | null> {
    for await (const row of this.#options.table.list(ENCODING, keysUnder("out-", 1))) return (recordOf(row) as EncodingMessage).at;
    return null;
  }

  async accounts(): Promise<readonly VersionedAccount[]> {
    const rows = await Array.fromAsync(this.#options.table.list(ENCODING, keysUnder("account-")));
    return rows.map((row) => ({ state: recordOf(row) as AccountState, version: row.etag }));
  }

  async saveAccount(state: AccountState, expected: string | null): Promise<string | null> {
    const row = { key: accountKey(state.account), values: jsonValues(state, `account ${state.account}`) };
    const change: RowChange = expected === null ? { type: "insert", ...row } : { type: "replace", ...row, etag: expected };
    return (await this.#options.table.write(ENCODING, [change]))?.[0] ?? null;
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #writeTogether(writes: readonly JobWrite[]): Promise<readonly WriteResult[]> {
    const mark = this.#options.random.uuid();
    return this.#persist("write encoding jobs", async () => {
      const [row, stored] = await Promise.all([this.#row(TOTALS_KEY), Promise.all(writes.map(async ({ job }) => this.#stored(job.id)))]);
      // One transaction: where one of them is there, all are.
      if (stored.some((each) => each?.mark === mark)) return stored.map((each) => resultAfter(each, mark));
      const clients = await this.#clientsTaken(writes.filter((_, index) => stored[index] === null));
      const plan = planned(writes, { stored, clients, totals: totalsOf(row), mark });
      if (plan.changes.length === 0) return resultsOf(plan, writes, []);
      const etags = await this.#options.table.write(ENCODING, [...plan.changes, totalsChange(row, plan.totals)]);
      return etags === null ? null : resultsOf(plan, writes, etags);
    });
  }

  async #clientsTaken(writes: readonly JobWrite[]): Promise<ReadonlySet<string>> {
    const rows = await Promise.all(writes.map(async ({ job }) => this.#row(clientKey(job.clientId))));
    return new Set(rows.flatMap((row) => (row === null ? [] : [row.key])));
  }

  /** Sets a timer; `when` says to what, from what it is. Null where it says nothing, or somebody else was faster. */
  async #retime(id: string, errand: Errand, when: (at: number) => number | null): Promise<VersionedJob | null> {
    const stored = await this.#stored(id);
    const was = stored?.timers[errand] ?? null;
    const at = was === null ? null : when(was);
    if (stored === null || at === null) return null;
    const timers: Timers = { ...stored.timers, [errand]: at };
    const mark = this.#options.random.uuid();
    const etags = await this.#options.table.write(ENCODING, jobChanges(stored, { ...stored, timers, mark }));
    if (etags !== null) return { job: stored.job, version: etags[0] ?? "" };
    const newer = await this.#stored(id);
    return newer?.mark === mark ? { job: newer.job, version: newer.etag } : null;
  }

  #due(errand: Errand, now: number): AsyncIterable<Row> {
    if (errand === "follow")
      return this.#options.table.list(ENCODING, { from: "follow-", below: `follow-${ascending(Math.floor(now) + 1)}` });
    return visible(this.#options.table.list(ENCODING, keysUnder("place-")), now);
  }

  async #findMessages(): Promise<void> {
    for await (const row of this.#options.table.list(ENCODING, keysUnder("out-")))
      this.#messages.set((recordOf(row) as EncodingMessage).id, row.key);
  }

  async #row(key: string): Promise<Row | null> {
    return this.#options.table.get(ENCODING, key);
  }

  async #stored(id: string): Promise<StoredJob | null> {
    // What has other characters is no id of ours.
    const row = /^[0-9a-z]+$/.test(id) ? await this.#row(jobKey(id)) : null;
    return row === null ? null : storedJob(row);
  }

  /** `work` gives null where somebody else has written meanwhile. */
  async #persist<T>(what: string, work: () => Promise<T | null>): Promise<T> {
    const { clock, random } = this.#options;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const result = await work();
      if (result !== null) return result;
      await clock.sleep(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt) * random.next());
    }
    throw new PaircastError("state_unavailable", `${what}: others write all the time`, { retry: "retry" });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

async function* visible(rows: AsyncIterable<Row>, now: number): AsyncGenerator<Row> {
  for await (const row of rows) if (Number(row.values["at"]) <= now) yield row;
}

/** After a write that was made though its answer was lost: what is not in it had been refused. */
function resultAfter(stored: StoredJob | null, mark: string): WriteResult {
  return stored?.mark === mark ? { ok: true, version: stored.etag } : { ok: false, why: "conflict" };
}
