/** Reads everything of a target that a plan is made from. Changes nothing. */
import type { CatalogueEntry } from "../core/contracts.ts";
import type { LocatorSummary, MediaAsset } from "../core/media.ts";
import type { MediaAccount } from "../core/ports/media.ts";
import type { CommonReads } from "./commonReads.ts";
import { diffAsset, type Removable } from "./diff.ts";
import { accountFilterTasks, assetFilterTasks, trackTasks } from "./filters.ts";
import { locatorTasks, type LocatorTask } from "./locators.ts";
import type { AssetLook } from "./planAsset.ts";
import { policyTasks } from "./policies.ts";
import type { RecreationFacts } from "./recreation.ts";
import type { JobContext } from "./runJob.ts";
import type { Survey } from "./survey.ts";
import { lookAtAll, type EntityTask, type LookedAt } from "./tasks.ts";

/** What was found, with what can be done about each entity. Secrets are within its tasks. */
export interface LookedAsset {
  readonly look: AssetLook;
  /** Null where the target has none yet. */
  readonly asset: MediaAsset | null;
  /** In the order in which they have to be written. */
  readonly entities: readonly LookedAt[];
  readonly locators: readonly (LookedAt & { readonly task: LocatorTask })[];
}

export interface LookOptions {
  /** As the target is to have it. */
  readonly survey: Survey;
  readonly target: MediaAccount;
  /** What the assets of the target have in common. */
  readonly common: CommonReads;
  /** Whether the target's asset was made by this job, since it was looked at. */
  readonly isMade?: () => boolean;
  /** Compares the blobs of both sides; asked only where the target's asset is the right one. */
  readonly blobs: (asset: MediaAsset) => Promise<AssetLook["blobs"]>;
}

/** Filters and tracks belong to the asset, which has to be there with its files; policies come before the locators that name them. */
export function entityTasks(context: JobContext, { survey, target, common }: Omit<LookOptions, "blobs">): readonly EntityTask[] {
  return [...ofAsset(context, survey, target), ...ofAccount(context, survey, common)];
}

function ofAsset(context: JobContext, survey: Survey, target: MediaAccount): readonly EntityTask[] {
  return [...assetFilterTasks(context, survey, target), ...trackTasks(context, survey, target)];
}

function ofAccount(context: JobContext, survey: Survey, common: CommonReads): readonly EntityTask[] {
  return [...accountFilterTasks(context, survey, common), ...policyTasks(context, survey, common)];
}

export async function lookAtAsset(context: JobContext, options: LookOptions): Promise<LookedAsset> {
  const { survey, target, common, blobs } = options;
  const { identity, signal, deps } = context;
  const asset = await target.asset(identity.assetName, signal);
  const verdict = diffAsset(survey.asset, asset);
  const own = ofAsset(context, survey, target);
  const entities = [
    ...(asset === null ? own.map((task): LookedAt => ({ task, verdict: { action: "create" } })) : await lookAtAll(own)),
    ...(await lookAtAll(ofAccount(context, survey, common))),
  ];
  const locators = await lookAtLocators(context, options, asset);
  const look: AssetLook = {
    identity,
    asset: verdict,
    entities: entities.map(({ task, verdict: found }) => ({ what: task.what, verdict: found, optional: task.optional === true })),
    locators: locators.map(({ task, verdict: found }) => ({ what: task.what, verdict: found, locator: task.locator })),
    blobs: asset === null || verdict.action === "conflict" ? null : await blobs(asset),
    recreation: deps.options.recreate === true ? await recreationFacts(context, [...entities, ...locators], target) : null,
    notes: drift(survey.asset, asset),
  };
  return { look, asset, entities, locators };
}

/** An asset that is not there, or that this job has just made, has no locators but this job's: it is not asked for them. */
async function lookAtLocators(
  context: JobContext,
  { survey, target, isMade }: LookOptions,
  asset: MediaAsset | null,
): Promise<LookedAsset["locators"]> {
  let hasOthers = asset !== null;
  const tasks = locatorTasks(context, survey, target, () => hasOthers && isMade?.() !== true);
  const looked: LookedAsset["locators"][number][] = [];
  for (const task of tasks) looked.push({ task, verdict: await task.look() });
  hasOthers = true;
  return looked;
}

/** Listing the users of a policy costs a listing of the account's locators: it is read only for policies in conflict. */
async function recreationFacts({ deps, signal }: JobContext, seen: readonly LookedAt[], target: MediaAccount): Promise<RecreationFacts> {
  const users = new Map<string, readonly LocatorSummary[]>();
  const entries = new Map<string, CatalogueEntry>();
  const learn = async (locatorId: string): Promise<void> => {
    const stored = await deps.catalogue.get(locatorId.toLowerCase());
    if (stored !== null) entries.set(locatorId.toLowerCase(), stored.entry);
  };
  for (const removable of seen.flatMap(removableOf)) {
    if (removable.kind === "locator") await learn(removable.locatorId);
    else {
      const under = await Array.fromAsync(target.locatorsUnder(removable.name, signal));
      users.set(removable.name, under);
      for (const { streamingLocatorId } of under) await learn(streamingLocatorId);
    }
  }
  return { users, entries };
}

function removableOf({ verdict }: LookedAt): readonly Removable[] {
  return verdict.action === "conflict" && verdict.removable !== undefined ? [verdict.removable] : [];
}

/** Nothing plays by these, so they are not carried over after the asset was created. */
function drift(source: MediaAsset, target: MediaAsset | null): readonly string[] {
  if (target === null || (source.alternateId === target.alternateId && source.description === target.description)) return [];
  return [`asset ${source.name}: alternate id or description differ from the source's`];
}
