/** A media account's jobs over the emulator of the management API, through the real SDK. */
import { serve, type ServerType } from "@hono/node-server";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import { AzureEncodingAccount } from "../../src/encoding/adapters/azureEncoding.ts";
import { createMediaClient } from "../../src/replicator/adapters/azureMediaClient.ts";
import { createCredential } from "../../src/replicator/adapters/credentials.ts";
import { createMediaAccount } from "../../src/sandbox/management/mediaAccount.ts";
import { encodingAccountConformance, type EncodingAccountHarness, type Refusal } from "../conformance/encodingAccount.ts";

const ACCOUNT = { subscriptionId: "5c0bd3a2-31c4-4fd6-8f0c-7d3b1f8a9e10", resourceGroup: "media", name: "westmedia" };
const API_KEY = "the-api-key-of-the-account";
const PRESET = {
  "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset",
  presetName: "AdaptiveStreaming",
  newerThanTheSdk: { deep: [1, 2] },
};
const TRANSFORM = { name: "ladder", description: "all of it", outputs: [{ preset: PRESET, onError: "StopProcessingJob" }] };
const INPUT = { kind: "urls", urls: ["https://in.example/video.mp4?sig=secret"] } as const;
const jobOf = (name: string) => ({
  transform: "ladder",
  name,
  input: INPUT,
  priority: "high" as const,
  outputs: [{ label: "o0", assetName: `${name}-o0` }],
});

interface Emulated extends EncodingAccountHarness {
  readonly account: AzureEncodingAccount;
  /** Of requests to put something. */
  readonly bodies: unknown[];
}

/** `maxRetries`: the SDK's own; `pageSize`: jobs in an answer. */
async function start({ maxRetries = 0, pageSize = 100 } = {}): Promise<Emulated> {
  const emulator = createMediaAccount({
    account: ACCOUNT,
    location: "westeurope",
    storage: { accountName: "weststorage", accountKey: Buffer.alloc(64, 5).toString("base64"), url: "http://127.0.0.1:1/weststorage" },
    apiKey: API_KEY,
    clock: systemClock,
    random: systemRandom,
    switches: { pageSize, job: { queuedMs: 1, scheduledMs: 1, processingMs: 1 } },
    containers: { create: async () => undefined, delete: async () => undefined },
    hosts: { streaming: "127.0.0.1:1", keys: "127.0.0.1:1" },
    manifestName: async () => null,
    fileExists: async () => true,
    encode: async () => undefined,
  });
  emulator.behaviour.change({ stuck: "Processing" });
  const bodies: unknown[] = [];
  let refusal: Refusal | null = null;
  let asked = 0;
  const fetch = async (request: Request): Promise<Response> => {
    if (request.url.endsWith("/auth/token")) return emulator.app.fetch(request);
    asked += 1;
    if (request.method === "PUT") bodies.push(await request.clone().json());
    const refused = refusal;
    if (refused === null) return emulator.app.fetch(request);
    if (refused.afterEffect === true) await emulator.app.fetch(request);
    return Response.json({ error: { code: "Broken", message: "it is broken" } }, answered(refused));
  };
  const server: ServerType = serve({ fetch, hostname: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const open = (at: string, apiKey: string): AzureEncodingAccount => {
    const { subscriptionId, resourceGroup, name: accountName } = ACCOUNT;
    const credential = createCredential({ kind: "api-key", apiKey }, { endpoint: at, subscriptionId, clock: systemClock });
    const client = createMediaClient({ endpoint: at, subscriptionId, credential, maxRetries });
    return new AzureEncodingAccount({ name: "west", client, endpoint: at, subscriptionId, resourceGroup, accountName, clock: systemClock });
  };
  return {
    account: open(endpoint, API_KEY),
    denied: open(endpoint, "another-key"),
    // Port 1 of loopback: reserved, and nothing listens there.
    unreachable: open("http://127.0.0.1:1", API_KEY),
    bodies,
    finish: () => {
      emulator.behaviour.change({ stuck: null });
    },
    refuse: (wanted) => {
      refusal = wanted;
    },
    asked: () => asked,
    hasAsset: (assetName) => emulator.store.assets.get(assetName) !== undefined,
    now: () => systemClock.now(),
    [Symbol.asyncDispose]: async () => {
      if ("closeAllConnections" in server) server.closeAllConnections();
      server.close();
      await once(server, "close");
      await emulator[Symbol.asyncDispose]();
    },
  };
}

function answered({ status, retryAfterS }: Refusal): ResponseInit {
  return { status, headers: retryAfterS === undefined ? {} : { "retry-after": String(retryAfterS) } };
}

encodingAccountConformance("the SDK over the emulator", async () => start());

describe("an account's jobs over the SDK", () => {
  const { signal } = new AbortController();

  it("are listed page by page, those created since", async () => {
    await using it = await start({ pageSize: 2 });
    const { account } = it;
    await account.ensureTransform(TRANSFORM, signal);
    const names = ["a", "b", "c", "d", "e"].map((name) => `${name}-a1`);
    const since = systemClock.now();
    for (const name of names) await account.submit(jobOf(name), signal);
    const before = it.asked();
    const all = await Array.fromAsync(account.jobs("ladder", since, signal));
    expect(new Set(all.map(([job]) => job?.jobName))).toEqual(new Set(names));
    expect([all.length, it.asked() - before]).toEqual([names.length, 3]);
  });

  it("keep presets as they are, also where the SDK does not know all of them", async () => {
    await using it = await start();
    await it.account.ensureTransform(TRANSFORM, signal);
    expect(it.bodies).toContainEqual({ properties: { description: "all of it", outputs: TRANSFORM.outputs } });
  });

  it("are tried again by the SDK where that may help, and not where it would wait as long as the service asks for", async () => {
    await using it = await start({ maxRetries: 1 });
    const { account } = it;
    for (const [refusal, requests] of [
      [{ status: 500 }, 2],
      [{ status: 503, retryAfterS: 600 }, 1],
      [{ status: 429, retryAfterS: 600 }, 1],
    ] as const) {
      it.refuse(refusal);
      const before = it.asked();
      const failed = account.ping(AbortSignal.timeout(30_000));
      await expect(failed).rejects.toMatchObject({ retryAfterMs: refusal.status === 500 ? null : 600_000 });
      await expect(failed).rejects.toMatchObject({ code: refusal.status === 429 ? "account_throttled" : "account_failing" });
      expect(it.asked() - before).toBe(requests);
    }
  });
});
