/** Replicates one asset from a source account to one target account. */
import type { MediaAccount } from "../core/ports/media.ts";
import type { SharedReads } from "./commonReads.ts";
import { AssetReplication } from "./assetReplication.ts";
import type { JobIdentity } from "./job.ts";
import type { JobDeps } from "./jobDeps.ts";
import { nothingToCarry, type AssetPlan } from "./planAsset.ts";
import { planningContext, runJob, type JobResult, type Sharing } from "./runJob.ts";

export interface AmsDeps extends JobDeps {
  readonly accounts: ReadonlyMap<string, MediaAccount>;
  /** Of the jobs of this process; left out: each reads everything itself. */
  readonly shared?: SharedReads;
}

export interface AssetJob extends JobIdentity {
  /** Lower-case ids of the locators to carry; left out: all that the source has for the asset. */
  readonly locatorIds?: readonly string[];
  /** Where other processes work on the same library; left out: the job is done here, whoever did it before. */
  readonly sharing?: Sharing;
}

/**
 * What `replicateAsset` would do with the same job, to the letter, and without doing it: nothing is written, no lease is taken. Rejects where
 * either side cannot be read.
 */
export async function planAssetReplication(deps: AmsDeps, job: AssetJob, signal: AbortSignal): Promise<AssetPlan> {
  const { source, target, assetName } = job;
  const identity: JobIdentity = { source, target, assetName };
  if (source === target) return nothingToCarry(identity);
  const context = planningContext(deps, identity, signal);
  return new AssetReplication(deps, context, { wanted: wantedOf(job) }).plan();
}

function wantedOf({ locatorIds }: AssetJob): ReadonlySet<string> | null {
  return locatorIds === undefined ? null : new Set(locatorIds.map((id) => id.toLowerCase()));
}

/**
 * Replicates, verifies and publishes one asset with its locators. Never rejects: see the result. With `target` equal to `source` it verifies
 * and publishes the original. `stop` ends it between two blobs or steps; a later run continues.
 */
export async function replicateAsset(deps: AmsDeps, job: AssetJob, stop?: AbortSignal): Promise<JobResult> {
  const identity: JobIdentity = { source: job.source, target: job.target, assetName: job.assetName };
  return runJob(
    deps,
    identity,
    (context) => {
      const replication = new AssetReplication(deps, context, { wanted: wantedOf(job), since: job.sharing?.since ?? deps.clock.now() });
      return job.source === job.target ? replication.originalSteps() : replication.steps();
    },
    stop,
    job.sharing,
  );
}
