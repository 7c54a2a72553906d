/** What `/api/status` and `/api/catalogue` show. */
import { SERVICES, type CatalogueEntry, type HealthSnapshot, type Region, type Service, type ServiceHealth } from "../core/contracts.ts";
import { eventOf, isLive } from "../core/live.ts";
import type { HealthHistory, ProbeRecord } from "../core/ports/health.ts";

export interface RegionStatus {
  readonly name: string;
  readonly streaming: string;
  readonly keys: string | null;
  readonly services: { readonly streaming: ServiceHealth; readonly keys?: ServiceHealth };
  readonly verified: number;
}

/** A region that no probe has reached yet. */
const NOT_PROBED: Omit<ServiceHealth, "since"> = { status: "unknown", reason: null, detail: null, checkedAt: null, pending: 0 };

/** The regions in order of priority with the state of their services and the number of locators verified there. */
export function regionStatuses(regions: readonly Region[], health: HealthSnapshot, entries: readonly CatalogueEntry[]): RegionStatus[] {
  const verified = new Map<string, number>();
  for (const entry of entries) {
    for (const [region, copy] of Object.entries(entry.regions)) {
      if (copy.state === "verified") verified.set(region, (verified.get(region) ?? 0) + 1);
    }
  }
  return regions.map(({ name, streaming, keys }) => {
    const known = health.regions[name];
    const unprobed = { ...NOT_PROBED, since: health.takenAt };
    const services = { streaming: known?.streaming ?? unprobed, ...(keys === null ? {} : { keys: known?.keys ?? unprobed }) };
    return { name, streaming, keys, services, verified: verified.get(name) ?? 0 };
  });
}

interface CheckReport {
  readonly service: Service;
  readonly health: ServiceHealth;
  /** Oldest first. */
  readonly history: readonly ProbeRecord[];
}

/** Every check with its newest results, in the order of the regions. */
export function regionHealth(
  regions: readonly Region[],
  snapshot: HealthSnapshot,
  records: HealthHistory,
): { name: string; checks: CheckReport[] }[] {
  return regionStatuses(regions, snapshot, []).map(({ name, services }) => ({
    name,
    checks: SERVICES.flatMap((service) => {
      const health = services[service];
      return health === undefined ? [] : [{ service, health, history: records.history(name, service) }];
    }),
  }));
}

export interface ShownEntry extends CatalogueEntry {
  /** Name of the live event that it is; left out for all other videos. */
  readonly liveEvent?: string;
}

/** The `limit` newest entries, newest first. */
export function newestEntries(entries: readonly CatalogueEntry[], limit: number): ShownEntry[] {
  return entries
    .toSorted((one, other) => other.publishedAt - one.publishedAt || compare(one.locatorId, other.locatorId))
    .slice(0, limit)
    .map((entry) => (isLive(entry) ? { ...entry, liveEvent: eventOf(entry) } : entry));
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
