/** A routing policy as it was configured, and what of it can be computed before the first viewer comes. Pure. */
import { parseNetwork, type Network } from "../../core/address.ts";
import { hashText } from "./hash.ts";

interface OnTop {
  readonly sticky?: { readonly by: string } | undefined;
  readonly canary?: { readonly region: string; readonly percent: number } | undefined;
}

export interface GeographicRule {
  /** Two capital letters each. */
  readonly countries?: readonly string[] | undefined;
  readonly subnets?: readonly string[] | undefined;
  readonly regions: readonly string[];
}

export type RoutingMethod =
  | { readonly method: "priority" }
  | { readonly method: "weighted"; readonly weights: Readonly<Record<string, number>> }
  | { readonly method: "geographic"; readonly rules: readonly GeographicRule[]; readonly fallback?: readonly string[] | undefined }
  /** `tolerance` in milliseconds. */
  | { readonly method: "latency"; readonly tolerance: number }
  | { readonly method: "hash"; readonly load: number };

export type RoutingPolicy = RoutingMethod & OnTop;

/** A rule with its networks parsed and its order complete. */
export interface Place {
  readonly countries: ReadonlySet<string>;
  readonly networks: readonly Network[];
  readonly order: readonly string[];
}

/** A canary, with the number that keeps its draw apart from every other draw. */
export interface PreparedCanary {
  readonly region: string;
  /** 0 to 1. */
  readonly share: number;
}

export interface PreparedPolicy {
  readonly policy: RoutingPolicy;
  /** Every region once, in the order of the configuration. */
  readonly regions: readonly string[];
  /** Region name -> 32 bits of it. */
  readonly salts: Readonly<Record<string, number>>;
  readonly places: readonly Place[];
  /** The order where no rule matches. */
  readonly fallback: readonly string[];
  readonly canary: PreparedCanary | null;
}

export function preparePolicy(policy: RoutingPolicy, regions: readonly string[]): PreparedPolicy {
  const geographic = policy.method === "geographic" ? policy : null;
  const fallback = completed(geographic?.fallback ?? [], regions);
  const { canary } = policy;
  return {
    policy,
    regions,
    salts: Object.fromEntries(regions.map((region) => [region, hashText(region)])),
    places: (geographic?.rules ?? []).map((rule) => placeOf(rule, fallback)),
    fallback,
    canary: canary === undefined ? null : { region: canary.region, share: canary.percent / 100 },
  };
}

function placeOf(rule: GeographicRule, fallback: readonly string[]): Place {
  return {
    countries: new Set(rule.countries),
    networks: (rule.subnets ?? []).flatMap((text) => parseNetwork(text) ?? []),
    order: completed(rule.regions, fallback),
  };
}

/** What is named first, then all others as they stand; names that are no regions are left out. */
function completed(named: readonly string[], all: readonly string[]): readonly string[] {
  const first = [...new Set(named)].filter((name) => all.includes(name));
  return [...first, ...all.filter((name) => !first.includes(name))];
}
