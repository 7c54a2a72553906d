/** Verifies the content of what a job has copied, before it is published. */
import type { CopyVerification } from "../../core/contracts.ts";
import { PaircastError } from "../../core/errors.ts";
import type { BlobRecord } from "../../core/ports/journal.ts";
import type { ContainerPair } from "../copy.ts";
import type { JobContext } from "../runJob.ts";
import { compareContainers, type Comparison } from "./compare.ts";
import { problemsText } from "./consequences.ts";
import { mendBlobs } from "./mend.ts";
import { DEFAULT_VERIFICATION, type VerificationPolicy } from "./policy.ts";
import { FIRST_MARK } from "./sample.ts";

export function policyOf({ deps }: JobContext): VerificationPolicy {
  return deps.options.verification ?? DEFAULT_VERIFICATION;
}

/** What has to be looked at anew: something was written, or a copy does not serve yet. */
export async function isUnverified({ deps, identity, tally }: JobContext, locatorIds: readonly string[]): Promise<boolean> {
  if (tally.blobsCopied > 0 || tally.blobsAdopted > 0 || tally.written.length > 0) return true;
  for (const id of locatorIds) {
    if ((await deps.catalogue.get(id))?.entry.regions[identity.target]?.state !== "verified") return true;
  }
  return false;
}

/** What was compared. Bytes that arrived wrong are copied once more; throws `replica_changed` (retry) where the copy does not hold. */
export async function verifyContent(context: JobContext, pair: ContainerPair): Promise<CopyVerification> {
  const policy = policyOf(context);
  let found = await compare(context, pair, policy);
  if (found.problems.length > 0) {
    await mendBlobs(context, pair, found.problems);
    found = await compare(context, pair, policy);
  }
  const wrong = found.problems.filter(({ kind }) => kind !== "target_labels");
  if (wrong.length > 0)
    throw new PaircastError("replica_changed", `verify ${pair.target.label}: ${problemsText(wrong)}`, { retry: "retry" });
  context.tally.notes.push(...found.problems.map(({ what, detail }) => `${what}: ${detail}`));
  const { blobs, readBlobs, readBytes, next } = found;
  return { at: context.deps.clock.now(), blobs, content: policy.content, readBlobs, readBytes, playback: policy.playback, next };
}

async function compare(
  { deps, identity, jobId, signal }: JobContext,
  pair: ContainerPair,
  policy: VerificationPolicy,
): Promise<Comparison> {
  const { journal } = deps;
  const onProven = async (blob: BlobRecord): Promise<void> => journal.recordBlob(jobId, blob);
  return compareContainers({ ...pair, journal, jobId, policy, seed: identity.assetName, from: FIRST_MARK, signal, onProven });
}
