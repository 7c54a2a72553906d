/** A media account's jobs over the emulator of the management API, through the real SDK. */
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { AzureEncodingAccount } from "../../src/encoding/adapters/azureEncoding.ts";
import { createMediaClient } from "../../src/replicator/adapters/azureMediaClient.ts";
import { createCredential } from "../../src/replicator/adapters/credentials.ts";
import { encodingAccountConformance, type EncodingAccountHarness, type Refusal } from "../conformance/encodingAccount.ts";
import { ACCOUNT, API_KEY, emulateAccount, NOWHERE, type Interception } from "../harness/emulatedAccount.ts";

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
  const bodies: unknown[] = [];
  let refusal: Refusal | null = null;
  let asked = 0;
  const intercept: Interception = async (request, answer) => {
    if (request.url.endsWith("/auth/token")) return answer(request);
    asked += 1;
    if (request.method === "PUT") bodies.push(await request.clone().json());
    const refused = refusal;
    if (refused === null) return answer(request);
    if (refused.afterEffect === true) await answer(request);
    return Response.json({ error: { code: "Broken", message: "it is broken" } }, answered(refused));
  };
  const switches = { pageSize, job: { queuedMs: 1, scheduledMs: 1, processingMs: 1 } };
  const served = await emulateAccount({ switches, fileExists: async () => true }, intercept);
  const { endpoint, emulator } = served;
  emulator.behaviour.change({ stuck: "Processing" });
  const open = (at: string, apiKey: string): AzureEncodingAccount => {
    const { subscriptionId, resourceGroup, name: accountName } = ACCOUNT;
    const credential = createCredential({ kind: "api-key", apiKey }, { endpoint: at, subscriptionId, clock: systemClock });
    const client = createMediaClient({ endpoint: at, subscriptionId, credential, maxRetries });
    return new AzureEncodingAccount({ name: "west", client, endpoint: at, subscriptionId, resourceGroup, accountName, clock: systemClock });
  };
  return {
    account: open(endpoint, API_KEY),
    denied: open(endpoint, "another-key"),
    unreachable: open(NOWHERE, API_KEY),
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
    [Symbol.asyncDispose]: async () => served[Symbol.asyncDispose](),
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
