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

export interface DeletionStanding {
  readonly target: string;
  readonly status: string;
  readonly count: number;
}

export class DeletionMetrics {
  readonly #standing: Gauge<"target" | "state">;
  readonly #rounds: Gauge;
  readonly #done: Counter;
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
    this.#rounds.set(0);
  }

  /** `at` in epoch seconds. */
  round(standing: readonly DeletionStanding[], deleted: number, at: number): void {
    for (const origin of this.#origins) this.#clear(origin);
    for (const { target, status, count } of standing) if (this.#origins.has(target)) this.#standing.set({ target, state: status }, count);
    this.#done.inc(deleted);
    this.#rounds.set(at);
  }

  addOrigin(origin: string): void {
    this.#origins.add(origin);
    this.#clear(origin);
  }

  removeOrigin(origin: string): void {
    this.#origins.delete(origin);
    for (const status of DELETION_STATUSES) this.#standing.remove({ target: origin, state: status });
  }

  #clear(origin: string): void {
    for (const status of DELETION_STATUSES) this.#standing.set({ target: origin, state: status }, 0);
  }
}
