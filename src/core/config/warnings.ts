/** What a valid configuration is better without, or better with. Nothing is refused for it. */
import { pathText } from "./problems.ts";
import { isLoopback } from "./rules.ts";
import type { Config, RegionConfig } from "./schema.ts";

export interface ConfigWarning {
  /** Where, as in `regions[0].canary`. */
  readonly path: string;
  readonly message: string;
}

export function configWarnings({ regions, gateway }: Config): ConfigWarning[] {
  return [
    ...regions.flatMap((region, at) => (provesLittle(region) ? [{ path: pathText(["regions", at]), message: littleProven(region) }] : [])),
    ...(saysHttp(gateway) ? [{ path: pathText(["gateway", "playback"]), message: SAYS_HTTP }] : []),
  ];
}

const SAYS_HTTP =
  "manifests will lead players back to http://{the host they ask}, because nothing says by which URL they reach the gateway; where TLS ends in front of it, set gateway.publicUrl, or gateway.viewers.proxies to believe X-Forwarded-Proto";

/** Steered and anchored manifests name the gateway itself. Who listens on loopback is trying things out. */
function saysHttp({ playback, routes, publicUrl, viewers, listen }: Config["gateway"]): boolean {
  const rewrites = [playback, ...routes.map((route) => route.playback)].some((mode) => mode === "steer" || mode === "anchor");
  return rewrites && publicUrl === undefined && viewers.proxies.length === 0 && !isLoopback(listen.host);
}

/** Nothing is ever verified there, so nothing else is there to ask for. */
function provesLittle({ account, canary, canaries = [] }: RegionConfig): boolean {
  if (account.driver !== "static" || account.storage !== undefined) return false;
  return [canary, ...canaries].every((each) => each?.manifest === undefined);
}

function littleProven({ name, streaming }: RegionConfig): string {
  return `region ${name} has neither account.storage nor a canary, so its probe can ask for ${streaming}/ only, which proves that a server answers but not that videos play: name a video there as canary.manifest`;
}
