/** One blob container over `@azure/storage-blob`. */
import type { BlockBlobClient, ContainerClient, Tags } from "@azure/storage-blob";
import type { Clock } from "../../core/clock.ts";
import { PaircastError } from "../../core/errors.ts";
import type { BlobContainer, BlobInfo, BlobUpload, BlobVersion, CopiedBlob, Pace, WriteCondition } from "../../core/ports/storage.ts";
import { copyBlob } from "./azureBlobCopy.ts";
import { AzureBlobUpload } from "./azureBlobUpload.ts";
import { isAccessExpired, serviceFailure, storageError } from "./azureBlobErrors.ts";
import { conditionsOf, fromHead, fromListing, isDirectory } from "./azureBlobInfo.ts";
import { addressable, type PagedContainerClient } from "./pagedContainer.ts";
import { boundedRequest } from "./storageRequest.ts";

/** How a blob was copied: `url` Copy Blob From URL, `put` Put Blob From URL, `blocks` Put Block From URL, `stream` its bytes passed through this process. */
export type CopyMethod = "url" | "put" | "blocks" | "stream";

/** Blobs in a page of a listing. The service's own 5,000, of both sides at once, are what a container of any size would take most memory for. */
const PAGE_SIZE = 1000;

export interface AzureBlobContainerOptions {
  /** For people and errors: account and container, no SAS. */
  readonly label: string;
  readonly clock: Clock;
  /** Opens the container. Called for every request; `refused` is a client whose access the service has just refused as expired. */
  readonly open: (refused?: ContainerClient) => Promise<PagedContainerClient>;
  /** A URL with which the blob can be read. Default: the URL of the client, where that has a SAS. */
  readonly signRead?: (client: ContainerClient, name: string) => Promise<string>;
  /** Told of each copy that is complete; `tags` says whether the source's tags, if any could be read, were carried. */
  readonly onCopy?: (copy: { readonly method: CopyMethod; readonly bytes: number; readonly tags: "none" | "kept" | "lost" }) => void;
  /** Time for one request including the SDK's retries. Default 60 s. */
  readonly requestTimeoutMs?: number;
  /** Time for one copy request by URL, or one block. Default 5 min. */
  readonly transferTimeoutMs?: number;
  /** How long a pending copy of somebody else is waited for. Default 1 h. */
  readonly pendingTimeoutMs?: number;
  /** Up to this size a blob is copied in one request; the service's limit is the default, 256 MiB. */
  readonly singleCopyLimit?: number;
  /** The same for Put Blob From URL. Default 1 GiB. */
  readonly singlePutLimit?: number;
  /** Smallest block, bytes. Default 8 MiB when streaming, 64 MiB by URL. */
  readonly blockSize?: number;
  /** Blobs per page of a listing. Default 1000. */
  readonly pageSize?: number;
}

/** Time for one request that moves little. */
export const REQUEST_TIMEOUT_MS = 60_000;

/** Adds `storage_rejected` (never) to the port's errors, for requests that the service finds wrong. */
export class AzureBlobContainer implements BlobContainer {
  readonly label: string;
  readonly options: AzureBlobContainerOptions;
  /** The access to the container does not allow to set tags. */
  refusesTags = false;
  readonly #tags = new WeakMap<BlobInfo, Tags>();
  #listsTags = true;

  constructor(options: AzureBlobContainerOptions) {
    this.label = options.label;
    this.options = options;
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
    return this.request(`look at ${this.label}/${name}`, signal, async (client, abortSignal) => {
      try {
        return fromHead(name, await client.getBlobClient(addressable(name)).getProperties({ abortSignal }));
      } catch (error) {
        if (isNotFound(error)) return null;
        throw error;
      }
    });
  }

  async read(blob: BlobVersion, offset: number, count: number, signal?: AbortSignal): Promise<Uint8Array> {
    // A range that begins at the end is an error (416) to the service, and to an empty blob every range does.
    if (offset >= blob.length && blob.length > 0) return new Uint8Array();
    const wanted = Math.min(count, blob.length - offset);
    const what = `read ${this.label}/${blob.name}`;
    return this.request(what, signal, async (client, abortSignal) => {
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
    const client = await this.options.open();
    if (this.options.signRead !== undefined) return this.options.signRead(client, addressable(name));
    return client.blobUrl(addressable(name));
  }

  async copyFrom(source: BlobContainer, blob: BlobInfo, condition: WriteCondition, signal?: AbortSignal, pace?: Pace): Promise<CopiedBlob> {
    const tags = source instanceof AzureBlobContainer ? source.#tags.get(blob) : undefined;
    return copyBlob(this, { source, blob, condition, tags, signal, pace });
  }

  async write(
    name: string,
    content: Uint8Array,
    options: { readonly contentType: string; readonly condition: WriteCondition },
    signal?: AbortSignal,
  ): Promise<BlobInfo> {
    const what = `write ${this.label}/${name}`;
    await this.requestBlob(what, name, signal, async (target, abortSignal) => {
      const conditions = conditionsOf(options.condition);
      const blobHTTPHeaders = { blobContentType: options.contentType };
      await target.upload(Buffer.from(content), content.length, { conditions, blobHTTPHeaders, abortSignal });
    });
    return this.written(name, what, signal);
  }

  upload(name: string, contentType: string): BlobUpload {
    return new AzureBlobUpload(this, name, contentType);
  }

  /** The blob as it is after a write; gone again means that somebody else is at work under the same name. */
  async written(name: string, what: string, signal?: AbortSignal): Promise<BlobInfo> {
    const blob = await this.head(name, signal);
    if (blob === null) throw storageError("blob_conflict", what);
    return blob;
  }

  /** One request that writes a blob, by the SDK's client of it. */
  async requestBlob<T>(
    what: string,
    name: string,
    signal: AbortSignal | undefined,
    send: (target: BlockBlobClient, signal: AbortSignal) => Promise<T>,
    timeoutMs?: number,
  ): Promise<T> {
    const toBlob = async (client: PagedContainerClient, abortSignal: AbortSignal): Promise<T> =>
      send(client.getBlockBlobClient(addressable(name)), abortSignal);
    return this.requestWrite(what, signal, toBlob, timeoutMs);
  }

  /** One request that writes a blob: a version to replace that is gone is a conflict, not a blob that could not be found. */
  async requestWrite<T>(
    what: string,
    signal: AbortSignal | undefined,
    send: (client: PagedContainerClient, signal: AbortSignal) => Promise<T>,
    timeoutMs?: number,
  ): Promise<T> {
    return this.request(
      what,
      signal,
      async (client, abortSignal) => {
        try {
          return await send(client, abortSignal);
        } catch (error) {
          throw isNotFound(error) ? storageError("blob_conflict", what, error) : error;
        }
      },
      timeoutMs,
    );
  }

  /** One request: bounded in time, tried once more with fresh access when its SAS has expired, its errors translated. */
  async request<T>(
    what: string,
    signal: AbortSignal | undefined,
    send: (client: PagedContainerClient, signal: AbortSignal) => Promise<T>,
    timeoutMs = this.options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
  ): Promise<T> {
    const bounds = { what, clock: this.options.clock, timeoutMs, signal };
    return boundedRequest(bounds, (abortSignal) => this.#withFreshAccess(send, abortSignal));
  }

  async #withFreshAccess<T>(send: (client: PagedContainerClient, signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    const client = await this.options.open();
    try {
      return await send(client, signal);
    } catch (error) {
      if (!isAccessExpired(error)) throw error;
      const fresh = await this.options.open(client);
      if (fresh === client) throw error;
      return send(fresh, signal);
    }
  }

  async #page(token: string | null, signal?: AbortSignal): Promise<{ blobs: BlobInfo[]; next: string | null }> {
    const page = await this.request(`list ${this.label}`, signal, async (client, abortSignal) => {
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
    return client.page({ from, size: this.options.pageSize ?? PAGE_SIZE, includeTags, abortSignal });
  }

  #remembered(blob: BlobInfo, tags: Tags | undefined): BlobInfo {
    if (tags !== undefined && Object.keys(tags).length > 0) this.#tags.set(blob, tags);
    return blob;
  }
}

function isNotFound(error: unknown): boolean {
  const failure = serviceFailure(error);
  return failure?.status === 404 && (failure.code === "BlobNotFound" || failure.code === "ResourceNotFound" || failure.code === "");
}

async function collected(body: NodeJS.ReadableStream | undefined, length: number, what: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  if (body !== undefined) for await (const chunk of body) chunks.push(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
  const content = Buffer.concat(chunks);
  if (content.length !== length)
    throw new PaircastError("storage_unavailable", `${what}: got ${content.length} of ${length} bytes`, { retry: "retry" });
  return new Uint8Array(content.buffer, content.byteOffset, content.length);
}
