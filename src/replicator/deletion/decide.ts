/**
 * Decides which copies may be deleted now. Every doubt keeps a copy: a source that has it again, a source that cannot be asked, a grace period that
 * is not over, an operator's word, more at once than is allowed. Pure.
 */
import type { Deletion } from "../../core/ports/deletions.ts";

export interface DeletionPolicy {
  /** Between the moment when it is noted and the deletion. */
  readonly graceMs: number;
  /** Of all videos of a target (a share above 0, at most 1), or so many, in any `windowMs`. A share allows one at least. */
  readonly limit: { readonly share: number } | { readonly count: number };
  readonly windowMs: number;
  /** Nothing is deleted that no operator has approved. */
  readonly needsApproval: boolean;
}

/** What the regions that could publish it say: `unknown` where one of them gave no answer. */
export type Evidence = "gone" | "published" | "unknown";

export interface Candidate {
  readonly deletion: Deletion;
  readonly evidence: Evidence;
}

export type DeletionVerdict =
  | { readonly kind: "over" }
  /** Published again: it is forgotten. */
  | { readonly kind: "restored" }
  | { readonly kind: "kept" }
  | { readonly kind: "unconfirmed" }
  | { readonly kind: "pending"; readonly dueAt: number }
  | { readonly kind: "unapproved" }
  /** Too much is due at once to be believed without an operator's word: nothing of it is deleted. */
  | { readonly kind: "refused"; readonly due: number; readonly limit: number }
  /** Enough was deleted lately. */
  | { readonly kind: "waits"; readonly limit: number }
  | { readonly kind: "delete" };

export interface Decision {
  readonly deletion: Deletion;
  readonly verdict: DeletionVerdict;
}

export interface DecisionFacts {
  /** Videos that each target has, without those whose deletion was begun. */
  readonly held: ReadonlyMap<string, number>;
  readonly policy: DeletionPolicy;
  readonly now: number;
}

/** In the order of the candidates; each of them once. */
export function decideDeletions(candidates: readonly Candidate[], facts: DecisionFacts): readonly Decision[] {
  const silent = new Set(candidates.flatMap(({ deletion, evidence }) => (evidence === "unknown" ? [deletion.source] : [])));
  const first = new Map(candidates.map((candidate) => [candidate.deletion.id, alone(candidate, silent, facts)]));
  const quotas = new Map<string, Quota>();
  const quotaOf = (target: string): Quota => {
    const quota = quotas.get(target) ?? quotaFor(target, candidates, first, facts);
    quotas.set(target, quota);
    return quota;
  };
  for (const { deletion } of inTurn(candidates)) {
    if (first.get(deletion.id)?.kind === "delete") first.set(deletion.id, taken(deletion, quotaOf(deletion.target), facts));
  }
  return candidates.map(({ deletion }) => ({ deletion, verdict: first.get(deletion.id) ?? { kind: "unconfirmed" } }));
}

export function dueAt({ notedAt, goneAt }: Pick<Deletion, "notedAt" | "goneAt">, { graceMs }: Pick<DeletionPolicy, "graceMs">): number {
  return Math.max(notedAt, goneAt) + graceMs;
}

/** So many of a target's videos may go in one window. */
export function limitOf(policy: Pick<DeletionPolicy, "limit">, videos: number): number {
  const { limit } = policy;
  return "count" in limit ? limit.count : Math.max(1, Math.floor(limit.share * videos));
}

/** Without regard to how many there are. */
function alone({ deletion, evidence }: Candidate, silent: ReadonlySet<string>, { policy, now }: DecisionFacts): DeletionVerdict {
  if (deletion.state === "done") return { kind: "over" };
  if (evidence === "published") return { kind: "restored" };
  if (deletion.state === "foreign") return { kind: "over" };
  if (deletion.word === "keep") return { kind: "kept" };
  const due = dueAt(deletion, policy);
  if (now < due) return { kind: "pending", dueAt: due };
  if (silent.has(deletion.source)) return { kind: "unconfirmed" };
  if (policy.needsApproval && deletion.word !== "approve") return { kind: "unapproved" };
  return { kind: "delete" };
}

interface Quota {
  readonly limit: number;
  /** Due, and not approved by an operator. */
  readonly due: number;
  left: number;
}

function quotaFor(
  target: string,
  candidates: readonly Candidate[],
  first: ReadonlyMap<string, DeletionVerdict>,
  { held, policy, now }: DecisionFacts,
): Quota {
  const own = candidates.map(({ deletion }) => deletion).filter((deletion) => deletion.target === target);
  const begun = own.filter((deletion) => isBegunLately(deletion, policy, now)).length;
  const limit = limitOf(policy, (held.get(target) ?? 0) + begun);
  const due = own.filter(({ id, word, state }) => word === null && state === "pending" && first.get(id)?.kind === "delete").length;
  return { limit, due, left: Math.max(0, limit - begun) };
}

/** One that was begun in the future was begun by a clock that is wrong: it counts. */
function isBegunLately({ begunAt }: Deletion, { windowMs }: DeletionPolicy, now: number): boolean {
  return begunAt !== null && begunAt > now - windowMs;
}

function taken(deletion: Deletion, quota: Quota, { policy, now }: DecisionFacts): DeletionVerdict {
  // It has been counted, and half a deletion helps nobody.
  if (deletion.state === "deleting" && isBegunLately(deletion, policy, now)) return { kind: "delete" };
  if (deletion.state === "pending" && deletion.word === null && quota.due > quota.limit)
    return { kind: "refused", due: quota.due, limit: quota.limit };
  if (quota.left === 0) return { kind: "waits", limit: quota.limit };
  quota.left -= 1;
  return { kind: "delete" };
}

/** What was begun goes first, then what an operator has approved, then what has waited longest. */
function inTurn(candidates: readonly Candidate[]): readonly Candidate[] {
  const rank = ({ state, word }: Deletion): number => (state === "deleting" ? 0 : word === "approve" ? 1 : 2);
  return candidates.toSorted(
    ({ deletion: one }, { deletion: other }) => rank(one) - rank(other) || one.notedAt - other.notedAt || (one.id < other.id ? -1 : 1),
  );
}
