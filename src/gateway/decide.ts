/** Candidates, holdings, health and what was tried already -> a decision. The only place where health and catalogue meet. */
import type {
  Considered,
  Decision,
  DecisionReason,
  FailureReason,
  HealthSnapshot,
  Holding,
  Service,
  ServiceHealth,
  Verdict,
} from "../core/contracts.ts";
import type { Candidate } from "./candidates.ts";

/** Region name -> what is known of its copy. A region that is not named is `unknown`. */
export type Holdings = Readonly<Record<string, Holding>>;

/** Verdicts that let a region serve, best first. */
const ELIGIBLE: readonly Verdict[] = ["healthy", "degraded", "unknown"];

export interface Question {
  readonly service: Service;
  /** In order of priority. */
  readonly candidates: readonly Candidate[];
  readonly holdings: Holdings;
  readonly health: HealthSnapshot;
  /** Regions that failed for this very request. */
  readonly tried: ReadonlySet<string>;
  readonly whenNoneEligible: "open" | "closed";
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

/**
 * Chooses a region. A healthy region that is known to hold what was asked for comes before one whose state or holding is unknown; among
 * equals the order of the candidates decides. A region that is known not to hold it is never chosen.
 */
export function decide(question: Question): Decision {
  const considered = question.candidates.map((candidate) => consider(candidate, question));
  const best = bestOf(considered, (each) => (each.eligible ? rank(each, question) : null));
  const serving = considered.filter((each) => each.verdict !== "no_service");
  if (best !== null) return decision(best, best === serving[0] ? "primary" : "failover", considered);
  if (serving.every((each) => each.verdict === "missing" || each.verdict === "absent")) return decision(null, "not_found", considered);
  if (question.whenNoneEligible === "closed") return decision(null, "unavailable", considered);
  const leastBad = bestOf(considered, (each) => (each.verdict === "unhealthy" ? severity(each, question) : null));
  return leastBad === null ? decision(null, "unavailable", considered) : decision(leastBad, "failopen", considered);
}

/** True while every region that has the service is known to be unhealthy. */
export function noneEligible(service: Service, candidates: readonly Candidate[], health: HealthSnapshot): boolean {
  const serving = candidates.filter((candidate) => candidate.base !== null);
  return serving.length > 0 && serving.every(({ region }) => health.regions[region]?.[service]?.status === "unhealthy");
}

function decision(chosen: Considered | null, reason: DecisionReason, considered: readonly Considered[]): Decision {
  return { region: chosen?.region ?? null, reason, considered };
}

/** The predicate: may this region serve this request? */
function consider(candidate: Candidate, question: Question): Considered {
  const { region } = candidate;
  const health = question.health.regions[region]?.[question.service];
  const verdict = verdictOn(candidate, health, question);
  return { region, eligible: ELIGIBLE.includes(verdict), verdict, detail: explain(verdict, health, question, region) };
}

function verdictOn({ region, base }: Candidate, health: ServiceHealth | undefined, { holdings, tried }: Question): Verdict {
  if (base === null) return "no_service";
  const holding = holdings[region];
  if (holding === "missing" || holding === "absent") return holding;
  if (tried.has(region)) return "tried";
  return health?.status ?? "unknown";
}

/** Lower is better. A region that has just shown the video outweighs one that is healthy and did not answer for it. */
function rank(each: Considered, question: Question): number {
  const holding = question.holdings[each.region];
  return (holding === "verified" || holding === "found" ? 0 : 3) + ELIGIBLE.indexOf(each.verdict);
}

function severity(each: Considered, { health, service }: Question): number {
  const reason = health.regions[each.region]?.[service]?.reason ?? null;
  return reason === null ? UNEXPLAINED : SEVERITY[reason];
}

/** The first with the lowest score; null scores take no part. */
function bestOf(considered: readonly Considered[], score: (each: Considered) => number | null): Considered | null {
  let best: Considered | null = null;
  let lowest = Number.POSITIVE_INFINITY;
  for (const each of considered) {
    const points = score(each);
    if (points === null || points >= lowest) continue;
    best = each;
    lowest = points;
  }
  return best;
}

function explain(verdict: Verdict, health: ServiceHealth | undefined, { service, holdings }: Question, region: string): string {
  const holding = HOLDING_WORDS[holdings[region] ?? "unknown"];
  const words: Readonly<Record<Verdict, string>> = {
    no_service: `has no ${service} service`,
    tried: "failed for this request",
    missing: holding,
    absent: holding,
    unknown: `${service} not probed yet; ${holding}`,
    healthy: `${service} healthy; ${holding}`,
    degraded: `${service} degraded: ${(health?.signals ?? []).map(({ detail }) => detail).join(", ")}; ${holding}`,
    drained: `drained by an operator; ${holding}`,
    disabled: "disabled by an operator",
    no_keys: "the keys that this video needs cannot be had",
    ramping: `${service} returns slowly after a recovery; ${holding}`,
    unhealthy: `${service} unhealthy: ${health?.detail ?? health?.reason ?? "no reason given"}; ${holding}`,
  };
  return words[verdict];
}

const HOLDING_WORDS: Readonly<Record<Holding, string>> = {
  verified: "verified there",
  missing: "the catalogue does not have it verified there",
  found: "was found there when asked",
  absent: "answered that it does not have it",
  unknown: "not known whether it is there",
};
