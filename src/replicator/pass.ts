/** One pass over everything that is published: discovers, runs the jobs, sums up. Each target goes at its own pace. */
import type { CatalogueEntry } from "../core/contracts.ts";
import { errorChain, errorCode } from "../core/errors.ts";
import { scrub } from "../core/log.ts";
import type { LocatorSummary } from "../core/media.ts";
import { forEachBounded } from "./bounded.ts";
import { discover, jobsFor, type Entries, type Listing, type MassWithdrawal, type PlannedJob, type Publication } from "./discover.ts";
import { jobId } from "./job.ts";
import type { JobDeps } from "./jobDeps.ts";
import { replicateAsset, type AmsDeps } from "./run.ts";
import type { JobResult, Sharing } from "./runJob.ts";
import { withdrawGone, type PublishedCheck, type Withdrawals } from "./withdraw.ts";

/** How the publications of one kind of account are found and carried. */
export interface ReplicationDriver {
  /** What a region publishes. Throws when it cannot be asked. */
  readonly publications: (region: string, signal: AbortSignal) => Promise<readonly LocatorSummary[]>;
  /** Asks the source of an entry for this one publication. */
  readonly isPublished: PublishedCheck;
  readonly replicate: (job: PlannedJob & { readonly sharing?: Sharing }, stop?: AbortSignal) => Promise<JobResult>;
}

export interface PassOptions {
  /** Regions whose publications are carried, in order of priority. */
  readonly sources: readonly string[];
  /** Regions to carry them to; a source is always verified in itself. */
  readonly targets: readonly string[];
  /** Look again at what the catalogue has as verified. */
  readonly full: boolean;
  /** Only this asset; null: all. */
  readonly assetName: string | null;
  /** Withdraw also where a source has unpublished most of its videos at once. Default false: that is refused. */
  readonly acceptWithdrawals?: boolean;
}

export interface PassSummary {
  /** Distinct assets published in the source regions (of those asked for). */
  readonly assets: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly conflicts: number;
  readonly failed: number;
  /** Jobs that other processes did since the pass began, or are still at. */
  readonly elsewhere: number;
  /** Bytes copied. */
  readonly bytes: number;
  /** Copies that must not serve any more because their source has unpublished them. */
  readonly withdrawn: number;
  /** Sources of which too much seemed to be unpublished at once: nothing of theirs was withdrawn. */
  readonly withdrawalsRefused: readonly MassWithdrawal[];
  /** Regions that could not be asked what they publish. */
  readonly unreachable: readonly string[];
  readonly results: readonly JobResult[];
}

export function amsDriver(deps: AmsDeps): ReplicationDriver {
  return {
    publications: async (region, signal) => Array.fromAsync(deps.accounts.get(region)?.locators(signal) ?? []),
    isPublished: async ({ source, locatorName, locatorId }, signal) => {
      // Another locator may have the name by now.
      const locator = await deps.accounts.get(source)?.locator(locatorName, signal);
      return locator === undefined || locator?.streamingLocatorId.toLowerCase() === locatorId;
    },
    replicate: (job, stop) => replicateAsset(deps, job, stop),
  };
}

/** Never rejects for a region that is down; rejects when the catalogue cannot be read. `stop` ends it between two blobs. */
export async function replicationPass(
  deps: JobDeps,
  driver: ReplicationDriver,
  options: PassOptions,
  stop?: AbortSignal,
): Promise<PassSummary> {
  const since = deps.clock.now();
  const entries = await readEntries(deps);
  const unreachable: string[] = [];
  const listings = new Map<string, Promise<Listing>>();
  for (const region of new Set([...options.sources, ...options.targets]))
    listings.set(region, list(deps, driver, region, unreachable, stop));
  const sources = new Map<string, Listing>();
  for (const region of options.sources) sources.set(region, (await listings.get(region)) ?? null);
  const { publications, gone } = discover(sources, entries);
  const wanted = publications.filter(({ assetName }) => options.assetName === null || assetName === options.assetName);
  const withdrawals = await withdrawGone(
    deps,
    {
      entries,
      gone: options.assetName === null ? gone : gone.filter(({ assetName }) => assetName === options.assetName),
      isPublished: driver.isPublished,
      acceptMass: options.acceptWithdrawals === true,
    },
    stop,
  );
  const results: JobResult[] = [];
  const targets = [...new Set([...options.targets, ...options.sources])].map(async (target) => {
    const own = wanted.filter(({ source }) => source === target || options.targets.includes(target));
    const listing = (await listings.get(target)) ?? null;
    const jobs = jobsFor(own, entries, { target, listing, full: options.full });
    await runTarget(deps, driver, { jobs, listing, since }, results, stop);
  });
  await Promise.all(targets);
  if (stop?.aborted !== true) deps.metrics?.replicationPass(deps.clock.now() / 1000);
  return summarise(wanted, results, withdrawals, unreachable);
}

async function readEntries({ catalogue }: JobDeps): Promise<Entries> {
  const entries = new Map<string, CatalogueEntry>();
  for await (const { entry } of catalogue.list()) entries.set(entry.locatorId, entry);
  return entries;
}

async function list(deps: JobDeps, driver: ReplicationDriver, region: string, unreachable: string[], stop?: AbortSignal): Promise<Listing> {
  using deadline = deps.clock.deadline(deps.options.listTimeoutMs ?? 30_000);
  const signal = stop === undefined ? deadline.signal : AbortSignal.any([deadline.signal, stop]);
  try {
    return await driver.publications(region, signal);
  } catch (error) {
    unreachable.push(region);
    if (stop?.aborted !== true)
      deps.log.warn("replication.region_unreachable", { region, code: errorCode(error), error: errorChain(error) });
    return null;
  }
}

interface TargetWork {
  readonly jobs: readonly PlannedJob[];
  readonly listing: Listing;
  /** When the pass began: what other processes have done since then is done. */
  readonly since: number;
}

/**
 * A target that could not even list what it has is not tried asset by asset: each try would cost a time-out. Jobs that another process is at
 * come last: it may have ended by then, or have died.
 */
async function runTarget(
  deps: JobDeps,
  driver: ReplicationDriver,
  { jobs, listing, since }: TargetWork,
  results: JobResult[],
  stop?: AbortSignal,
): Promise<void> {
  const busy: PlannedJob[] = [];
  const share = async (job: PlannedJob, wait: boolean): Promise<JobResult> => {
    const result = await driver.replicate({ ...job, sharing: { since, wait } }, stop);
    // It may have been done for other locators of the asset than these.
    return result.elsewhere === "done" && !(await isVerified(deps, job)) ? driver.replicate(job, stop) : result;
  };
  const run = async (job: PlannedJob): Promise<void> => {
    const result = listing === null ? notTried(deps, job) : await share(job, false);
    if (result.elsewhere === "busy") busy.push(job);
    else results.push(result);
  };
  const wait = async (job: PlannedJob): Promise<void> => {
    results.push(await share(job, true));
  };
  try {
    await forEachBounded(jobs, deps.options.concurrency, run, stop);
    await forEachBounded(busy, deps.options.concurrency, wait, stop);
  } catch (error) {
    if (stop?.aborted !== true) throw error;
  }
}

async function isVerified({ catalogue }: JobDeps, { locatorIds, target }: PlannedJob): Promise<boolean> {
  const stored = await Promise.all(locatorIds.map(async (id) => catalogue.get(id)));
  return stored.every((version) => version?.entry.regions[target]?.state === "verified");
}

function notTried({ metrics }: JobDeps, job: PlannedJob): JobResult {
  metrics?.job(job.target, "failed");
  const { source, target, assetName } = job;
  const message = scrub(`replicate ${assetName} from ${source} to ${target}: ${target} cannot be asked`);
  return {
    source,
    target,
    assetName,
    id: jobId(job),
    result: "failed",
    steps: [],
    counts: { blobsCopied: 0, bytesCopied: 0, blobsAdopted: 0, written: [], published: 0, notes: [] },
    error: { code: "target_unreachable", message, conflicts: [] },
  };
}

function summarise(
  publications: readonly Publication[],
  results: readonly JobResult[],
  { withdrawn, refused, unconfirmed }: Withdrawals,
  unreachable: readonly string[],
): PassSummary {
  const count = (wanted: JobResult["result"]): number => results.filter(({ result }) => result === wanted).length;
  const elsewhere = results.filter((result) => result.elsewhere !== undefined).length;
  return {
    assets: new Set(publications.map(({ source, assetName }) => `${source}/${assetName}`)).size,
    changed: count("changed"),
    unchanged: count("unchanged") - elsewhere,
    conflicts: count("conflict"),
    failed: count("failed"),
    elsewhere,
    bytes: results.reduce((sum, { counts }) => sum + counts.bytesCopied, 0),
    withdrawn,
    withdrawalsRefused: refused,
    unreachable: [...unreachable, ...unconfirmed],
    results,
  };
}
