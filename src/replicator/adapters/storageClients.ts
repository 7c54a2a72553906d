/** Opens blob containers for the SDK: by SAS that is renewed, by account key, or by an Entra ID token. */
import {
  BlobSASPermissions,
  BlobServiceClient,
  ContainerClient,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
  type StoragePipelineOptions,
  type UserDelegationKey,
} from "@azure/storage-blob";
import type { TokenCredential } from "@azure/core-auth";
import type { Clock } from "../../core/clock.ts";
import type { AzureBlobContainerOptions } from "./azureBlobs.ts";
import { storagePipeline } from "./storageAnswers.ts";

/** How a container is opened, and how a blob in it is signed for reading; see `AzureBlobContainerOptions`. */
export type ContainerAccess = Pick<AzureBlobContainerOptions, "open" | "signRead">;

/** The SDK's own retries: three more tries, for what may pass within seconds. */
const STORAGE_RETRIES = { maxTries: 4, retryDelayInMs: 400, maxRetryDelayInMs: 5_000 } as const;

const HOUR = 3_600_000;
/** How long a SAS lives, and how early before its end it is replaced. */
const SAS_LIFETIME = 4 * HOUR;
const SAS_MARGIN = HOUR / 2;

export interface RenewedSas {
  readonly clock: Clock;
  /** Asks the owner of the container for a new SAS URL that lives until `expiresAt` (epoch milliseconds). */
  readonly issue: (expiresAt: number) => Promise<string>;
  readonly pipeline?: StoragePipelineOptions;
}

/** A container whose SAS URL is asked for when it is first used, before it ends, and when the service has refused it. One request at a time. */
export function renewedSas({ clock, issue, pipeline = {} }: RenewedSas): ContainerAccess {
  let current: { readonly client: ContainerClient; readonly renewAt: number } | null = null;
  let renewal: Promise<ContainerClient> | null = null;
  const renew = async (): Promise<ContainerClient> => {
    const expiresAt = clock.now() + SAS_LIFETIME;
    const client = new ContainerClient(await issue(expiresAt), storagePipeline(undefined, { retryOptions: STORAGE_RETRIES, ...pipeline }));
    current = { client, renewAt: expiresAt - SAS_MARGIN };
    return client;
  };
  const open = async (refused?: ContainerClient): Promise<ContainerClient> => {
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
  const { url, login, clock } = options;
  const pipeline = { retryOptions: STORAGE_RETRIES, ...options.pipeline };
  if (login.kind === "sas") {
    const client = new BlobServiceClient(`${url}?${login.sas.replace(/^\?/, "")}`, storagePipeline(undefined, pipeline));
    return { client, access: (container) => ({ open: () => Promise.resolve(client.getContainerClient(container)) }) };
  }
  const key = login.kind === "account-key" ? new StorageSharedKeyCredential(login.accountName, login.accountKey) : null;
  const client = new BlobServiceClient(url, storagePipeline(key ?? (login.kind === "token" ? login.credential : undefined), pipeline));
  const sign = key === null ? delegatedSigner(client, clock) : keySigner(key, clock);
  return {
    client,
    access: (container) => {
      const opened = client.getContainerClient(container);
      return {
        open: () => Promise.resolve(opened),
        signRead: async (_client, name) => `${opened.getBlobClient(name).url}?${await sign(container, name)}`,
      };
    },
  };
}

/** Gives the query of a SAS that reads one blob. */
type Signer = (container: string, name: string) => Promise<string>;

function keySigner(key: StorageSharedKeyCredential, clock: Clock): Signer {
  return (container, name) => Promise.resolve(generateBlobSASQueryParameters(readOf(container, name, clock), key).toString());
}

/** Without an account key, the service itself gives a key to sign with: for a while, and in the name of the token's owner. */
function delegatedSigner(client: BlobServiceClient, clock: Clock): Signer {
  let current: { readonly key: UserDelegationKey; readonly renewAt: number } | null = null;
  return async (container, name) => {
    if (current === null || clock.now() >= current.renewAt) {
      const endsAt = clock.now() + 2 * SAS_LIFETIME;
      const key = await client.getUserDelegationKey(new Date(clock.now() - SAS_SKEW), new Date(endsAt));
      current = { key, renewAt: endsAt - SAS_LIFETIME - SAS_MARGIN };
    }
    return generateBlobSASQueryParameters(readOf(container, name, clock), current.key, client.accountName).toString();
  };
}

/** Clocks differ: a SAS that begins now may not have begun yet over there. */
const SAS_SKEW = HOUR / 4;

function readOf(containerName: string, blobName: string, clock: Clock) {
  const expiresOn = new Date(clock.now() + SAS_LIFETIME);
  return { containerName, blobName, permissions: BlobSASPermissions.parse("r"), expiresOn, protocol: SASProtocol.HttpsAndHttp };
}
