/** What the schema cannot say: fields that contradict one another, and rules that could never match. */
import { encodingProblems } from "./encodingRules.ts";
import { playbackProblems } from "./playbackRules.ts";
import { routingProblems } from "./routingRules.ts";
import type { Config, RegionConfig } from "./schema.ts";
import type { ConfigProblem } from "./problems.ts";
import { isLoopback, type ListenAddress } from "./units.ts";

type Problem = Omit<ConfigProblem, "line">;
type Path = ConfigProblem["path"];

export function crossFieldProblems(config: Config): Problem[] {
  return [
    ...regionProblems(config),
    ...gatewayProblems(config),
    ...routingProblems(config),
    ...playbackProblems(config),
    ...adminProblems(config),
    ...healthProblems(config),
    ...replicationProblems(config),
    ...keyUrlProblems(config),
    ...deletionProblems(config),
    ...encodingProblems(config),
  ];
}

function regionProblems({ regions }: Config): Problem[] {
  return [
    ...repeated(
      regions,
      (region) => region.name,
      (at) => ["regions", at, "name"],
      "another region has this name; names must differ",
    ),
    ...repeated(
      regions,
      (region) => region.streaming,
      (at) => ["regions", at, "streaming"],
      "another region has this streaming URL; it would be two names for one origin",
    ),
    ...regions.flatMap((region, at) => [...accountProblems(region, ["regions", at]), ...canaryProblems(region, ["regions", at])]),
  ];
}

function repeated<T>(items: readonly T[], key: (item: T) => string, path: (at: number) => Path, message: string): Problem[] {
  const seen = new Set<string>();
  return items.flatMap((item, at) => {
    const duplicate = seen.has(key(item));
    seen.add(key(item));
    return duplicate ? [{ path: path(at), message }] : [];
  });
}

function accountProblems({ account }: RegionConfig, path: Path): Problem[] {
  if (account.driver !== "static" || account.storage !== undefined || account.containers === "*") return [];
  const message = "without account.storage there are no containers to choose from; add storage or remove this";
  return [{ path: [...path, "account", "containers"], message }];
}

function canaryProblems({ canary, canaries = [], keys }: RegionConfig, path: Path): Problem[] {
  const first = canary === undefined ? [] : oneCanaryProblems(canary, keys, [...path, "canary"]);
  return [...first, ...canaries.flatMap((each, at) => oneCanaryProblems(each, keys, [...path, "canaries", at]))];
}

type Canary = NonNullable<RegionConfig["canary"]>;

function oneCanaryProblems({ key, keyAuthorization, licence }: Canary, keys: string | undefined, path: Path): Problem[] {
  const problems: Problem[] = [];
  if (key !== undefined && keys === undefined)
    problems.push({ path: [...path, "key"], message: "the region has no `keys` URL, so this key could never be asked for" });
  if (key !== undefined) return problems;
  if (keyAuthorization !== undefined) problems.push({ path: [...path, "keyAuthorization"], message: "has no effect without canary.key" });
  if (licence === true) problems.push({ path: [...path, "licence"], message: "has no effect without canary.key" });
  return problems;
}

function gatewayProblems({ gateway, regions, admin }: Config): Problem[] {
  const problems: Problem[] = [];
  if (regions.every((region) => region.keys === undefined) && gateway.keys.host !== undefined) {
    problems.push({
      path: ["gateway", "keys", "host"],
      message: "no region has a `keys` URL, so no key request could be answered; add one or remove this",
    });
  }
  gateway.prefixes.forEach((prefix, at) => {
    if (prefix.startsWith(`${gateway.keys.prefix}/`)) {
      problems.push({
        path: ["gateway", "prefixes", at],
        message: `lies under keys.prefix ${gateway.keys.prefix}, so it could never match`,
      });
    }
  });
  const published = regions.find(({ account }) => account.driver === "static" && account.storage !== undefined);
  if (published !== undefined && !gateway.prefixes.includes("/")) {
    const message = `region ${published.name} has its videos at /{container}/, where no request could reach them: list "/" here`;
    problems.push({ path: ["gateway", "prefixes"], message });
  }
  problems.push(
    ...repeated(
      gateway.prefixes,
      (prefix) => prefix,
      (at) => ["gateway", "prefixes", at],
      "is listed twice",
    ),
  );
  if (gateway.listen.port !== 0 && gateway.listen.port === admin.listen.port && overlap(gateway.listen, admin.listen)) {
    problems.push({ path: ["admin", "listen"], message: "is the address of gateway.listen; the two listeners need an address each" });
  }
  return problems;
}

function overlap(one: ListenAddress, other: ListenAddress): boolean {
  const any = ["", "0.0.0.0", "::"];
  return one.host === other.host || any.includes(one.host) || any.includes(other.host);
}

function adminProblems({ admin }: Config): Problem[] {
  if (isLoopback(admin.listen.host) || admin.token !== undefined) return [];
  return [
    { path: ["admin", "listen"], message: "is not a loopback address: set admin.token, so that the admin pages are closed to others" },
  ];
}

function healthProblems({ health }: Config): Problem[] {
  const problems: Problem[] = [];
  if (health.fastInterval > health.interval) {
    problems.push({
      path: ["health", "fastInterval"],
      message: "is longer than health.interval; it is the interval while a change is pending, so make it shorter",
    });
  }
  if (health.damping.cap < health.damping.base) {
    problems.push({ path: ["health", "damping", "cap"], message: "is shorter than health.damping.base, from which it is doubled" });
  }
  return problems;
}

/** Policies are carried in both directions where each region is a source: what was rewritten once must stay as it is. */
function keyUrlProblems({ replication: { keyUrls } }: Config): Problem[] {
  const fits = (from: string, url: string): boolean => url === from || url.startsWith(`${from}/`);
  return keyUrls.flatMap(({ from, to }, at) => {
    const path: Path = ["replication", "keyUrls", at];
    const again = keyUrls.find((other) => fits(other.from, to));
    const earlier = keyUrls.slice(0, at).find((other) => fits(other.from, from));
    return [
      ...(again === undefined
        ? []
        : [
            {
              path: [...path, "to"],
              message: `what is led there would be rewritten again, because it begins with ${again.from}; name another URL`,
            },
          ]),
      ...(earlier === undefined
        ? []
        : [{ path: [...path, "from"], message: `this never fits, because ${earlier.from} stands before it; put this one first` }]),
    ];
  });
}

function replicationProblems({ replication, regions, state }: Config): Problem[] {
  const problems: Problem[] = [];
  if (replication.events !== undefined && state.tables !== undefined && state.queues === undefined) {
    const message = "events become work in a queue: add state.queues, or remove this";
    problems.push({ path: ["replication", "events"], message });
  }
  for (const field of ["sources", "targets"] as const) {
    replication[field]?.forEach((name, at) => {
      const region = regions.find((candidate) => candidate.name === name);
      if (region === undefined) {
        problems.push({
          path: ["replication", field, at],
          message: `no region is named ${name}; regions are ${regions.map((known) => known.name).join(", ")}`,
        });
      } else if (!canReplicate(region)) {
        problems.push({
          path: ["replication", field, at],
          message: `region ${name} has neither a media account nor storage, so nothing can be replicated there`,
        });
      }
    });
  }
  const named = new Set([
    ...(replication.sources ?? regions.map((region) => region.name)),
    ...(replication.targets ?? regions.map((region) => region.name)),
  ]);
  const drivers = new Set(
    regions.filter((region) => named.has(region.name) && canReplicate(region)).map((region) => region.account.driver === "static"),
  );
  if (drivers.size > 1 && replication.enabled) {
    problems.push({
      path: ["replication"],
      message:
        "media accounts and `static` storage cannot be replicated to one another; set sources and targets to regions of one kind, or enabled: false",
    });
  }
  return problems;
}

/** A region that the replicator can read from or write to. */
export function canReplicate(region: RegionConfig): boolean {
  return region.account.driver !== "static" || region.account.storage !== undefined;
}

/** Storage without a management API does not say who made a container. */
function deletionProblems({ replication, regions }: Config): Problem[] {
  if (!replication.deletion.enabled) return [];
  const stored = regions.find(({ account }) => account.driver === "static" && account.storage !== undefined);
  if (stored === undefined) return [];
  const message = `is carried over between media accounts only, and region ${stored.name} has storage without one; remove this, and delete containers by hand`;
  return [{ path: ["replication", "deletion", "enabled"], message }];
}
