/** The one predicate: may this region serve this request? Here health, catalogue and overrides meet. Pure. */
import type {
  Considered,
  FailureReason,
  HealthSnapshot,
  HealthStatus,
  Holding,
  Override,
  Service,
  ServiceHealth,
  Verdict,
} from "../core/contracts.ts";
import type { Candidate } from "./candidates.ts";
import { detailOf } from "./verdictDetail.ts";

/** Region name -> what is known of its copy. A region that is not named is `unknown`. */
export type Holdings = Readonly<Record<string, Holding>>;

/**
 * What a video needs beside streaming, before a viewer is sent to a region for it.
 * - `none` it is clear, or nothing is known of its keys, or keys are what is asked for
 * - `host` its manifest names the region's own key host · `region` its keys come through the gateway, and from this region only
 * - `any` its keys come through the gateway, from this region or another that is known to hold the same
 */
export type KeyNeed = "none" | "host" | "region" | "any";

export interface Facts {
  readonly service: Service;
  readonly holdings: Holdings;
  readonly health: HealthSnapshot;
  /** Left out: none. */
  readonly overrides?: readonly Override[];
  /** Left out: `none`. */
  readonly keys?: KeyNeed;
}

/** What holds of a region for everybody who asks for the same; a request's own part is added by `decide`. */
export interface Assessment {
  readonly region: string;
  readonly considered: Considered;
  /** Lower is better; null where the region is not eligible. */
  readonly rank: number | null;
  /** Rank among those that an operator has drained, which serve when nobody is eligible; null for all others. */
  readonly reserve: number | null;
  /** How bad it is, lower is less; null where it may not serve even as the least bad. */
  readonly severity: number | null;
  /** Whether it has been seen to hold what is asked for. */
  readonly sure: boolean;
  /** Share of the viewers that it may have, 0 to 1. */
  readonly share: number;
  readonly pinned: boolean;
  /** An operator has pinned it, and it cannot serve: others do. */
  readonly yields: boolean;
}

/**
 * Least bad first, by how likely the region serves this viewer all the same. The probe looks at one video from one place: an answer that
 * it did not like says less about the next viewer than a port on which nothing listens.
 */
const SEVERITY: Readonly<Record<FailureReason, number>> = {
  // The service answers; it may be the canary or the probe's token that is wrong.
  not_found: 0,
  unauthorized: 0,
  // It serves something, or served it too slowly for the probe.
  stale: 1,
  regressed: 1,
  rewritten: 1,
  segment: 1,
  too_large: 1,
  status: 2,
  timeout: 3,
  truncated: 3,
  abandoned: 3,
  // It answers with what no player can use.
  body: 4,
  key_length: 4,
  key_mismatch: 4,
  // Nobody is there.
  reset: 5,
  tls: 6,
  dns: 6,
  refused: 7,
};
const UNEXPLAINED = 3;
/** Where all are ill, the pinned one is as good as any. */
const PINNED_SEVERITY = -1;
/** An operator's word weighs more than any reason: a region that is ill and drained comes after all that are only ill. */
const DRAINED_SEVERITY = 10;

/** Verdicts that let a region serve, best first. A region that returns has been seen to serve; an unknown one has not. */
const ELIGIBLE: readonly Verdict[] = ["healthy", "degraded", "ramping", "unknown"];
const PINNED_RANK = -1;

/** Lower is better. A region that has just shown the video outweighs one that is healthy and did not answer for it. */
export function rankOf(verdict: Verdict, sure: boolean): number | null {
  const place = ELIGIBLE.indexOf(verdict);
  return place < 0 ? null : place + (sure ? 0 : ELIGIBLE.length);
}

export function assess(candidate: Candidate, facts: Facts): Assessment {
  const { region } = candidate;
  const holding = facts.holdings[region] ?? "unknown";
  const refused = refusal(candidate, facts, holding);
  return refused === null
    ? assessState(region, holding, facts)
    : { ...NOWHERE, ...standingOut(region, refused, detailOf(refused, region, facts)) };
}

/** What a region is worth that has the service and, as far as is known, the video. */
function assessState(region: string, holding: Holding, facts: Facts): Assessment {
  const sure = holding === "verified" || holding === "found";
  const { verdict, severity } = stateOf(region, facts);
  const rank = rankOf(verdict, sure);
  const detail = detailOf(verdict, region, facts);
  const common: Omit<Assessment, "considered"> = {
    ...NOWHERE,
    region,
    sure,
    share: facts.health.regions[region]?.[facts.service]?.share ?? 1,
  };
  const pin = overrideOf("pin", region, facts);
  if (pin !== undefined) return { ...common, ...underPin(pin, { region, rank, verdict, detail }) };
  if (isDrained(region, facts)) {
    const drained = standingOut(region, "drained", `drained by an operator; ${detail}`);
    return { ...common, ...drained, reserve: rank, severity: severity === null ? null : severity + DRAINED_SEVERITY };
  }
  return { ...common, considered: { region, eligible: rank !== null, verdict, detail }, rank, severity };
}

interface Weighed {
  readonly region: string;
  readonly rank: number | null;
  readonly verdict: Verdict;
  readonly detail: string;
}

/** A pin is a preference: while its region cannot serve, others do, unless the operator has seen that coming. */
function underPin(
  { forced = false }: Override,
  { region, rank, verdict, detail }: Weighed,
): Pick<Assessment, "considered"> & Partial<Assessment> {
  if (rank !== null || forced) {
    return {
      considered: { region, eligible: true, verdict, detail: `pinned by an operator; ${detail}` },
      rank: PINNED_RANK,
      pinned: true,
    };
  }
  const why = `pinned by an operator, and the pin is not honoured, because it cannot serve: ${detail}`;
  return { ...standingOut(region, verdict, why), severity: PINNED_SEVERITY, yields: true };
}

/** True while every region that has the service, and that no operator has disabled, is known to be unhealthy. */
export function noneEligible(
  service: Service,
  candidates: readonly Candidate[],
  health: HealthSnapshot,
  overrides: readonly Override[] = [],
): boolean {
  const facts = { service, health, overrides, holdings: {} };
  const serving = candidates.filter(({ region, base }) => base !== null && !isUnder("disable", region, facts));
  return serving.length > 0 && serving.every(({ region }) => health.regions[region]?.[service]?.status === "unhealthy");
}

const NOWHERE = { rank: null, reserve: null, severity: null, sure: false, share: 1, pinned: false, yields: false } as const;

function standingOut(region: string, verdict: Verdict, detail: string): Pick<Assessment, "region" | "considered"> {
  return { region, considered: { region, eligible: false, verdict, detail } };
}

/** What no state of health can mend. */
function refusal({ region, base }: Candidate, facts: Facts, holding: Holding): Verdict | null {
  if (base === null) return "no_service";
  if (holding === "missing" || holding === "absent") return holding;
  return isUnder("disable", region, facts) ? "disabled" : null;
}

interface State {
  readonly verdict: HealthStatus | "no_keys";
  /** Null where it is well. */
  readonly severity: number | null;
}

function stateOf(region: string, facts: Facts): State {
  const services = facts.health.regions[region];
  const health = services?.[facts.service];
  const status = health?.status ?? "unknown";
  const keys = keysCanBeHad(region, facts) ? null : severityOf(services?.keys);
  if (status === "unhealthy") return { verdict: status, severity: Math.max(severityOf(health), keys ?? 0) };
  return keys === null ? { verdict: status, severity: null } : { verdict: "no_keys", severity: keys };
}

function severityOf(health: ServiceHealth | undefined): number {
  return health?.reason == null ? UNEXPLAINED : SEVERITY[health.reason];
}

/** A key host that is not probed is the video's own business; one that an operator has disabled is not to be asked. */
function keysCanBeHad(region: string, facts: Facts): boolean {
  const { keys = "none" } = facts;
  if (keys === "none") return true;
  const own = facts.health.regions[region]?.keys;
  const enabled = !isUnder("disable", region, { ...facts, service: "keys" });
  if (enabled && (own === undefined ? keys === "host" : own.status !== "unhealthy")) return true;
  return keys === "any" && Object.keys(facts.holdings).some((other) => other !== region && servesSameKeys(other, facts));
}

/** Verified copies have the same keys: that is what was verified. */
function servesSameKeys(region: string, facts: Facts): boolean {
  const status = facts.health.regions[region]?.keys?.status;
  if (facts.holdings[region] !== "verified" || (status !== "healthy" && status !== "degraded")) return false;
  return !isUnder("disable", region, { ...facts, service: "keys" });
}

/** A viewer whose manifest names the region's own key host goes there for keys: the region is as drained as its keys are. */
function isDrained(region: string, facts: Facts): boolean {
  return isUnder("drain", region, facts) || (facts.keys === "host" && isUnder("drain", region, { ...facts, service: "keys" }));
}

/** True while an operator's override of this kind holds for a service of a region. */
export function isUnder(kind: Override["kind"], region: string, facts: Pick<Facts, "overrides" | "service">): boolean {
  return overrideOf(kind, region, facts) !== undefined;
}

function overrideOf(
  kind: Override["kind"],
  region: string,
  { overrides = [], service }: Pick<Facts, "overrides" | "service">,
): Override | undefined {
  return overrides.find((each) => each.kind === kind && each.region === region && (each.service === "all" || each.service === service));
}
