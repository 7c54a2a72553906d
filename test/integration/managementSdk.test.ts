/** The emulator of the management API through the real SDK over a loopback socket. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { AzureMediaServices } from "@azure/arm-mediaservices";
import { bearerTokenAuthenticationPolicyName } from "@azure/core-rest-pipeline";
import { serve, type ServerType } from "@hono/node-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import { createMediaAccount, type MediaAccount } from "../../src/sandbox/management/mediaAccount.ts";
import { ACCOUNT, API_KEY, STORAGE_KEY } from "../sandbox/management/fixture.ts";

const { resourceGroup: RG, name: NAME, subscriptionId } = ACCOUNT;
const FAST = { updateIntervalInMs: 10 };

let account: MediaAccount;
let server: ServerType;
let client: AzureMediaServices;

beforeAll(async () => {
  account = createMediaAccount({
    account: ACCOUNT,
    location: "westeurope",
    storage: { accountName: "storage1", accountKey: STORAGE_KEY, url: "http://127.0.0.1:10000/storage1" },
    containers: { create: async () => undefined, delete: async () => undefined },
    clock: systemClock,
    random: systemRandom,
    switches: { pageSize: 2, operationMs: 50, job: { queuedMs: 1, scheduledMs: 1, processingMs: 10 } },
    apiKey: API_KEY,
    hosts: { streaming: "127.0.0.1:8081", keys: "127.0.0.1:8082" },
    manifestName: async () => "film",
    encode: async () => undefined,
  });
  server = serve({ fetch: account.app.fetch, hostname: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const request = { method: "POST", body: JSON.stringify({ subscriptionId, apiKey: API_KEY }) };
  const token = await (await account.app.request("http://management.test/auth/token", request)).text();
  client = connect(endpoint, token);
});

afterAll(async () => {
  server.close();
  await account[Symbol.asyncDispose]();
});

/** The SDK refuses bearer tokens over plain HTTP; a policy of the same name sets the header instead. */
function connect(endpoint: string, token: string): AzureMediaServices {
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) };
  const options = { endpoint, allowInsecureConnection: true };
  const connected = new AzureMediaServices(credential, subscriptionId, options);
  connected.pipeline.removePolicy({ name: bearerTokenAuthenticationPolicyName });
  connected.pipeline.addPolicy({
    name: bearerTokenAuthenticationPolicyName,
    sendRequest: async (outgoing, next) => {
      outgoing.headers.set("authorization", `Bearer ${token}`);
      return next(outgoing);
    },
  });
  return connected;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  return Array.fromAsync(items);
}

describe("the SDK at the emulator", () => {
  it("finds and updates the account", async () => {
    const found = await client.mediaservices.get(RG, NAME);
    expect(await all(client.mediaservices.list(RG))).toEqual([found]);
    expect(await all(client.mediaservices.listBySubscription())).toEqual([found]);
    const { location, storageAccounts = [] } = found;
    const parameters = { location, storageAccounts, tags: { role: "test" } };
    const updated = await client.mediaservices.beginCreateOrUpdateAndWait(RG, NAME, parameters, FAST);
    expect(updated).toMatchObject({ mediaServiceId: found.mediaServiceId, tags: { role: "test" }, location: "West Europe" });
  });

  it("pages, filters and orders assets", async () => {
    for (const name of ["b", "d", "a", "c", "e"]) await client.assets.createOrUpdate(RG, NAME, name, { alternateId: `alt ${name}` });
    const names = async (options: object) => (await all(client.assets.list(RG, NAME, options))).map(({ name }) => name);
    expect(await names({})).toEqual(["a", "b", "c", "d", "e"]);
    expect(await names({ orderby: "name desc" })).toEqual(["e", "d", "c", "b", "a"]);
    expect(await names({ filter: "name gt 'b' and name le 'd'" })).toEqual(["c", "d"]);
    expect(await names({ filter: "properties/alternateId eq 'alt c'" })).toEqual(["c"]);
    expect(await names({ top: 3 })).toEqual(["a", "b", "c"]);
    await expect(names({ filter: "properties/container eq 'x'" })).rejects.toMatchObject({ statusCode: 400, code: "BadRequest" });
    await expect(client.assets.get(RG, NAME, "none")).rejects.toMatchObject({ statusCode: 404, code: "NotFound" });
  });

  it("updates an asset and asks for its SAS", async () => {
    await client.assets.createOrUpdate(RG, NAME, "sas", { container: "sas-files" });
    expect(await client.assets.update(RG, NAME, "sas", { description: "d" })).toMatchObject({ description: "d", container: "sas-files" });
    const expiryTime = new Date(systemClock.now() + 3_600_000);
    const { assetContainerSasUrls = [] } = await client.assets.listContainerSas(RG, NAME, "sas", { permissions: "Read", expiryTime });
    expect(assetContainerSasUrls).toHaveLength(2);
    await expect(client.assets.getEncryptionKey(RG, NAME, "sas")).rejects.toMatchObject({ statusCode: 400 });
  });

  it("keeps filters of assets and of the account", async () => {
    await client.assets.createOrUpdate(RG, NAME, "filtered", {});
    const filter = {
      firstQuality: { bitrate: 128_000 },
      tracks: [{ trackSelections: [{ property: "Type", operation: "Equal", value: "Audio" }] }],
    };
    await client.assetFilters.createOrUpdate(RG, NAME, "filtered", "audio", filter);
    await client.accountFilters.createOrUpdate(RG, NAME, "audio", filter);
    expect(await client.assetFilters.update(RG, NAME, "filtered", "audio", { firstQuality: { bitrate: 1 } })).toMatchObject({
      ...filter,
      firstQuality: { bitrate: 1 },
    });
    expect(await all(client.assetFilters.list(RG, NAME, "filtered"))).toMatchObject([{ name: "audio" }]);
    expect(await all(client.accountFilters.list(RG, NAME))).toMatchObject([{ name: "audio", ...filter }]);
    await client.accountFilters.delete(RG, NAME, "audio");
    expect(await all(client.accountFilters.list(RG, NAME))).toEqual([]);
  });

  it("publishes under a policy of its own with keys of its own", async () => {
    const keyValue = new Uint8Array([1, 2, 3]);
    const restriction = {
      odataType: "#Microsoft.Media.ContentKeyPolicyTokenRestriction",
      issuer: "i",
      audience: "a",
      restrictionTokenType: "Jwt",
      primaryVerificationKey: { odataType: "#Microsoft.Media.ContentKeyPolicySymmetricTokenKey", keyValue },
    } as const;
    const configuration = { odataType: "#Microsoft.Media.ContentKeyPolicyClearKeyConfiguration" } as const;
    const shown = await client.contentKeyPolicies.createOrUpdate(RG, NAME, "token", { options: [{ configuration, restriction }] });
    expect(shown.options?.[0]?.restriction).toMatchObject({ primaryVerificationKey: { keyValue: null } });
    const secrets = await client.contentKeyPolicies.getPolicyPropertiesWithSecrets(RG, NAME, "token");
    expect(secrets.options[0]?.restriction).toMatchObject({ primaryVerificationKey: { keyValue: Buffer.from(keyValue) } });

    await client.streamingPolicies.create(RG, NAME, "envelope", {
      envelopeEncryption: {
        enabledProtocols: { hls: true, dash: true, download: false, smoothStreaming: false },
        contentKeys: { defaultKey: { label: "key" } },
        customKeyAcquisitionUrlTemplate: "https://gateway/keys?kid={ContentKeyId}",
      },
    });
    expect((await all(client.streamingPolicies.list(RG, NAME))).map(({ name }) => name).slice(5)).toEqual([
      "Predefined_MultiDrmStreaming",
      "envelope",
    ]);

    await client.assets.createOrUpdate(RG, NAME, "film", {});
    const streamingLocatorId = "aaaaaaaa-0000-4000-8000-0000000000aa";
    const contentKeys = [
      { id: "bbbbbbbb-0000-4000-8000-0000000000bb", labelReferenceInStreamingPolicy: "key", value: "AAECAwQFBgcICQoLDA0ODw==" },
    ];
    const wanted = {
      assetName: "film",
      streamingPolicyName: "envelope",
      defaultContentKeyPolicyName: "token",
      streamingLocatorId,
      contentKeys,
    };
    await client.streamingLocators.create(RG, NAME, "film", wanted);
    await expect(client.streamingLocators.create(RG, NAME, "film", wanted)).rejects.toMatchObject({ statusCode: 409 });
    const keys = await client.streamingLocators.listContentKeys(RG, NAME, "film");
    expect(keys.contentKeys).toMatchObject([{ ...contentKeys[0], type: "EnvelopeEncryption", policyName: "token" }]);
    const { streamingPaths = [] } = await client.streamingLocators.listPaths(RG, NAME, "film");
    expect(streamingPaths.map(({ paths }) => paths)).toEqual([
      [`/${streamingLocatorId}/film.ism/manifest(format=m3u8-cmaf,encryption=cbc)`],
      [`/${streamingLocatorId}/film.ism/manifest(format=mpd-time-cmaf,encryption=cbc)`],
    ]);
    const { streamingLocators = [] } = await client.assets.listStreamingLocators(RG, NAME, "film");
    expect(streamingLocators).toMatchObject([{ name: "film", streamingLocatorId }]);
    expect(await client.streamingLocators.get(RG, NAME, "film")).toMatchObject({ ...wanted, contentKeys: [{ id: contentKeys[0]?.id }] });
    await client.streamingLocators.delete(RG, NAME, "film");
    await expect(client.streamingLocators.get(RG, NAME, "film")).rejects.toMatchObject({ statusCode: 404 });
  });

  it("stops, starts, makes and deletes streaming endpoints and waits for it", async () => {
    const { streamingEndpoints } = client;
    await streamingEndpoints.beginStopAndWait(RG, NAME, "default", FAST);
    expect((await streamingEndpoints.get(RG, NAME, "default")).resourceState).toBe("Stopped");
    expect(account.view.streamingRunning()).toBe(false);
    await streamingEndpoints.beginStartAndWait(RG, NAME, "default", FAST);
    expect(account.view.streamingRunning()).toBe(true);
    const made = await streamingEndpoints.beginCreateAndWait(RG, NAME, "more", { location: "West Europe", scaleUnits: 1 }, FAST);
    expect(made).toMatchObject({ provisioningState: "Succeeded", sku: { name: "Premium", capacity: 1 } });
    await streamingEndpoints.beginScaleAndWait(RG, NAME, "more", { scaleUnit: 3 }, FAST);
    expect((await streamingEndpoints.get(RG, NAME, "more")).scaleUnits).toBe(3);
    await streamingEndpoints.beginDeleteAndWait(RG, NAME, "more", FAST);
    expect((await all(streamingEndpoints.list(RG, NAME))).map(({ name }) => name)).toEqual(["default"]);
  });

  it("runs a job to its end", async () => {
    for (const name of ["input", "output"]) await client.assets.createOrUpdate(RG, NAME, name, {});
    const preset = { odataType: "#Microsoft.Media.BuiltInStandardEncoderPreset", presetName: "AdaptiveStreaming" } as const;
    await client.transforms.createOrUpdate(RG, NAME, "t", { outputs: [{ preset }] });
    const input = { odataType: "#Microsoft.Media.JobInputAsset", assetName: "input" } as const;
    const outputs = [{ odataType: "#Microsoft.Media.JobOutputAsset", assetName: "output" } as const];
    expect((await client.jobs.create(RG, NAME, "t", "j", { input, outputs })).state).toBe("Queued");
    await expect.poll(async () => (await client.jobs.get(RG, NAME, "t", "j")).state, { timeout: 5000 }).toBe("Finished");
    const finished = await all(client.jobs.list(RG, NAME, "t", { filter: "properties/state eq Microsoft.Media.JobState'Finished'" }));
    expect(finished).toMatchObject([{ name: "j", outputs: [{ progress: 100 }] }]);
    await client.jobs.delete(RG, NAME, "t", "j");
    await client.transforms.delete(RG, NAME, "t");
  });
});
