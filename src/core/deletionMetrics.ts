/** The metrics of deletions. */
import { Counter, Gauge, type Registry } from "prom-client";

export const DELETION_STATUSES = [
  "pending",
  "unapproved",
  "refused",
  "waits",
  "unconfirmed",
  "kept",
  "deleting",
  "failed",
  "foreign",
  "done",
] as const;

const ORPHAN_KINDS = ["locator", "asset"] as const;
type OrphanKind = (typeof ORPHAN_KINDS)[number];

export interface DeletionStanding {
  readonly target: string;
  readonly status: string;
  readonly count: number;
}

export class DeletionMetrics {
  readonly #standing: Gauge<"target" | "state">;
  readonly #rounds: Gauge;
  readonly #done: Counter;
  readonly #orphans: Gauge<"target" | "kind">;
  readonly #orphanLooks: Gauge;
  readonly #origins = new Set<string>();

  constructor(registry: Registry) {
    const registers = [registry];
    this.#standing = new Gauge({
      name: "paircast_deletions",
      help: "Copies whose source does not publish them any more, by what became of them: as of the last round.",
      labelNames: ["target", "state"],
      registers,
      aggregator: "first",
    });
    this.#rounds = new Gauge({
      name: "paircast_deletion_round_timestamp_seconds",
      help: "When a round of deletions was last finished; 0 where none was.",
      registers,
      aggregator: "first",
    });
    this.#done = new Counter({ name: "paircast_deletions_total", help: "Copies that were deleted.", registers });
    const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
      new Gauge({ name: `paircast_${name}`, help, labelNames, registers, aggregator: "first" });
    this.#orphans = gauge("orphans", "What lies in a target and is nobody's, as of the last look.", ["target", "kind"]);
    this.#orphanLooks = gauge("orphan_look_timestamp_seconds", "When targets were last looked through for orphans; 0: never.", []);
    this.#rounds.set(0);
    this.#orphanLooks.set(0);
  }

  /** `at` in epoch seconds. */
  round(standing: readonly DeletionStanding[], deleted: number, at: number): void {
    for (const origin of this.#origins) this.#clear(origin);
    for (const { target, status, count } of standing) if (this.#origins.has(target)) this.#standing.set({ target, state: status }, count);
    this.#done.inc(deleted);
    this.#rounds.set(at);
  }

  /** `at` in epoch seconds. */
  orphans(found: readonly { readonly target: string; readonly kind: OrphanKind }[], at: number): void {
    for (const origin of this.#origins) this.#clearOrphans(origin);
    for (const { target, kind } of found) if (this.#origins.has(target)) this.#orphans.inc({ target, kind });
    this.#orphanLooks.set(at);
  }

  addOrigin(origin: string): void {
    this.#origins.add(origin);
    this.#clear(origin);
    this.#clearOrphans(origin);
  }

  removeOrigin(origin: string): void {
    this.#origins.delete(origin);
    for (const status of DELETION_STATUSES) this.#standing.remove({ target: origin, state: status });
    for (const each of ORPHAN_KINDS) this.#orphans.remove({ target: origin, kind: each });
  }

  #clearOrphans(origin: string): void {
    for (const each of ORPHAN_KINDS) this.#orphans.set({ target: origin, kind: each }, 0);
  }

  #clear(origin: string): void {
    for (const status of DELETION_STATUSES) this.#standing.set({ target: origin, state: status }, 0);
  }
}
