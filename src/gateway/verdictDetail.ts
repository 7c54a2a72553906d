/** Why a candidate may or may not serve, in words for people. Pure. */
import type { HealthSnapshot, Holding, Service, ServiceHealth, Verdict } from "../core/contracts.ts";

interface DetailFacts {
  readonly service: Service;
  readonly holdings: Readonly<Record<string, Holding>>;
  readonly health: HealthSnapshot;
}

/** One line: the state of the service, and what is known of the copy. */
export function detailOf(verdict: Verdict, region: string, { service, holdings, health }: DetailFacts): string {
  const holding = HOLDING_WORDS[holdings[region] ?? "unknown"];
  const services = health.regions[region];
  return DETAILS[verdict]({ service, holding, state: services?.[service], keys: services?.keys });
}

interface Known {
  readonly service: Service;
  readonly holding: string;
  readonly state: ServiceHealth | undefined;
  readonly keys: ServiceHealth | undefined;
}

const DETAILS: Readonly<Record<Verdict, (known: Known) => string>> = {
  no_service: ({ service }) => `has no ${service} service`,
  missing: ({ holding }) => holding,
  absent: ({ holding }) => holding,
  tried: () => "failed for this request",
  disabled: () => "disabled by an operator",
  drained: ({ holding }) => `drained by an operator; ${holding}`,
  no_keys: ({ keys, holding }) => `the keys that this video needs cannot be had: ${keysState(keys)}; ${holding}`,
  ramping: ({ service, holding }) => `${service} returns slowly after a recovery; ${holding}`,
  unknown: ({ service, holding }) => `${service} not probed yet; ${holding}`,
  healthy: ({ service, holding }) => `${service} healthy; ${holding}`,
  degraded: ({ service, state, holding }) => `${service} degraded: ${signalsOf(state)}; ${holding}`,
  unhealthy: ({ service, state, holding }) => `${service} unhealthy: ${reasonOf(state)}; ${holding}`,
};

function signalsOf(state: ServiceHealth | undefined): string {
  return (state?.signals ?? []).map(({ detail }) => detail).join(", ");
}

function reasonOf(state: ServiceHealth | undefined): string {
  return state?.detail ?? state?.reason ?? "no reason given";
}

function keysState(keys: ServiceHealth | undefined): string {
  if (keys === undefined) return "the region has no key delivery";
  return keys.status === "unhealthy" ? `keys unhealthy: ${reasonOf(keys)}` : "disabled by an operator";
}

const HOLDING_WORDS: Readonly<Record<Holding, string>> = {
  verified: "verified there",
  missing: "the catalogue does not have it verified there",
  found: "was found there when asked",
  absent: "answered that it does not have it",
  unknown: "not known whether it is there",
};
