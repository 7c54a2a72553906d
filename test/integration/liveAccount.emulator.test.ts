/** Live events over the emulator of the management API, through the real SDK. */
import { expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { AzureLiveAccount } from "../../src/encoding/adapters/azureLive.ts";
import { createMediaClient } from "../../src/replicator/adapters/azureMediaClient.ts";
import { createCredential } from "../../src/replicator/adapters/credentials.ts";
import { describeLiveAccount, type LiveAccountHarness } from "../conformance/liveAccount.ts";
import { ACCOUNT, API_KEY, emulateAccount, NOWHERE } from "../harness/emulatedAccount.ts";

const TOKEN = "0f3c1b52-6f0e-4d3c-9d57-0d8f6a1f2b3c";

interface Emulated extends LiveAccountHarness {
  /** Answers requests to put something in the place of the emulator. */
  refuse: ((body: string) => Response) | null;
  readonly missing: AzureLiveAccount;
}

async function start(): Promise<Emulated> {
  const emulated: { refuse: Emulated["refuse"] } = { refuse: null };
  const served = await emulateAccount({ switches: { pageSize: 2, operationMs: 30 } }, async (request, emulator) =>
    request.method === "PUT" && emulated.refuse !== null ? emulated.refuse(await request.text()) : emulator(request),
  );
  const { endpoint } = served;
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
    unreachable: open(NOWHERE, API_KEY),
    asset,
    [Symbol.asyncDispose]: async () => served[Symbol.asyncDispose](),
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
