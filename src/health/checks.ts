/** Which checks there are: every service that a region has, with its probe. */
import type { Service } from "../core/contracts.ts";
import { keyProbe, type KeyProbeDeps } from "./probes/keys.ts";
import type { ProbedRegion } from "./probes/canary.ts";
import type { Probe } from "./probes/probe.ts";
import { streamingProbe } from "./probes/streaming.ts";

export interface Check {
  readonly region: string;
  readonly service: Service;
  readonly probe: Probe;
}

/** One check per region and service, in the order of the regions. */
export function checksOf(regions: readonly ProbedRegion[], deps: KeyProbeDeps): Check[] {
  return regions.flatMap((region): Check[] => {
    const streaming: Check = { region: region.name, service: "streaming", probe: streamingProbe(region, deps) };
    if (region.keys === undefined) return [streaming];
    return [streaming, { region: region.name, service: "keys", probe: keyProbe(region, region.keys, deps) }];
  });
}
