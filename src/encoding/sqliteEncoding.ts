/** Encoding's records in SQLite, in the same file as the rest of the state: for the workers of one machine. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import {
  ENCODING_STATES,
  PRIORITIES,
  type AccountState,
  type EncodingJob,
  type EncodingMessage,
  type EncodingState,
} from "../core/encoding.ts";
import type {
  EncodingStore,
  Errand,
  JobFilter,
  JobWrite,
  VersionedAccount,
  VersionedJob,
  WriteResult,
} from "../core/ports/encodingStore.ts";
import { inTransaction, openDatabase } from "../core/sqlite.ts";
import { placesChanged, placesFit } from "./placesTaken.ts";

type Row = Record<string, SQLOutputValue>;

const CONFLICT: WriteResult = { ok: false, why: "conflict" };
const FULL: WriteResult = { ok: false, why: "full" };
const TIMER = { place: "place_at", follow: "follow_at" } as const;
const ORDER = { place: "priority, created_at", follow: "follow_at" } as const;

interface Stored {
  readonly version: number;
  readonly state: EncodingState;
  readonly places: readonly string[];
}

export class SqliteEncoding implements EncodingStore {
  readonly #database: DatabaseSync;
  /** Preparing one costs as much as running it. */
  readonly #statements = new Map<string, StatementSync>();

  /** Opens its own connection; see `openDatabase` for the errors. */
  constructor(path: string) {
    this.#database = openDatabase(path);
  }

  async write(writes: readonly JobWrite[]): Promise<readonly WriteResult[]> {
    if (writes.length === 0) return [];
    return inTransaction(this.#database, () => writes.map((write) => this.#write(write)));
  }

  async get(id: string): Promise<VersionedJob | null> {
    const row = this.#sql("SELECT version, job FROM encoding_jobs WHERE id = ?").get(id);
    return row === undefined ? null : versioned(row);
  }

  async byClientId(clientId: string): Promise<VersionedJob | null> {
    const row = this.#sql("SELECT version, job FROM encoding_jobs WHERE client_id = ?").get(clientId);
    return row === undefined ? null : versioned(row);
  }

  async take(errand: Errand, now: number, leaseMs: number, limit: number): Promise<readonly VersionedJob[]> {
    const timer = TIMER[errand];
    const due = this.#sql(
      `SELECT number, version + 1 AS version, job FROM encoding_jobs WHERE ${timer} IS NOT NULL AND ${timer} <= ? ORDER BY ${ORDER[errand]} LIMIT ?`,
    );
    // Whoever finds nothing writes nothing.
    if (due.get(now, 1) === undefined) return [];
    return inTransaction(this.#database, () => {
      const rows = due.all(now, limit);
      const lease = this.#sql(`UPDATE encoding_jobs SET ${timer} = ?, version = version + 1 WHERE number = ?`);
      for (const row of rows) lease.run(now + leaseMs, Number(row["number"]));
      return rows.map(versioned);
    });
  }

  async hasten(account: string, at: number): Promise<void> {
    this.#sql(
      "UPDATE encoding_jobs SET follow_at = ?1, version = version + 1 WHERE places <> '' AND follow_at > ?1 AND instr(places, ?2) > 0",
    ).run(at, ` ${account} `);
  }

  async places(): Promise<ReadonlyMap<string, number>> {
    const rows = this.#sql("SELECT account, taken FROM encoding_places WHERE taken > 0").all();
    return new Map(rows.map((row) => [String(row["account"]), Number(row["taken"])]));
  }

  async remove(id: string, expected: string): Promise<boolean> {
    return inTransaction(this.#database, () => {
      const stored = this.#stored(id);
      if (stored === null || String(stored.version) !== expected) return false;
      this.#sql("DELETE FROM encoding_jobs WHERE id = ?").run(id);
      this.#take(placesChanged(stored.places, []));
      this.#count(stored.state, -1);
      return true;
    });
  }

  async list({ state, after, limit }: JobFilter): Promise<readonly EncodingJob[]> {
    const conditions = [...(state === undefined ? [] : ["state = ?"]), ...(after === undefined ? [] : ["id < ?"])];
    const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
    const values: SQLInputValue[] = [...(state === undefined ? [] : [state]), ...(after === undefined ? [] : [after]), limit];
    return this.#sql(`SELECT job FROM encoding_jobs ${where} ORDER BY id DESC LIMIT ?`)
      .all(...values)
      .map(jobOf);
  }

  async count(): Promise<Readonly<Record<EncodingState, number>>> {
    const rows = this.#sql("SELECT state, jobs FROM encoding_counts").all();
    const counts = new Map(rows.map((row) => [String(row["state"]), Number(row["jobs"])]));
    const entries = ENCODING_STATES.map((state) => [state, counts.get(state) ?? 0] as const);
    return Object.fromEntries(entries) as Record<EncodingState, number>;
  }

  async outbox(now: number, leaseMs: number, limit: number): Promise<readonly EncodingMessage[]> {
    const due = this.#sql("SELECT number, message FROM encoding_outbox WHERE visible_at <= ? ORDER BY number LIMIT ?");
    if (due.get(now, 1) === undefined) return [];
    return inTransaction(this.#database, () => {
      const rows = due.all(now, limit);
      const lease = this.#sql("UPDATE encoding_outbox SET visible_at = ? WHERE number = ?");
      for (const row of rows) lease.run(now + leaseMs, Number(row["number"]));
      return rows.map((row) => JSON.parse(String(row["message"])) as EncodingMessage);
    });
  }

  async settle(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    inTransaction(this.#database, () => {
      const settled = this.#sql("DELETE FROM encoding_outbox WHERE id = ?");
      for (const id of ids) settled.run(id);
    });
  }

  async oldestMessageAt(): Promise<number | null> {
    const row = this.#sql("SELECT message FROM encoding_outbox ORDER BY number LIMIT 1").get();
    return row === undefined ? null : (JSON.parse(String(row["message"])) as EncodingMessage).at;
  }

  async accounts(): Promise<readonly VersionedAccount[]> {
    const rows = this.#sql("SELECT version, state FROM encoding_accounts ORDER BY account").all();
    return rows.map((row) => ({ state: JSON.parse(String(row["state"])) as AccountState, version: String(row["version"]) }));
  }

  async saveAccount(state: AccountState, expected: string | null): Promise<string | null> {
    const next = expected === null ? 1 : Number(expected) + 1;
    const { changes } =
      expected === null
        ? this.#sql("INSERT INTO encoding_accounts (account, version, state) VALUES (?, ?, ?) ON CONFLICT DO NOTHING").run(
            state.account,
            next,
            JSON.stringify(state),
          )
        : this.#sql("UPDATE encoding_accounts SET version = ?, state = ? WHERE account = ? AND version = ?").run(
            next,
            JSON.stringify(state),
            state.account,
            Number(expected),
          );
    return changes === 0 ? null : String(next);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  #write(write: JobWrite): WriteResult {
    const { job, expected, places, capacity, messages } = write;
    const stored = this.#stored(job.id);
    if (versionOf(stored) !== expected) return CONFLICT;
    const changes = placesChanged(stored?.places ?? [], places);
    if (!placesFit(changes, (account) => this.#taken(account), capacity)) return FULL;
    const version = stored === null ? this.#insert(write) : this.#update(write, stored.version + 1);
    if (version === null) return CONFLICT;
    this.#take(changes);
    this.#recount(stored?.state ?? null, job.state);
    for (const message of messages) this.#put(message);
    return { ok: true, version: String(version) };
  }

  #recount(before: EncodingState | null, after: EncodingState): void {
    if (before === after) return;
    this.#count(after, 1);
    if (before !== null) this.#count(before, -1);
  }

  /** Null where there is a job of this client id. */
  #insert({ job, timers, places }: JobWrite): number | null {
    const { changes } = this.#sql(
      `INSERT INTO encoding_jobs (id, client_id, version, state, priority, created_at, place_at, follow_at, places, job)
         VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    ).run(
      job.id,
      job.clientId,
      job.state,
      PRIORITIES.indexOf(job.priority),
      job.createdAt,
      timers.place,
      timers.follow,
      placesText(places),
      JSON.stringify(job),
    );
    return changes === 0 ? null : 1;
  }

  #update({ job, timers, places }: JobWrite, version: number): number {
    this.#sql(
      "UPDATE encoding_jobs SET version = ?, state = ?, priority = ?, place_at = ?, follow_at = ?, places = ?, job = ? WHERE id = ?",
    ).run(
      version,
      job.state,
      PRIORITIES.indexOf(job.priority),
      timers.place,
      timers.follow,
      placesText(places),
      JSON.stringify(job),
      job.id,
    );
    return version;
  }

  #put(message: EncodingMessage): void {
    this.#sql("INSERT INTO encoding_outbox (id, visible_at, message) VALUES (?, 0, ?) ON CONFLICT DO NOTHING").run(
      message.id,
      JSON.stringify(message),
    );
  }

  #stored(id: string): Stored | null {
    const row = this.#sql("SELECT version, state, places FROM encoding_jobs WHERE id = ?").get(id);
    if (row === undefined) return null;
    const places = String(row["places"]).trim();
    return {
      version: Number(row["version"]),
      state: String(row["state"]) as EncodingState,
      places: places === "" ? [] : places.split(/ +/),
    };
  }

  #taken(account: string): number {
    return Number(this.#sql("SELECT taken FROM encoding_places WHERE account = ?").get(account)?.["taken"] ?? 0);
  }

  #take(changes: ReadonlyMap<string, number>): void {
    for (const [account, change] of changes)
      this.#sql(
        "INSERT INTO encoding_places (account, taken) VALUES (?, ?) ON CONFLICT (account) DO UPDATE SET taken = taken + excluded.taken",
      ).run(account, change);
  }

  #count(state: EncodingState, by: number): void {
    this.#sql("INSERT INTO encoding_counts (state, jobs) VALUES (?, ?) ON CONFLICT (state) DO UPDATE SET jobs = jobs + excluded.jobs").run(
      state,
      by,
    );
  }

  #sql(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }
}

function versionOf(stored: Stored | null): string | null {
  return stored === null ? null : String(stored.version);
}

/** The names of accounts, each between spaces, which no name of a region has. */
function placesText(places: readonly string[]): string {
  return places.length === 0 ? "" : ` ${places.join("  ")} `;
}

function versioned(row: Row): VersionedJob {
  return { job: jobOf(row), version: String(row["version"]) };
}

function jobOf(row: Row): EncodingJob {
  return JSON.parse(String(row["job"])) as EncodingJob;
}
