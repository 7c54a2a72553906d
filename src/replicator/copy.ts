/**
 * Copies what a container lacks: looks at both sides first, then copies a bounded number of blobs at a time, each verified and then recorded, so
 * that a crash copies nothing twice. Both listings and the journal are walked page by page: memory does not grow with the container.
 */
import type { Clock } from "../core/clock.ts";
import { errorCode, PaircastError } from "../core/errors.ts";
import type { Journal } from "../core/ports/journal.ts";
import type { BlobContainer, BlobInfo, CopiedBlob, WriteCondition } from "../core/ports/storage.ts";
import { forEachBounded } from "./bounded.ts";
import { ReplicaConflict } from "./conflict.ts";
import type { Bandwidth } from "./copying/bandwidth.ts";
import { RecordBatch } from "./copying/recordBatch.ts";
import { refuseUnreadable, Survey } from "./copying/survey.ts";
import { Unordered, walk, walkSorted } from "./copying/walk.ts";
import { commonMd5 } from "./hash.ts";
import type { JobContext } from "./runJob.ts";
import { isProven, planBlob, settleCompared, type BlobFinding, type BlobPair, type BlobPlan, type BlobTotals } from "./planBlobs.ts";

/** Reading both sides costs memory and bandwidth of our own, unlike a copy inside the service. */
const COMPARISONS_AT_A_TIME = 4;

export interface ContainerPair {
  readonly source: BlobContainer;
  readonly target: BlobContainer;
}

export interface CopyOptions extends ContainerPair {
  readonly journal: Pick<Journal, "blobsAfter" | "recordBlobs">;
  readonly jobId: string;
  readonly clock: Pick<Clock, "monotonic">;
  readonly concurrency: number;
  /** Bytes that may be copied to the target; left out or null: as fast as the services can. */
  readonly bandwidth?: Pick<Bandwidth, "take"> | null;
  /** Names of blobs that come last, when all others are there. Few, as they wait in memory. */
  readonly last?: (name: string) => boolean;
  /** Actions that a plan holds; see `BlobPlan`. Default 5,000. */
  readonly held?: number;
  /** Ends the work between two blobs. */
  readonly stop?: AbortSignal;
  /** Ends it at once. */
  readonly signal?: AbortSignal;
  /** Before anything is copied, where something is to be. */
  readonly onPlanned?: (totals: BlobTotals) => void;
  readonly onCopied: (blob: BlobInfo) => void;
  readonly onAdopted: (blob: BlobInfo) => void;
}

/** The options of a job's copy: counted in its tally and in the metrics, ended by its lease and its stop. */
export function jobCopyOptions({ deps, identity, jobId, signal, stop, tally }: JobContext, pair: ContainerPair): CopyOptions {
  return {
    ...pair,
    journal: deps.journal,
    jobId,
    clock: deps.clock,
    concurrency: deps.options.blobConcurrency,
    bandwidth: deps.bandwidth?.(identity.target) ?? null,
    ...(stop === undefined ? {} : { stop }),
    signal,
    onPlanned: ({ copy, bytes }) => {
      deps.progress?.({ type: "planned", ...identity, blobs: copy, bytes });
    },
    onCopied: (blob) => {
      deps.progress?.({ type: "copied", ...identity, bytes: blob.length });
      tally.blobsCopied += 1;
      tally.bytesCopied += blob.length;
      deps.metrics?.copied(identity.target, blob.length);
    },
    onAdopted: () => {
      tally.blobsAdopted += 1;
    },
  };
}

/**
 * Walks both sides, reads what only the bytes can decide, and returns what is to be done. Changes neither side. Throws `source_unready` (retry) or
 * `blob_archived` (never) where blobs of the source cannot be read.
 */
export async function surveyBlobs(options: CopyOptions): Promise<BlobPlan> {
  try {
    return await survey(options, false);
  } catch (error) {
    if (error instanceof Unordered) return survey(options, true);
    throw error;
  }
}

async function survey(options: CopyOptions, unordered: boolean): Promise<BlobPlan> {
  const copying = new Copying(options);
  const seen = new Survey(options.source.label, options.held);
  const look = async (found: BlobFinding): Promise<void> => {
    const finding = found.kind === "compare" ? await copying.compare(found, found.ours) : found;
    // Too much to hold: what is equal goes to the journal, or it would have to be found out again.
    if (!seen.add(finding) && finding.kind === "adopt") await copying.adopt(finding, finding.md5);
  };
  await forEachBounded(findings(options, unordered), COMPARISONS_AT_A_TIME, look, options.stop);
  await copying.end();
  return seen.plan(unordered);
}

/** Throws `replica_conflict` naming the blobs that are in the way. */
export function refuseBlobConflicts(place: string, { conflicts }: Pick<BlobPlan, "conflicts">): void {
  if (conflicts.length > 0) throw new ReplicaConflict(place, conflicts);
}

/** Does what a plan without conflicts says. When it returns, every blob of the source is in the journal. */
export async function copyBlobs(options: CopyOptions, plan: BlobPlan): Promise<void> {
  refuseBlobConflicts(options.target.label, plan);
  if (isProven(plan)) return;
  options.onPlanned?.(plan.totals);
  const copying = new Copying(options);
  const late: BlobFinding[] = [];
  const act = async (finding: BlobFinding): Promise<void> => {
    if ("source" in finding && options.last?.(finding.source.name) === true) late.push(finding);
    else await copying.act(finding);
  };
  try {
    await forEachBounded(plan.actions ?? findings(options, plan.unordered), options.concurrency, act, options.stop);
    await forEachBounded(late, options.concurrency, async (finding) => copying.act(finding), options.stop);
  } finally {
    await copying.end();
  }
}

async function* findings(options: CopyOptions, unordered: boolean): AsyncGenerator<BlobFinding> {
  const names = unordered ? walkSorted(options) : walk(options);
  for await (const { source, target, record } of names) yield planBlob(source, target, record);
}

/** The work on single blobs, and the journal's records of it. */
class Copying {
  readonly #options: CopyOptions;
  readonly #records: RecordBatch;

  constructor(options: CopyOptions) {
    this.#options = options;
    this.#records = new RecordBatch(options.journal, options.jobId, options.clock);
  }

  async act(finding: BlobFinding): Promise<void> {
    switch (finding.kind) {
      case "adopt":
        return this.adopt(finding, finding.md5);
      case "copy":
        return this.#copy(finding.source, finding.condition);
      case "compare":
        return this.act(await this.compare(finding, finding.ours));
      case "conflict":
        throw new ReplicaConflict(this.#options.target.label, [finding.conflict]);
      case "unready":
      case "archived":
        return refuseUnreadable(this.#options.source.label, finding.kind, [finding.name], 1);
      case "skip":
      case "extra":
        return undefined;
    }
  }

  async adopt(pair: BlobPair, md5: string): Promise<void> {
    await this.#record(pair.source, pair.target.etag, md5);
    this.#options.onAdopted(pair.source);
  }

  async compare(pair: BlobPair, ours: boolean): Promise<BlobFinding> {
    return settleCompared(pair, ours, await this.#commonMd5(pair.source, pair.target));
  }

  async end(): Promise<void> {
    await this.#records.flush();
  }

  async #copy(source: BlobInfo, condition: WriteCondition): Promise<void> {
    const { target, signal } = this.#options;
    try {
      await this.#copyAndVerify(source, condition);
    } catch (error) {
      // Between listing and copying, an earlier run's copy can have come to its end, or somebody can have written: look again.
      const present = errorCode(error) === "blob_conflict" ? await target.head(source.name, signal) : null;
      if (present === null) throw error;
      const found = planBlob(source, present, null);
      if (found.kind === "copy") throw error;
      await this.act(found);
    }
  }

  /** A copy whose content is wrong is replaced once, by its ETag: only now is it known to be ours. */
  async #copyAndVerify(source: BlobInfo, condition: WriteCondition): Promise<void> {
    const { source: from, target } = this.#options;
    let copied = await this.#paced(source, condition);
    let md5 = await this.#commonMd5(source, copied);
    if (md5 === null) {
      copied = await this.#paced(source, { etag: copied.etag });
      md5 = await this.#commonMd5(source, copied);
    }
    if (md5 === null)
      throw new PaircastError(
        "copy_mismatch",
        `copy ${source.name} to ${target.label}: ${copied.length} bytes arrived that are not the ${source.length} bytes of ${from.label}; delete the blob and replicate again`,
        { retry: "retry" },
      );
    await this.#record(source, copied.etag, md5);
    this.#options.onCopied(source);
  }

  /** What the container has not paced itself is paid for afterwards: the next ones wait. */
  async #paced(source: BlobInfo, condition: WriteCondition): Promise<CopiedBlob> {
    const { source: from, target, signal, bandwidth = null } = this.#options;
    if (bandwidth === null) return target.copyFrom(from, source, condition, signal);
    let left = source.length;
    const copied = await target.copyFrom(from, source, condition, signal, async (bytes) => {
      left -= bytes;
      await bandwidth.take(bytes, signal);
    });
    if (left > 0) await bandwidth.take(left, signal);
    return copied;
  }

  async #commonMd5(source: BlobInfo, target: CopiedBlob): Promise<string | null> {
    const { source: from, target: to, signal } = this.#options;
    return commonMd5({ container: from, blob: source }, { container: to, blob: target }, signal);
  }

  async #record({ name, etag, length }: BlobInfo, targetEtag: string, md5: string): Promise<void> {
    await this.#records.add({ name, sourceEtag: etag, targetEtag, length, md5 });
  }
}
