/** Opens blob containers for the SDK: by SAS that is renewed, by account key, or by an Entra ID token. */
import {
  BlobServiceClient,
  type ContainerClient,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
  type StoragePipelineOptions,
  type UserDelegationKey,
} from "@azure/storage-blob";
import type { TokenCredential } from "@azure/core-auth";
import type { Clock } from "../../core/clock.ts";
import type { AzureBlobContainerOptions } from "./azureBlobOptions.ts";
import { PagedContainerClient } from "./pagedContainer.ts";
import { StorageCalls, storagePipeline } from "./storageAnswers.ts";

/** How a container is opened, and how a blob in it is signed for reading; see `AzureBlobContainerOptions`. */
export type ContainerAccess = Pick<AzureBlobContainerOptions, "open" | "signRead">;

const HOUR = 3_600_000;
/** How long a SAS lives, and how early before its end it is replaced. */
const SAS_LIFETIME = 4 * HOUR;
const SAS_MARGIN = HOUR / 2;

export interface RenewedSas {
  readonly clock: Clock;
  /** Asks the owner of the container for a new SAS URL that lives until `expiresAt` (epoch milliseconds). */
  readonly issue: (expiresAt: number) => Promise<string>;
  readonly pipeline?: StoragePipelineOptions;
  /** Shared by all containers of the account; left out: the container keeps its own pace. */
  readonly calls?: StorageCalls;
}

/** A container whose SAS URL is asked for when it is first used, before it ends, and when the service has refused it. One request at a time. */
export function renewedSas({ clock, issue, pipeline = {}, calls = new StorageCalls(clock) }: RenewedSas): ContainerAccess {
  let current: { readonly client: PagedContainerClient; readonly renewAt: number } | null = null;
  let renewal: Promise<PagedContainerClient> | null = null;
  const renew = async (): Promise<PagedContainerClient> => {
    const expiresAt = clock.now() + SAS_LIFETIME;
    const client = new PagedContainerClient(await issue(expiresAt), storagePipeline(undefined, pipeline, calls));
    current = { client, renewAt: expiresAt - SAS_MARGIN };
    return client;
  };
  const open = async (refused?: ContainerClient): Promise<PagedContainerClient> => {
    if (current !== null && current.client !== refused && clock.now() < current.renewAt) return current.client;
    renewal ??= renew().finally(() => {
      renewal = null;
    });
    return renewal;
  };
  return { open };
}

export type StorageLogin =
  | { readonly kind: "token"; readonly credential: TokenCredential }
  | { readonly kind: "account-key"; readonly accountName: string; readonly accountKey: string }
  | { readonly kind: "sas"; readonly sas: string };

export interface BlobServiceOptions {
  /** Blob service URL without a trailing slash; path-style (`http://host:port/account`) where the service is. */
  readonly url: string;
  readonly login: StorageLogin;
  readonly clock: Clock;
  readonly pipeline?: StoragePipelineOptions;
}

/** A whole blob service: its client, and access to any container of it. */
export interface BlobService {
  readonly client: BlobServiceClient;
  access(container: string): ContainerAccess;
}

export function openBlobService(options: BlobServiceOptions): BlobService {
  const { url, login, clock, pipeline = {} } = options;
  const calls = new StorageCalls(clock);
  const opened = (client: BlobServiceClient, through: ReturnType<typeof storagePipeline>, container: string): PagedContainerClient =>
    new PagedContainerClient(client.getContainerClient(container).url, through);
  if (login.kind === "sas") {
    const through = storagePipeline(undefined, pipeline, calls);
    const client = new BlobServiceClient(`${url}?${login.sas.replace(/^\?/, "")}`, through);
    return {
      client,
      access: (container) => {
        const containerClient = opened(client, through, container);
        return { open: () => Promise.resolve(containerClient) };
      },
    };
  }
  const key = login.kind === "account-key" ? new StorageSharedKeyCredential(login.accountName, login.accountKey) : null;
  const through = storagePipeline(key ?? (login.kind === "token" ? login.credential : undefined), pipeline, calls);
  const client = new BlobServiceClient(url, through);
  const signer = key === null ? delegatedSigner(client, clock) : keySigner(key, clock);
  return {
    client,
    access: (container) => {
      const containerClient = opened(client, through, container);
      const sign = renewed(clock, async () => signer(container));
      return {
        open: () => Promise.resolve(containerClient),
        signRead: async (_client, name) => `${containerClient.blobUrl(name)}?${await sign()}`,
      };
    },
  };
}

/** Gives the query of a SAS that reads the blobs of one container. */
type Signer = (container: string) => Promise<string>;

/** One query for all blobs of a container until half an hour before its end: signing for each of them costs more than sending the request. */
function renewed(clock: Clock, sign: () => Promise<string>): () => Promise<string> {
  let current: { readonly query: string; readonly renewAt: number } | null = null;
  return async () => {
    if (current !== null && clock.now() < current.renewAt) return current.query;
    const renewAt = clock.now() + SAS_LIFETIME - SAS_MARGIN;
    current = { query: await sign(), renewAt };
    return current.query;
  };
}

function keySigner(key: StorageSharedKeyCredential, clock: Clock): Signer {
  return (container) => Promise.resolve(generateBlobSASQueryParameters(readOf(container, clock), key).toString());
}

/** Without an account key, the service itself gives a key to sign with: for a while, and in the name of the token's owner. */
function delegatedSigner(client: BlobServiceClient, clock: Clock): Signer {
  let current: { readonly key: UserDelegationKey; readonly renewAt: number } | null = null;
  let renewal: Promise<UserDelegationKey> | null = null;
  const renew = async (): Promise<UserDelegationKey> => {
    const endsAt = clock.now() + 2 * SAS_LIFETIME;
    const key = await client.getUserDelegationKey(new Date(clock.now() - SAS_SKEW), new Date(endsAt));
    current = { key, renewAt: endsAt - SAS_LIFETIME - SAS_MARGIN };
    return key;
  };
  const delegationKey = async (): Promise<UserDelegationKey> => {
    if (current !== null && clock.now() < current.renewAt) return current.key;
    renewal ??= renew().finally(() => {
      renewal = null;
    });
    return renewal;
  };
  return async (container) =>
    generateBlobSASQueryParameters(readOf(container, clock), await delegationKey(), client.accountName).toString();
}

/** Clocks differ: a SAS that begins now may not have begun yet over there. */
const SAS_SKEW = HOUR / 4;

function readOf(containerName: string, clock: Clock) {
  const expiresOn = new Date(clock.now() + SAS_LIFETIME);
  return { containerName, permissions: ContainerSASPermissions.parse("r"), expiresOn, protocol: SASProtocol.HttpsAndHttp };
}
