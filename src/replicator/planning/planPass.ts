/** A pass that does nothing: it looks at what a pass would look at, and tells what that would do. */
import type { CatalogueEntry } from "../../core/contracts.ts";
import { errorChain, errorCode } from "../../core/errors.ts";
import { scrub, type Log } from "../../core/log.ts";
import type { PlannedJob } from "../discover.ts";
import type { ReplicationDriver } from "../driver.ts";
import { jobId } from "../job.ts";
import type { JobDeps } from "../jobDeps.ts";
import { replicationPass, type PassOptions, type PassSummary } from "../pass.ts";
import { nothingToCarry, type AssetPlan } from "../planAsset.ts";
import { isDone, type JobResult, type Sharing } from "../runJob.ts";
import { jobPlan, unplanned, type JobPlan } from "./jobPlan.ts";
import { readOnlyCatalogue, readOnlyCursors, readOnlyJournal } from "./readOnly.ts";

export interface PlanSource {
  /** The stores that `driver` and `plan` are given, too. */
  readonly deps: JobDeps;
  readonly driver: ReplicationDriver;
  /** What the job would do; null for what is no video (yet). Rejects where either side cannot be read. */
  readonly plan: (job: PlannedJob, signal: AbortSignal) => Promise<AssetPlan | null>;
}

export interface PlanListeners {
  /** As soon as it is known; also of jobs that would change nothing. */
  readonly onJob: (plan: JobPlan) => void;
  /** The entry's source does not publish it any more: it would serve it no more. */
  readonly onWithdrawal: (entry: CatalogueEntry) => void;
}

/** What a job is given so that it reads and writes nothing. */
export function planningDeps(deps: JobDeps, { onWithdrawal }: Pick<PlanListeners, "onWithdrawal">): JobDeps {
  return {
    ...deps,
    catalogue: readOnlyCatalogue(deps.catalogue, onWithdrawal),
    journal: readOnlyJournal(deps.journal),
    records: null,
    metrics: null,
    log: ofPlan(deps.log),
  };
}

/** As `replicationPass` with the same options, without a queue. The summary counts what would be. */
export async function planPass(
  { deps, driver, plan }: PlanSource,
  options: Omit<PassOptions, "queue">,
  { onJob }: Pick<PlanListeners, "onJob">,
  stop?: AbortSignal,
): Promise<PassSummary> {
  const planner = new Planner(deps, plan, onJob);
  const { cursors } = options;
  return replicationPass(
    deps,
    { ...driver, replicate: async (job, signal) => planner.replicate(job, signal) },
    { ...options, ...(cursors === undefined ? {} : { cursors: readOnlyCursors(cursors) }) },
    stop,
  );
}

class Planner {
  readonly #deps: JobDeps;
  readonly #plan: PlanSource["plan"];
  readonly #onJob: (plan: JobPlan) => void;
  /** What several assets share is written with the first of them. */
  readonly #written = new Set<string>();

  constructor(deps: JobDeps, plan: PlanSource["plan"], onJob: (plan: JobPlan) => void) {
    this.#deps = deps;
    this.#plan = plan;
    this.#onJob = onJob;
  }

  async replicate(job: PlannedJob & { readonly sharing?: Sharing }, stop?: AbortSignal): Promise<JobResult> {
    const { journal } = this.#deps;
    if (job.sharing !== undefined && isDone(await journal.load(jobId(job)), job.sharing))
      return { ...resultOf(unplanned(job, { code: "", message: "" })), result: "unchanged", error: null, elsewhere: "done" };
    const plan = await this.#planned(job, stop ?? new AbortController().signal);
    this.#onJob(plan);
    return resultOf(plan);
  }

  async #planned(job: PlannedJob, signal: AbortSignal): Promise<JobPlan> {
    const entries = await this.#entries(job);
    try {
      const found = await this.#plan(job, signal);
      // What is no video has no manifests, and nothing of it is published.
      const plan = jobPlan(found === null ? { ...job, locatorIds: [] } : job, found ?? nothingToCarry(job), entries);
      return { ...plan, writes: plan.writes.filter(({ what, action }) => this.#isFirst(`${action} ${what} in ${job.target}`)) };
    } catch (error) {
      return unplanned(job, { code: errorCode(error), message: scrub(errorChain(error)) });
    }
  }

  #isFirst(write: string): boolean {
    if (this.#written.has(write)) return false;
    this.#written.add(write);
    return true;
  }

  async #entries({ locatorIds }: PlannedJob): Promise<readonly CatalogueEntry[]> {
    const stored = await Promise.all(locatorIds.map(async (id) => this.#deps.catalogue.get(id)));
    return stored.flatMap((version) => (version === null ? [] : [version.entry]));
  }
}

function resultOf({ source, target, assetName, result, blobs, writes, publishes, notes, conflicts, error }: JobPlan): JobResult {
  const written = writes.map(({ what }) => what);
  const counts = { blobsCopied: blobs.copy, bytesCopied: blobs.bytes, blobsAdopted: blobs.adopt, written, published: publishes.length };
  const [first] = conflicts;
  const refusal = first === undefined ? null : { code: "replica_conflict", message: first.what, conflicts };
  const why = error === null ? refusal : { ...error, conflicts: [] };
  const identity = { source, target, assetName };
  return { ...identity, id: jobId(identity), result, steps: [], counts: { ...counts, notes: [...notes] }, error: why };
}

/** Nothing is withdrawn, and so nothing is said of it. */
function ofPlan(log: Log): Log {
  return {
    ...log,
    warn: (event, fields) => {
      if (event !== "replication.withdrawn") log.warn(event, fields);
    },
  };
}
