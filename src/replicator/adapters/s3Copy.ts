/**
 * Copies one blob into S3: inside the service where source and target are in the same one, else through this process.
 *
 * Every way ends in one request that makes the whole object readable at once (PutObject, CopyObject, CompleteMultipartUpload), under the
 * caller's condition. What a copy that fails leaves behind is an upload in parts, which is invisible and serves the next try; a lifecycle
 * rule of the bucket should end those that nobody comes back for.
 */
import { CopyObjectCommand } from "@aws-sdk/client-s3";
import { createHash } from "node:crypto";
import { errorCode, PaircastError } from "../../core/errors.ts";
import type { BlobContainer, BlobInfo, CopiedBlob } from "../../core/ports/storage.ts";
import { copySource } from "./s3Conditions.ts";
import { s3Error, s3Failure } from "./s3Errors.ts";
import { conditionsOf, headersOf, storageClassOf } from "./s3ObjectInfo.ts";
import { copyInParts, streamInParts, type StreamTask } from "./s3Multipart.ts";
import type { S3CopyMethod } from "./s3Options.ts";
import type { S3Requests } from "./s3Requests.ts";

export interface S3CopyTask extends StreamTask {
  readonly source: BlobContainer;
  /** The source, where it is in the same service; else null. */
  readonly inside: S3Requests | null;
}

interface Done {
  readonly method: S3CopyMethod;
  readonly reused: number;
  readonly copied: CopiedBlob;
}

const GIB = 1024 ** 3;
/** CopyObject takes at most this much. */
const COPY_LIMIT = 5 * GIB;
const STREAM_PART = 8 * 1024 * 1024;
const SERVICE_PART = 256 * 1024 * 1024;

/** Pairs of which the service has shown that one request may not read the one and write the other. */
const streamedPairs = new WeakMap<S3Requests, WeakSet<BlobContainer>>();

/** The service may not, or cannot, read the source: the bytes have to pass through this process. */
class CannotCopyInside extends Error {}

export async function copyObject(target: S3Requests, task: S3CopyTask): Promise<CopiedBlob> {
  const { blob, signal } = task;
  const what = describe(target, task);
  signal?.throwIfAborted();
  if (blob.tier === "Archive") throw s3Error("blob_archived", what);
  await target.assertWritable(what, signal);
  try {
    const { method, reused, copied } = await copyAnyWay(target, task);
    target.options.onCopy?.({ method, bytes: blob.length, reused });
    return reused > 0 ? await withProperties(target, blob, signal) : copied;
  } catch (error) {
    // A condition of the source and one of the target fail alike.
    if (errorCode(error) === "blob_conflict") await assertUnchanged(target, task);
    throw error;
  }
}

async function copyAnyWay(target: S3Requests, task: S3CopyTask): Promise<Done> {
  const { source, inside } = task;
  if (inside === null || streamedPairs.get(target)?.has(source) === true) return copyByStream(target, task);
  try {
    return await copyInside(target, inside, task);
  } catch (error) {
    if (!(error instanceof CannotCopyInside)) throw error;
    const done = await copyByStream(target, task);
    const pairs = streamedPairs.get(target) ?? new WeakSet();
    streamedPairs.set(target, pairs.add(source));
    return done;
  }
}

async function copyInside(target: S3Requests, source: S3Requests, task: S3CopyTask): Promise<Done> {
  const { blob, signal } = task;
  const from = source.address(blob.name);
  const small = blob.length <= (target.options.singleCopyLimit ?? GIB);
  try {
    if (small && (await target.options.conditions.keptByCopies(target.options, from, signal))) {
      return { method: "service", reused: 0, copied: await copyInOneRequest(target, task, copySource(from)) };
    }
    if (blob.length === 0) return await copyByStream(target, task);
    const partSize = target.options.partSize ?? SERVICE_PART;
    const since = (await source.properties(blob.name, signal))?.LastModified ?? new Date(0);
    const beforeEnd = async (): Promise<void> => assertUnchanged(target, task);
    return { method: "parts", ...(await copyInParts(target, task, { source: copySource(from), since, partSize, beforeEnd })) };
  } catch (error) {
    throw isForbiddenInside(error) ? new CannotCopyInside() : error;
  }
}

/** Without metadata of its own the request carries the source's properties and metadata, and its tags. */
async function copyInOneRequest(target: S3Requests, task: S3CopyTask, source: string): Promise<CopiedBlob> {
  const { blob, condition, signal } = task;
  const what = describe(target, task);
  if (!target.options.conditions.required) await target.assertCondition(blob.name, condition, what, signal);
  await target.options.bandwidth?.take(blob.length, signal);
  const { bucket: Bucket, key: Key } = target.address(blob.name);
  const input = { Bucket, Key, CopySource: source, CopySourceIfMatch: blob.etag, ...storageClassOf(blob), ...conditionsOf(condition) };
  const { CopyObjectResult } = await target.send(what, signal, async (abortSignal) =>
    target.options.service.client.send(new CopyObjectCommand(input), { abortSignal }),
  );
  return target.copied(blob, CopyObjectResult?.ETag, what, signal);
}

/** Whether it was the source or the target that may not be touched shows when the bytes pass through this process. */
function isForbiddenInside(error: unknown): boolean {
  const code = errorCode(error);
  if (code === "storage_denied" || code === "container_missing") return true;
  return error instanceof Error && /\((501|405) /.test(error.message) && s3Failure(error) === null;
}

async function copyByStream(target: S3Requests, task: S3CopyTask): Promise<Done> {
  const { blob } = task;
  const partSize = target.options.partSize ?? STREAM_PART;
  if (blob.length <= partSize) return { method: "stream", reused: 0, copied: await copyWhole(target, task) };
  const beforeEnd = async (md5: string): Promise<void> => {
    assertMd5(target, task, md5);
    await assertUnchanged(target, task);
  };
  return { method: "stream", ...(await streamInParts(target, task, { partSize, beforeEnd })) };
}

async function copyWhole(target: S3Requests, task: S3CopyTask): Promise<CopiedBlob> {
  const { source, blob, condition, signal } = task;
  const what = describe(target, task);
  if (!target.options.conditions.required) await target.assertCondition(blob.name, condition, what, signal);
  await target.options.bandwidth?.take(blob.length, signal);
  using _slot = await target.options.service.transfers.take(signal);
  const content = await source.read(blob, 0, blob.length, signal);
  if (content.length !== blob.length) throw s3Error("blob_changed", `read ${source.label}/${blob.name}`);
  assertMd5(target, task, createHash("md5").update(content).digest("base64"));
  return target.put(blob.name, content, { condition, headers: headersOf(blob, null) }, what, signal);
}

/** What was read has to be what the source says of itself: it is noted beside the copy. */
function assertMd5(target: S3Requests, task: S3CopyTask, md5: string): void {
  const { source, blob } = task;
  if (blob.contentMd5 === null || blob.contentMd5 === md5) return;
  const advice = "the source's blob, or the way from there, is broken";
  throw new PaircastError(
    "copy_mismatch",
    `${describe(target, task)}: what was read is not what ${source.label} says that it is: ${advice}`,
    {
      retry: "retry",
    },
  );
}

/** ETags of a source change with its content: the same one as at the beginning proves that the copy is not out of date already. */
async function assertUnchanged(target: S3Requests, task: S3CopyTask): Promise<void> {
  const now = await task.source.head(task.blob.name, task.signal);
  if (now?.etag !== task.blob.etag) throw s3Error("blob_changed", describe(target, task));
}

function describe(target: S3Requests, { source, blob }: S3CopyTask): string {
  return `copy ${source.label}/${blob.name} to ${target.label}`;
}

/**
 * An upload takes its properties when it begins, and does not show them: one that was taken up again may have begun with those of an older
 * version of the source. Then the object is copied onto itself.
 */
async function withProperties(target: S3Requests, blob: BlobInfo, signal?: AbortSignal): Promise<CopiedBlob> {
  const written = await target.written(blob.name, `look at the copy of ${blob.name} in ${target.label}`, signal);
  const properties = ({ contentType, contentEncoding, contentLanguage, contentDisposition, cacheControl, metadata }: BlobInfo): string =>
    JSON.stringify([contentType, contentEncoding, contentLanguage, contentDisposition, cacheControl, sorted(metadata)]);
  if (properties(blob) === properties(written) && blob.contentMd5 === written.contentMd5) return written;
  const what = `set the properties of ${target.label}/${blob.name}`;
  const source = copySource(target.address(blob.name));
  const condition = { etag: written.etag };
  if (blob.length > COPY_LIMIT) {
    const onto = { source: target, blob: { ...blob, etag: written.etag }, condition, signal };
    await copyInParts(target, onto, { source, since: null, partSize: SERVICE_PART, beforeEnd: () => Promise.resolve() });
    return target.written(blob.name, what, signal);
  }
  const { bucket: Bucket, key: Key } = target.address(blob.name);
  const input = { Bucket, Key, CopySource: source, CopySourceIfMatch: written.etag, MetadataDirective: "REPLACE" as const };
  const command = new CopyObjectCommand({ ...input, ...headersOf(blob, blob.contentMd5), ...conditionsOf(condition) });
  await target.send(what, signal, async (abortSignal) => target.options.service.client.send(command, { abortSignal }));
  return target.written(blob.name, what, signal);
}

function sorted(metadata: BlobInfo["metadata"]): readonly (readonly [string, string])[] {
  return Object.entries(metadata).sort(([one], [other]) => (one < other ? -1 : 1));
}
