/** Leases of jobs, in the catalogue's own partition: only so can a catalogue entry and the look at a lease be one transaction. */
import type { Fence } from "../../core/ports/journal.ts";
import type { Row, RowChange, Table } from "../../core/table.ts";
import { keyOf } from "../../core/tableRows.ts";

/** Partition of the catalogue, its revision, its changes and the leases. */
export const CATALOGUE = "catalogue";
/** Others may take and give back the lease while it is looked at; so often in a row they do not. */
const ATTEMPTS = 5;

interface Held {
  readonly owner: string;
  readonly until: string;
  readonly etag: string;
}

export class TableLeases {
  readonly #table: Table;
  readonly #skew: () => number;
  /** What was written last, for writing the next without reading. */
  readonly #held = new Map<string, Held>();

  /** `skew`: milliseconds by which the service's clock is ahead of this machine's. Ends of leases are kept in the service's time. */
  constructor(table: Table, skew: () => number) {
    this.#table = table;
    this.#skew = skew;
  }

  /** One request where the lease is free, or was written by this process last. */
  async acquire(jobId: string, owner: string, now: number, leaseMs: number): Promise<boolean> {
    const at = now + this.#skew();
    const lease = { owner, until: String(at + leaseMs) };
    const held = this.#held.get(jobId);
    let etag = held?.owner === owner ? held.etag : null;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      if (await this.#write(jobId, lease, etag)) return true;
      const row = await this.#table.get(CATALOGUE, leaseKey(jobId));
      if (row !== null && row.values["owner"] !== owner && Number(row.values["until"]) > at) return false;
      etag = row?.etag ?? null;
    }
    return false;
  }

  async release(jobId: string, owner: string): Promise<void> {
    const held = this.#held.get(jobId);
    this.#held.delete(jobId);
    if (held?.owner === owner && (await this.#delete(jobId, held.etag))) return;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const row = await this.#table.get(CATALOGUE, leaseKey(jobId));
      if (row?.values["owner"] !== owner || (await this.#delete(jobId, row.etag))) return;
    }
  }

  /**
   * Changes that fail where the lease is not the owner's any more, none without a fence; null where that is known already. Their etags are for
   * `confirmed`. With `fresh`, nothing that was known before is believed.
   */
  async conditions(fence: Fence | null, fresh: boolean): Promise<readonly RowChange[] | null> {
    if (fence === null) return [];
    const { jobId, owner } = fence;
    const known = fresh ? undefined : this.#held.get(jobId);
    const held = known?.owner === owner ? known : heldBy(owner, await this.#table.get(CATALOGUE, leaseKey(jobId)));
    if (held === null) return null;
    this.#held.set(jobId, held);
    return [{ type: "replace", key: leaseKey(jobId), values: { owner, until: held.until }, etag: held.etag }];
  }

  confirmed(fence: Fence | null, etags: readonly string[]): void {
    const held = fence === null ? undefined : this.#held.get(fence.jobId);
    const [etag] = etags;
    if (fence !== null && etag !== undefined && held?.owner === fence.owner) this.#held.set(fence.jobId, { ...held, etag });
  }

  /** Null for an etag: where there is none yet. */
  async #write(jobId: string, lease: Omit<Held, "etag">, etag: string | null): Promise<boolean> {
    const row = { key: leaseKey(jobId), values: { ...lease } };
    const written = await this.#table.write(CATALOGUE, [etag === null ? { type: "insert", ...row } : { type: "replace", ...row, etag }]);
    const [next] = written ?? [];
    if (next === undefined) this.#held.delete(jobId);
    else this.#held.set(jobId, { ...lease, etag: next });
    return next !== undefined;
  }

  async #delete(jobId: string, etag: string): Promise<boolean> {
    return (await this.#table.write(CATALOGUE, [{ type: "delete", key: leaseKey(jobId), etag }])) !== null;
  }
}

function heldBy(owner: string, row: Row | null): Held | null {
  const { values } = row ?? {};
  return row !== null && values?.["owner"] === owner ? { owner, until: values["until"] ?? "0", etag: row.etag } : null;
}

function leaseKey(jobId: string): string {
  return `lease-${keyOf(jobId)}`;
}
