/** Every kind of credential of the driver `ams` that needs no cloud, against the emulator of the management API. */
import { serve, type ServerType } from "@hono/node-server";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import { AzureMediaAccount } from "../../src/replicator/adapters/azureMedia.ts";
import { createCredential, type MediaCredentialConfig } from "../../src/replicator/adapters/credentials.ts";
import { createMediaAccount, type MediaAccount } from "../../src/sandbox/management/mediaAccount.ts";
import { ManualClock } from "../fakes/clock.ts";

const ACCOUNT = { subscriptionId: "5c0bd3a2-31c4-4fd6-8f0c-7d3b1f8a9e10", resourceGroup: "media", name: "westeuropemedia" };
const API_KEY = "the-api-key-of-the-account";

let emulator: MediaAccount;
let server: ServerType;
let endpoint: string;
const authorizations: (string | null)[] = [];

beforeAll(async () => {
  emulator = createMediaAccount({
    account: ACCOUNT,
    location: "westeurope",
    storage: { accountName: "unused", accountKey: "", url: "http://127.0.0.1:1" },
    apiKey: API_KEY,
    clock: systemClock,
    random: systemRandom,
    containers: { create: () => Promise.resolve(), delete: () => Promise.resolve() },
    hosts: { streaming: "127.0.0.1:1", keys: "127.0.0.1:1" },
    manifestName: () => Promise.resolve(null),
    encode: () => Promise.resolve(),
  });
  const fetch = (request: Request): Response | Promise<Response> => {
    authorizations.push(request.headers.get("authorization"));
    return emulator.app.fetch(request);
  };
  server = serve({ fetch, hostname: "127.0.0.1", port: 0 });
  await once(server, "listening");
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  if ("closeAllConnections" in server) server.closeAllConnections();
  server.close();
  await once(server, "close");
  await emulator[Symbol.asyncDispose]();
});

function account(config: MediaCredentialConfig, clock = systemClock): AzureMediaAccount {
  const { subscriptionId, resourceGroup, name: accountName } = ACCOUNT;
  const credential = createCredential(config, { endpoint, subscriptionId, clock });
  return new AzureMediaAccount({
    region: "westeurope",
    endpoint,
    subscriptionId,
    resourceGroup,
    accountName,
    credential,
    clock,
    maxRetries: 0,
  });
}

async function token(): Promise<string> {
  const body = JSON.stringify({ subscriptionId: ACCOUNT.subscriptionId, apiKey: API_KEY });
  return (await fetch(`${endpoint}/auth/token`, { method: "POST", body })).text();
}

describe("the driver ams", () => {
  it("asks for a token with an API key, at the service's usual place or where it is told to", async () => {
    expect(await account({ kind: "api-key", apiKey: API_KEY }).asset("a")).toBeNull();
    expect(await account({ kind: "api-key", apiKey: API_KEY, tokenUrl: `${endpoint}/auth/token` }).asset("a")).toBeNull();
    const nowhere = account({ kind: "api-key", apiKey: API_KEY, tokenUrl: `${endpoint}/tokens` });
    await expect(nowhere.asset("a")).rejects.toMatchObject({
      code: "account_denied",
      message: expect.stringContaining("/tokens") as string,
    });
  });

  it("sends a token that it was given, and none that has ended", async () => {
    const given = await token();
    expect(await account({ kind: "bearer", token: given }).asset("a")).toBeNull();
    expect(authorizations.at(-1)).toBe(`Bearer ${given}`);
    const asked = authorizations.length;
    const later = account({ kind: "bearer", token: given }, new ManualClock(systemClock.now() + 2 * 3_600_000));
    await expect(later.asset("a")).rejects.toMatchObject({
      code: "account_denied",
      message: expect.stringContaining("ended at") as string,
    });
    expect(authorizations).toHaveLength(asked);
    await expect(account({ kind: "bearer", token: "no-token" }).asset("a")).rejects.toMatchObject({ code: "account_denied" });
  });

  it("sends a secret in a header field of its own", async () => {
    const secret = `Bearer ${await token()}`;
    expect(await account({ kind: "header", header: "Authorization", secret }).asset("a")).toBeNull();
    const other = account({ kind: "header", header: "x-api-key", secret });
    const error: unknown = await other.asset("a").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "account_denied" });
    expect(authorizations.at(-1)).toBeNull();
    expect(JSON.stringify(error) + String(error)).not.toContain(secret);
  });

  it.each(["managed-identity", "client-secret"] as const)("makes a credential of Entra ID (%s) without asking anybody", (kind) => {
    const made = createCredential(
      kind === "client-secret" ? { kind, tenantId: "tenant", clientId: "client", clientSecret: "secret" } : { kind, clientId: "client" },
      { endpoint, subscriptionId: ACCOUNT.subscriptionId, clock: systemClock },
    );
    expect(typeof made.getToken).toBe("function");
  });
});
