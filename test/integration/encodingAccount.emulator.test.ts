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
import { eventually } from "../harness/wait.ts";

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

interface Emulated extends AsyncDisposable {
  readonly account: AzureEncodingAccount;
  readonly denied: AzureEncodingAccount;
  readonly unreachable: AzureEncodingAccount;
  /** Of requests to put something. */
  readonly bodies: unknown[];
  readonly signal: AbortSignal;
  /** Status that the next requests are answered with, in the place of the emulator. */
  answer: number | null;
}

async function start(processingMs = 60_000): Promise<Emulated> {
  const encodes: string[] = [];
  const emulator = createMediaAccount({
    account: ACCOUNT,
    location: "westeurope",
    storage: { accountName: "weststorage", accountKey: Buffer.alloc(64, 5).toString("base64"), url: "http://127.0.0.1:1/weststorage" },
    apiKey: API_KEY,
    clock: systemClock,
    random: systemRandom,
    switches: { pageSize: 2, job: { queuedMs: 1, scheduledMs: 1, processingMs } },
    containers: { create: async () => undefined, delete: async () => undefined },
    hosts: { streaming: "127.0.0.1:1", keys: "127.0.0.1:1" },
    manifestName: async () => null,
    fileExists: async () => true,
    encode: async (job) => void encodes.push(job.name),
  });
  const bodies: unknown[] = [];
  const emulated: { answer: number | null } = { answer: null };
  const fetch = async (request: Request): Promise<Response> => {
    if (request.method === "PUT") bodies.push(await request.clone().json());
    if (emulated.answer === null || request.url.endsWith("/auth/token")) return emulator.app.fetch(request);
    return Response.json({ error: { code: "Broken", message: "it is broken" } }, { status: emulated.answer });
  };
  const server: ServerType = serve({ fetch, hostname: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const open = (at: string, apiKey: string): AzureEncodingAccount => {
    const { subscriptionId, resourceGroup, name: accountName } = ACCOUNT;
    const credential = createCredential({ kind: "api-key", apiKey }, { endpoint: at, subscriptionId, clock: systemClock });
    const client = createMediaClient({ endpoint: at, subscriptionId, credential, maxRetries: 0 });
    return new AzureEncodingAccount({ name: "west", client, endpoint: at, subscriptionId, resourceGroup, accountName, clock: systemClock });
  };
  return Object.assign(emulated, {
    account: open(endpoint, API_KEY),
    denied: open(endpoint, "another-key"),
    // Port 1 of loopback: reserved, and nothing listens there.
    unreachable: open("http://127.0.0.1:1", API_KEY),
    bodies,
    signal: new AbortController().signal,
    [Symbol.asyncDispose]: async () => {
      if ("closeAllConnections" in server) server.closeAllConnections();
      server.close();
      await once(server, "close");
      await emulator[Symbol.asyncDispose]();
    },
  });
}

describe("an account's jobs over the SDK", () => {
  it("are submitted once, however often that is done, and seen to their end", async () => {
    await using it = await start(50);
    const { account, signal } = it;
    await account.ensureTransform(TRANSFORM, signal);
    await account.ensureTransform(TRANSFORM, signal);
    expect(await account.job("ladder", "job-a1", signal)).toBeNull();
    await account.submit(jobOf("job-a1"), signal);
    await account.submit(jobOf("job-a1"), signal);
    const { value } = await eventually(10_000, "the job to finish", async () => {
      const seen = await account.job("ladder", "job-a1", signal);
      return seen?.[0]?.state === "finished" ? seen : null;
    });
    const [job, output] = value;
    expect(job).toMatchObject({ account: "west", jobName: "job-a1", label: null, state: "finished", failure: null });
    expect(output).toMatchObject({ label: "o0", state: "finished", progress: 100 });
    await account.removeJob("ladder", "job-a1", signal);
    await account.removeJob("ladder", "job-a1", signal);
    await account.removeAsset("job-a1-o0", signal);
    await account.removeAsset("job-a1-o0", signal);
    expect(await account.job("ladder", "job-a1", signal)).toBeNull();
    await account.ping(signal);
  });

  it("are listed page by page, those created since", async () => {
    await using it = await start();
    const { account, signal } = it;
    await account.ensureTransform(TRANSFORM, signal);
    const names = ["a", "b", "c", "d", "e"].map((name) => `${name}-a1`);
    const since = systemClock.now();
    for (const name of names) await account.submit(jobOf(name), signal);
    const all = await Array.fromAsync(account.jobs("ladder", since, signal));
    expect(new Set(all.map(([job]) => job?.jobName))).toEqual(new Set(names));
    expect(all.length).toBe(names.length);
    expect(all[0]).toMatchObject([{ label: null }, { label: "o0" }]);
    expect(await Array.fromAsync(account.jobs("ladder", since + 3_600_000, signal))).toEqual([]);
  });

  it("are canceled, and not removed before they are final", async () => {
    await using it = await start();
    const { account, signal } = it;
    await account.ensureTransform(TRANSFORM, signal);
    await account.submit(jobOf("job-a1"), signal);
    await expect(account.removeJob("ladder", "job-a1", signal)).rejects.toMatchObject({ code: "account_rejected", retry: "never" });
    await account.cancel("ladder", "job-a1", signal);
    await eventually(10_000, "the job to be canceled", async () => {
      const seen = await account.job("ladder", "job-a1", signal);
      return seen?.[0]?.state === "canceled" ? true : null;
    });
    await account.cancel("ladder", "job-a1", signal);
    await account.cancel("ladder", "never-there", signal);
    await account.removeJob("ladder", "job-a1", signal);
  });

  it("keep presets as they are, also where the SDK does not know all of them", async () => {
    await using it = await start();
    await it.account.ensureTransform(TRANSFORM, it.signal);
    expect(it.bodies).toContainEqual({ properties: { description: "all of it", outputs: TRANSFORM.outputs } });
  });

  it("tell by their errors what the account is to blame for", async () => {
    await using it = await start();
    const { account, denied, unreachable, signal } = it;
    await expect(denied.ping(signal)).rejects.toMatchObject({ code: "account_denied", retry: "never" });
    await expect(unreachable.ping(signal)).rejects.toMatchObject({ code: "account_unreachable", retry: "retry" });
    await expect(account.submit({ ...jobOf("x-a1"), transform: "none" }, signal)).rejects.toMatchObject({ code: "account_rejected" });
    for (const [status, code] of [
      [503, "account_failing"],
      [500, "account_failing"],
      [429, "account_throttled"],
      [403, "account_denied"],
      [400, "account_rejected"],
    ] as const) {
      it.answer = status;
      await expect(account.ping(signal)).rejects.toMatchObject({ code });
      await expect(account.ensureTransform(TRANSFORM, signal)).rejects.toMatchObject({ code });
      await expect(account.submit(jobOf("y-a1"), signal)).rejects.toMatchObject({ code, message: expect.not.stringContaining("secret") });
    }
  });

  it("end with the reason of the signal", async () => {
    await using it = await start();
    const stop = AbortSignal.abort(new Error("stop"));
    await expect(it.account.ping(stop)).rejects.toThrow("stop");
  });
});
