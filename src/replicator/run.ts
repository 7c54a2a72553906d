/** Replicates one asset from a source account to one target account. */
import type { MediaAccount } from "../core/ports/media.ts";
import { AssetReplication } from "./assetReplication.ts";
import type { JobIdentity } from "./job.ts";
import type { JobDeps } from "./jobDeps.ts";
import { runJob, type JobResult, type Sharing } from "./runJob.ts";

export interface AmsDeps extends JobDeps {
  readonly accounts: ReadonlyMap<string, MediaAccount>;
}

export interface AssetJob extends JobIdentity {
  /** Lower-case ids of the locators to carry; left out: all that the source has for the asset. */
  readonly locatorIds?: readonly string[];
  /** Where other processes work on the same library; left out: the job is done here, whoever did it before. */
  readonly sharing?: Sharing;
}

/**
 * Replicates, verifies and publishes one asset with its locators. Never rejects: see the result. With `target` equal to `source` it verifies
 * and publishes the original. `stop` ends it between two blobs or steps; a later run continues.
 */
export async function replicateAsset(deps: AmsDeps, job: AssetJob, stop?: AbortSignal): Promise<JobResult> {
  const identity: JobIdentity = { source: job.source, target: job.target, assetName: job.assetName };
  const wanted = job.locatorIds === undefined ? null : new Set(job.locatorIds.map((id) => id.toLowerCase()));
  return runJob(
    deps,
    identity,
    (context) => {
      const replication = new AssetReplication(deps, context, wanted);
      return job.source === job.target ? replication.originalSteps() : replication.steps();
    },
    stop,
    job.sharing,
  );
}
