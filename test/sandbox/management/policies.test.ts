import { describe, expect, it } from "vitest";
import { asText, isList, objectField, objectsField } from "../../../src/sandbox/management/fields.ts";
import { fixture, type Answer } from "./fixture.ts";

const type = (name: string) => ({ "@odata.type": `#Microsoft.Media.ContentKeyPolicy${name}` });
const CLEAR_KEY = type("ClearKeyConfiguration");
const OPEN = type("OpenRestriction");
const TOKEN = {
  ...type("TokenRestriction"),
  issuer: "i",
  audience: "a",
  restrictionTokenType: "Jwt",
  primaryVerificationKey: { ...type("SymmetricTokenKey"), keyValue: "c2VjcmV0" },
  alternateVerificationKeys: [{ ...type("RsaTokenKey"), exponent: "AQAB", modulus: "bW9k" }],
};

const options = (answer: Answer) => objectsField(objectField(answer.body ?? {}, "properties"), "options");

describe("content key policies", () => {
  it("blank secrets everywhere but in getPolicyPropertiesWithSecrets", async () => {
    await using emulated = await fixture();
    const created = await emulated.call("PUT", "contentKeyPolicies/p", {
      properties: { options: [{ configuration: CLEAR_KEY, restriction: TOKEN }] },
    });
    const listed = await emulated.call("GET", "contentKeyPolicies");
    for (const { text } of [created, listed, await emulated.call("GET", "contentKeyPolicies/p")]) {
      expect(text).toContain('"keyValue":null');
      expect(text).toContain('"modulus":null');
      expect(text).not.toMatch(/c2VjcmV0|bW9k|AQAB/);
    }
    const secrets = await emulated.call("POST", "contentKeyPolicies/p/getPolicyPropertiesWithSecrets");
    expect(secrets.body).toMatchObject({ options: [{ restriction: TOKEN }] });
    expect(emulated.account.view.contentKeyPolicy("P")).toEqual(secrets.body);
  });

  it("keep their id and creation time on PUT and PATCH, never their options' ids", async () => {
    await using emulated = await fixture();
    const first = await emulated.call("PUT", "contentKeyPolicies/p", {
      properties: { description: "d", options: [{ configuration: CLEAR_KEY, restriction: OPEN }] },
    });
    await emulated.clock.advance(1000);
    const patched = await emulated.call("PATCH", "contentKeyPolicies/p", { properties: { description: "e" } });
    const [before, after] = [objectField(first.body ?? {}, "properties"), objectField(patched.body ?? {}, "properties")];
    expect([first.status, patched.status]).toEqual([200, 200]);
    expect(after).toMatchObject({ policyId: before["policyId"], created: before["created"], description: "e" });
    expect(after["lastModified"]).not.toBe(before["lastModified"]);
    expect(options(patched)[0]?.["policyOptionId"]).not.toBe(options(first)[0]?.["policyOptionId"]);
    expect((await emulated.call("PATCH", "contentKeyPolicies/none", { properties: {} })).status).toBe(404);
  });

  it("normalise times and a dual-expiry rental", async () => {
    await using emulated = await fixture();
    const fairPlay = {
      ...type("FairPlayConfiguration"),
      ask: "YQ==",
      fairPlayPfx: "b",
      fairPlayPfxPassword: "c",
      rentalAndLeaseKeyType: "DualExpiry",
      rentalDuration: 60,
    };
    const playReady = { ...type("PlayReadyConfiguration"), licenses: [{ expirationDate: "2098-09-15T18:53:00.000Z" }] };
    const sent = [fairPlay, playReady].map((configuration) => ({ configuration, restriction: OPEN }));
    const stored = options(await emulated.call("PUT", "contentKeyPolicies/p", { properties: { options: sent } }));
    expect(stored).toMatchObject([
      { configuration: { ask: null, rentalDuration: 0 } },
      { configuration: { licenses: [{ expirationDate: "2098-09-15T18:53:00Z" }] } },
    ]);
  });

  it("refuse what the service refused", async () => {
    await using emulated = await fixture();
    const playRight = { digitalVideoOnlyContentRestriction: true, allowPassingVideoContentToUnknownOutput: "Allowed" };
    const configuration = { ...type("PlayReadyConfiguration"), licenses: [{ playRight }] };
    const answer = await emulated.call("PUT", "contentKeyPolicies/p", { properties: { options: [{ configuration, restriction: OPEN }] } });
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining("PlayReady does not allow passing to unknown outputs")]);
  });

  it.each([
    {},
    { options: [] },
    { options: [{ configuration: CLEAR_KEY }] },
    { options: [{ restriction: OPEN, configuration: { "@odata.type": "x" } }] },
  ])("refuse %o", async (properties) => {
    await using emulated = await fixture();
    expect((await emulated.call("PUT", "contentKeyPolicies/p", { properties })).status).toBe(400);
  });
});

describe("streaming policies", () => {
  it("list the predefined ones first, also across pages", async () => {
    await using emulated = await fixture({ switches: { pageSize: 6 } });
    await emulated.call("PUT", "streamingPolicies/aaa", { properties: { noEncryption: { enabledProtocols: { hls: true } } } });
    const { body } = await emulated.call("GET", "streamingPolicies");
    const { value } = body ?? {};
    expect(isList(value ?? null) ? value : []).toHaveLength(6);
    const next = new URL(asText(body?.["@odata.nextLink"]));
    expect((await emulated.call("GET", `${next.pathname}${next.search}`)).body).toMatchObject({ value: [{ name: "aaa" }] });
  });

  it("keep a key URL template and fill in what was left out", async () => {
    await using emulated = await fixture();
    const envelopeEncryption = {
      enabledProtocols: { hls: true },
      contentKeys: { defaultKey: { label: "k" } },
      customKeyAcquisitionUrlTemplate: "http://gateway/keys?kid={ContentKeyId}",
    };
    await emulated.call("PUT", "streamingPolicies/p", { properties: { envelopeEncryption } });
    expect(emulated.account.view.streamingPolicy("p")).toMatchObject({
      envelopeEncryption: {
        enabledProtocols: { download: false, dash: false, hls: true, smoothStreaming: false },
        clearTracks: [],
        contentKeys: { defaultKey: { label: "k" }, keyToTrackMappings: [] },
        customKeyAcquisitionUrlTemplate: envelopeEncryption.customKeyAcquisitionUrlTemplate,
      },
    });
  });

  it.each([
    ["PUT", "streamingPolicies/Predefined_ClearKey", 409],
    ["PUT", "streamingPolicies/Predefined_Mine", 400],
    ["DELETE", "streamingPolicies/Predefined_ClearKey", 400],
    ["DELETE", "streamingPolicies/none", 204],
  ])("%s %s answers %i", async (method, path, status) => {
    await using emulated = await fixture();
    const body = method === "PUT" ? { properties: { noEncryption: {} } } : undefined;
    expect((await emulated.call(method, path, body)).status).toBe(status);
  });
});
