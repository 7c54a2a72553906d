/** Overrides in SQLite, in the same file as catalogue and journal: every gateway that shares the file follows them. */
import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import type { Override } from "../../core/contracts.ts";
import { PaircastError } from "../../core/errors.ts";
import type { OverrideEvent, OverrideStore } from "../../core/ports/overrides.ts";
import { inTransaction, openDatabase } from "../../core/sqlite.ts";

/** Who lifts an override whose time is up. */
const EXPIRY = "expiry";

type Row = Record<string, SQLOutputValue>;

export class SqliteOverrides implements OverrideStore {
  readonly #database: DatabaseSync;
  readonly #revision: StatementSync;

  /** Opens its own connection; see `openDatabase` for the errors. */
  constructor(path: string) {
    this.#database = openDatabase(path);
    this.#revision = this.#database.prepare("SELECT revision FROM override_state WHERE id = 1");
  }

  async set(override: Override, expected?: string): Promise<void> {
    inTransaction(this.#database, () => {
      this.#expect(expected);
      this.#removeExpired(override.createdAt);
      this.#database
        .prepare(
          `INSERT INTO overrides (region, service, id, kind, reason, set_by, created_at, expires_at, forced) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (region, service) DO UPDATE SET id = excluded.id, kind = excluded.kind, reason = excluded.reason,
               set_by = excluded.set_by, created_at = excluded.created_at, expires_at = excluded.expires_at, forced = excluded.forced`,
        )
        .run(
          override.region,
          override.service,
          override.id,
          override.kind,
          override.reason,
          override.by,
          override.createdAt,
          override.expiresAt,
          override.forced === true ? 1 : 0,
        );
      this.#record({ at: override.createdAt, action: "set", override, by: override.by });
    });
  }

  async lift(id: string, by: string, now: number): Promise<Override | null> {
    return inTransaction(this.#database, () => {
      this.#removeExpired(now);
      const row = this.#database.prepare("DELETE FROM overrides WHERE id = ? RETURNING *").get(id);
      if (row === undefined) return null;
      const override = overrideOf(row);
      this.#record({ at: now, action: "lifted", override, by });
      return override;
    });
  }

  async expire(now: number): Promise<readonly Override[]> {
    // Several gateways come at the same moment, and one write lock is enough.
    if (this.#database.prepare("SELECT 1 FROM overrides WHERE expires_at <= ?").get(now) === undefined) return [];
    return inTransaction(this.#database, () => this.#removeExpired(now));
  }

  async active(now: number): Promise<readonly Override[]> {
    return this.#database.prepare("SELECT * FROM overrides WHERE expires_at > ? ORDER BY created_at, id").all(now).map(overrideOf);
  }

  async audit(limit: number): Promise<readonly OverrideEvent[]> {
    return this.#database.prepare("SELECT * FROM override_audit ORDER BY number DESC LIMIT ?").all(limit).map(eventOf);
  }

  async revision(): Promise<string> {
    return String(this.#revision.get()?.["revision"]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  #expect(expected: string | undefined): void {
    if (expected === undefined) return;
    const stored = String(this.#revision.get()?.["revision"]);
    if (stored === expected) return;
    throw new PaircastError("overrides_conflict", `set an override: revision ${stored} is stored, not ${expected}`, { retry: "conflict" });
  }

  #removeExpired(now: number): Override[] {
    const rows = this.#database.prepare("DELETE FROM overrides WHERE expires_at <= ? RETURNING *").all(now);
    const expired = rows.map(overrideOf).toSorted((one, other) => one.expiresAt - other.expiresAt);
    for (const override of expired) this.#record({ at: override.expiresAt, action: "expired", override, by: EXPIRY });
    return expired;
  }

  /** Every change is an event, so the revision counts events. */
  #record({ at, action, override, by }: OverrideEvent): void {
    this.#database
      .prepare("INSERT INTO override_audit (at, action, done_by, override) VALUES (?, ?, ?, ?)")
      .run(at, action, by, JSON.stringify(override));
    this.#database.exec("UPDATE override_state SET revision = revision + 1 WHERE id = 1");
  }
}

function overrideOf(row: Row): Override {
  return {
    id: String(row["id"]),
    kind: row["kind"] as Override["kind"],
    region: String(row["region"]),
    service: row["service"] as Override["service"],
    reason: String(row["reason"]),
    by: String(row["set_by"]),
    createdAt: Number(row["created_at"]),
    expiresAt: Number(row["expires_at"]),
    ...(row["forced"] === 1 ? { forced: true } : {}),
  };
}

function eventOf(row: Row): OverrideEvent {
  return {
    at: Number(row["at"]),
    action: row["action"] as OverrideEvent["action"],
    override: JSON.parse(String(row["override"])) as Override,
    by: String(row["done_by"]),
  };
}
