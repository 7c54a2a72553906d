/** What replicating one asset to one target would come to, in the words of its result. Pure. */
import type { CatalogueEntry } from "../../core/contracts.ts";
import type { Conflict } from "../conflict.ts";
import type { PlannedJob } from "../discover.ts";
import type { JobIdentity } from "../job.ts";
import type { AssetPlan, PlannedWrite } from "../planAsset.ts";
import type { BlobTotals } from "../planBlobs.ts";

type Outcome = "changed" | "unchanged" | "conflict" | "failed";

export interface JobPlan extends JobIdentity {
  /** What `replicate` would call it. `conflict`: with locators that are set aside, the others are done all the same. */
  readonly result: Outcome;
  readonly blobs: BlobTotals;
  /** Blobs that are known to be damaged on the target, and would be copied again first. */
  readonly damaged: number;
  /** In order. */
  readonly writes: readonly PlannedWrite[];
  /** Deleted on the target, for people: `locator intro-1`. In order. */
  readonly removals: readonly string[];
  /** Locators that would be verified in the target, and served from there. */
  readonly publishes: readonly string[];
  /** Locators that the target would serve no more, or not before they are verified again. */
  readonly withdraws: readonly string[];
  readonly conflicts: readonly Conflict[];
  readonly notes: readonly string[];
  /** Why no plan can be made; the job would fail the same way. */
  readonly error: { readonly code: string; readonly message: string } | null;
}

export const NO_BLOBS: BlobTotals = { copy: 0, bytes: 0, adopt: 0, skip: 0 };

/** `entries` are those of the job's locators. */
export function jobPlan(job: PlannedJob, plan: AssetPlan, entries: readonly CatalogueEntry[]): JobPlan {
  const { source, target, assetName } = job;
  const conflicts = [...plan.refused, ...plan.setAside];
  const isRefused = plan.refused.length > 0;
  const done = isRefused ? nothingOf(plan) : plan;
  const verified = new Map(entries.flatMap((entry) => (isServed(entry, target) ? [[entry.locatorId.toLowerCase(), entry]] : [])));
  const withdraws = new Set([...done.withdrawn, ...wrong(job, plan)].filter((id) => verified.has(id)));
  const aside = new Set(conflicts.flatMap(({ locatorId }) => (locatorId === undefined ? [] : [locatorId.toLowerCase()])));
  const isSettled = (id: string): boolean => verified.get(id)?.source === source && !withdraws.has(id);
  const publishes = isRefused ? [] : job.locatorIds.filter((id) => !aside.has(id) && !isSettled(id));
  const planned = {
    blobs: done.blobs ?? NO_BLOBS,
    damaged: source === target || isRefused ? 0 : damagedIn(entries, target),
    writes: done.writes,
    removals: done.removals.map(({ kind, name }) => `${kind} ${name}`),
    publishes,
    withdraws: [...withdraws],
    conflicts,
    notes: plan.notes,
  };
  return { source, target, assetName, result: outcome(planned), ...planned, error: null };
}

function nothingOf(plan: AssetPlan): AssetPlan {
  return { ...plan, blobs: NO_BLOBS, writes: [], removals: [], withdrawn: [] };
}

/** The plan of a job of which not both sides could be read. */
export function unplanned({ source, target, assetName }: JobIdentity, error: { readonly code: string; readonly message: string }): JobPlan {
  const nothing = { writes: [], removals: [], publishes: [], withdraws: [], conflicts: [], notes: [] };
  return { source, target, assetName, result: "failed", blobs: NO_BLOBS, damaged: 0, ...nothing, error };
}

function isServed({ regions }: CatalogueEntry, target: string): boolean {
  return regions[target]?.state === "verified" && regions[target].damage === undefined;
}

function damagedIn(entries: readonly CatalogueEntry[], target: string): number {
  return new Set(entries.flatMap(({ regions }) => regions[target]?.damage?.blobs ?? []).map(({ name }) => name)).size;
}

/** A copy that differs must not serve: what is in conflict, or all where it is about more than one locator. */
function wrong({ locatorIds }: PlannedJob, plan: AssetPlan): readonly string[] {
  return [plan.refused, plan.setAside].flatMap((conflicts) => {
    const differing = conflicts.filter(({ keepsServing }) => keepsServing !== true);
    const named = differing.flatMap(({ locatorId }) => (locatorId === undefined ? [] : [locatorId.toLowerCase()]));
    return named.length === differing.length ? named : locatorIds;
  });
}

function outcome(plan: Omit<JobPlan, keyof JobIdentity | "result" | "error">): Outcome {
  if (plan.conflicts.length > 0) return "conflict";
  const changes = [plan.writes, plan.removals, plan.publishes, plan.withdraws].some((list) => list.length > 0);
  return changes || plan.blobs.copy > 0 || plan.damaged > 0 ? "changed" : "unchanged";
}
