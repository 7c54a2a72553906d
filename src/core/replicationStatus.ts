/** How far replication is, for each target, of what catalogue and journal say. Pure. */
import type { CatalogueEntry } from "./contracts.ts";
import type { JobRecord } from "./ports/journal.ts";

export interface TargetReplication {
  readonly target: string;
  /** Videos (locators) that it may serve, its own originals among them. */
  readonly verified: number;
  /** Videos that their source has, verified, and that this target lacks or must not serve. */
  readonly pending: number;
  /** Since when the first of these waits, epoch milliseconds; null for none. */
  readonly oldestPendingAt: number | null;
  /** Assets whose last job failed, of the newest jobs. */
  readonly failed: number;
  /** Assets in conflict, of the newest. */
  readonly conflicts: number;
  /** Jobs that came to their end within the last hour, of the newest. */
  readonly doneLastHour: number;
}

export interface ReplicationStatus {
  /** Epoch milliseconds, as all times here. */
  readonly at: number;
  readonly targets: readonly TargetReplication[];
  /** Null where there is no queue. `deadLetters` counts at most a thousand. */
  readonly queue: { readonly pending: number; readonly deadLetters: number } | null;
  /** Looks through everything that have not come to their end. */
  readonly backfill: readonly { readonly region: string; readonly startedAt: number; readonly pages: number }[];
  /** When the last complete look through everything began, as part of `serve` or `replicate --follow`; null: never. */
  readonly lastFullAt: number | null;
}

const HOUR_MS = 3_600_000;

interface Counts {
  verified: number;
  pending: number;
  oldestPendingAt: number | null;
  failed: number;
  conflicts: number;
  doneLastHour: number;
}

/** Adds up entry by entry: a library's catalogue is not held for it. */
export class TargetCounts {
  readonly #now: number;
  readonly #counts: ReadonlyMap<string, Counts>;

  constructor(targets: readonly string[], now: number) {
    this.#now = now;
    this.#counts = new Map(
      targets.map((target) => [target, { verified: 0, pending: 0, oldestPendingAt: null, failed: 0, conflicts: 0, doneLastHour: 0 }]),
    );
  }

  entry({ source, regions }: CatalogueEntry): void {
    const original = regions[source];
    for (const [target, counts] of this.#counts) {
      const copy = regions[target];
      if (copy?.state === "verified") counts.verified += 1;
      else if (original?.state === "verified") {
        counts.pending += 1;
        const since = Math.max(original.at, copy?.at ?? 0);
        counts.oldestPendingAt = Math.min(counts.oldestPendingAt ?? since, since);
      }
    }
  }

  job({ target, state, updatedAt }: JobRecord): void {
    const counts = this.#counts.get(target);
    if (counts === undefined) return;
    if (state === "failed") counts.failed += 1;
    if (state === "done" && this.#now - updatedAt <= HOUR_MS) counts.doneLastHour += 1;
  }

  conflict({ target }: JobRecord): void {
    const counts = this.#counts.get(target);
    if (counts !== undefined) counts.conflicts += 1;
  }

  get targets(): readonly TargetReplication[] {
    return [...this.#counts].map(([target, counts]) => ({ target, ...counts }));
  }
}
