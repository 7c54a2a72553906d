/** The metrics of verification, in service and by command. */
import { Counter, Gauge, type Registry } from "prom-client";

export const VERIFICATION_RESULTS = ["sound", "behind", "repaired", "broken", "unanswered"] as const;
export type VerificationResult = (typeof VERIFICATION_RESULTS)[number];
/** `content` other bytes · `missing` · `properties` · `rewritten` by somebody else · `entity` policies, locators, filters · `playback` · `unreadable` */
export const DAMAGE_KINDS = ["content", "missing", "properties", "rewritten", "entity", "playback", "unreadable"] as const;
export type DamageKind = (typeof DAMAGE_KINDS)[number];

export class VerificationMetrics {
  readonly #checks: Counter<"target" | "result">;
  readonly #problems: Counter<"origin" | "kind">;
  readonly #readBytes: Counter<"target">;
  readonly #oldest: Gauge<"target">;
  readonly #interval: Gauge;
  readonly #origins = new Set<string>();

  constructor(registry: Registry) {
    const registers = [registry];
    const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
      new Counter({ name: `paircast_verification_${name}`, help, labelNames, registers });
    // Where several processes count for one, the one that verifies comes first.
    const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
      new Gauge({ name: `paircast_verification_${name}`, help, labelNames, registers, aggregator: "first" });
    this.#checks = counter("checks_total", "Copies that were verified again, by result.", ["target", "result"]);
    this.#problems = counter("problems_total", "What was found wrong, by the region where it lies.", ["origin", "kind"]);
    this.#readBytes = counter("read_bytes_total", "Bytes of copies that were read to verify them.", ["target"]);
    this.#oldest = gauge(
      "oldest_timestamp_seconds",
      "When the copy that has waited longest was last verified; 0 where there is none, or it is not known yet.",
      ["target"],
    );
    this.#interval = gauge("interval_seconds", "Within what time every copy is to be verified again; 0 where that is switched off.", []);
    this.#interval.set(0);
  }

  check(target: string, result: VerificationResult, readBytes: number): void {
    if (!this.#origins.has(target)) return;
    this.#checks.inc({ target, result });
    this.#readBytes.inc({ target }, readBytes);
  }

  problem(origin: string, what: DamageKind): void {
    if (this.#origins.has(origin)) this.#problems.inc({ origin, kind: what });
  }

  /** Epoch seconds; null: the region has no copy. */
  oldest(target: string, epochSeconds: number | null): void {
    if (this.#origins.has(target)) this.#oldest.set({ target }, epochSeconds ?? 0);
  }

  interval(seconds: number): void {
    this.#interval.set(seconds);
  }

  addOrigin(origin: string): void {
    this.#origins.add(origin);
    for (const result of VERIFICATION_RESULTS) this.#checks.inc({ target: origin, result }, 0);
    for (const what of DAMAGE_KINDS) this.#problems.inc({ origin, kind: what }, 0);
    this.#readBytes.inc({ target: origin }, 0);
    this.#oldest.set({ target: origin }, 0);
  }

  removeOrigin(origin: string): void {
    this.#origins.delete(origin);
    for (const result of VERIFICATION_RESULTS) this.#checks.remove({ target: origin, result });
    for (const what of DAMAGE_KINDS) this.#problems.remove({ origin, kind: what });
    this.#readBytes.remove({ target: origin });
    this.#oldest.remove({ target: origin });
  }
}
