/** One blob container over `@azure/storage-blob`. */
import type { Tags } from "@azure/storage-blob";
import { PaircastError } from "../../core/errors.ts";
import type { BlobContainer, BlobInfo, BlobUpload, BlobVersion, CopiedBlob, Pace, WriteCondition } from "../../core/ports/storage.ts";
import { copyBlob } from "./azureBlobCopy.ts";
import { AzureBlobUpload } from "./azureBlobUpload.ts";
import { isNotFound, serviceFailure, storageError } from "./azureBlobErrors.ts";
import { conditionsOf, fromListing, isDirectory } from "./azureBlobInfo.ts";
import type { AzureBlobContainerOptions } from "./azureBlobOptions.ts";
import { AzureBlobRequests } from "./azureBlobRequests.ts";
import { addressable, type PagedContainerClient } from "./pagedContainer.ts";

/** Blobs in a page of a listing. The service's own 5,000, of both sides at once, are what a container of any size would take most memory for. */
const PAGE_SIZE = 1000;

/** Adds `storage_rejected` (never) to the port's errors, for requests that the service finds wrong. */
export class AzureBlobContainer implements BlobContainer {
  readonly label: string;
  readonly #requests: AzureBlobRequests;
  readonly #pageSize: number;
  readonly #tags = new WeakMap<BlobInfo, Tags>();
  #listsTags = true;

  constructor(options: AzureBlobContainerOptions) {
    this.label = options.label;
    this.#requests = new AzureBlobRequests(options);
    this.#pageSize = options.pageSize ?? PAGE_SIZE;
  }

  async *list(signal?: AbortSignal): AsyncGenerator<BlobInfo> {
    let next: string | null = null;
    do {
      const page: { readonly blobs: readonly BlobInfo[]; readonly next: string | null } = await this.#page(next, signal);
      yield* page.blobs;
      next = page.next;
    } while (next !== null);
  }

  async head(name: string, signal?: AbortSignal): Promise<BlobInfo | null> {
    return this.#requests.head(name, signal);
  }

  async read(blob: BlobVersion, offset: number, count: number, signal?: AbortSignal): Promise<Uint8Array> {
    // A range that begins at the end is an error (416) to the service, and to an empty blob every range does.
    if (offset >= blob.length && blob.length > 0) return new Uint8Array();
    const wanted = Math.min(count, blob.length - offset);
    const what = `read ${this.label}/${blob.name}`;
    return this.#requests.request(what, signal, async (client, abortSignal) => {
      try {
        const options = { conditions: { ifMatch: blob.etag }, abortSignal };
        const answer = await client.getBlobClient(addressable(blob.name)).download(offset, wanted === 0 ? undefined : wanted, options);
        return await collected(answer.readableStreamBody, wanted, what);
      } catch (error) {
        if (isNotFound(error) || serviceFailure(error)?.status === 412) throw storageError("blob_changed", what, error);
        throw error;
      }
    });
  }

  async readUrl(name: string): Promise<string> {
    const { options } = this.#requests;
    const client = await options.open();
    if (options.signRead !== undefined) return options.signRead(client, addressable(name));
    return client.blobUrl(addressable(name));
  }

  async copyFrom(source: BlobContainer, blob: BlobInfo, condition: WriteCondition, signal?: AbortSignal, pace?: Pace): Promise<CopiedBlob> {
    const tags = source instanceof AzureBlobContainer ? source.#tags.get(blob) : undefined;
    return copyBlob(this.#requests, { source, blob, condition, tags, signal, pace });
  }

  async write(
    name: string,
    content: Uint8Array,
    options: { readonly contentType: string; readonly condition: WriteCondition },
    signal?: AbortSignal,
  ): Promise<BlobInfo> {
    const what = `write ${this.label}/${name}`;
    await this.#requests.requestBlob(what, name, signal, async (target, abortSignal) => {
      const conditions = conditionsOf(options.condition);
      const blobHTTPHeaders = { blobContentType: options.contentType };
      await target.upload(Buffer.from(content), content.length, { conditions, blobHTTPHeaders, abortSignal });
    });
    return this.#requests.written(name, what, signal);
  }

  upload(name: string, contentType: string): BlobUpload {
    return new AzureBlobUpload(this.#requests, name, contentType);
  }

  async #page(token: string | null, signal?: AbortSignal): Promise<{ blobs: BlobInfo[]; next: string | null }> {
    const page = await this.#requests.request(`list ${this.label}`, signal, async (client, abortSignal) => {
      try {
        return await this.#segment(client, token, abortSignal);
      } catch (error) {
        // Tags need a permission of their own, which the SAS of a media account does not have.
        if (serviceFailure(error)?.status !== 403 || !this.#listsTags) throw error;
        const segment = await this.#segment(client, token, abortSignal, false);
        this.#listsTags = false;
        return segment;
      }
    });
    const blobs = page.blobs.filter((item) => !isDirectory(item)).map((item) => this.#remembered(fromListing(item), item.tags));
    return { blobs, next: page.next };
  }

  async #segment(client: PagedContainerClient, from: string | null, abortSignal: AbortSignal, includeTags = this.#listsTags) {
    return client.page({ from, size: this.#pageSize, includeTags, abortSignal });
  }

  #remembered(blob: BlobInfo, tags: Tags | undefined): BlobInfo {
    if (tags !== undefined && Object.keys(tags).length > 0) this.#tags.set(blob, tags);
    return blob;
  }
}

async function collected(body: NodeJS.ReadableStream | undefined, length: number, what: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  if (body !== undefined) for await (const chunk of body) chunks.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  const content = Buffer.concat(chunks);
  if (content.length !== length)
    throw new PaircastError("storage_unavailable", `${what}: got ${content.length} of ${length} bytes`, { retry: "retry" });
  return new Uint8Array(content.buffer, content.byteOffset, content.length);
}
