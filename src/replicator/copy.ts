/** Carries out a blob plan: a bounded number at a time, each blob verified and then recorded at once, so that a crash copies nothing twice. */
import { errorCode, PaircastError } from "../core/errors.ts";
import type { Journal } from "../core/ports/journal.ts";
import type { BlobContainer, BlobInfo, WriteCondition } from "../core/ports/storage.ts";
import { forEachBounded } from "./bounded.ts";
import { ReplicaConflict } from "./conflict.ts";
import { commonMd5 } from "./hash.ts";
import type { JobContext } from "./runJob.ts";
import { planBlobs, settleCompared, type BlobAction, type BlobPair, type BlobPlan } from "./planBlobs.ts";

/** Reading both sides costs memory and bandwidth of our own, unlike a copy inside the service. */
const COMPARISONS_AT_A_TIME = 4;

export interface ContainerPair {
  readonly source: BlobContainer;
  readonly target: BlobContainer;
}

export interface CopyOptions extends ContainerPair {
  readonly journal: Pick<Journal, "blobs" | "recordBlob">;
  readonly jobId: string;
  readonly concurrency: number;
  /** Ends the work between two blobs. */
  readonly stop?: AbortSignal;
  /** Ends it at once. */
  readonly signal?: AbortSignal;
  readonly onCopied: (blob: BlobInfo) => void;
  readonly onAdopted: (blob: BlobInfo) => void;
}

/** The options of a job's copy: counted in its tally and in the metrics, ended by its lease and its stop. */
export function jobCopyOptions({ deps, identity, jobId, signal, stop, tally }: JobContext, pair: ContainerPair): CopyOptions {
  return {
    ...pair,
    journal: deps.journal,
    jobId,
    concurrency: deps.options.blobConcurrency,
    ...(stop === undefined ? {} : { stop }),
    signal,
    onCopied: (blob) => {
      tally.blobsCopied += 1;
      tally.bytesCopied += blob.length;
      deps.metrics?.copied(identity.target, blob.length);
    },
    onAdopted: () => {
      tally.blobsAdopted += 1;
    },
  };
}

/** Lists both sides, reads what only the bytes can decide, and returns what is to be done. Changes nothing. */
export async function surveyBlobs(options: CopyOptions): Promise<BlobPlan> {
  const [source, target, records] = await Promise.all([
    Array.fromAsync(options.source.list(options.signal)),
    Array.fromAsync(options.target.list(options.signal)),
    options.journal.blobs(options.jobId),
  ]);
  const plan = planBlobs(source, target, records);
  if (plan.unready.length > 0)
    throw new PaircastError(
      "source_unready",
      `copy from ${options.source.label}: ${plan.unready.slice(0, 3).join(", ")} is still being written or failed to be; try again when it is complete`,
      { retry: "retry" },
    );
  const settled = new Map<BlobAction, BlobAction>();
  const open = plan.actions.filter((action) => action.kind === "compare");
  const compare = async (action: Extract<BlobAction, { kind: "compare" }>): Promise<void> => {
    const pair: BlobPair = { source: action.source, target: action.target };
    settled.set(action, settleCompared(pair, action.ours, await pairMd5(options, pair)));
  };
  await forEachBounded(open, COMPARISONS_AT_A_TIME, compare, options.stop);
  return { ...plan, actions: plan.actions.map((action) => settled.get(action) ?? action) };
}

/** Throws `replica_conflict` naming every blob that is in the way. */
export function refuseBlobConflicts(place: string, plan: BlobPlan): void {
  const conflicts = plan.actions.flatMap((action) => (action.kind === "conflict" ? [action.conflict] : []));
  if (conflicts.length > 0) throw new ReplicaConflict(place, conflicts);
}

/** Does what a plan without conflicts says. When it returns, every blob of the plan is in the journal. */
export async function copyBlobs(options: CopyOptions, plan: BlobPlan): Promise<void> {
  refuseBlobConflicts(options.target.label, plan);
  const adopt = plan.actions.filter((action) => action.kind === "adopt");
  for (const action of adopt) {
    await record(options, action, action.md5);
    options.onAdopted(action.source);
  }
  const copy = plan.actions.filter((action) => action.kind === "copy");
  await forEachBounded(copy, options.concurrency, ({ source, condition }) => copyBlob(options, source, condition), options.stop);
}

async function copyBlob(options: CopyOptions, source: BlobInfo, condition: WriteCondition): Promise<void> {
  try {
    await copyAndVerify(options, source, condition);
  } catch (error) {
    // Between listing and copying, an earlier run's copy can have come to its end, or somebody can have written: look again.
    const target = errorCode(error) === "blob_conflict" ? await options.target.head(source.name, options.signal) : null;
    if (target === null) throw error;
    await adoptOrRefuse(options, { source, target });
  }
}

/** A copy whose content is wrong is replaced once, by its ETag: only now is it known to be ours. */
async function copyAndVerify(options: CopyOptions, source: BlobInfo, condition: WriteCondition): Promise<void> {
  let target = await options.target.copyFrom(options.source, source, condition, options.signal);
  let md5 = await pairMd5(options, { source, target });
  if (md5 === null) {
    target = await options.target.copyFrom(options.source, source, { etag: target.etag }, options.signal);
    md5 = await pairMd5(options, { source, target });
  }
  if (md5 === null)
    throw new PaircastError(
      "copy_mismatch",
      `copy ${source.name} to ${options.target.label}: ${target.length} bytes arrived that are not the ${source.length} bytes of ${options.source.label}; delete the blob and replicate again`,
      { retry: "retry" },
    );
  await record(options, { source, target }, md5);
  options.onCopied(source);
}

async function adoptOrRefuse(options: CopyOptions, pair: BlobPair): Promise<void> {
  const action = settleCompared(pair, false, await pairMd5(options, pair));
  if (action.kind === "conflict") throw new ReplicaConflict(options.target.label, [action.conflict]);
  if (action.kind !== "adopt") return;
  await record(options, pair, action.md5);
  options.onAdopted(pair.source);
}

async function pairMd5(options: CopyOptions, { source, target }: BlobPair): Promise<string | null> {
  return commonMd5({ container: options.source, blob: source }, { container: options.target, blob: target }, options.signal);
}

async function record(options: CopyOptions, { source, target }: BlobPair, md5: string): Promise<void> {
  await options.journal.recordBlob(options.jobId, {
    name: source.name,
    sourceEtag: source.etag,
    targetEtag: target.etag,
    length: source.length,
    md5,
  });
}
