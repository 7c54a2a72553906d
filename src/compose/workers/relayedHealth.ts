/** Health as a worker has it: probed by another process, which hears in turn what the worker's traffic saw. */
import type { HealthSnapshot, Outcome, Service } from "../../core/contracts.ts";
import type { HealthView, OutcomeSink } from "../../core/ports/health.ts";
import type { ServiceNews } from "./messages.ts";

export class RelayedHealth implements HealthView, OutcomeSink {
  readonly #tell: OutcomeSink["observe"];
  readonly #ready = Promise.withResolvers<void>();
  #snapshot: HealthSnapshot;

  constructor(snapshot: HealthSnapshot, tell: OutcomeSink["observe"]) {
    this.#snapshot = snapshot;
    this.#tell = tell;
  }

  snapshot(): HealthSnapshot {
    return this.#snapshot;
  }

  observe(region: string, service: Service, outcome: Outcome, viewer?: string): void {
    this.#tell(region, service, outcome, viewer);
  }

  /** Resolves when every first probe has answered or timed out. */
  async ready(): Promise<void> {
    return this.#ready.promise;
  }

  setReady(): void {
    this.#ready.resolve();
  }

  /** After a reload: other regions. */
  replace(snapshot: HealthSnapshot): void {
    this.#snapshot = snapshot;
  }

  update(takenAt: number, news: readonly ServiceNews[]): void {
    const regions = { ...this.#snapshot.regions };
    for (const { region, service, health } of news) regions[region] = { ...regions[region], [service]: health };
    this.#snapshot = { takenAt, regions };
  }
}

/** What of `after` differs from `before`. Services that have not changed are the same objects. */
export function newsBetween(before: HealthSnapshot, after: HealthSnapshot): ServiceNews[] {
  if (before === after) return [];
  return Object.entries(after.regions).flatMap(([region, services]) =>
    (["streaming", "keys"] as const).flatMap((service) => {
      const health = services[service];
      return health === undefined || health === before.regions[region]?.[service] ? [] : [{ region, service, health }];
    }),
  );
}
