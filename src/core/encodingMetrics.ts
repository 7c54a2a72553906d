/** The metrics of encoding: jobs, and the accounts that encode. All 0 where nothing is encoded. */
import { Counter, Gauge, type Registry } from "prom-client";
import { ACCOUNT_STATUSES, ENCODING_STATES, type AccountStatus, type EncodingMessageKind, type EncodingState } from "./encoding.ts";

const KINDS = ["finished", "failed", "canceled", "superseded", "left_behind"] as const satisfies readonly EncodingMessageKind[];

export class EncodingMetrics {
  readonly #jobs: Gauge<"state">;
  readonly #accountState: Gauge<"origin" | "state">;
  readonly #inFlight: Gauge<"origin">;
  readonly #changes: Counter<"origin" | "to">;
  readonly #told: Counter<"kind">;
  readonly #outbox: Gauge;
  readonly #origins = new Set<string>();

  constructor(registry: Registry) {
    const registers = [registry];
    const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
      new Counter({ name: `paircast_encoding_${name}`, help, labelNames, registers });
    // Where several processes count for one, the one that encodes comes first.
    const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
      new Gauge({ name: `paircast_encoding_${name}`, help, labelNames, registers, aggregator: "first" });
    this.#jobs = gauge("jobs", "Encoding jobs whose records are kept, by state.", ["state"]);
    this.#accountState = gauge("account_state", "1 for the present state of an account that encodes, else 0.", ["origin", "state"]);
    this.#inFlight = gauge("in_flight", "Places that jobs take up in an account.", ["origin"]);
    this.#changes = counter("account_changes_total", "Changes of the state of accounts, by the state entered.", ["origin", "to"]);
    this.#told = counter("messages_total", "What became of jobs and has been told, by kind.", ["kind"]);
    this.#outbox = gauge("outbox_oldest_timestamp_seconds", "Since when the oldest message waits that is to be told; 0: none does.", []);
    this.#outbox.set(0);
    for (const state of ENCODING_STATES) this.#jobs.set({ state }, 0);
    for (const each of KINDS) this.#told.inc({ kind: each }, 0);
  }

  jobs(counts: Readonly<Record<EncodingState, number>>): void {
    for (const state of ENCODING_STATES) this.#jobs.set({ state }, counts[state]);
  }

  /** Epoch seconds; 0: nothing waits. */
  outbox(oldestAt: number): void {
    this.#outbox.set(oldestAt);
  }

  account(origin: string, status: AccountStatus, inFlight: number): void {
    if (!this.#origins.has(origin)) return;
    for (const state of ACCOUNT_STATUSES) this.#accountState.set({ origin, state }, Number(state === status));
    this.#inFlight.set({ origin }, inFlight);
  }

  changed(origin: string, to: AccountStatus): void {
    if (this.#origins.has(origin)) this.#changes.inc({ origin, to });
  }

  told(what: EncodingMessageKind): void {
    this.#told.inc({ kind: what });
  }

  addOrigin(origin: string): void {
    this.#origins.add(origin);
    for (const state of ACCOUNT_STATUSES) {
      this.#accountState.set({ origin, state }, 0);
      this.#changes.inc({ origin, to: state }, 0);
    }
    this.#inFlight.set({ origin }, 0);
  }

  removeOrigin(origin: string): void {
    this.#origins.delete(origin);
    for (const state of ACCOUNT_STATUSES) {
      this.#accountState.remove({ origin, state });
      this.#changes.remove({ origin, to: state });
    }
    this.#inFlight.remove({ origin });
  }
}
