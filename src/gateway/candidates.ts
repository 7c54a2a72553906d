/** Candidate order. Who may serve is decided elsewhere (`decide.ts`); here stands only who is asked first. */
import type { Region, Service } from "../core/contracts.ts";

export interface Candidate {
  readonly region: string;
  /** Base URL of the service, without a trailing slash; null where the region does not have it. */
  readonly base: string | null;
}

/** The regions in order of priority, which is their order in the configuration. */
export function candidatesFor(service: Service, regions: readonly Region[]): readonly Candidate[] {
  return regions.map((region) => ({ region: region.name, base: service === "streaming" ? region.streaming : region.keys }));
}

/** Where a player is sent. `target` starts with a slash (the front door saw to it), so the result never leaves `base`. */
export function locationOf(candidates: readonly Candidate[], region: string, target: string): string {
  const base = candidates.find((candidate) => candidate.region === region)?.base ?? null;
  if (base === null) throw new TypeError(`region ${region} has no such service`);
  return base + target;
}
