/** A pass over one asset: no list is read, its regions are asked for it by name. */
import type { CatalogueEntry } from "../core/contracts.ts";
import type { MassWithdrawal } from "./discover.ts";
import type { ReplicationDriver } from "./driver.ts";
import type { JobDeps } from "./jobDeps.ts";
import { PassWork, type PassWorkOptions } from "./passWork.ts";
import type { PassSummary } from "./passSummary.ts";
import { withdrawGone } from "./withdraw.ts";

export interface AssetPassOptions extends Omit<PassWorkOptions, "since" | "full"> {
  readonly assetName: string;
  readonly acceptWithdrawals?: boolean;
}

const LISTING_MS = 30_000;

/** As `replicationPass`; the asset is looked at whatever the catalogue says. */
export async function assetPass(
  deps: JobDeps,
  driver: ReplicationDriver,
  options: AssetPassOptions,
  stop?: AbortSignal,
): Promise<PassSummary> {
  const work = new PassWork(deps, driver, { ...options, full: true, since: deps.clock.now() }, stop);
  const { sources, targets, assetName } = options;
  const listed = new Map<string, ReadonlySet<string>>();
  await Promise.all(
    [...new Set([...sources, ...targets])].map(async (region) => {
      const ids = await locatorIds(deps, driver, work, { region, assetName }, stop);
      if (ids === null) return;
      listed.set(region, ids);
      if (sources.includes(region)) await work.look(region, assetName, 0);
    }),
  );
  const { losses, gone } = await lost(deps, options, listed);
  const only = async function* (regions: readonly string[]) {
    yield* gone.filter(({ source }) => regions.includes(source));
  };
  const { isPublished } = driver;
  const acceptMass = options.acceptWithdrawals === true;
  const withdrawals = await withdrawGone(deps, { losses, gone: only, isPublished, acceptMass }, stop);
  await work.drained();
  return work.summary(withdrawals);
}

/** Lower-case ids of the locators that the region lists for the asset; null where it cannot be asked. */
async function locatorIds(
  { clock, options }: JobDeps,
  driver: ReplicationDriver,
  work: PassWork,
  { region, assetName }: { readonly region: string; readonly assetName: string },
  stop?: AbortSignal,
): Promise<ReadonlySet<string> | null> {
  using deadline = clock.deadline(options.listTimeoutMs ?? LISTING_MS);
  const signal = stop === undefined ? deadline.signal : AbortSignal.any([deadline.signal, stop]);
  try {
    const summaries = await driver.publicationsOf(region, assetName, signal);
    work.reach.answered(region);
    return new Set(summaries.map(({ streamingLocatorId }) => streamingLocatorId.toLowerCase()));
  } catch (error) {
    work.lost(region, error);
    return null;
  }
}

/** Entries of the asset that their source does not list, and what share of the source that is. */
async function lost({ catalogue }: JobDeps, { sources, assetName }: AssetPassOptions, listed: ReadonlyMap<string, ReadonlySet<string>>) {
  const gone: CatalogueEntry[] = [];
  const served = new Map<string, number>();
  for await (const { entry } of catalogue.list()) {
    const { source } = entry;
    if (!sources.includes(source) || entry.regions[source]?.state !== "verified") continue;
    served.set(source, (served.get(source) ?? 0) + 1);
    if (entry.assetName === assetName && listed.get(source)?.has(entry.locatorId.toLowerCase()) === false) gone.push(entry);
  }
  const losses = [...served].map(([region, of]): MassWithdrawal => {
    return { region, gone: gone.filter(({ source }) => source === region).length, of };
  });
  return { losses, gone };
}
