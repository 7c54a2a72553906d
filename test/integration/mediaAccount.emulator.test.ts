/** The media account over the emulator of the management API, through the real SDK, with containers in Azurite. */
import { serve, type ServerType } from "@hono/node-server";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock, systemRandom, type Clock } from "../../src/core/clock.ts";
import { silentLog } from "../../src/core/log.ts";
import { AzureMediaAccount } from "../../src/replicator/adapters/azureMedia.ts";
import { createCredential } from "../../src/replicator/adapters/credentials.ts";
import { openBlobService } from "../../src/replicator/adapters/storageClients.ts";
import { Azurite } from "../../src/sandbox/azurite.ts";
import { createMediaAccount } from "../../src/sandbox/management/mediaAccount.ts";
import type { EmulatorSwitches } from "../../src/sandbox/management/switches.ts";
import { describeMediaAccount, type MediaAccountHarness } from "../conformance/mediaAccount.ts";
import { ManualClock } from "../fakes/clock.ts";

const STORAGE = { name: "westeuropestorage", key: Buffer.alloc(64, 5).toString("base64") };
const ACCOUNT = { subscriptionId: "5c0bd3a2-31c4-4fd6-8f0c-7d3b1f8a9e10", resourceGroup: "media", name: "westeuropemedia" };
const API_KEY = "the-api-key-of-the-account";

let azurite: Azurite;

beforeAll(async () => {
  azurite = await Azurite.start({ accounts: [STORAGE], port: 0, clock: systemClock, log: silentLog });
});

afterAll(async () => {
  await azurite[Symbol.asyncDispose]();
});

interface Emulated extends MediaAccountHarness {
  readonly endpoint: string;
  readonly requests: string[];
}

interface Wiring {
  readonly switches?: Partial<EmulatorSwitches>;
  /** The adapter's clock; the emulator has the real one. */
  readonly clock?: Clock;
}

async function start({ switches = {}, clock = systemClock }: Wiring = {}): Promise<Emulated> {
  const storage = { accountName: STORAGE.name, accountKey: STORAGE.key, url: `${azurite.url}/${STORAGE.name}` };
  const login = { kind: "account-key", accountName: STORAGE.name, accountKey: STORAGE.key } as const;
  const blobs = openBlobService({ url: storage.url, login, clock: systemClock }).client;
  const emulator = createMediaAccount({
    account: ACCOUNT,
    location: "westeurope",
    storage,
    apiKey: API_KEY,
    clock: systemClock,
    random: systemRandom,
    switches: { pageSize: 5, operationMs: 50, ...switches },
    containers: {
      create: async (name) => void (await blobs.getContainerClient(name).createIfNotExists()),
      delete: async (name) => void (await blobs.getContainerClient(name).deleteIfExists()),
    },
    hosts: { streaming: "127.0.0.1:1", keys: "127.0.0.1:1" },
    manifestName: () => Promise.resolve("movie"),
    fileExists: (_asset, file) => Promise.resolve(file !== "nowhere.ttml"),
    encode: () => Promise.resolve(),
  });
  const requests: string[] = [];
  const server = serve({
    fetch: (request: Request) => {
      requests.push(`${request.method} ${new URL(request.url).pathname}`);
      return emulator.app.fetch(request);
    },
    hostname: "127.0.0.1",
    port: 0,
  });
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const open = (at: string, apiKey: string): AzureMediaAccount => {
    const { subscriptionId, resourceGroup, name: accountName } = ACCOUNT;
    const credential = createCredential({ kind: "api-key", apiKey }, { endpoint: at, subscriptionId, clock });
    return new AzureMediaAccount({
      region: "westeurope",
      endpoint: at,
      subscriptionId,
      resourceGroup,
      accountName,
      credential,
      clock,
      maxRetries: 0,
    });
  };
  return {
    endpoint,
    requests,
    account: open(endpoint, API_KEY),
    // Port 1 of loopback: reserved, and nothing listens there.
    unreachable: open("http://127.0.0.1:1", API_KEY),
    denied: open(endpoint, "another-key"),
    [Symbol.asyncDispose]: async () => {
      await closed(server);
      await emulator[Symbol.asyncDispose]();
    },
  };
}

async function closed(server: ServerType): Promise<void> {
  if ("closeAllConnections" in server) server.closeAllConnections();
  server.close();
  await once(server, "close");
}

describeMediaAccount("the account over the SDK and the emulator", () => start());

describe("the account over the SDK", () => {
  it("asks for a token once for many calls, and again shortly before its end", async () => {
    const clock = new ManualClock(systemClock.now());
    await using emulated = await start({ clock });
    const tokens = (): number => emulated.requests.filter((line) => line === "POST /auth/token").length;
    await Promise.all([emulated.account.asset("a"), emulated.account.asset("b")]);
    await emulated.account.asset("c");
    expect(tokens()).toBe(1);
    await clock.advance(3_600_000 - 60_000);
    await emulated.account.asset("d");
    expect(tokens()).toBe(2);
  });

  it("takes what exists for existing even where the service would take an identical create for a success", async () => {
    await using emulated = await start({ switches: { recreateImmutable: "accept-identical" } });
    const policy = {
      name: "clear",
      properties: { noEncryption: { enabledProtocols: { download: false, dash: true, hls: true, smoothStreaming: false } } },
    };
    await emulated.account.createStreamingPolicy(policy);
    await expect(emulated.account.createStreamingPolicy(policy)).rejects.toMatchObject({ code: "media_exists" });
  });

  it("takes an account that is not there for a mistake, not for an empty one", async () => {
    await using emulated = await start();
    const { subscriptionId } = ACCOUNT;
    const credential = createCredential(
      { kind: "api-key", apiKey: API_KEY },
      { endpoint: emulated.endpoint, subscriptionId, clock: systemClock },
    );
    const other = new AzureMediaAccount({
      region: "westeurope",
      endpoint: emulated.endpoint,
      subscriptionId,
      resourceGroup: "media",
      accountName: "misspelt",
      credential,
      clock: systemClock,
      maxRetries: 0,
    });
    await expect(Array.fromAsync(other.assets())).rejects.toMatchObject({ code: "account_rejected" });
    await expect(other.asset("a")).rejects.toMatchObject({ code: "account_rejected" });
  });

  it("stops when it is told to", async () => {
    await using emulated = await start();
    await expect(emulated.account.asset("a", AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
    await expect(Array.fromAsync(emulated.account.assets(AbortSignal.abort(new Error("enough"))))).rejects.toThrow("enough");
  });
});
