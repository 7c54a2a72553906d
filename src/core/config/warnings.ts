/** What a valid configuration is better without, or better with. Nothing is refused for it. */
import { rewritesManifests } from "./playback.ts";
import { pathText } from "./problems.ts";
import type { Config, RegionConfig } from "./schema.ts";
import { isLoopback } from "./units.ts";

export interface ConfigWarning {
  /** Where, as in `regions[0].canary`. */
  readonly path: string;
  readonly message: string;
}

export function configWarnings({ regions, gateway }: Config): ConfigWarning[] {
  return [
    ...regions.flatMap((region, at) => (provesLittle(region) ? [{ path: pathText(["regions", at]), message: littleProven(region) }] : [])),
    ...(saysHttp(gateway) ? [{ path: pathText(["gateway", "playback"]), message: SAYS_HTTP }] : []),
    ...(rewritesManifests(gateway) ? sharedHosts(regions) : []),
  ];
}

const SAYS_HTTP =
  "manifests will lead players back to http://{the host they ask}, because nothing says by which URL they reach the gateway; where TLS ends in front of it, set gateway.publicUrl, or gateway.viewers.proxies to believe X-Forwarded-Proto";

/** Steered and anchored manifests name the gateway itself. Who listens on loopback is trying things out. */
function saysHttp({ playback, routes, publicUrl, viewers, listen }: Config["gateway"]): boolean {
  return rewritesManifests({ playback, routes }) && publicUrl === undefined && viewers.proxies.length === 0 && !isLoopback(listen.host);
}

/** Shaka Player leaves a host name, whatever the port. */
function sharedHosts(regions: readonly RegionConfig[]): ConfigWarning[] {
  return regions.flatMap(({ name, streaming }, at) => {
    const { hostname } = new URL(streaming);
    const other = regions.slice(0, at).find((region) => new URL(region.streaming).hostname === hostname);
    if (other === undefined) return [];
    const message = `regions ${other.name} and ${name} share the host name ${hostname}: a player that leaves one of them (Shaka Player goes by host name) leaves both; give each a name of its own`;
    return [{ path: pathText(["regions", at, "streaming"]), message }];
  });
}

/** Nothing is ever verified there, so nothing else is there to ask for. */
function provesLittle({ account, canary, canaries = [] }: RegionConfig): boolean {
  if (account.driver !== "static" || account.storage !== undefined) return false;
  return [canary, ...canaries].every((each) => each?.manifest === undefined);
}

function littleProven({ name, streaming }: RegionConfig): string {
  return `region ${name} has neither account.storage nor a canary, so its probe can ask for ${streaming}/ only, which proves that a server answers but not that videos play: name a video there as canary.manifest`;
}
