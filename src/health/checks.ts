/** Which checks there are: every service that a region has, with its probe and the address that is watched beside it. */
import type { Service } from "../core/contracts.ts";
import type { ProbedRegion } from "./probes/canary.ts";
import { probeContext, type ProbeOptions } from "./probes/context.ts";
import { keyProbe } from "./probes/keys.ts";
import type { Probe } from "./probes/probe.ts";
import { streamingProbe } from "./probes/streaming.ts";
import type { WatchTarget } from "./watchSocket.ts";

export interface Check {
  readonly region: string;
  readonly service: Service;
  readonly probe: Probe;
  /** Left out: nothing is watched. */
  readonly target?: WatchTarget;
}

/** What health needs to know of a region: what its probes do, and the PEM of an authority to trust there. */
export type HealthRegion = ProbedRegion & { readonly ca?: string | null };

/** One check per region and service, in the order of the regions. */
export function checksOf(regions: readonly HealthRegion[], options: ProbeOptions): Check[] {
  const context = probeContext(regions, options);
  return regions.flatMap((region): Check[] => {
    const { name, streaming: url, keys, ca = null } = region;
    const streaming: Check = { region: name, service: "streaming", probe: streamingProbe(region, context), target: { url, ca } };
    if (keys === undefined) return [streaming];
    return [streaming, { region: name, service: "keys", probe: keyProbe(region, keys, context), target: { url: keys, ca } }];
  });
}
