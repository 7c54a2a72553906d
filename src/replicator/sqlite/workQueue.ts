/** A work queue in SQLite, in the same file as catalogue and journal: for the workers of one machine. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { Clock } from "../../core/clock.ts";
import type { DeadLetter, WorkItem, WorkQueue } from "../../core/ports/work.ts";
import { inTransaction, openDatabase } from "../../core/sqlite.ts";
import { checkWork, exhausted, workLost } from "../workLimits.ts";

type Row = Record<string, SQLOutputValue>;

export interface SqliteWorkQueueOptions {
  readonly path: string;
  readonly name: string;
  readonly maxTakes: number;
  readonly clock: Clock;
}

export class SqliteWorkQueue implements WorkQueue {
  readonly #database: DatabaseSync;
  readonly #options: SqliteWorkQueueOptions;

  /** Opens its own connection; see `openDatabase` for the errors. */
  constructor(options: SqliteWorkQueueOptions) {
    this.#database = openDatabase(options.path);
    this.#options = options;
  }

  async put(body: string, delayMs = 0): Promise<void> {
    checkWork(body, delayMs);
    this.#put(body, this.#options.clock.now(), delayMs);
  }

  async take(leaseMs: number): Promise<WorkItem | null> {
    const { name, clock, maxTakes } = this.#options;
    const now = clock.now();
    return inTransaction(this.#database, () => {
      this.#database
        .prepare("UPDATE work SET buried = ? WHERE queue = ? AND buried IS NULL AND visible_at <= ? AND takes >= ?")
        .run(exhausted(maxTakes), name, now, maxTakes);
      const row = this.#database
        .prepare(
          `UPDATE work SET takes = takes + 1, visible_at = ?1 WHERE id = (SELECT id FROM work WHERE queue = ?2 AND buried IS NULL AND visible_at <= ?3
             ORDER BY visible_at, id LIMIT 1) RETURNING id, body, takes`,
        )
        .get(now + leaseMs, name, now);
      return row === undefined ? null : itemOf(row);
    });
  }

  async renew(item: WorkItem, leaseMs: number): Promise<WorkItem> {
    this.#ours(item, "UPDATE work SET visible_at = ?", this.#options.clock.now() + leaseMs);
    return item;
  }

  async complete(item: WorkItem): Promise<void> {
    this.#ours(item, "DELETE FROM work");
  }

  async release(item: WorkItem, delayMs = 0): Promise<void> {
    checkWork("", delayMs);
    this.#ours(item, "UPDATE work SET visible_at = ?", this.#options.clock.now() + delayMs);
  }

  async bury(item: WorkItem, reason: string): Promise<void> {
    this.#ours(item, "UPDATE work SET buried = ?", reason);
  }

  async pending(): Promise<number> {
    const row = this.#database.prepare("SELECT count(*) AS pending FROM work WHERE queue = ? AND buried IS NULL").get(this.#options.name);
    return Number(row?.["pending"]);
  }

  async deadLetters(limit: number): Promise<readonly DeadLetter[]> {
    return this.#database
      .prepare(
        "SELECT id, body, takes, buried, put_at FROM work WHERE queue = ? AND buried IS NOT NULL ORDER BY put_at DESC, id DESC LIMIT ?",
      )
      .all(this.#options.name, limit)
      .map(letterOf);
  }

  async replay(id: string): Promise<boolean> {
    return inTransaction(this.#database, () => {
      const row = this.#database
        .prepare("DELETE FROM work WHERE id = ? AND queue = ? AND buried IS NOT NULL RETURNING body")
        .get(/^\d+$/.test(id) ? Number(id) : -1, this.#options.name);
      if (row === undefined) return false;
      this.#put(String(row["body"]), this.#options.clock.now(), 0);
      return true;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  #put(body: string, now: number, delayMs: number): void {
    this.#database
      .prepare("INSERT INTO work (queue, body, visible_at, takes, put_at) VALUES (?, ?, ?, 0, ?)")
      .run(this.#options.name, body, now + delayMs, now);
  }

  /** A statement about the row of this very take. */
  #ours(item: WorkItem, statement: string, ...values: (string | number)[]): void {
    const { changes } = this.#database
      .prepare(`${statement} WHERE id = ? AND queue = ? AND buried IS NULL AND takes = ?`)
      .run(...values, Number(item.id), this.#options.name, item.takes);
    if (changes === 0) throw workLost(item);
  }
}

function itemOf(row: Row): WorkItem {
  return {
    id: String(row["id"]),
    body: String(row["body"]),
    takes: Number(row["takes"]),
    receipt: `${String(row["id"])}/${String(row["takes"])}`,
  };
}

function letterOf(row: Row): DeadLetter {
  return {
    id: String(row["id"]),
    body: String(row["body"]),
    takes: Number(row["takes"]),
    reason: String(row["buried"]),
    putAt: Number(row["put_at"]),
  };
}
