import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../../src/sandbox/contracts.ts";
import { asText, isList, isObject, objectField, objectsField } from "../../../src/sandbox/management/fields.ts";
import type { MediaAccountOptions } from "../../../src/sandbox/management/mediaAccount.ts";
import { fixture, type Answer, type Fixture } from "./fixture.ts";

const ID = "aaaaaaaa-0000-4000-8000-000000000001";
const KEY = {
  id: "bbbbbbbb-0000-4000-8000-000000000001",
  labelReferenceInStreamingPolicy: "clearKeyDefault",
  value: "AAECAwQFBgcICQoLDA0ODw==",
};
const KEYED = { assetName: "film", streamingPolicyName: "Predefined_ClearKey", streamingLocatorId: ID, contentKeys: [KEY] };

async function withFilm(options: Partial<MediaAccountOptions> = {}): Promise<Fixture> {
  const emulated = await fixture(options);
  await emulated.call("PUT", "assets/film", { properties: { container: "film" } });
  return emulated;
}

async function put(emulated: Fixture, name: string, properties: object): Promise<Answer> {
  return emulated.call("PUT", `streamingLocators/${name}`, { properties });
}

function only(items: Json | undefined): JsonObject {
  const [item] = isList(items) ? items : [];
  return isObject(item) ? item : {};
}

describe("streaming locators", () => {
  it("keep given ids and values, show values only in listContentKeys, and nothing of keys in lists", async () => {
    await using emulated = await withFilm();
    const created = objectField((await put(emulated, "l", { ...KEYED, streamingLocatorId: ID.toUpperCase() })).body ?? {}, "properties");
    expect(created).toMatchObject({ streamingLocatorId: ID, endTime: "9999-12-31T23:59:59.9999999Z", filters: [] });
    expect(only(created["contentKeys"])).toEqual({
      id: KEY.id,
      type: "EnvelopeEncryption",
      labelReferenceInStreamingPolicy: KEY.labelReferenceInStreamingPolicy,
      tracks: [],
    });
    expect((await emulated.call("POST", "streamingLocators/l/listContentKeys")).body).toMatchObject({
      contentKeys: [{ id: KEY.id, value: KEY.value }],
    });
    const listed = only((await emulated.call("GET", "streamingLocators")).body?.["value"]);
    expect(objectField(listed, "properties")["contentKeys"]).toEqual([]);
    const ofAsset = only((await emulated.call("POST", "assets/film/listStreamingLocators")).body?.["streamingLocators"]);
    expect(ofAsset).toMatchObject({ name: "l", streamingLocatorId: ID, endTime: "9999-12-31T23:59:59.997Z" });
    expect(ofAsset).not.toHaveProperty("contentKeys");
  });

  it("are seen by streaming endpoint and key delivery, with ids in any case", async () => {
    await using emulated = await withFilm();
    await emulated.call("PUT", "contentKeyPolicies/open", { properties: { options: [OPEN] } });
    await put(emulated, "l", { ...KEYED, defaultContentKeyPolicyName: "open", startTime: "2026-03-01T12:00:00.000Z", filters: ["f"] });
    const { view } = emulated.account;
    expect(view.locator(ID.toUpperCase())).toMatchObject({
      name: "l",
      assetName: "film",
      startTime: Date.parse("2026-03-01T12:00:00Z"),
      endTime: null,
      filters: ["f"],
    });
    const key = { id: KEY.id, type: "EnvelopeEncryption", label: "clearKeyDefault", value: KEY.value, policyName: "open" };
    expect(view.key(KEY.id.toUpperCase())).toEqual({ locator: view.locator(ID), key });
    await emulated.call("DELETE", "streamingLocators/l");
    expect([view.locator(ID), view.key(KEY.id)]).toEqual([null, null]);
  });

  it("get keys of 16 bytes for every label of an encrypting policy, each another", async () => {
    await using emulated = await withFilm();
    await put(emulated, "l", { assetName: "film", streamingPolicyName: "Predefined_MultiDrmStreaming" });
    const keys = objectsField((await emulated.call("POST", "streamingLocators/l/listContentKeys")).body ?? {}, "contentKeys");
    expect(keys.map(({ type, labelReferenceInStreamingPolicy: label }) => `${asText(type)} ${asText(label)}`)).toEqual([
      "CommonEncryptionCenc cencKeyDefault",
      "CommonEncryptionCbcs cbcsKeyDefault",
    ]);
    const values = keys.map(({ value }) => asText(value));
    expect(values.map((value) => Buffer.from(value, "base64").length)).toEqual([16, 16]);
    expect(new Set(values).size).toBe(2);
  });

  it("have a key for each mapping of tracks, under the mapping's own policy", async () => {
    await using emulated = await withFilm();
    for (const name of ["open", "other"]) await emulated.call("PUT", `contentKeyPolicies/${name}`, { properties: { options: [OPEN] } });
    const tracks = [{ trackSelections: [{ property: "FourCC", operation: "Equal", value: "hev1" }] }];
    const contentKeys = { defaultKey: { label: "all" }, keyToTrackMappings: [{ label: "uhd", policyName: "other", tracks }] };
    const enabledProtocols = { dash: true, hls: false, download: false, smoothStreaming: false };
    await emulated.call("PUT", "streamingPolicies/p", {
      properties: { commonEncryptionCenc: { enabledProtocols, contentKeys, drm: { widevine: {} } } },
    });
    await put(emulated, "l", { assetName: "film", streamingPolicyName: "p", defaultContentKeyPolicyName: "open" });
    expect((await emulated.call("POST", "streamingLocators/l/listContentKeys")).body).toMatchObject({
      contentKeys: [
        { labelReferenceInStreamingPolicy: "all", policyName: "open", tracks: [] },
        { labelReferenceInStreamingPolicy: "uhd", policyName: "other", tracks },
      ],
    });
  });

  it.each([
    ["an unknown asset", { assetName: "none" }],
    ["an unknown streaming policy", { streamingPolicyName: "none" }],
    ["an unknown content key policy", { defaultContentKeyPolicyName: "none" }],
    ["a locator id that is no GUID", { streamingLocatorId: "abc" }],
    ["a key label that the policy has not", { contentKeys: [{ ...KEY, labelReferenceInStreamingPolicy: "x" }] }],
    ["a key without id", { contentKeys: [{ ...KEY, id: null }] }],
    ["a key value that is not Base64", { contentKeys: [{ ...KEY, value: "?" }] }],
    ["an end before the start", { startTime: "2026-03-02T00:00:00Z", endTime: "2026-03-01T00:00:00Z" }],
  ])("are refused with %s, and leave nothing behind", async (_, change) => {
    await using emulated = await withFilm();
    expect((await put(emulated, "l", { ...KEYED, ...change })).status).toBe(400);
    expect((await put(emulated, "l", KEYED)).status).toBe(201);
  });
});

const OPEN = {
  configuration: { "@odata.type": "#Microsoft.Media.ContentKeyPolicyClearKeyConfiguration" },
  restriction: { "@odata.type": "#Microsoft.Media.ContentKeyPolicyOpenRestriction" },
};

describe("switches for what is not known of the service", () => {
  it("refuse to put a locator again by default, whatever it holds", async () => {
    await using emulated = await withFilm();
    await put(emulated, "l", KEYED);
    expect((await put(emulated, "L", KEYED)).status).toBe(409);
  });

  it("can accept an identical locator and policy, and still refuse others", async () => {
    await using emulated = await withFilm({ switches: { recreateImmutable: "accept-identical" } });
    await put(emulated, "l", KEYED);
    expect((await put(emulated, "l", KEYED)).status).toBe(200);
    expect((await put(emulated, "l", { assetName: "film", streamingPolicyName: "Predefined_ClearKey" })).status).toBe(200);
    expect((await put(emulated, "l", { ...KEYED, alternativeMediaId: "x" })).status).toBe(409);
    const policy = { noEncryption: { enabledProtocols: { hls: true } } };
    expect((await emulated.call("PUT", "streamingPolicies/p", { properties: policy })).status).toBe(201);
    expect((await emulated.call("PUT", "streamingPolicies/p", { properties: policy })).status).toBe(200);
    expect((await emulated.call("PUT", "streamingPolicies/p", { properties: { noEncryption: {} } })).status).toBe(409);
  });

  it("refuse a locator id and a key id that exist, in the service's words for the key", async () => {
    await using emulated = await withFilm();
    await put(emulated, "l", KEYED);
    expect((await put(emulated, "m", { ...KEYED, contentKeys: [] })).status).toBe(409);
    const answer = await put(emulated, "m", { ...KEYED, streamingLocatorId: null });
    expect([answer.status, answer.text]).toEqual([
      409,
      expect.stringContaining(`Content key id '${KEY.id}' already exists, please choose another one.`),
    ]);
  });

  it("share key ids between the accounts of a region", async () => {
    const keyIds = new Set<string>();
    await using first = await withFilm({ keyIds });
    await using second = await withFilm({ keyIds });
    await put(first, "l", KEYED);
    expect((await put(second, "l", KEYED)).status).toBe(409);
  });

  it("allow what they are told to allow", async () => {
    await using emulated = await withFilm({ switches: { duplicateLocatorId: "allow", duplicateKeyId: "allow" } });
    await put(emulated, "l", KEYED);
    expect((await put(emulated, "m", KEYED)).status).toBe(201);
    expect(emulated.account.view.locator(ID)?.name).toBe("m");
    await emulated.call("DELETE", "streamingLocators/l");
    expect(emulated.account.view.key(KEY.id)?.locator.name).toBe("m");
  });

  it("free the key ids of a deleted locator, or keep them taken", async () => {
    for (const [deletedLocatorFreesKeyIds, status] of [
      [true, 201],
      [false, 409],
    ] as const) {
      await using emulated = await withFilm({ switches: { deletedLocatorFreesKeyIds } });
      await put(emulated, "l", KEYED);
      await emulated.call("DELETE", "streamingLocators/l");
      expect((await put(emulated, "l", KEYED)).status).toBe(status);
    }
  });

  it("protect policies in use, or let them go", async () => {
    for (const [deletePolicyInUse, status] of [
      ["refuse", 409],
      ["allow", 200],
    ] as const) {
      await using emulated = await withFilm({ switches: { deletePolicyInUse } });
      await emulated.call("PUT", "contentKeyPolicies/open", { properties: { options: [OPEN] } });
      await emulated.call("PUT", "streamingPolicies/p", { properties: { noEncryption: { enabledProtocols: { hls: true } } } });
      await put(emulated, "l", { assetName: "film", streamingPolicyName: "p", defaultContentKeyPolicyName: "open" });
      expect((await emulated.call("DELETE", "contentKeyPolicies/open")).status).toBe(status);
      expect((await emulated.call("DELETE", "streamingPolicies/p")).status).toBe(status);
    }
  });
});

describe("paths", () => {
  it("are those that the sandbox's streaming endpoint serves", async () => {
    await using emulated = await withFilm();
    emulated.manifests.set("film", "my film");
    await put(emulated, "l", KEYED);
    const { body } = await emulated.call("POST", "streamingLocators/l/listPaths");
    expect(body).toEqual({
      streamingPaths: [
        {
          streamingProtocol: "Hls",
          encryptionScheme: "EnvelopeEncryption",
          paths: [`/${ID}/my film.ism/manifest(format=m3u8-cmaf,encryption=cbc)`],
        },
        {
          streamingProtocol: "Dash",
          encryptionScheme: "EnvelopeEncryption",
          paths: [`/${ID}/my film.ism/manifest(format=mpd-time-cmaf,encryption=cbc)`],
        },
        { streamingProtocol: "SmoothStreaming", encryptionScheme: "EnvelopeEncryption", paths: [] },
      ],
      downloadPaths: [],
    });
  });

  it("are clear for a clear policy", async () => {
    await using emulated = await withFilm();
    emulated.manifests.set("film", "film");
    await put(emulated, "l", { assetName: "film", streamingPolicyName: "Predefined_ClearStreamingOnly", streamingLocatorId: ID });
    expect((await emulated.call("POST", "streamingLocators/l/listPaths")).body).toMatchObject({
      streamingPaths: [
        { encryptionScheme: "NoEncryption", paths: [`/${ID}/film.ism/manifest(format=m3u8-cmaf)`] },
        { encryptionScheme: "NoEncryption", paths: [`/${ID}/film.ism/manifest(format=mpd-time-cmaf)`] },
        { streamingProtocol: "SmoothStreaming", paths: [] },
      ],
    });
  });
});
