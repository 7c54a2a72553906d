/** The metrics of content steering. Recording is array arithmetic; see `flatMetrics.ts`. */
import { Counter, type Registry } from "prom-client";
import { Tally } from "./flatMetrics.ts";

export const STEERING_REPORTS = ["good", "bad", "doubtful"] as const;
/** What a player's pathway says of the region at the head of its list. */
export type SteeringReport = (typeof STEERING_REPORTS)[number];

/** Slots of a region's tally: its answers, then its reports. */
const REPORT_SLOTS: Readonly<Record<SteeringReport, number>> = { good: 1, bad: 2, doubtful: 3 };

export class SteeringMetrics {
  readonly #answers: Counter<"origin">;
  readonly #reports: Counter<"origin" | "result">;
  readonly #slowed: Counter;
  /** Per configured region; others are not recorded, so labels stay bounded. */
  readonly #tallies = new Map<string, Tally>();

  constructor(registry: Registry) {
    const registers = [registry];
    const collect = (): void => {
      for (const tally of this.#tallies.values()) this.#drain(tally);
    };
    this.#answers = new Counter({
      name: "paircast_steering_answers_total",
      help: "Answers to players that asked which region is best, by the region at the head of the list.",
      labelNames: ["origin"],
      registers,
      collect,
    });
    this.#reports = new Counter({
      name: "paircast_steering_reports_total",
      help: "What players said of the region at the head of their list.",
      labelNames: ["origin", "result"],
      registers,
      collect,
    });
    this.#slowed = new Counter({
      name: "paircast_steering_slowed_total",
      help: "Answers with a longer time to the next request, to players that ask far too often.",
      registers,
    });
    this.#slowed.inc(0);
  }

  answer(head: string): void {
    this.#tallies.get(head)?.count(0);
  }

  report(head: string, result: SteeringReport): void {
    this.#tallies.get(head)?.count(REPORT_SLOTS[result]);
  }

  slowed(): void {
    this.#slowed.inc();
  }

  addOrigin(origin: string): void {
    this.#tallies.set(origin, new Tally([{ origin }, ...STEERING_REPORTS.map((result) => ({ origin, result }))]));
    this.#answers.inc({ origin }, 0);
    for (const result of STEERING_REPORTS) this.#reports.inc({ origin, result }, 0);
  }

  removeOrigin(origin: string): void {
    this.#tallies.delete(origin);
    this.#answers.remove({ origin });
    for (const result of STEERING_REPORTS) this.#reports.remove({ origin, result });
  }

  #drain(tally: Tally): void {
    tally.drain(({ origin = "", result }, count) => {
      if (result === undefined) this.#answers.inc({ origin }, count);
      else this.#reports.inc({ origin, result }, count);
    });
  }
}
