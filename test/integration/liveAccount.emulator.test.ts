/** Live events over the emulator of the management API, through the real SDK. */
import { serve, type ServerType } from "@hono/node-server";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import { AzureLiveAccount } from "../../src/encoding/adapters/azureLive.ts";
import { createMediaClient } from "../../src/replicator/adapters/azureMediaClient.ts";
import { createCredential } from "../../src/replicator/adapters/credentials.ts";
import { createMediaAccount } from "../../src/sandbox/management/mediaAccount.ts";
import { describeLiveAccount, type LiveAccountHarness } from "../conformance/liveAccount.ts";

const ACCOUNT = { subscriptionId: "5c0bd3a2-31c4-4fd6-8f0c-7d3b1f8a9e10", resourceGroup: "media", name: "westmedia" };
const API_KEY = "the-api-key-of-the-account";
const TOKEN = "0f3c1b52-6f0e-4d3c-9d57-0d8f6a1f2b3c";

interface Emulated extends LiveAccountHarness {
  /** Answers requests to put something in the place of the emulator. */
  refuse: ((body: string) => Response) | null;
  readonly missing: AzureLiveAccount;
}

async function start(): Promise<Emulated> {
  const emulator = createMediaAccount({
    account: ACCOUNT,
    location: "westeurope",
    storage: { accountName: "weststorage", accountKey: Buffer.alloc(64, 5).toString("base64"), url: "http://127.0.0.1:1/weststorage" },
    apiKey: API_KEY,
    clock: systemClock,
    random: systemRandom,
    switches: { pageSize: 2, operationMs: 30 },
    containers: { create: async () => undefined, delete: async () => undefined },
    hosts: { streaming: "127.0.0.1:1", keys: "127.0.0.1:1" },
    manifestName: async () => null,
    encode: async () => undefined,
  });
  const emulated: { refuse: Emulated["refuse"] } = { refuse: null };
  const fetch = async (incoming: Request): Promise<Response> =>
    incoming.method === "PUT" && emulated.refuse !== null ? emulated.refuse(await incoming.text()) : emulator.app.fetch(incoming);
  const server: ServerType = serve({ fetch, hostname: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { subscriptionId, resourceGroup, name } = ACCOUNT;
  const open = (at: string, apiKey: string, accountName = name): AzureLiveAccount => {
    const credential = createCredential({ kind: "api-key", apiKey }, { endpoint: at, subscriptionId, clock: systemClock });
    const client = createMediaClient({ endpoint: at, subscriptionId, credential, maxRetries: 0 });
    return new AzureLiveAccount({ region: "west", client, resourceGroup, accountName, clock: systemClock, pollMs: 10 });
  };
  const asset = async (assetName: string): Promise<void> => {
    const credential = createCredential({ kind: "api-key", apiKey: API_KEY }, { endpoint, subscriptionId, clock: systemClock });
    const client = createMediaClient({ endpoint, subscriptionId, credential, maxRetries: 0 });
    await client.assets.createOrUpdate(resourceGroup, name, assetName, {});
  };
  return Object.assign(emulated, {
    account: open(endpoint, API_KEY),
    denied: open(endpoint, "another-key"),
    missing: open(endpoint, API_KEY, "anotheraccount"),
    // Port 1 of loopback: reserved, and nothing listens there.
    unreachable: open("http://127.0.0.1:1", API_KEY),
    asset,
    [Symbol.asyncDispose]: async () => {
      if ("closeAllConnections" in server) server.closeAllConnections();
      server.close();
      await once(server, "close");
      await emulator[Symbol.asyncDispose]();
    },
  });
}

describeLiveAccount("the emulator", start);

const SPEC = { name: "Show", protocol: "rtmp", encoding: "passthrough", keyFrameMs: 2_000, accessToken: TOKEN } as const;
const { signal } = new AbortController();

it("a refusal that quotes the request does not tell the access token", async () => {
  await using emulated = await start();
  emulated.refuse = (body) =>
    Response.json({ error: { code: "BadRequest", message: `Not valid: ${body} ${TOKEN.replaceAll("-", "")}` } }, { status: 400 });
  const error: unknown = await emulated.account.createEvent(SPEC, signal).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "account_rejected", message: expect.stringContaining("Not valid") });
  const told = `${(error as Error).message} ${String((error as Error).cause)}`;
  for (const form of [TOKEN, TOKEN.replaceAll("-", "")]) expect(told).not.toContain(form);
});

it("an account that is not there is not one without live events", async () => {
  await using emulated = await start();
  await expect(emulated.missing.event("Show", signal)).rejects.toMatchObject({ code: "account_rejected" });
  await expect(emulated.missing.outputs("Show", signal)).rejects.toMatchObject({ code: "account_rejected" });
});
