/** An order, what holds of each region, and what was tried already -> a decision. */
import type { Considered, Decision, DecisionReason } from "../core/contracts.ts";
import type { Candidate } from "./candidates.ts";
import { assess, rankOf, type Assessment, type Facts } from "./eligibility.ts";
import { hashText } from "./order/hash.ts";
import { admitted } from "./order/order.ts";

/** One request's own part in a decision. */
export interface Asked {
  /** Regions that failed for this very request. */
  readonly tried: ReadonlySet<string>;
  readonly whenNoneEligible: "open" | "closed";
  /** 32 bits of the viewer, by which regions that return slowly let him in or not. Left out: they do. */
  readonly seed?: number;
  /** The region that this viewer is to try out. */
  readonly canary?: string | null;
}

export interface Question extends Facts, Asked {
  /** In the order in which they are to serve. */
  readonly candidates: readonly Candidate[];
}

/**
 * Chooses a region. A healthy region that is known to hold what was asked for comes before one whose state or holding is unknown; among
 * equals the order of the candidates decides. A region that is known not to hold it, or is disabled, is never chosen.
 */
export function decide(question: Question): Decision {
  return choose(
    question.candidates.map((candidate) => assess(candidate, question)),
    question,
  );
}

/** As `decide`, from assessments in candidate order. */
export function choose(assessments: readonly Assessment[], asked: Asked): Decision {
  const seen = assessments.map((each) => forRequest(each, asked));
  const considered = seen.map((each) => each.considered);
  const serving = seen.filter((each) => each.considered.verdict !== "no_service");
  const best = lowest(seen, (each) => each.rank);
  if (best !== null) return decision(best, reasonFor(best, serving, asked), considered);
  const reserve = lowest(seen, (each) => each.reserve);
  if (reserve !== null) return decision(reserve, reasonFor(reserve, serving, asked), seen.map(withReserve));
  if (serving.every(lacksIt)) return decision(null, "not_found", considered);
  const leastBad = asked.whenNoneEligible === "closed" ? null : lowest(seen, (each) => each.severity);
  return decision(leastBad, leastBad === null ? "unavailable" : "failopen", considered);
}

function decision(chosen: Assessment | null, reason: DecisionReason, considered: readonly Considered[]): Decision {
  return { region: chosen?.region ?? null, reason, considered };
}

function reasonFor(chosen: Assessment, serving: readonly Assessment[], { canary }: Asked): DecisionReason {
  if (chosen.pinned) return "pinned";
  if (chosen.region === canary) return "canary";
  // The pinned one would have been the first.
  if (serving.some(({ yields }) => yields)) return "failover";
  return chosen === serving[0] ? "primary" : "failover";
}

/** Adds to what holds for everybody what holds for this request alone. */
function forRequest(each: Assessment, { tried, seed }: Asked): Assessment {
  if (tried.has(each.region)) return failed(each);
  if (each.share >= 1 || each.rank === null || each.pinned || seed === undefined) return each;
  if (admitted(seed, hashText(each.region), each.share)) return each;
  const percent = Math.round(each.share * 100);
  const detail = `returns slowly after a recovery, now with ${percent} % of its viewers; ${each.considered.detail}`;
  return { ...each, rank: rankOf("ramping", each.sure), considered: { ...each.considered, verdict: "ramping", detail } };
}

/** Having failed says nothing new of a region that may not serve anyway. */
function failed(each: Assessment): Assessment {
  if (each.rank === null && each.reserve === null && each.severity === null) return each;
  const considered: Considered = { region: each.region, eligible: false, verdict: "tried", detail: "failed for this request" };
  return { ...each, considered, rank: null, reserve: null, severity: null, yields: each.pinned || each.yields };
}

function lacksIt({ considered: { verdict } }: Assessment): boolean {
  return verdict === "missing" || verdict === "absent";
}

/** Nobody else is eligible, so those that are drained are. */
function withReserve({ considered, reserve }: Assessment): Considered {
  return reserve === null ? considered : { ...considered, eligible: true };
}

/** The first with the lowest score; null scores take no part. */
function lowest(assessments: readonly Assessment[], score: (each: Assessment) => number | null): Assessment | null {
  let best: Assessment | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const each of assessments) {
    const points = score(each);
    if (points === null || points >= least) continue;
    best = each;
    least = points;
  }
  return best;
}
