/** Requests for the objects of one place in S3, for all that reads and writes there. */
import {
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type HeadObjectCommandOutput,
} from "@aws-sdk/client-s3";
import { createHash } from "node:crypto";
import type { BlobInfo, CopiedBlob, WriteCondition } from "../../core/ports/storage.ts";
import type { S3ObjectAddress } from "./s3Conditions.ts";
import { isNotFound, s3Error, s3Failure } from "./s3Errors.ts";
import { conditionsOf, fromHead, MD5_METADATA, type ObjectHeaders } from "./s3ObjectInfo.ts";
import type { S3BlobContainerOptions } from "./s3Options.ts";

export class S3Requests {
  readonly label: string;
  readonly options: S3BlobContainerOptions;
  #seen = false;

  constructor(options: S3BlobContainerOptions) {
    this.label = options.label;
    this.options = options;
  }

  /** Null where there is no such blob. */
  async head(name: string, signal?: AbortSignal): Promise<BlobInfo | null> {
    const head = await this.properties(name, signal);
    return head === null ? null : fromHead(name, head, { trustEtags: this.options.service.options.trustEtags ?? true });
  }

  /** All that the service says of an object; null where it is not there. */
  async properties(name: string, signal?: AbortSignal): Promise<HeadObjectCommandOutput | null> {
    const what = `look at ${this.label}/${name}`;
    const input = { ...this.object(name), ...(this.options.service.checksums ? { ChecksumMode: "ENABLED" as const } : {}) };
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

  /** Writes an object in one request, which the service checks against the content's MD5; notes that beside it for where its ETag is none. */
  async put(
    name: string,
    content: Uint8Array,
    { condition, headers }: { readonly condition: WriteCondition; readonly headers: ObjectHeaders },
    what: string,
    signal?: AbortSignal,
  ): Promise<CopiedBlob> {
    const md5 = createHash("md5").update(content).digest("base64");
    const input = { ...this.object(name), Body: content, ContentMD5: md5, ...headers, ...conditionsOf(condition) };
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

  /** The same as the SDK says it. */
  object(name: string): { readonly Bucket: string; readonly Key: string } {
    const { bucket: Bucket, key: Key } = this.address(name);
    return { Bucket, Key };
  }
}
