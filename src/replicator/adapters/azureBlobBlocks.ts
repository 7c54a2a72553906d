/** Builds a blob at the target from blocks: staged by URL or through this process, committed in one request. */
import { createHash } from "node:crypto";
import type { BlockBlobClient } from "@azure/storage-blob";
import type { BlobInfo } from "../../core/ports/storage.ts";
import { byUrl, storageError } from "./azureBlobErrors.ts";
import { conditionsOf, tierOf } from "./azureBlobInfo.ts";
import type { AzureBlobRequests } from "./azureBlobRequests.ts";
import type { CopyTask } from "./azureCopyTask.ts";
import { Turns } from "./turns.ts";

export interface Block {
  readonly id: string;
  readonly offset: number;
  readonly length: number;
}

export interface BlockPlan {
  /** Smallest block; doubled until the blob has few enough of them. */
  readonly blockSize: number;
  readonly stage: (block: Block) => Promise<void>;
  readonly beforeCommit: () => Promise<void>;
}

/** The service takes 50,000 blocks per blob. */
const MAX_BLOCKS = 50_000;
/** Blocks under way at a time, per blob. */
const CONCURRENCY = 4;

/** The ETag of the blob that was made; null where the answer does not say. */
export async function stageAndCommit(target: AzureBlobRequests, task: CopyTask, plan: BlockPlan): Promise<string | null> {
  const blocks = blocksOf(task, plan.blockSize);
  const staged = blocks.length < 2 ? new Set<string>() : await stagedBefore(target, task);
  const missing = blocks.filter((block) => !staged.has(`${block.id} ${block.length}`));
  await inParallel(missing, plan.stage);
  await plan.beforeCommit();
  const tier = tierOf(task.blob);
  const ids = blocks.map((block) => block.id);
  const { etag } = await transfer(target, task, "commit", async (client, abortSignal) =>
    client.commitBlockList(ids, {
      conditions: conditionsOf(task.condition),
      blobHTTPHeaders: headersOf(task.blob),
      metadata: { ...task.blob.metadata },
      ...(task.tags === undefined ? {} : { tags: task.tags }),
      ...(tier === null ? {} : { tier }),
      abortSignal,
    }),
  );
  return etag ?? null;
}

/** The URL is asked for anew: a large blob may take longer than one is good for. */
export async function stageByUrl(target: AzureBlobRequests, task: CopyTask, block: Block): Promise<void> {
  const url = await task.source.readUrl(task.blob.name);
  await task.pace?.(block.length);
  await transfer(target, task, "copy a block of", async (client, abortSignal) => {
    await byUrl(() => client.stageBlockFromURL(block.id, url, block.offset, block.length, { abortSignal }));
  });
}

/** Blocks that are in this process's memory at a time, of all blobs and jobs. */
const STREAMED_AT_A_TIME = 4;
const streaming = new Turns((underWay) => underWay < STREAMED_AT_A_TIME);

export async function stageByStream(target: AzureBlobRequests, task: CopyTask, block: Block): Promise<void> {
  await task.pace?.(block.length);
  await streaming.begin(task.signal);
  try {
    await streamBlock(target, task, block);
  } finally {
    streaming.end();
  }
}

async function streamBlock(target: AzureBlobRequests, task: CopyTask, block: Block): Promise<void> {
  const content = await task.source.read(task.blob, block.offset, block.length, task.signal);
  if (content.length !== block.length) throw storageError("blob_changed", `read ${task.source.label}/${task.blob.name}`);
  const transactionalContentMD5 = createHash("md5").update(content).digest();
  await transfer(target, task, "upload a block of", async (client, abortSignal) => {
    const body = Buffer.from(content.buffer, content.byteOffset, content.length);
    await client.stageBlock(block.id, body, content.length, { transactionalContentMD5, abortSignal });
  });
}

async function transfer<T>(
  target: AzureBlobRequests,
  { source, blob, signal }: CopyTask,
  verb: string,
  send: (client: BlockBlobClient, abortSignal: AbortSignal) => Promise<T>,
): Promise<T> {
  const what = `${verb} ${source.label}/${blob.name} to ${target.label}`;
  return target.requestBlob(what, blob.name, signal, send, target.options.transferTimeoutMs ?? 300_000);
}

/** Ids name source version and position, so that what an interrupted run has staged can be used again. All have the same length. */
function blocksOf({ source, blob }: CopyTask, smallest: number): readonly Block[] {
  const size = blockSizeFor(blob.length, smallest);
  const version = createHash("sha256").update(`${source.label}\n${blob.name}\n${blob.etag}\n${size}`).digest("hex").slice(0, 24);
  return Array.from({ length: Math.ceil(blob.length / size) }, (_, index) => ({
    id: Buffer.from(`${version}-${String(index).padStart(5, "0")}`).toString("base64"),
    offset: index * size,
    length: Math.min(size, blob.length - index * size),
  }));
}

/** The smallest doubling of `smallest` with which `length` bytes fit into the blocks that a blob may have. */
export function blockSizeFor(length: number, smallest: number): number {
  let size = smallest;
  while (Math.ceil(length / size) > MAX_BLOCKS) size *= 2;
  return size;
}

/** Uncommitted blocks at the name, as `id length`; none where the blob does not exist at all. */
async function stagedBefore(target: AzureBlobRequests, { blob, signal }: CopyTask): Promise<ReadonlySet<string>> {
  return target.request(`look for blocks of ${target.label}/${blob.name}`, signal, async (client, abortSignal) => {
    try {
      const list = await client.getBlockBlobClient(blob.name).getBlockList("uncommitted", { abortSignal });
      return new Set((list.uncommittedBlocks ?? []).map((block) => `${block.name} ${block.size}`));
    } catch {
      // Blocks that cannot be listed are staged again; what is really wrong shows there.
      abortSignal.throwIfAborted();
      return new Set<string>();
    }
  });
}

async function inParallel(blocks: readonly Block[], stage: (block: Block) => Promise<void>): Promise<void> {
  const rest = blocks.values();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (const block of rest) {
      if (failed) return;
      await stage(block).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  const results = await Promise.allSettled(Array.from({ length: CONCURRENCY }, worker));
  const broken = results.find((result) => result.status === "rejected");
  if (broken !== undefined) throw broken.reason;
}

function headersOf(blob: BlobInfo) {
  return {
    ...(blob.contentType === null ? {} : { blobContentType: blob.contentType }),
    ...(blob.contentEncoding === null ? {} : { blobContentEncoding: blob.contentEncoding }),
    ...(blob.contentLanguage === null ? {} : { blobContentLanguage: blob.contentLanguage }),
    ...(blob.contentDisposition === null ? {} : { blobContentDisposition: blob.contentDisposition }),
    ...(blob.cacheControl === null ? {} : { blobCacheControl: blob.cacheControl }),
    ...(blob.contentMd5 === null ? {} : { blobContentMD5: Buffer.from(blob.contentMd5, "base64") }),
  };
}
