/** One blob container in S3: a bucket, or what lies under a prefix of one. */
import {
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type HeadObjectCommandOutput,
} from "@aws-sdk/client-s3";
import { createHash } from "node:crypto";
import { PaircastError } from "../../core/errors.ts";
import type { BlobContainer, BlobInfo, BlobVersion, CopiedBlob, WriteCondition } from "../../core/ports/storage.ts";
import type { S3Conditions, S3ObjectAddress, S3Place } from "./s3Conditions.ts";
import { copyObject } from "./s3Copy.ts";
import { isNotFound, s3Error, s3Failure } from "./s3Errors.ts";
import { conditionsOf, decodedKey, fromHead, MD5_METADATA, type ObjectHeaders } from "./s3ObjectInfo.ts";
import type { S3Service } from "./s3Service.ts";

/** How a blob was copied: `service` in one request inside the service, `parts` in several, `stream` its bytes passed through this process. */
export type S3CopyMethod = "service" | "parts" | "stream";

export interface S3Tuning {
  /** Told of each copy that is complete. `reused`: parts that an interrupted one had left. */
  readonly onCopy?: (copy: { readonly method: S3CopyMethod; readonly bytes: number; readonly reused: number }) => void;
  /** Up to this size a blob is copied in one request inside the service, bytes. Default 1 GiB; the service's own limit is 5 GiB. */
  readonly singleCopyLimit?: number;
  /** Smallest part, bytes. Default 8 MiB through this process, 256 MiB inside the service; the service wants at least 5 MiB. */
  readonly partSize?: number;
  /** Takes from the bytes that may be copied to the service; left out: as fast as it can. */
  readonly bandwidth?: { take(bytes: number, signal?: AbortSignal): Promise<void> };
  /** Objects per page of a listing. Default: the service's own, 1000. */
  readonly pageSize?: number;
}

export interface S3BlobContainerOptions extends S3Tuning, S3Place {
  /** For people and errors. */
  readonly label: string;
  readonly service: S3Service;
  readonly conditions: S3Conditions;
}

/** A listing has neither types nor metadata, so that each object is looked at: so many at a time. */
const LOOKS = 16;

/** Adds `storage_rejected` (never) to the port's errors, for requests that the service finds wrong. */
export class S3BlobContainer implements BlobContainer {
  readonly label: string;
  readonly options: S3BlobContainerOptions;
  #seen = false;

  constructor(options: S3BlobContainerOptions) {
    this.label = options.label;
    this.options = options;
  }

  async *list(signal?: AbortSignal): AsyncGenerator<BlobInfo> {
    for await (const names of this.#pages({}, signal)) {
      for (let at = 0; at < names.length; at += LOOKS) {
        const blobs = await Promise.all(names.slice(at, at + LOOKS).map(({ name }) => this.head(name, signal)));
        // What went away meanwhile is not there any more.
        for (const blob of blobs) if (blob !== null) yield blob;
      }
    }
  }

  /** Blobs at the top level, with name, length and ETag only: for those who look for few of many. */
  async *topLevel(signal?: AbortSignal): AsyncGenerator<BlobInfo> {
    const trust = { trustEtags: false };
    for await (const names of this.#pages({ Delimiter: "/" }, signal))
      for (const { name, length, etag } of names) yield fromHead(name, { $metadata: {}, ContentLength: length, ETag: etag }, trust);
  }

  async head(name: string, signal?: AbortSignal): Promise<BlobInfo | null> {
    const head = await this.properties(name, signal);
    return head === null ? null : fromHead(name, head, { trustEtags: this.options.service.options.trustEtags ?? true });
  }

  /** All that the service says of an object; null where it is not there. */
  async properties(name: string, signal?: AbortSignal): Promise<HeadObjectCommandOutput | null> {
    const what = `look at ${this.label}/${name}`;
    const input = { ...this.#object(name), ...(this.options.service.checksums ? { ChecksumMode: "ENABLED" as const } : {}) };
    const head = await this.options.service.run(what, signal, async (abortSignal) => {
      try {
        return await this.options.service.client.send(new HeadObjectCommand(input), { abortSignal });
      } catch (error) {
        if (isNotFound(error)) return null;
        throw error;
      }
    });
    if (head === null) await this.assertThere(what, signal);
    return head;
  }

  async read(blob: BlobVersion, offset: number, count: number, signal?: AbortSignal): Promise<Uint8Array> {
    // A range that begins at the end is an error (416) to the service, and to an empty object every range does.
    if (offset >= blob.length && blob.length > 0) return new Uint8Array();
    const wanted = Math.min(count, blob.length - offset);
    const what = `read ${this.label}/${blob.name}`;
    const range = wanted === 0 ? {} : { Range: `bytes=${offset}-${offset + wanted - 1}` };
    const command = new GetObjectCommand({ ...this.#object(blob.name), ...range, IfMatch: blob.etag });
    try {
      return await this.options.service.transfer(what, signal, async (abortSignal) => {
        const { Body: body } = await this.options.service.client.send(command, { abortSignal });
        const content = (await body?.transformToByteArray()) ?? new Uint8Array();
        if (content.length === wanted) return content;
        throw new PaircastError("storage_unavailable", `${what}: got ${content.length} of ${wanted} bytes`, { retry: "retry" });
      });
    } catch (error) {
      throw await this.#readFailure(error, what, signal);
    }
  }

  async readUrl(name: string): Promise<string> {
    const { bucket, key } = this.address(name);
    return this.options.service.presigned(bucket, key);
  }

  async copyFrom(source: BlobContainer, blob: BlobInfo, condition: WriteCondition, signal?: AbortSignal): Promise<CopiedBlob> {
    const inside = source instanceof S3BlobContainer && source.options.service.reaches(this.options.service) ? source : null;
    return copyObject(this, { source, inside, blob, condition, signal });
  }

  async write(
    name: string,
    content: Uint8Array,
    options: { readonly contentType: string; readonly condition: WriteCondition },
    signal?: AbortSignal,
  ): Promise<BlobInfo> {
    const what = `write ${this.label}/${name}`;
    await this.assertWritable(what, signal);
    if (!this.options.conditions.required) await this.assertCondition(name, options.condition, what, signal);
    await this.put(name, content, { condition: options.condition, headers: { ContentType: options.contentType } }, what, signal);
    return this.written(name, what, signal);
  }

  /** Writes an object in one request, which the service checks against the content's MD5; notes that beside it for where its ETag is none. */
  async put(
    name: string,
    content: Uint8Array,
    { condition, headers }: { readonly condition: WriteCondition; readonly headers: ObjectHeaders },
    what: string,
    signal?: AbortSignal,
  ): Promise<CopiedBlob> {
    const md5 = createHash("md5").update(content).digest("base64");
    const input = { ...this.#object(name), Body: content, ContentMD5: md5, ...headers, ...conditionsOf(condition) };
    const command = new PutObjectCommand({ ...input, Metadata: { ...headers.Metadata, [MD5_METADATA]: md5 } });
    const { ETag } = await this.send(what, signal, async (abortSignal) => this.options.service.client.send(command, { abortSignal }));
    return this.copied({ name, length: content.length, contentMd5: md5 }, ETag, what, signal);
  }

  /** A copy as the answer to it shows it; an answer without an ETag shows nothing. */
  async copied(
    { name, length, contentMd5 }: Pick<BlobInfo, "name" | "length" | "contentMd5">,
    etag: string | undefined,
    what: string,
    signal?: AbortSignal,
  ): Promise<CopiedBlob> {
    return etag === undefined || etag === "" ? this.written(name, what, signal) : { name, length, etag, contentMd5 };
  }

  /** One request that writes: of a version to replace that is gone, or an upload that somebody has ended, it makes a conflict. */
  async send<T>(what: string, signal: AbortSignal | undefined, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.options.service.transfer(what, signal, async (abortSignal) => {
      try {
        return await send(abortSignal);
      } catch (error) {
        throw isNotFound(error) && s3Failure(error)?.code !== "NoSuchBucket" ? s3Error("blob_conflict", what, error) : error;
      }
    });
  }

  /** The blob as it is after a write; gone again means that somebody else is at work under the same name. */
  async written(name: string, what: string, signal?: AbortSignal): Promise<BlobInfo> {
    const blob = await this.head(name, signal);
    if (blob === null) throw s3Error("blob_conflict", what);
    return blob;
  }

  /** Spares what a write would cost whose condition does not hold; the write itself checks it again, where the service does. */
  async assertCondition(name: string, condition: WriteCondition, what: string, signal?: AbortSignal): Promise<void> {
    const present = (await this.head(name, signal))?.etag;
    const holds = condition === "absent" ? present === undefined : present === condition.etag;
    if (!holds) throw s3Error("blob_conflict", what);
  }

  /** Throws `container_missing` where there is nothing to write into, `storage_rejected` where writes would be unsafe. */
  async assertWritable(what: string, signal?: AbortSignal): Promise<void> {
    if (!this.#seen) await this.assertThere(what, signal);
    await this.options.conditions.assertKept(this.options, signal);
  }

  async assertThere(what: string, signal?: AbortSignal): Promise<void> {
    if (!(await this.exists(signal))) throw s3Error("container_missing", what);
    this.#seen = true;
  }

  /** A prefix is there when anything is under it: a blob, or the empty object of its own name that `createContainer` leaves. */
  async exists(signal?: AbortSignal): Promise<boolean> {
    const { service, bucket: Bucket, prefix: Prefix } = this.options;
    return service.run(`look for ${this.label}`, signal, async (abortSignal) => {
      try {
        if (Prefix === "") await service.client.send(new HeadBucketCommand({ Bucket }), { abortSignal });
        else {
          const page = await service.client.send(new ListObjectsV2Command({ Bucket, Prefix, MaxKeys: 1 }), { abortSignal });
          return (page.Contents ?? []).length > 0;
        }
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    });
  }

  address(name: string): S3ObjectAddress {
    return { bucket: this.options.bucket, key: `${this.options.prefix}${name}` };
  }

  #object(name: string): { readonly Bucket: string; readonly Key: string } {
    const { bucket: Bucket, key: Key } = this.address(name);
    return { Bucket, Key };
  }

  async #readFailure(error: unknown, what: string, signal?: AbortSignal): Promise<unknown> {
    const cause = error instanceof PaircastError ? error : null;
    // 412: another version; what the service calls missing may be the blob or all that is around it.
    if (cause?.code === "blob_conflict") return s3Error("blob_changed", what);
    if (cause?.code !== "storage_rejected" || !cause.message.includes("404")) return error;
    return (await this.exists(signal)) ? s3Error("blob_changed", what) : s3Error("container_missing", what);
  }

  /** Names without the prefix, decoded. `container_missing` where there is nothing at all. */
  async *#pages(more: { readonly Delimiter?: string }, signal?: AbortSignal) {
    const { service, bucket: Bucket, prefix: Prefix, pageSize: MaxKeys } = this.options;
    const input = { Bucket, Prefix, MaxKeys, EncodingType: "url" as const, ...more };
    let token: string | undefined;
    let empty = true;
    do {
      const ContinuationToken = token;
      const page = await service.run(`list ${this.label}`, signal, (abortSignal) =>
        service.client.send(new ListObjectsV2Command({ ...input, ContinuationToken }), { abortSignal }),
      );
      const names = (page.Contents ?? []).map(({ Key = "", Size = 0, ETag = "" }) => ({
        name: decodedKey(Key).slice(Prefix.length),
        length: Size,
        etag: ETag,
      }));
      empty &&= names.length === 0 && (page.CommonPrefixes ?? []).length === 0;
      // The prefix itself, and what consoles leave for a folder, which is empty.
      yield names.filter(({ name, length }) => name !== "" && (length > 0 || !name.endsWith("/")));
      token = page.NextContinuationToken;
    } while (token !== undefined && token !== "");
    if (empty && Prefix !== "") throw s3Error("container_missing", `list ${this.label}`);
  }
}
