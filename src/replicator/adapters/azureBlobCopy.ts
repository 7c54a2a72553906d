/**
 * Copies one blob between containers, server-side where the target service can: in one request up to 256 MiB (Copy Blob From URL), in one up to a
 * GiB (Put Blob From URL), in blocks beyond that (Put Block From URL), and through this process where the service cannot read the source.
 *
 * Every way ends in one request that makes the whole blob readable at once, with its properties, metadata, tier and tags, under the caller's
 * condition. So a copy that fails or is aborted leaves nothing readable behind and nothing has to be deleted, which matters because the
 * SAS of a media account may not delete. Blocks that were staged for nothing are invisible, serve the next try, and expire after a week.
 */
import { errorCode } from "../../core/errors.ts";
import type { BlobContainer, BlobInfo, CopiedBlob } from "../../core/ports/storage.ts";
import { stageAndCommit, stageByStream, stageByUrl } from "./azureBlobBlocks.ts";
import { byUrl, CannotCopyByUrl, CannotPutByUrl, storageError } from "./azureBlobErrors.ts";
import { conditionsOf, quoted, tierOf } from "./azureBlobInfo.ts";
import type { CopyMethod } from "./azureBlobOptions.ts";
import type { AzureBlobRequests } from "./azureBlobRequests.ts";
import type { CopyTask } from "./azureCopyTask.ts";
import { addressable, type PagedContainerClient } from "./pagedContainer.ts";

interface Copied {
  readonly method: CopyMethod;
  /** Of the new blob; null where the answer did not say. */
  readonly etag: string | null;
}

const MIB = 1024 * 1024;
/** Copy Blob From URL takes at most this much. */
const SINGLE_COPY_LIMIT = 256 * MIB;
/** Put Blob From URL takes up to 5000 MiB; beyond this, blocks in parallel are faster, and a try that breaks off is not lost. */
const SINGLE_PUT_LIMIT = 1024 * MIB;

/** Pairs of which the target service has shown that it cannot read the source by URL while this process can. */
const streamedPairs = new WeakMap<AzureBlobRequests, WeakSet<BlobContainer>>();
/** Containers of services without Put Blob From URL. */
const withoutPut = new WeakSet<AzureBlobRequests>();
/** Containers to which the access does not allow to set tags. */
const withoutTags = new WeakSet<AzureBlobRequests>();

export async function copyBlob(target: AzureBlobRequests, task: CopyTask): Promise<CopiedBlob> {
  const { blob, signal } = task;
  const what = describe(target, task);
  signal?.throwIfAborted();
  if (blob.tier === "Archive") throw storageError("blob_archived", what);
  let copied: Copied;
  try {
    copied = await withTags(target, task);
  } catch (error) {
    const finished = await afterConflict(target, task, error);
    if (finished !== null) return finished;
    throw error;
  }
  if (copied.etag === null) return target.written(blob.name, what, signal);
  return { name: blob.name, length: blob.length, etag: quoted(copied.etag), contentMd5: blob.contentMd5 };
}

/** Tags need their own permission on both sides; a copy without them is still a copy. */
async function withTags(target: AzureBlobRequests, task: CopyTask): Promise<Copied> {
  const { onCopy } = target.options;
  const bytes = task.blob.length;
  if (task.tags !== undefined && !withoutTags.has(target)) {
    try {
      const copied = await copyAnyWay(target, task);
      onCopy?.({ method: copied.method, bytes, tags: "kept" });
      return copied;
    } catch (error) {
      if (errorCode(error) !== "storage_denied") throw error;
    }
  }
  const copied = await copyAnyWay(target, { ...task, tags: undefined });
  if (task.tags !== undefined) withoutTags.add(target);
  onCopy?.({ method: copied.method, bytes, tags: task.tags === undefined ? "none" : "lost" });
  return copied;
}

/**
 * Something else may be in the way: an unfinished copy, which is waited for, or a source that has changed meanwhile. Or nothing that could be seen:
 * to Azurite blocks that an earlier run has staged and not committed take the name, and only another commit gets past them.
 */
async function afterConflict(target: AzureBlobRequests, task: CopyTask, error: unknown): Promise<CopiedBlob | null> {
  if (errorCode(error) !== "blob_conflict") return null;
  await assertUnchanged(target, task);
  const present = await target.head(task.blob.name, task.signal);
  if (present === null && task.condition === "absent") return pastBlocks(target, task);
  if (present?.copyStatus !== "pending") return null;
  return awaitPending(target, task);
}

async function pastBlocks(target: AzureBlobRequests, task: CopyTask): Promise<CopiedBlob> {
  await copyByStream(target, withoutTags.has(target) ? { ...task, tags: undefined } : task);
  return target.written(task.blob.name, describe(target, task), task.signal);
}

async function copyAnyWay(target: AzureBlobRequests, task: CopyTask): Promise<Copied> {
  const url = await task.source.readUrl(task.blob.name);
  const streamed = streamedPairs.get(target)?.has(task.source) === true;
  if (streamed || !/^https?:/.test(url)) return copyByStream(target, task);
  try {
    return await copyByUrl(target, task, url);
  } catch (error) {
    if (!(error instanceof CannotCopyByUrl)) throw error;
    const copied = await copyByStream(target, task);
    const pairs = streamedPairs.get(target) ?? new WeakSet();
    streamedPairs.set(target, pairs.add(task.source));
    return copied;
  }
}

async function copyByUrl(target: AzureBlobRequests, task: CopyTask, url: string): Promise<Copied> {
  const { blob } = task;
  const { singleCopyLimit = SINGLE_COPY_LIMIT, singlePutLimit = SINGLE_PUT_LIMIT } = target.options;
  if (blob.type === "BlockBlob" && blob.length <= singleCopyLimit)
    return { method: "url", etag: await inOneRequest(target, task, copyOf(task, url)) };
  if (blob.length <= singlePutLimit && !withoutPut.has(target)) {
    const etag = await putByUrl(target, task, url);
    if (etag !== undefined) return { method: "put", etag };
  }
  await assertCondition(target, task);
  const etag = await stageAndCommit(target, task, {
    blockSize: target.options.blockSize ?? 64 * MIB,
    stage: (block) => stageByUrl(target, task, block),
    beforeCommit: () => assertUnchanged(target, task),
  });
  return { method: "blocks", etag };
}

/** Undefined where it did not work, and blocks may: they are smaller, and all services have them. */
async function putByUrl(target: AzureBlobRequests, task: CopyTask, url: string): Promise<string | null | undefined> {
  try {
    return await inOneRequest(target, task, putOf(task, url));
  } catch (error) {
    if (error instanceof CannotPutByUrl) withoutPut.add(target);
    else if (errorCode(error) !== "storage_unavailable") throw error;
    return undefined;
  }
}

async function copyByStream(target: AzureBlobRequests, task: CopyTask): Promise<Copied> {
  await assertCondition(target, task);
  const etag = await stageAndCommit(target, task, {
    blockSize: target.options.blockSize ?? 8 * MIB,
    stage: (block) => stageByStream(target, task, block),
    beforeCommit: () => assertUnchanged(target, task),
  });
  return { method: "stream", etag };
}

type Send = (container: PagedContainerClient, abortSignal: AbortSignal) => Promise<{ readonly etag?: string }>;

async function inOneRequest(target: AzureBlobRequests, task: CopyTask, send: Send): Promise<string | null> {
  const { blob, signal } = task;
  await task.pace?.(blob.length);
  const { etag } = await target.requestWrite(describe(target, task), signal, send, target.options.transferTimeoutMs ?? 300_000);
  return etag ?? null;
}

/** Without metadata of its own the request carries the source's properties and metadata. */
function copyOf(task: CopyTask, url: string): Send {
  const { name, etag, contentMd5 } = task.blob;
  const copy = {
    name: addressable(name),
    url,
    etag,
    contentMd5,
    condition: task.condition,
    tier: tierOf(task.blob),
    tags: task.tags ?? null,
  };
  return (container, abortSignal) => byUrl(() => container.copy(copy, abortSignal));
}

/** Metadata are not carried by themselves. */
function putOf(task: CopyTask, url: string): Send {
  const options = { ...requestOptions(task), metadata: { ...task.blob.metadata }, copySourceBlobProperties: true };
  const name = addressable(task.blob.name);
  return (container, abortSignal) =>
    byUrl(() => container.getBlockBlobClient(name).syncUploadFromURL(url, { ...options, abortSignal }), CannotPutByUrl);
}

/** With the source's MD5 the service compares what it reads with it, and refuses what differs. */
function requestOptions({ blob, condition, tags }: CopyTask) {
  const tier = tierOf(blob);
  return {
    conditions: conditionsOf(condition),
    sourceConditions: { ifMatch: blob.etag },
    ...(blob.contentMd5 === null ? {} : { sourceContentMD5: Buffer.from(blob.contentMd5, "base64") }),
    ...(tags === undefined ? {} : { tags }),
    ...(tier === null ? {} : { tier }),
  };
}

/** Spares the bytes of a large copy whose condition does not hold; the commit checks it again. */
async function assertCondition(target: AzureBlobRequests, task: CopyTask): Promise<void> {
  const { blob, condition, signal } = task;
  const present = (await target.head(blob.name, signal))?.etag;
  const holds = condition === "absent" ? present === undefined : present === condition.etag;
  if (!holds) throw storageError("blob_conflict", describe(target, task));
}

/** ETags change with every write: the same one as at the beginning proves that no write came between. */
async function assertUnchanged(target: AzureBlobRequests, task: CopyTask): Promise<void> {
  const now = await task.source.head(task.blob.name, task.signal);
  if (now?.etag !== task.blob.etag) throw storageError("blob_changed", describe(target, task));
}

function describe(target: AzureBlobRequests, { source, blob }: CopyTask): string {
  return `copy ${source.label}/${blob.name} to ${target.label}`;
}

/** Waits until the pending copy at the name has ended: its result when that is the blob wanted, else null. */
async function awaitPending(target: AzureBlobRequests, task: CopyTask): Promise<BlobInfo | null> {
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
