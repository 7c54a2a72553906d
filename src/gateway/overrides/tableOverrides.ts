/** Overrides in a table: one partition with a head row that counts events, so that every change is one transaction that nobody else's can cross. */
import type { Clock, Random } from "../../core/clock.ts";
import type { Override } from "../../core/contracts.ts";
import { PaircastError } from "../../core/errors.ts";
import type { OverrideEvent, OverrideStore } from "../../core/ports/overrides.ts";
import type { Row, RowChange, Table } from "../../core/table.ts";
import { descending, jsonValues, keyOf, keysUnder, recordOf } from "../../core/tableRows.ts";

const PARTITION = "overrides";
const HEAD = "head";
/** Who lifts an override whose time is up. */
const EXPIRY = "expiry";
/** Ended in one transaction; each takes two rows of its hundred. */
const EXPIRED_AT_ONCE = 40;
const ATTEMPTS = 20;
const LONGEST_PAUSE_MS = 50;

export interface TableOverridesOptions {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
}

/** What is stored, and what it was read under. */
interface Stored {
  readonly count: number;
  readonly etag: string | null;
  /** Of the last write. */
  readonly mark: string;
  readonly overrides: readonly Override[];
}

interface Plan<T> {
  readonly events: readonly OverrideEvent[];
  /** What takes the place of another one of the same region and service. */
  readonly set: Override | null;
  readonly result: T;
}

export class TableOverrides implements OverrideStore {
  readonly #options: TableOverridesOptions;

  constructor(options: TableOverridesOptions) {
    this.#options = options;
  }

  async set(override: Override, expected?: string): Promise<void> {
    await this.#change((stored) => {
      if (expected !== undefined && expected !== String(stored.count))
        throw new PaircastError("overrides_conflict", `set an override: revision ${stored.count} is stored, not ${expected}`, {
          retry: "conflict",
        });
      const set: OverrideEvent = { at: override.createdAt, action: "set", override, by: override.by };
      return { events: [...expiries(stored, override.createdAt), set], set: override, result: null };
    });
  }

  async lift(id: string, by: string, now: number): Promise<Override | null> {
    return this.#change((stored) => {
      const override = stored.overrides.find((each) => each.id === id && each.expiresAt > now) ?? null;
      const lifted: OverrideEvent[] = override === null ? [] : [{ at: now, action: "lifted", override, by }];
      return { events: [...expiries(stored, now), ...lifted], set: null, result: override };
    });
  }

  async expire(now: number): Promise<readonly Override[]> {
    const expired: Override[] = [];
    for (;;) {
      const some = await this.#change((stored) => {
        const events = expiries(stored, now);
        return { events, set: null, result: events.map(({ override }) => override) };
      });
      expired.push(...some);
      if (some.length < EXPIRED_AT_ONCE) return expired;
    }
  }

  async active(now: number): Promise<readonly Override[]> {
    const { overrides } = await this.#read();
    const active = overrides.filter(({ expiresAt }) => expiresAt > now);
    return active.toSorted((one, other) => one.createdAt - other.createdAt || (one.id < other.id ? -1 : 1));
  }

  async audit(limit: number): Promise<readonly OverrideEvent[]> {
    const rows = await Array.fromAsync(this.#options.table.list(PARTITION, keysUnder("audit-", limit)));
    return rows.map((row) => recordOf(row) as OverrideEvent);
  }

  async revision(): Promise<string> {
    return (await this.#options.table.get(PARTITION, HEAD))?.values["count"] ?? "0";
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  /** Decides on what is stored, and again where somebody else was faster. */
  async #change<T>(decide: (stored: Stored) => Plan<T>): Promise<T> {
    const { table, clock, random } = this.#options;
    const mark = random.uuid();
    let tried: { readonly result: T } | null = null;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const stored = await this.#read();
      // The answer to the write was lost, and the service made it all the same.
      if (stored.mark === mark && tried !== null) return tried.result;
      const plan = decide(stored);
      if (plan.events.length === 0) return plan.result;
      tried = plan;
      if ((await table.write(PARTITION, changesFor(plan, stored, mark))) !== null) return plan.result;
      await clock.sleep(random.next() * LONGEST_PAUSE_MS);
    }
    throw new PaircastError("state_unavailable", "change an override: too many others do so at the same time", { retry: "retry" });
  }

  /** Head and overrides stand together, so one page shows them as they were at one moment. */
  async #read(): Promise<Stored> {
    const { table } = this.#options;
    const rows = await Array.fromAsync(table.list(PARTITION, { from: HEAD, below: "override." }));
    const head = rows.find(({ key }) => key === HEAD);
    const overrides = rows.filter((row) => row !== head).map((row) => recordOf(row) as Override);
    return { count: countOf(head), etag: head?.etag ?? null, mark: head?.values["mark"] ?? "", overrides };
  }
}

/** Of those whose time is up, the first to have ended: as many as fit into a transaction beside what else happens. */
function expiries({ overrides }: Stored, now: number): OverrideEvent[] {
  const expired = overrides.filter(({ expiresAt }) => expiresAt <= now).toSorted((one, other) => one.expiresAt - other.expiresAt);
  return expired.slice(0, EXPIRED_AT_ONCE).map((override) => ({ at: override.expiresAt, action: "expired", override, by: EXPIRY }));
}

function changesFor({ events, set }: Plan<unknown>, { count, etag }: Stored, mark: string): RowChange[] {
  const values = { count: String(count + events.length), mark };
  const head: RowChange = etag === null ? { type: "insert", key: HEAD, values } : { type: "replace", key: HEAD, values, etag };
  const ended = events.filter(({ action }) => action !== "set").map(({ override }) => overrideKey(override));
  const gone = new Set(ended.filter((key) => set === null || key !== overrideKey(set)));
  return [
    head,
    ...events.map((event, at): RowChange => ({
      type: "insert",
      key: auditKey(count + at + 1),
      values: jsonValues(event, "an audit event"),
    })),
    ...[...gone].map((key): RowChange => ({ type: "delete", key, etag: null })),
    ...(set === null
      ? []
      : [{ type: "replace", key: overrideKey(set), values: jsonValues(set, `override ${set.id}`), etag: null } as const]),
  ];
}

function overrideKey({ region, service }: Override): string {
  return `override-${keyOf(region)}-${service}`;
}

function auditKey(count: number): string {
  return `audit-${descending(count)}`;
}

function countOf(head: Row | undefined): number {
  return Number(head?.values["count"] ?? "0");
}
