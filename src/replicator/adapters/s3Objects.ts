/** One blob container in S3: a bucket, or what lies under a prefix of one. */
import { GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { PaircastError } from "../../core/errors.ts";
import type { BlobContainer, BlobInfo, BlobVersion, CopiedBlob, WriteCondition } from "../../core/ports/storage.ts";
import { copyObject } from "./s3Copy.ts";
import { s3Error } from "./s3Errors.ts";
import { decodedKey, fromHead } from "./s3ObjectInfo.ts";
import type { S3BlobContainerOptions } from "./s3Options.ts";
import { S3Requests } from "./s3Requests.ts";

/** A listing has neither types nor metadata, so that each object is looked at: so many at a time. */
const LOOKS = 16;

/** Adds `storage_rejected` (never) to the port's errors, for requests that the service finds wrong. */
export class S3BlobContainer implements BlobContainer {
  readonly label: string;
  readonly options: S3BlobContainerOptions;
  readonly #requests: S3Requests;

  constructor(options: S3BlobContainerOptions) {
    this.label = options.label;
    this.options = options;
    this.#requests = new S3Requests(options);
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
    return this.#requests.head(name, signal);
  }

  async exists(signal?: AbortSignal): Promise<boolean> {
    return this.#requests.exists(signal);
  }

  async read(blob: BlobVersion, offset: number, count: number, signal?: AbortSignal): Promise<Uint8Array> {
    // A range that begins at the end is an error (416) to the service, and to an empty object every range does.
    if (offset >= blob.length && blob.length > 0) return new Uint8Array();
    const wanted = Math.min(count, blob.length - offset);
    const what = `read ${this.label}/${blob.name}`;
    const range = wanted === 0 ? {} : { Range: `bytes=${offset}-${offset + wanted - 1}` };
    const command = new GetObjectCommand({ ...this.#requests.object(blob.name), ...range, IfMatch: blob.etag });
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
    const { bucket, key } = this.#requests.address(name);
    return this.options.service.presigned(bucket, key);
  }

  async copyFrom(source: BlobContainer, blob: BlobInfo, condition: WriteCondition, signal?: AbortSignal): Promise<CopiedBlob> {
    const inside = source instanceof S3BlobContainer && source.options.service.reaches(this.options.service) ? source.#requests : null;
    return copyObject(this.#requests, { source, inside, blob, condition, signal });
  }

  async write(
    name: string,
    content: Uint8Array,
    options: { readonly contentType: string; readonly condition: WriteCondition },
    signal?: AbortSignal,
  ): Promise<BlobInfo> {
    const requests = this.#requests;
    const what = `write ${this.label}/${name}`;
    await requests.assertWritable(what, signal);
    if (!this.options.conditions.required) await requests.assertCondition(name, options.condition, what, signal);
    await requests.put(name, content, { condition: options.condition, headers: { ContentType: options.contentType } }, what, signal);
    return requests.written(name, what, signal);
  }

  async #readFailure(error: unknown, what: string, signal?: AbortSignal): Promise<unknown> {
    const cause = error instanceof PaircastError ? error : null;
    // 412: another version; what the service calls missing may be the blob or all that is around it.
    if (cause?.code === "blob_conflict") return s3Error("blob_changed", what);
    if (cause?.code !== "storage_rejected" || !cause.message.includes("404")) return error;
    return (await this.#requests.exists(signal)) ? s3Error("blob_changed", what) : s3Error("container_missing", what);
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
