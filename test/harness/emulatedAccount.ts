/** A media account of the sandbox's emulator behind a port of its own, and clients of it. */
import { getRequestListener } from "@hono/node-server";
import { afterAll, beforeAll } from "vitest";
import { systemClock, systemRandom, type Clock } from "../../src/core/clock.ts";
import { AzureMediaAccount } from "../../src/replicator/adapters/azureMedia.ts";
import { createCredential, type MediaCredentialConfig } from "../../src/replicator/adapters/credentials.ts";
import { openBlobService, type BlobService } from "../../src/replicator/adapters/storageClients.ts";
import { createMediaAccount, type MediaAccount, type MediaAccountOptions } from "../../src/sandbox/management/mediaAccount.ts";
import { startHttpServer } from "./httpServer.ts";
import { STORAGE_KEY, StorageStage } from "./storageStage.ts";

export const ACCOUNT = { subscriptionId: "5c0bd3a2-31c4-4fd6-8f0c-7d3b1f8a9e10", resourceGroup: "media", name: "westeuropemedia" };
export const API_KEY = "the-api-key-of-the-account";
/** Port 1 of loopback: reserved, and nothing listens there. */
export const NOWHERE = "http://127.0.0.1:1";

/** Answers a request in the emulator's place, or after it. */
export type Interception = (request: Request, emulator: (request: Request) => Promise<Response>) => Promise<Response>;

export interface EmulatedAccount extends AsyncDisposable {
  readonly endpoint: string;
  /** The emulator itself. */
  readonly emulator: MediaAccount;
  /** All that it was asked: `GET /path?query`. */
  readonly requests: readonly string[];
  /** The header field of each; null where there was none. */
  readonly authorizations: readonly (string | null)[];
}

/** Of the management API, or where that is among the options, of MK.IO's surface. */
export async function emulateAccount(
  options: Partial<MediaAccountOptions> = {},
  intercept: Interception = async (request, emulator) => emulator(request),
): Promise<EmulatedAccount> {
  const emulator = createMediaAccount({
    account: ACCOUNT,
    location: "westeurope",
    storage: { accountName: "unused", accountKey: "", url: NOWHERE },
    apiKey: API_KEY,
    clock: systemClock,
    random: systemRandom,
    containers: { create: () => Promise.resolve(), delete: () => Promise.resolve() },
    hosts: { streaming: "127.0.0.1:1", keys: "127.0.0.1:1" },
    manifestName: () => Promise.resolve("movie"),
    encode: () => Promise.resolve(),
    ...options,
  });
  const requests: string[] = [];
  const authorizations: (string | null)[] = [];
  const surface = emulator.mkio ?? emulator.app;
  const listener = getRequestListener((request) => {
    const { pathname, search } = new URL(request.url);
    requests.push(`${request.method} ${pathname}${search}`);
    authorizations.push(request.headers.get("authorization"));
    return intercept(request, async (asked) => surface.fetch(asked));
  });
  const server = await startHttpServer((incoming, outgoing) => void listener(incoming, outgoing));
  return {
    endpoint: server.url,
    emulator,
    requests,
    authorizations,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await emulator[Symbol.asyncDispose]();
    },
  };
}

export interface Opening {
  readonly endpoint: string;
  readonly credential?: MediaCredentialConfig;
  readonly accountName?: string;
  readonly clock?: Clock;
}

/** The account over the SDK, which does not try again by itself. */
export function openAccount({ endpoint, credential, accountName = ACCOUNT.name, clock = systemClock }: Opening): AzureMediaAccount {
  const { subscriptionId, resourceGroup } = ACCOUNT;
  const login = createCredential(credential ?? { kind: "api-key", apiKey: API_KEY }, { endpoint, subscriptionId, clock });
  return new AzureMediaAccount({
    region: "westeurope",
    endpoint,
    subscriptionId,
    resourceGroup,
    accountName,
    credential: login,
    clock,
    maxRetries: 0,
  });
}

export interface AccountStorage {
  readonly storage: MediaAccountOptions["storage"];
  readonly containers: MediaAccountOptions["containers"];
  readonly service: BlobService;
}

/** Containers in Azurite, in an account that all tests of a file use. To be called once in a file. */
export function accountStorage(accountName: string): () => AccountStorage {
  let stage: StorageStage;
  beforeAll(async () => {
    stage = await StorageStage.start({ [accountName]: "127.0.0.1" });
  });
  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
  });
  return () => {
    const storage = { accountName, accountKey: STORAGE_KEY, url: `${stage.azurite.url}/${accountName}` };
    const login = { kind: "account-key", accountName, accountKey: STORAGE_KEY } as const;
    const service = openBlobService({ url: storage.url, login, clock: systemClock });
    const containers = {
      create: async (name: string) => void (await service.client.getContainerClient(name).createIfNotExists()),
      delete: async (name: string) => void (await service.client.getContainerClient(name).deleteIfExists()),
    };
    return { storage, containers, service };
  };
}
