/** What a reload changes, and what it cannot change. */
import { isDeepStrictEqual } from "node:util";
import type { Config } from "../core/config/schema.ts";
import type { HealthHistory, HealthView } from "../core/ports/health.ts";
import type { HealthMonitor } from "../health/monitor.ts";
import type { HealthSnapshot, Region, Service, ServiceHealth } from "../core/contracts.ts";

/** Names of the sections that differ. */
export function changedSections(before: Config, after: Config): string[] {
  // One may be left out before or after.
  const sections = [...new Set([...Object.keys(before), ...Object.keys(after)])] as (keyof Config)[];
  return sections.filter((section) => !isDeepStrictEqual(before[section], after[section]));
}

export interface Applicable {
  /** `after`, with the present values of what only a restart can change. */
  readonly config: Config;
  /** The settings that keep their present value, for instance `state.path`. */
  readonly awaitingRestart: readonly string[];
}

/** The stores are open and being written: others are another process's. Worker processes are there from the start. */
export function applicable(before: Config, after: Config): Applicable {
  const awaitingRestart = [
    ...(["path", "tables", "queues"] as const).flatMap((part) =>
      isDeepStrictEqual(before.state[part], after.state[part]) ? [] : [`state.${part}`],
    ),
    ...(before.gateway.workers === after.gateway.workers ? [] : ["gateway.workers"]),
  ];
  if (awaitingRestart.length === 0) return { config: after, awaitingRestart };
  return { config: { ...after, state: before.state, gateway: { ...after.gateway, workers: before.gateway.workers } }, awaitingRestart };
}

/** What is known from before. */
export interface FormerHealth extends HealthHistory {
  readonly snapshot: HealthSnapshot;
  /** With what was counted, so that a service that flaps or returns slowly goes on doing so. */
  readonly state: HealthMonitor["state"];
}

/** What is known of the services that are at the same address as before; a service that moved is a new one. */
export function carriedHealth(
  health: HealthView & HealthHistory & Pick<HealthMonitor, "state">,
  before: readonly Region[],
  after: readonly Region[],
): FormerHealth {
  const snapshot = health.snapshot();
  const regions: Record<string, Partial<Record<Service, ServiceHealth>>> = {};
  for (const region of after) {
    const known = snapshot.regions[region.name];
    const former = before.find(({ name }) => name === region.name);
    if (known === undefined || former === undefined) continue;
    const same = (["streaming", "keys"] as const).filter((service) => former[service] === region[service] && known[service] !== undefined);
    regions[region.name] = Object.fromEntries(same.map((service) => [service, known[service]]));
  }
  const stays = (region: string, service: Service) => regions[region]?.[service] !== undefined;
  return {
    snapshot: { takenAt: snapshot.takenAt, regions },
    history: (region, service) => (stays(region, service) ? health.history(region, service) : []),
    state: (region, service) => (stays(region, service) ? health.state(region, service) : undefined),
  };
}
