/** Routing policies against the regions, against one another, and against what can be known of a viewer. */
import { covers, parseNetwork } from "../address.ts";
import type { ConfigProblem } from "./problems.ts";
import type { RouteConfig, RoutingConfig } from "./routing.ts";
import type { Config } from "./schema.ts";

type Problem = Omit<ConfigProblem, "line">;
type Path = ConfigProblem["path"];
type Geographic = Extract<RoutingConfig, { method: "geographic" }>;

const GUID_SEGMENT = /^\/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\//i;

export function routingProblems(config: Config): Problem[] {
  const { gateway } = config;
  return [
    ...policyProblems(gateway.routing, ["gateway", "routing"], config),
    ...gateway.routes.flatMap(({ routing }, at) => policyProblems(routing, ["gateway", "routes", at, "routing"], config)),
    ...gateway.routes.flatMap((route, at) => routeProblems(route, at, config)),
  ];
}

function policyProblems(policy: RoutingConfig, path: Path, config: Config): Problem[] {
  const known = config.regions.map(({ name }) => name);
  const named = [
    ...(policy.canary === undefined ? [] : [{ name: policy.canary.region, path: [...path, "canary", "region"] }]),
    ...namedRegions(policy, path),
  ];
  return [
    ...named.flatMap((each) =>
      known.includes(each.name) ? [] : [{ path: each.path, message: `no region is named ${each.name}; regions are ${known.join(", ")}` }],
    ),
    ...(policy.canary !== undefined && known.length === 1
      ? [{ path: [...path, "canary"], message: "there is only one region, so it gets every viewer; add one or remove this" }]
      : []),
    ...(policy.method === "weighted" ? weightProblems(policy.weights, [...path, "weights"], known) : []),
    ...(policy.method === "geographic" ? geographicProblems(policy, path, config) : []),
  ];
}

function namedRegions(policy: RoutingConfig, path: Path): { name: string; path: Path }[] {
  if (policy.method === "weighted") return Object.keys(policy.weights).map((name) => ({ name, path: [...path, "weights", name] }));
  if (policy.method !== "geographic") return [];
  return [
    ...policy.rules.flatMap(({ regions }, rule) => regions.map((name, at) => ({ name, path: [...path, "rules", rule, "regions", at] }))),
    ...(policy.fallback ?? []).map((name, at) => ({ name, path: [...path, "fallback", at] })),
  ];
}

function weightProblems(weights: Readonly<Record<string, number>>, path: Path, known: readonly string[]): Problem[] {
  const without = known.filter((name) => weights[name] === undefined);
  const problems = without.map((name) => ({
    path,
    message: `region ${name} has no weight; give it one (0: only when no other region is eligible)`,
  }));
  if (without.length > 0 || known.some((name) => (weights[name] ?? 0) > 0)) return problems;
  return [{ path, message: "every weight is 0, so nothing is weighted; give a region more than 0" }];
}

function geographicProblems(policy: Geographic, path: Path, { gateway }: Config): Problem[] {
  const problems: Problem[] = [];
  policy.rules.forEach((rule, at) => {
    const place = [...path, "rules", at];
    if (rule.countries === undefined && rule.subnets === undefined) {
      problems.push({ path: place, message: "matches nobody; name countries or subnets" });
    }
    if (rule.countries !== undefined && gateway.viewers.country === undefined) {
      const message = "nothing tells a viewer's country; set gateway.viewers.country, or use subnets";
      problems.push({ path: [...place, "countries"], message });
    }
    problems.push(...repeatedNames(rule.regions, [...place, "regions"]), ...coveredMatches(policy, at, place));
  });
  return [...problems, ...repeatedNames(policy.fallback ?? [], [...path, "fallback"])];
}

function repeatedNames(names: readonly string[], path: Path): Problem[] {
  return names.flatMap((name, at) =>
    names.indexOf(name) < at ? [{ path: [...path, at], message: `${name} stands here already; the first place counts` }] : [],
  );
}

/** Countries and networks of a rule which an earlier entry has taken already. */
function coveredMatches({ rules }: Geographic, at: number, path: Path): Problem[] {
  const rule = rules[at];
  const countries = rule?.countries ?? [];
  const subnets = rule?.subnets ?? [];
  const before = rules.slice(0, at);
  const earlierCountries = (index: number) => [...before.flatMap((each) => each.countries ?? []), ...countries.slice(0, index)];
  const earlierSubnets = (index: number) => [...before.flatMap((each) => each.subnets ?? []), ...subnets.slice(0, index)];
  return [
    ...countries.flatMap((name, index) =>
      earlierCountries(index).includes(name)
        ? [
            {
              path: [...path, "countries", index],
              message: `${name} is matched by an earlier entry, so this one never matches; remove one`,
            },
          ]
        : [],
    ),
    ...subnets.flatMap((text, index) => {
      const outer = earlierSubnets(index).find((earlier) => networkCovers(earlier, text));
      if (outer === undefined) return [];
      return [{ path: [...path, "subnets", index], message: `lies in ${outer}, which is matched earlier; put the smaller network first` }];
    }),
  ];
}

function networkCovers(outer: string, inner: string): boolean {
  const [one, other] = [parseNetwork(outer), parseNetwork(inner)];
  return one !== null && other !== null && covers(one, other);
}

function routeProblems(route: RouteConfig, at: number, { gateway }: Config): Problem[] {
  const path = ["gateway", "routes", at];
  if (route.host === undefined && route.prefix === undefined) {
    return [{ path, message: "matches everything; name a host or a prefix, and write the default under gateway.routing" }];
  }
  const earlier = gateway.routes.slice(0, at).findIndex((other) => routeCovers(other, route));
  if (earlier >= 0) {
    return [{ path, message: `never matches, because gateway.routes[${earlier}] takes all of it; put this one before it, or remove it` }];
  }
  if (route.prefix === undefined || reachable(route.prefix, route.host, gateway)) return [];
  const message = `no request for a video or a key can start with ${route.prefix}; it must lie under one of gateway.prefixes, a locator id or ${gateway.keys.prefix}/`;
  return [{ path: [...path, "prefix"], message }];
}

function routeCovers(outer: RouteConfig, inner: RouteConfig): boolean {
  if (outer.host !== undefined && outer.host !== inner.host) return false;
  return outer.prefix === undefined || (inner.prefix?.startsWith(outer.prefix) ?? false);
}

/** Could a request that passes the front door start with this path? */
function reachable(prefix: string, host: string | undefined, gateway: Config["gateway"]): boolean {
  const { keys, prefixes } = gateway;
  if (keys.host !== undefined && (host === undefined || host === keys.host)) return true;
  if (prefix === "/" || GUID_SEGMENT.test(prefix)) return true;
  return [...prefixes, `${keys.prefix}/`].some((known) => known.startsWith(prefix) || prefix.startsWith(known));
}
