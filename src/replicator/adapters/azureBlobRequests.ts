/** Requests to one blob container, for all that reads and writes there: bounded in time, with fresh access, their errors translated. */
import type { BlockBlobClient } from "@azure/storage-blob";
import type { BlobInfo } from "../../core/ports/storage.ts";
import { isAccessExpired, isNotFound, storageError } from "./azureBlobErrors.ts";
import { fromHead } from "./azureBlobInfo.ts";
import type { AzureBlobContainerOptions } from "./azureBlobOptions.ts";
import { addressable, type PagedContainerClient } from "./pagedContainer.ts";
import { boundedRequest } from "./storageRequest.ts";

/** Time for one request that moves little. */
export const REQUEST_TIMEOUT_MS = 60_000;

export class AzureBlobRequests {
  readonly label: string;
  readonly options: AzureBlobContainerOptions;

  constructor(options: AzureBlobContainerOptions) {
    this.label = options.label;
    this.options = options;
  }

  /** Null where there is no such blob. */
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
}
