/** Rebuilds a region: replication of everything that it should have, with sources that the catalogue says are good. */
import { errorChain, errorCode, PaircastError } from "../../core/errors.ts";
import { forEachBounded } from "../bounded.ts";
import { advance, jobId, newJob, type JobIdentity } from "../job.ts";
import type { JobDeps } from "../jobDeps.ts";
import { withdrawCopy } from "../publish.ts";
import type { JobResult } from "../runJob.ts";
import { planRebuild, RECORD, type RebuildFacts, type RebuildJob, type RebuildPlan } from "./plan.ts";

/** How the regions of one kind of account are listed and carried. */
export interface RebuildDriver {
  /** Yields the locator ids that a region lists. Throws where it cannot be asked. */
  readonly listing: (region: string, signal: AbortSignal) => AsyncIterable<string>;
  readonly replicate: (job: RebuildJob, target: string, stop?: AbortSignal) => Promise<JobResult>;
  /** Lower-case ids of locators that have a record; null where none is kept. */
  readonly recorded: (() => Promise<ReadonlySet<string>>) | null;
}

export interface RebuildOptions extends Pick<RebuildFacts, "region" | "from" | "others" | "isTarget" | "filesInPlace"> {
  /** Also where the region lists everything that it should have. */
  readonly force: boolean;
  readonly dryRun: boolean;
}

export interface RebuildSummary extends Pick<RebuildPlan, "lost" | "waiting" | "done"> {
  readonly region: string;
  readonly from: string | null;
  readonly dryRun: boolean;
  /** Epoch milliseconds; set where an earlier run's rebuild was gone on with. */
  readonly resumedFrom: number | null;
  /** With `dryRun` what would be done. */
  readonly jobs: readonly RebuildJob[];
  /** Copies that the gateway does not route to until they are verified again. */
  readonly withdrawn: number;
  readonly rebuilt: number;
  readonly unchanged: number;
  readonly conflicts: number;
  readonly failed: number;
  /** Bytes copied. */
  readonly bytes: number;
  readonly results: readonly JobResult[];
}

const WITHDRAWALS_AT_A_TIME = 8;

/** Never rejects for a video that cannot be brought back: see the summary. `stop` ends it between two blobs; a later run goes on. */
export async function rebuildRegion(
  deps: JobDeps,
  driver: RebuildDriver,
  options: RebuildOptions,
  stop?: AbortSignal,
): Promise<RebuildSummary> {
  const begun = await unfinished(deps, options.region);
  const facts = await lookAround(deps, driver, options, begun, stop);
  const entries = (await Array.fromAsync(deps.catalogue.list())).map(({ entry }) => entry);
  const plan = planRebuild(entries, facts);
  refuseWhole(plan, options, begun);
  if (options.dryRun) return summarise(options, { plan, begun, withdrawn: plan.withdraw.length, results: [] });
  if (begun === null) await begin(deps, options.region);
  let withdrawn = 0;
  await forEachBounded(
    plan.withdraw,
    WITHDRAWALS_AT_A_TIME,
    async (id) => {
      if (await withdrawCopy(deps.catalogue, id, options.region, deps.clock.now(), "the region is being rebuilt")) withdrawn += 1;
    },
    stop,
  );
  const results = await carryOut(deps, driver, plan.jobs, facts, stop);
  const summary = summarise(options, { plan, begun, withdrawn, results });
  if (stop?.aborted !== true && summary.failed + summary.conflicts + summary.waiting.length === 0) await end(deps, options.region);
  return summary;
}

/** What is here and there now. Throws `target_unreachable` where the region cannot be asked, `source_unreachable` for the one that is named. */
async function lookAround(
  deps: JobDeps,
  driver: RebuildDriver,
  { region, from, others, isTarget, filesInPlace }: RebuildOptions,
  since: number | null,
  stop?: AbortSignal,
): Promise<RebuildFacts> {
  const needsRecord = from === RECORD || filesInPlace;
  if (needsRecord && driver.recorded === null)
    throw new PaircastError(
      "no_key_record",
      `rebuild ${region}: there is no record of keys to rebuild from; set replication.keyRecord, which records what is published from then on`,
    );
  const listed = new Set<string>();
  await asking(deps, region, "target_unreachable", stop, async (signal) => {
    for await (const id of driver.listing(region, signal)) listed.add(id.toLowerCase());
  });
  const answering = new Set<string>();
  for (const other of others) if (await answers(deps, driver, other, from, stop)) answering.add(other);
  const recorded = driver.recorded === null ? null : await driver.recorded();
  return { region, from, others, answering, listed, since, isTarget, recorded, filesInPlace };
}

/** Throws for the region that was named: without it there is nothing to rebuild from. */
async function answers(deps: JobDeps, driver: RebuildDriver, region: string, from: string | null, stop?: AbortSignal): Promise<boolean> {
  try {
    await asking(deps, region, "source_unreachable", stop, async (signal) => {
      for await (const _ of driver.listing(region, signal)) break;
    });
    return true;
  } catch (error) {
    if (region === from || stop?.aborted === true) throw error;
    deps.log.warn("rebuild.region_unreachable", { region, code: errorCode(error), error: errorChain(error) });
    return false;
  }
}

async function asking(
  { clock, options }: JobDeps,
  region: string,
  code: string,
  stop: AbortSignal | undefined,
  ask: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  using deadline = clock.deadline(options.listTimeoutMs ?? 30_000);
  try {
    await ask(stop === undefined ? deadline.signal : AbortSignal.any([deadline.signal, stop]));
  } catch (cause) {
    throw new PaircastError(code, `ask ${region} what it publishes: ${errorChain(cause)}`, { retry: "retry", cause });
  }
}

/** A region by whose name nothing is lost is probably not the one that was meant: to take it out of service would do harm. */
function refuseWhole({ held }: RebuildPlan, { region, force }: RebuildOptions, begun: number | null): void {
  if (force || begun !== null || held.verified === 0 || held.listed < held.verified) return;
  throw new PaircastError(
    "nothing_lost",
    `rebuild ${region}: it lists all ${held.verified} videos that the catalogue has there, so nothing seems to be lost. If their files are gone, add --force: the region then serves none of them until each is verified again`,
  );
}

async function carryOut(
  deps: JobDeps,
  driver: RebuildDriver,
  jobs: readonly RebuildJob[],
  { region, recorded }: RebuildFacts,
  stop?: AbortSignal,
): Promise<readonly JobResult[]> {
  const results: JobResult[] = [];
  const run = async (job: RebuildJob): Promise<void> => {
    const result = await driver.replicate(job, region, stop);
    const isMissing = result.error?.code === "source_missing";
    if (isMissing && job.from === region) await withdrawGone(deps, job, region);
    const hasRecord = ![RECORD, region].includes(job.from) && job.locatorIds.every((id) => recorded?.has(id) === true);
    // The other region has its files and lacks what publishes them.
    results.push(isMissing && hasRecord ? await driver.replicate({ ...job, from: RECORD }, region, stop) : result);
  };
  for (const { from: source, assetName } of jobs) deps.progress?.({ type: "found", source, target: region, assetName });
  try {
    await forEachBounded(jobs, deps.options.concurrency, run, stop);
  } catch (error) {
    if (stop?.aborted !== true) throw error;
  }
  return results;
}

async function withdrawGone({ catalogue, clock }: JobDeps, { locatorIds }: RebuildJob, region: string): Promise<void> {
  for (const id of locatorIds) await withdrawCopy(catalogue, id, region, clock.now(), "the region does not have it any more");
}

interface Done {
  readonly plan: RebuildPlan;
  readonly begun: number | null;
  readonly withdrawn: number;
  readonly results: readonly JobResult[];
}

function summarise({ region, from, dryRun }: RebuildOptions, { plan, begun, withdrawn, results }: Done): RebuildSummary {
  const count = (wanted: JobResult["result"]): number => results.filter(({ result }) => result === wanted).length;
  const { jobs, lost, waiting, done } = plan;
  return {
    region,
    from,
    dryRun,
    resumedFrom: begun,
    jobs,
    withdrawn,
    rebuilt: count("changed"),
    unchanged: count("unchanged"),
    conflicts: count("conflict"),
    failed: count("failed"),
    bytes: results.reduce((sum, { counts }) => sum + counts.bytesCopied, 0),
    done,
    lost,
    waiting,
    results,
  };
}

/** The journal keeps when a rebuild began until it has come to its end: what was verified since then need not be done again. */
function identityOf(region: string): JobIdentity {
  return { source: "rebuild", target: region, assetName: "*" };
}

async function unfinished({ journal }: JobDeps, region: string): Promise<number | null> {
  const job = await journal.load(jobId(identityOf(region)));
  return job?.state === "running" ? job.updatedAt : null;
}

async function begin({ journal, clock }: JobDeps, region: string): Promise<void> {
  await journal.save(advance(newJob(identityOf(region), clock.now()), { type: "started" }, clock.now()));
}

async function end({ journal, clock }: JobDeps, region: string): Promise<void> {
  const job = await journal.load(jobId(identityOf(region)));
  if (job !== null) await journal.save(advance(job, { type: "reached", step: "published" }, clock.now()));
}
