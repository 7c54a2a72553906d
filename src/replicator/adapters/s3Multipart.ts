/** Uploads in parts: taken up again from what the service lists of them, ended under a condition. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { errorCode } from "../../core/errors.ts";
import type { BlobContainer, BlobInfo, CopiedBlob, WriteCondition } from "../../core/ports/storage.ts";
import { s3Error } from "./s3Errors.ts";
import { conditionsOf, headersOf } from "./s3ObjectInfo.ts";
import type { S3Requests } from "./s3Requests.ts";

/** A blob that is to be copied in parts. */
export interface PartsTask {
  readonly source: Pick<BlobContainer, "label">;
  readonly blob: BlobInfo;
  readonly condition: WriteCondition;
  readonly signal: AbortSignal | undefined;
}

/** One whose bytes pass through this process. */
export interface StreamTask extends PartsTask {
  readonly source: Pick<BlobContainer, "label" | "read">;
}

interface Upload {
  readonly id: string;
  /** Null where it has just begun. */
  readonly initiated: Date | null;
  readonly parts: ReadonlyMap<number, { readonly etag: string; readonly length: number }>;
}

interface Part {
  readonly number: number;
  readonly offset: number;
  readonly length: number;
}

/** The service takes 10,000 parts per object. */
const MAX_PARTS = 10_000;
/** Parts under way at a time, per object. */
const CONCURRENCY = 3;

export interface StreamPlan {
  readonly partSize: number;
  /** Given the MD5 (Base64) of all that was read. */
  readonly beforeEnd: (md5: string) => Promise<void>;
}

export interface InParts {
  /** Parts that were there already. */
  readonly reused: number;
  readonly copied: CopiedBlob;
}

/** Sends the bytes through this process. Parts that are there already are recognised by their MD5, and not sent again. */
export async function streamInParts(target: S3Requests, task: StreamTask, plan: StreamPlan): Promise<InParts> {
  const checksums = target.options.service.checksums;
  return inUpload(target, task, checksums, async (upload) => {
    const whole = createHash("md5");
    let crc = 0;
    let reused = 0;
    const sent = new Map<number, string>();
    await pipeline(partsOf(task.blob.length, plan.partSize), {
      read: (part) => readPart(target, task, part),
      /** In order: the hashes of the whole need that. */
      take: (_part, { content }) => {
        whole.update(content);
        if (checksums) crc = crc32(content, crc);
      },
      send: async (part, { content, slot }) => {
        using _slot = slot;
        const etag = `"${createHash("md5").update(content).digest("hex")}"`;
        const there = upload.parts.get(part.number);
        if (there?.etag === etag && there.length === content.length) reused += 1;
        sent.set(part.number, there?.etag === etag ? etag : await sendPart(target, task, { upload, part, content, checksums }));
      },
    });
    await plan.beforeEnd(whole.digest("base64"));
    return { etags: sent, reused, ...(checksums ? { crc32: base64Crc(crc) } : {}) };
  });
}

export interface InsidePlan {
  /** As `x-amz-copy-source` has it. */
  readonly source: string;
  /** When the source was written: parts of an upload that began earlier are not of this version. Null: none are. */
  readonly since: Date | null;
  readonly partSize: number;
  readonly beforeEnd: () => Promise<void>;
}

/** Has the service copy ranges of one of its own objects. */
export async function copyInParts(target: S3Requests, task: PartsTask, plan: InsidePlan): Promise<InParts> {
  return inUpload(target, task, false, async (upload) => {
    const usable = upload.initiated !== null && plan.since !== null && upload.initiated > plan.since;
    const etags = new Map<number, string>();
    let reused = 0;
    await pipeline(partsOf(task.blob.length, plan.partSize), {
      read: (part) => Promise.resolve(part),
      take: () => undefined,
      send: async (part) => {
        const there = usable ? upload.parts.get(part.number) : undefined;
        if (there?.length === part.length) reused += 1;
        etags.set(
          part.number,
          there?.length === part.length ? there.etag : await copyPart(target, task, { upload, part, source: plan.source }),
        );
      },
    });
    await plan.beforeEnd();
    return { etags, reused };
  });
}

interface Filled {
  readonly etags: ReadonlyMap<number, string>;
  readonly reused: number;
  readonly crc32?: string;
}

async function inUpload(
  target: S3Requests,
  task: PartsTask,
  checksums: boolean,
  fill: (upload: Upload) => Promise<Filled>,
): Promise<InParts> {
  await target.assertCondition(task.blob.name, task.condition, `copy to ${target.label}/${task.blob.name}`, task.signal);
  const upload = (await unfinished(target, task)) ?? (await begin(target, task, checksums));
  try {
    const { etags, reused, crc32: checksum } = await fill(upload);
    return { reused, copied: await end(target, task, upload, etags, checksum) };
  } catch (error) {
    // No later try can use it. After anything else one can.
    if (["blob_conflict", "blob_changed", "copy_mismatch", "storage_rejected"].includes(errorCode(error)))
      await abandon(target, task, upload);
    throw error;
  }
}

/** The newest upload under the name; what cannot be listed begins anew. */
async function unfinished(target: S3Requests, { blob, signal }: PartsTask): Promise<Upload | null> {
  const { service } = target.options;
  const { bucket: Bucket, key: Key } = target.address(blob.name);
  try {
    const found = await service.run(`look for uploads of ${target.label}/${blob.name}`, signal, (abortSignal) =>
      service.client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: Key }), { abortSignal }),
    );
    const own = (found.Uploads ?? []).filter((upload) => upload.Key === Key && upload.UploadId !== undefined);
    const newest = own.toSorted((a, b) => (b.Initiated?.getTime() ?? 0) - (a.Initiated?.getTime() ?? 0))[0];
    if (newest?.UploadId === undefined) return null;
    return { id: newest.UploadId, initiated: newest.Initiated ?? null, parts: await partsThere(target, Key, newest.UploadId, signal) };
  } catch {
    signal?.throwIfAborted();
    return null;
  }
}

async function partsThere(target: S3Requests, Key: string, UploadId: string, signal?: AbortSignal): Promise<Upload["parts"]> {
  const { service, bucket: Bucket } = target.options;
  const parts = new Map<number, { etag: string; length: number }>();
  let PartNumberMarker: string | undefined;
  do {
    const page = await service.run(`list the parts of an upload to ${target.label}`, signal, (abortSignal) =>
      service.client.send(new ListPartsCommand({ Bucket, Key, UploadId, PartNumberMarker }), { abortSignal }),
    );
    for (const { PartNumber = 0, ETag = "", Size = 0 } of page.Parts ?? []) parts.set(PartNumber, { etag: ETag, length: Size });
    PartNumberMarker = page.IsTruncated === true ? page.NextPartNumberMarker : undefined;
  } while (PartNumberMarker !== undefined);
  return parts;
}

async function begin(target: S3Requests, task: PartsTask, checksums: boolean): Promise<Upload> {
  const { service } = target.options;
  const { bucket: Bucket, key: Key } = target.address(task.blob.name);
  const checked = checksums ? { ChecksumAlgorithm: "CRC32" as const, ChecksumType: "FULL_OBJECT" as const } : {};
  const command = new CreateMultipartUploadCommand({ Bucket, Key, ...headersOf(task.blob, task.blob.contentMd5), ...checked });
  const what = `begin an upload to ${target.label}/${task.blob.name}`;
  const { UploadId } = await service.run(what, task.signal, (abortSignal) => service.client.send(command, { abortSignal }));
  if (UploadId === undefined) throw s3Error("storage_unavailable", what);
  return { id: UploadId, initiated: null, parts: new Map() };
}

async function end(
  target: S3Requests,
  task: PartsTask,
  { id: UploadId }: Upload,
  etags: ReadonlyMap<number, string>,
  checksum: string | undefined,
): Promise<CopiedBlob> {
  const { bucket: Bucket, key: Key } = target.address(task.blob.name);
  const what = `end the upload to ${target.label}/${task.blob.name}`;
  await target.assertCondition(task.blob.name, task.condition, what, task.signal);
  const Parts = [...etags].sort(([a], [b]) => a - b).map(([PartNumber, ETag]) => ({ PartNumber, ETag }));
  const command = new CompleteMultipartUploadCommand({
    Bucket,
    Key,
    UploadId,
    MultipartUpload: { Parts },
    ...(checksum === undefined ? {} : { ChecksumCRC32: checksum, ChecksumType: "FULL_OBJECT" }),
    ...conditionsOf(task.condition),
  });
  const { ETag } = await target.send(what, task.signal, async (abortSignal) =>
    target.options.service.client.send(command, { abortSignal }),
  );
  return target.copied(task.blob, ETag, what, task.signal);
}

/** Parts cost money until somebody ends their upload. That it cannot be ended is no reason to fail: a rule of the bucket will. */
async function abandon(target: S3Requests, task: PartsTask, { id: UploadId }: Upload): Promise<void> {
  const { service } = target.options;
  const { bucket: Bucket, key: Key } = target.address(task.blob.name);
  const command = new AbortMultipartUploadCommand({ Bucket, Key, UploadId });
  await service
    .run(`abandon an upload to ${target.label}/${task.blob.name}`, undefined, (abortSignal) =>
      service.client.send(command, { abortSignal }),
    )
    .catch(() => undefined);
}

interface Held {
  readonly content: Uint8Array;
  readonly slot: Disposable;
}

/** Holds its slot until the part is sent. */
async function readPart(target: S3Requests, { source, blob, signal }: StreamTask, { offset, length }: Part): Promise<Held> {
  await target.options.bandwidth?.take(length, signal);
  const slot = await target.options.service.transfers.take(signal);
  try {
    const content = await source.read(blob, offset, length, signal);
    if (content.length !== length) throw s3Error("blob_changed", `read ${source.label}/${blob.name}`);
    return { content, slot };
  } catch (error) {
    slot[Symbol.dispose]();
    throw error;
  }
}

interface Sending {
  readonly upload: Upload;
  readonly part: Part;
  readonly content: Uint8Array;
  readonly checksums: boolean;
}

async function sendPart(target: S3Requests, task: PartsTask, { upload, part, content, checksums }: Sending): Promise<string> {
  const { bucket: Bucket, key: Key } = target.address(task.blob.name);
  const input = { Bucket, Key, UploadId: upload.id, PartNumber: part.number, Body: content };
  // One or the other: the service takes one digest of a part.
  const digest = checksums
    ? { ChecksumCRC32: base64Crc(crc32(content)) }
    : { ContentMD5: createHash("md5").update(content).digest("base64") };
  const what = `upload a part of ${task.source.label}/${task.blob.name} to ${target.label}`;
  const { ETag } = await target.send(what, task.signal, async (abortSignal) =>
    target.options.service.client.send(new UploadPartCommand({ ...input, ...digest }), { abortSignal }),
  );
  if (ETag === undefined) throw s3Error("storage_unavailable", what);
  return ETag;
}

interface CopyingPart {
  readonly upload: Upload;
  readonly part: Part;
  readonly source: string;
}

async function copyPart(target: S3Requests, task: PartsTask, { upload, part, source }: CopyingPart): Promise<string> {
  const { bucket: Bucket, key: Key } = target.address(task.blob.name);
  const CopySourceRange = `bytes=${part.offset}-${part.offset + part.length - 1}`;
  await target.options.bandwidth?.take(part.length, task.signal);
  const copied = { CopySource: source, CopySourceIfMatch: task.blob.etag, CopySourceRange };
  const command = new UploadPartCopyCommand({ Bucket, Key, UploadId: upload.id, PartNumber: part.number, ...copied });
  const what = `copy a part of ${task.source.label}/${task.blob.name} to ${target.label}`;
  const { CopyPartResult } = await target.send(what, task.signal, async (abortSignal) =>
    target.options.service.client.send(command, { abortSignal }),
  );
  if (CopyPartResult?.ETag === undefined) throw s3Error("storage_unavailable", what);
  return CopyPartResult.ETag;
}

function base64Crc(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  return bytes.toString("base64");
}

/** Parts of the smallest doubling of `smallest` with which `length` bytes fit into the parts that an object may have. */
export function partsOf(length: number, smallest: number): readonly Part[] {
  let size = smallest;
  while (Math.ceil(length / size) > MAX_PARTS) size *= 2;
  return Array.from({ length: Math.ceil(length / size) }, (_, index) => ({
    number: index + 1,
    offset: index * size,
    length: Math.min(size, length - index * size),
  }));
}

interface Stages<T> {
  readonly read: (part: Part) => Promise<T>;
  readonly take: (part: Part, read: T) => void;
  readonly send: (part: Part, read: T) => Promise<void>;
}

/** Reads ahead a little, takes in order, sends a few at a time. After a failure nothing more is begun, and what is under way is waited for. */
async function pipeline<T>(parts: readonly Part[], { read, take, send }: Stages<T>): Promise<void> {
  const reading: { readonly part: Part; readonly result: Promise<T> }[] = [];
  const sending = new Set<Promise<void>>();
  const rest = parts.values();
  const readOn = (): void => {
    const next = reading.length < CONCURRENCY ? rest.next() : null;
    if (next?.done !== false) return;
    const result = read(next.value);
    result.catch(() => undefined);
    reading.push({ part: next.value, result });
    readOn();
  };
  try {
    for (readOn(); reading.length > 0; readOn()) {
      const [first] = reading.splice(0, 1);
      if (first === undefined) break;
      const content = await first.result;
      take(first.part, content);
      const under = send(first.part, content);
      under.catch(() => undefined);
      sending.add(under);
      void under.then(
        () => sending.delete(under),
        () => undefined,
      );
      if (sending.size >= CONCURRENCY) await Promise.race(sending);
    }
    await Promise.all(sending);
  } finally {
    const held = await Promise.allSettled([...reading.map(({ result }) => result), ...sending]);
    for (const { value } of held.filter((result) => result.status === "fulfilled")) release(value);
  }
}

function release(held: unknown): void {
  if (typeof held === "object" && held !== null && "slot" in held) (held as Held).slot[Symbol.dispose]();
}
