/** Playback modes against the regions, and against the other paths of the player listener. */
import { GATEWAY_PATHWAY, STEERING_PREFIX } from "../contracts.ts";
import type { ConfigProblem } from "./problems.ts";
import type { Config } from "./schema.ts";

type Problem = Omit<ConfigProblem, "line">;
type Path = ConfigProblem["path"];

export function playbackProblems(config: Config): Problem[] {
  const { steering, manifests } = config.gateway;
  const problems = steered(config).flatMap((path) => steerProblems(path, config));
  if (steering.incidentTtl > steering.ttl) {
    const message = "is longer than gateway.steering.ttl; during an incident players are to ask more often, so make it shorter";
    problems.push({ path: ["gateway", "steering", "incidentTtl"], message });
  }
  if (manifests.cacheBytes < manifests.maxBytes) {
    const message = "is less than gateway.manifests.maxBytes, so the largest manifest could not be kept; make it larger";
    problems.push({ path: ["gateway", "manifests", "cacheBytes"], message });
  }
  return problems;
}

/** Where `steer` is said. */
function steered({ gateway: { playback, routes } }: Config): Path[] {
  return [
    ...(playback === "steer" ? [["gateway", "playback"]] : []),
    ...routes.flatMap((route, at) => (route.playback === "steer" ? [["gateway", "routes", at, "playback"]] : [])),
  ];
}

function steerProblems(path: Path, { regions, gateway: { keys, prefixes } }: Config): Problem[] {
  const problems: Problem[] = [];
  if (regions.length === 1) {
    problems.push({
      path,
      message: "there is only one region, so players have nowhere to be steered to; add one, or write redirect or anchor",
    });
  }
  if (regions.some(({ name }) => name === GATEWAY_PATHWAY)) {
    problems.push({
      path,
      message: `a region has the name ${GATEWAY_PATHWAY}, which steered manifests give to the gateway's own path; rename it`,
    });
  }
  const taken = [keys.prefix, ...prefixes].find((prefix) => `${prefix}/`.startsWith(STEERING_PREFIX));
  if (taken !== undefined)
    problems.push({ path, message: `takes the paths under ${STEERING_PREFIX}, which ${taken} lies under; use another prefix` });
  return problems;
}
