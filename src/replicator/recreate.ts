/**
 * Takes out of the way what is to be created anew. In this order, so that no video is unplayable where it plays from: the source must play it now,
 * the target must not be chosen for it any more, and only then it is deleted there. The source is never touched.
 */
import { PaircastError } from "../core/errors.ts";
import type { StreamingLocator } from "../core/media.ts";
import type { MediaAccount } from "../core/ports/media.ts";
import type { CommonReads } from "./commonReads.ts";
import type { Removable } from "./diff.ts";
import type { AssetPlan } from "./planAsset.ts";
import { withdrawFrom } from "./publish.ts";
import type { JobContext } from "./runJob.ts";
import type { VerificationReport } from "./verdict.ts";

/** Gateways follow the catalogue within a second (`CatalogueView`); what is under way at them is given as much again. */
const GATEWAYS_FOLLOW_MS = 2_000;

export interface ClearOptions {
  readonly plan: Pick<AssetPlan, "removals" | "withdrawn">;
  readonly target: MediaAccount;
  /** What the assets of the target have in common. */
  readonly common: CommonReads;
  /** The source's locators of the asset. */
  readonly locators: readonly StreamingLocator[];
  /** Plays a locator at the source as a player would. */
  readonly playAtSource: (locator: StreamingLocator) => Promise<VerificationReport>;
}

export async function clearTheWay(context: JobContext, options: ClearOptions): Promise<void> {
  const { plan } = options;
  if (plan.removals.length === 0) return;
  await requireSource(context, options);
  await withdrawFrom(context, plan.withdrawn, "it is being deleted and created anew");
  if (plan.withdrawn.length > 0) await context.deps.clock.sleep(GATEWAYS_FOLLOW_MS, context.signal);
  for (const removal of plan.removals) {
    context.stop?.throwIfAborted();
    await remove(context, options, removal);
    context.tally.notes.push(`deleted on the target, to be created anew: ${removal.kind} ${removal.name}`);
  }
}

async function requireSource({ identity }: JobContext, { plan, locators, playAtSource }: ClearOptions): Promise<void> {
  const names = new Set(plan.removals.map(({ name }) => name));
  const ids = new Set(plan.withdrawn);
  for (const locator of locators) {
    if (!ids.has(locator.streamingLocatorId.toLowerCase()) && !names.has(locator.name)) continue;
    const report = await playAtSource(locator);
    if (report.ok) continue;
    throw new PaircastError(
      "recreate_unsafe",
      `recreate locator ${locator.name} in ${identity.target}: ${identity.source} does not play it now (${report.detail}), so nobody would serve it meanwhile; nothing was deleted`,
      { retry: "retry" },
    );
  }
}

async function remove({ signal }: JobContext, { target, common }: ClearOptions, removal: Removable): Promise<void> {
  if (removal.kind === "streaming policy") await common.deleteStreamingPolicy(removal.name);
  else {
    await requireUnchanged(target, removal, signal);
    await target.deleteLocator(removal.name, signal);
  }
  const left = removal.kind === "locator" ? await target.locator(removal.name, signal) : await target.streamingPolicy(removal.name, signal);
  if (left === null) return;
  throw new PaircastError("delete_failed", `delete ${removal.kind} ${removal.name} in ${target.region}: it is still there afterwards`, {
    retry: "retry",
  });
}

/** Somebody may have put another locator in its place since the plan was made. */
async function requireUnchanged(
  target: MediaAccount,
  removal: Extract<Removable, { kind: "locator" }>,
  signal: AbortSignal,
): Promise<void> {
  const now = await target.locator(removal.name, signal);
  if (now === null) return;
  if (now.streamingLocatorId.toLowerCase() === removal.locatorId && now.assetName === removal.assetName) return;
  throw new PaircastError("replica_changed", `delete locator ${removal.name} in ${target.region}: it is another one now; replicate again`, {
    retry: "retry",
  });
}
