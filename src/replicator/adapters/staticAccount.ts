/** Packaged videos in blob containers, one container per video: the storage of a region of the `static` driver. */
import type { StoragePipelineOptions } from "@azure/storage-blob";
import type { Clock } from "../../core/clock.ts";
import type { ListPage } from "../../core/media.ts";
import type { BlobContainer, PublicAccess, StaticLibrary, StaticManifests } from "../../core/ports/storage.ts";
import { serviceFailure } from "./azureBlobErrors.ts";
import type { AzureBlobContainerOptions } from "./azureBlobOptions.ts";
import { AzureBlobRequests, REQUEST_TIMEOUT_MS } from "./azureBlobRequests.ts";
import { AzureBlobContainer } from "./azureBlobs.ts";
import { defaultCredential } from "./credentials.ts";
import { findManifests } from "./staticManifests.ts";
import { boundedRequest } from "./storageRequest.ts";
import { openBlobService, type BlobService, type StorageLogin } from "./storageClients.ts";

/** As in the configuration file. */
export type StorageCredentialConfig =
  | { readonly kind: "default" }
  | { readonly kind: "account-key"; readonly accountName: string; readonly accountKey: string }
  | { readonly kind: "sas"; readonly sas: string };

export interface AzureStaticLibraryOptions {
  readonly region: string;
  /** Blob service URL without a trailing slash. */
  readonly url: string;
  readonly credential: StorageCredentialConfig;
  /** A container name, or a prefix with `*` at its end. */
  readonly containers: string;
  readonly clock: Clock;
  /** How containers copy and report; see `AzureBlobContainerOptions`. */
  readonly blobs?: Partial<Omit<AzureBlobContainerOptions, "label" | "clock" | "open" | "signRead">>;
  readonly pipeline?: StoragePipelineOptions;
}

export class AzureStaticLibrary implements StaticLibrary {
  readonly region: string;
  readonly #options: AzureStaticLibraryOptions;
  readonly #service: BlobService;

  constructor(options: AzureStaticLibraryOptions) {
    this.region = options.region;
    this.#options = options;
    const { url, clock, credential, pipeline = {} } = options;
    this.#service = openBlobService({ url, clock, login: loginOf(credential), pipeline });
  }

  async *videos(signal?: AbortSignal): AsyncGenerator<string> {
    for await (const { items } of this.videoPages(null, signal)) yield* items;
  }

  async *videoPages(from: string | null, signal?: AbortSignal): AsyncGenerator<ListPage<string>> {
    const { containers } = this.#options;
    // A single name needs no permission to list the account's containers, which a SAS for one container cannot have.
    if (!containers.endsWith("*")) {
      if ((await this.publicAccess(containers, signal)) !== null) yield { items: [containers], next: null };
      return;
    }
    let token = from ?? undefined;
    do {
      const page = await this.#page(containers.slice(0, -1), token, signal);
      token = page.token === "" ? undefined : page.token;
      yield { items: page.names, next: token ?? null };
    } while (token !== undefined);
  }

  container(name: string): BlobContainer {
    return this.#open(name);
  }

  async publicAccess(name: string, signal?: AbortSignal): Promise<PublicAccess | null> {
    return this.#requests(name).request(`look at container ${name}`, signal, async (client, abortSignal) => {
      try {
        const { blobPublicAccess } = await client.getProperties({ abortSignal });
        return blobPublicAccess ?? "none";
      } catch (error) {
        if (serviceFailure(error)?.status === 404) return null;
        throw error;
      }
    });
  }

  async createContainer(name: string, access: PublicAccess, signal?: AbortSignal): Promise<void> {
    const what = `create container ${name} with public access "${access}"`;
    await this.#requests(name).request(what, signal, async (client, abortSignal) => {
      await client.createIfNotExists({ ...(access === "none" ? {} : { access }), abortSignal });
    });
  }

  async manifests(name: string, signal?: AbortSignal): Promise<StaticManifests> {
    return findManifests(this.#open(name), name, signal);
  }

  #open(name: string): AzureBlobContainer {
    return new AzureBlobContainer(this.#blobs(name));
  }

  /** Of the container itself. */
  #requests(name: string): AzureBlobRequests {
    return new AzureBlobRequests(this.#blobs(name));
  }

  #blobs(name: string): AzureBlobContainerOptions {
    const { clock, blobs = {}, url } = this.#options;
    return { ...blobs, label: `${url}/${name}`, clock, ...this.#service.access(name) };
  }

  /** Names that begin with `$` are the service's own: website, logs, change feed. */
  async #page(prefix: string, token: string | undefined, signal?: AbortSignal) {
    const { clock, url, blobs } = this.#options;
    const bounds = { what: `list the containers of ${url}`, clock, timeoutMs: blobs?.requestTimeoutMs ?? REQUEST_TIMEOUT_MS, signal };
    return boundedRequest(bounds, async (abortSignal) => {
      const pages = this.#service.client
        .listContainers({ prefix, abortSignal })
        .byPage(token === undefined ? {} : { continuationToken: token });
      const page = await pages.next();
      if (page.done === true) return { names: [], token: undefined };
      const names = page.value.containerItems.map((item) => item.name).filter((name) => !name.startsWith("$"));
      return { names, token: page.value.continuationToken };
    });
  }
}

export function loginOf(credential: StorageCredentialConfig): StorageLogin {
  return credential.kind === "default" ? { kind: "token", credential: defaultCredential() } : credential;
}
