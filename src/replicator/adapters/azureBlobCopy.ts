/**
 * Copies one blob between containers, server-side where the target service can.
 *
 * Every way ends in one request that makes the whole blob readable at once (Copy Blob From URL, Put Block List), under the caller's
 * condition. So a copy that fails or is aborted leaves nothing readable behind and nothing has to be deleted, which matters because the
 * SAS of a media account may not delete. Blocks that were staged for nothing are invisible, serve the next try, and expire after a week.
 */
import type { Tags } from "@azure/storage-blob";
import type { BlobContainer, BlobInfo, WriteCondition } from "../../core/ports/storage.ts";
import { stageAndCommit, stageByStream, stageByUrl } from "./azureBlobBlocks.ts";
import { byUrl, CannotCopyByUrl, storageError } from "./azureBlobErrors.ts";
import { conditionsOf, tierOf } from "./azureBlobInfo.ts";
import type { AzureBlobContainer, CopyMethod } from "./azureBlobs.ts";

export interface CopyTask {
  readonly source: BlobContainer;
  readonly blob: BlobInfo;
  readonly condition: WriteCondition;
  readonly tags: Tags | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Copy Blob From URL takes at most this much. */
const SINGLE_COPY_LIMIT = 256 * 1024 * 1024;

/** Pairs of which the target service has shown that it cannot read the source by URL while this process can. */
const streamedPairs = new WeakMap<AzureBlobContainer, WeakSet<BlobContainer>>();

export async function copyBlob(target: AzureBlobContainer, task: CopyTask): Promise<BlobInfo> {
  const what = describe(target, task);
  task.signal?.throwIfAborted();
  if (task.blob.tier === "Archive") throw storageError("blob_archived", what);
  try {
    const method = await copyAnyWay(target, task);
    const tags = await carryTags(target, task);
    target.options.onCopy?.({ method, bytes: task.blob.length, tags });
  } catch (error) {
    const finished = await afterConflict(target, task, error);
    if (finished !== null) return finished;
    throw error;
  }
  return target.written(task.blob.name, what, task.signal);
}

/** Something else may be in the way: an unfinished copy, which is waited for, or a source that has changed meanwhile. */
async function afterConflict(target: AzureBlobContainer, task: CopyTask, error: unknown): Promise<BlobInfo | null> {
  if (!hasCode(error, "blob_conflict")) return null;
  await assertUnchanged(target, task);
  const present = await target.head(task.blob.name, task.signal);
  if (present?.copyStatus !== "pending") return null;
  return awaitPending(target, task);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

async function copyAnyWay(target: AzureBlobContainer, task: CopyTask): Promise<CopyMethod> {
  const url = await task.source.readUrl(task.blob.name);
  const streamed = streamedPairs.get(target)?.has(task.source) === true;
  if (streamed || !/^https?:/.test(url)) return copyByStream(target, task);
  try {
    return await copyByUrl(target, task, url);
  } catch (error) {
    if (!(error instanceof CannotCopyByUrl)) throw error;
    const method = await copyByStream(target, task);
    const pairs = streamedPairs.get(target) ?? new WeakSet();
    streamedPairs.set(target, pairs.add(task.source));
    return method;
  }
}

async function copyByUrl(target: AzureBlobContainer, task: CopyTask, url: string): Promise<CopyMethod> {
  const single = task.blob.type === "BlockBlob" && task.blob.length <= (target.options.singleCopyLimit ?? SINGLE_COPY_LIMIT);
  if (single) {
    await copyInOneRequest(target, task, url);
    return "url";
  }
  await assertCondition(target, task);
  await stageAndCommit(target, task, {
    blockSize: target.options.blockSize ?? 64 * 1024 * 1024,
    stage: (block) => stageByUrl(target, task, url, block),
    beforeCommit: () => assertUnchanged(target, task),
  });
  return "blocks";
}

async function copyByStream(target: AzureBlobContainer, task: CopyTask): Promise<CopyMethod> {
  await assertCondition(target, task);
  await stageAndCommit(target, task, {
    blockSize: target.options.blockSize ?? 8 * 1024 * 1024,
    stage: (block) => stageByStream(target, task, block),
    beforeCommit: () => assertUnchanged(target, task),
  });
  return "stream";
}

/** Without metadata of its own the request carries the source's properties and metadata. */
async function copyInOneRequest(target: AzureBlobContainer, { blob, condition, source, signal }: CopyTask, url: string): Promise<void> {
  const what = `copy ${source.label}/${blob.name} to ${target.label}`;
  await target.requestBlob(
    what,
    blob.name,
    signal,
    (client, abortSignal) =>
      byUrl(() =>
        client.syncCopyFromURL(url, {
          conditions: conditionsOf(condition),
          sourceConditions: { ifMatch: blob.etag },
          ...tierOf(blob),
          abortSignal,
        }),
      ),
    target.options.transferTimeoutMs ?? 300_000,
  );
}

/** Spares the bytes of a large copy whose condition does not hold; the commit checks it again. */
async function assertCondition(target: AzureBlobContainer, { blob, condition, signal, source }: CopyTask): Promise<void> {
  const present = (await target.head(blob.name, signal))?.etag;
  const holds = condition === "absent" ? present === undefined : present === condition.etag;
  if (!holds) throw storageError("blob_conflict", `copy ${source.label}/${blob.name} to ${target.label}`);
}

/** ETags change with every write: the same one as at the beginning proves that no write came between. */
async function assertUnchanged(target: AzureBlobContainer, task: CopyTask): Promise<void> {
  const now = await task.source.head(task.blob.name, task.signal);
  if (now?.etag !== task.blob.etag) throw storageError("blob_changed", describe(target, task));
}

function describe(target: AzureBlobContainer, { source, blob }: CopyTask): string {
  return `copy ${source.label}/${blob.name} to ${target.label}`;
}

/** Waits until the pending copy at the name has ended: its result when that is the blob wanted, else null. */
async function awaitPending(target: AzureBlobContainer, task: CopyTask): Promise<BlobInfo | null> {
  const { clock, pendingTimeoutMs = 3_600_000 } = target.options;
  const until = clock.monotonic() + pendingTimeoutMs;
  for (let pause = 500; ; pause = Math.min(pause * 2, 10_000)) {
    const present = await target.head(task.blob.name, task.signal);
    if (present?.copyStatus !== "pending") return isSameContent(present, task.blob) ? present : null;
    if (clock.monotonic() >= until)
      throw storageError("storage_unavailable", `wait for the pending copy of ${task.blob.name} in ${target.label}`);
    await clock.sleep(pause, task.signal);
  }
}

function isSameContent(present: BlobInfo | null, wanted: BlobInfo): present is BlobInfo {
  return present?.copyStatus === "success" && present.length === wanted.length && present.contentMd5 === wanted.contentMd5;
}

/** Tags need their own permission on both sides; a copy without them is still a copy. */
async function carryTags(target: AzureBlobContainer, { blob, tags, signal }: CopyTask): Promise<"none" | "kept" | "lost"> {
  if (tags === undefined) return "none";
  try {
    await target.requestBlob(`tag ${target.label}/${blob.name}`, blob.name, signal, (client, abortSignal) =>
      client.setTags(tags, { abortSignal }),
    );
    return "kept";
  } catch {
    signal?.throwIfAborted();
    return "lost";
  }
}
