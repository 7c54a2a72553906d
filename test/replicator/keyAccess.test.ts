import { decodeJwt, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import type { StreamingPolicy, Tree, TreeObject } from "../../src/core/media.ts";
import { keyAccess } from "../../src/replicator/keyAccess.ts";
import { contentKeyPolicyNames, keyPath, policyOfKey } from "../../src/replicator/references.ts";
import { mintToken } from "../../src/replicator/tokens.ts";
import { KEY_ID, SIGNING_KEY, tokenPolicy } from "./world.ts";

const ODATA = "#Microsoft.Media.ContentKeyPolicy";
const CLEAR = { odataType: `${ODATA}ClearKeyConfiguration` };
const OPEN = { odataType: `${ODATA}OpenRestriction` };

function policy(...options: readonly { readonly configuration: TreeObject; readonly restriction: Tree }[]): TreeObject {
  return { options };
}

describe("access to a key", () => {
  it("is open, or by a token with what the restriction asks for", () => {
    expect(keyAccess(policy({ configuration: CLEAR, restriction: OPEN }), KEY_ID)).toEqual({ kind: "open" });
    expect(keyAccess(tokenPolicy({ requiredClaims: [{ claimType: "plan", claimValue: "gold" }] }), KEY_ID)).toMatchObject({
      kind: "token",
      token: { issuer: "issuer", audience: "audience", claims: { plan: "gold" }, signingKey: SIGNING_KEY },
    });
  });

  it("takes an open option before one with a token, and an alternate symmetric key where the primary is none", () => {
    const closed = { odataType: `${ODATA}UnknownRestriction` };
    const both = policy({ configuration: CLEAR, restriction: closed }, { configuration: CLEAR, restriction: OPEN });
    expect(keyAccess(both, KEY_ID)).toEqual({ kind: "open" });
    const alternate = { odataType: `${ODATA}SymmetricTokenKey`, keyValue: new Uint8Array([9]) };
    const rsa = { odataType: `${ODATA}RsaTokenKey`, exponent: new Uint8Array([1]), modulus: new Uint8Array([2]) };
    expect(keyAccess(tokenPolicy({ primaryVerificationKey: rsa, alternateVerificationKeys: [alternate] }), KEY_ID)).toMatchObject({
      kind: "token",
      token: { signingKey: new Uint8Array([9]) },
    });
  });

  it.each([
    ["an RSA key", tokenPolicy({ primaryVerificationKey: { odataType: `${ODATA}RsaTokenKey` } }), "closed"],
    ["a certificate", tokenPolicy({ primaryVerificationKey: { odataType: `${ODATA}X509CertificateTokenKey` } }), "closed"],
    ["OpenID Connect", tokenPolicy({ primaryVerificationKey: null, openIdConnectDiscoveryDocument: "https://login.example" }), "closed"],
    ["a blanked secret", tokenPolicy({ primaryVerificationKey: { odataType: `${ODATA}SymmetricTokenKey`, keyValue: null } }), "closed"],
    ["a simple web token", tokenPolicy({ restrictionTokenType: "Swt" }), "closed"],
    ["a claim without a known value", tokenPolicy({ requiredClaims: [{ claimType: "session", claimValue: null }] }), "closed"],
    ["DRM only", policy({ configuration: { odataType: `${ODATA}WidevineConfiguration` }, restriction: OPEN }), "none"],
    ["no option", policy(), "none"],
  ] as const)("is not to be had with %s", (_name, properties, kind) => {
    const access = keyAccess(properties, KEY_ID);
    expect(access).toMatchObject({ kind, why: expect.stringMatching(/\w/) as string });
  });
});

describe("a token", () => {
  it("is signed with the policy's key and bound to the content key and the time", async () => {
    const access = keyAccess(tokenPolicy(), KEY_ID);
    if (access.kind !== "token") throw new Error("no token");
    const now = Date.UTC(2026, 0, 1);
    const token = await mintToken(access.token, now, 60_000);
    const verify = (at: number) => jwtVerify(token, SIGNING_KEY, { issuer: "issuer", audience: "audience", currentDate: new Date(at) });
    const { payload, protectedHeader } = await verify(now);
    expect(protectedHeader.alg).toBe("HS256");
    expect(payload["urn:microsoft:azure:mediaservices:contentkeyidentifier"]).toBe(KEY_ID);
    await expect(verify(now + 61_000)).rejects.toThrow(/exp/);
    await expect(verify(now - 3_600_000)).rejects.toThrow(/nbf/);
    expect(decodeJwt(token).exp).toBe(now / 1000 + 60);
  });
});

describe("references of a locator", () => {
  const streamingPolicy: StreamingPolicy = {
    name: "custom",
    properties: {
      defaultContentKeyPolicyName: "top",
      commonEncryptionCenc: {
        contentKeys: { defaultKey: { label: "a", policyName: "cenc" }, keyToTrackMappings: [{ label: "b", policyName: "tracks" }] },
      },
      envelopeEncryption: { contentKeys: { defaultKey: { label: "c", policyName: null } } },
    },
  };
  const locator = {
    name: "l",
    assetName: "a",
    streamingLocatorId: "x",
    streamingPolicyName: "custom",
    defaultContentKeyPolicyName: "default",
    alternativeMediaId: null,
    startTime: null,
    endTime: null,
    filters: [],
    contentKeys: [{ id: KEY_ID, type: null, labelReferenceInStreamingPolicy: "b", value: "", policyName: "tracks" }],
    created: 0,
  };

  it("are all content key policies that it, its keys and its streaming policy name", () => {
    expect([...contentKeyPolicyNames(locator, streamingPolicy)].sort()).toEqual(["cenc", "default", "top", "tracks"]);
    expect(contentKeyPolicyNames({ ...locator, defaultContentKeyPolicyName: null, contentKeys: [] }, null)).toEqual([]);
  });

  it("give each key its policy: its own, the locator's default, the streaming policy's", () => {
    const bare = { ...locator, contentKeys: locator.contentKeys.map((key) => ({ ...key, policyName: null })) };
    expect(policyOfKey(locator, KEY_ID, streamingPolicy)).toBe("tracks");
    expect(policyOfKey(bare, KEY_ID, streamingPolicy)).toBe("default");
    expect(policyOfKey({ ...bare, defaultContentKeyPolicyName: null }, KEY_ID, streamingPolicy)).toBe("top");
  });

  it.each([
    [null, `/?kid=${KEY_ID}`],
    ["https://play.example/keys/?kid={ContentKeyId}", `/?kid=${KEY_ID}`],
    ["https://play.example/keys?kid={contentkeyid}&x=1", `/?kid=${KEY_ID}&x=1`],
    ["http://play.example:8080/keys/v1/{ContentKeyId}/{AlternativeMediaId}#part", `/v1/${KEY_ID}/a%20b`],
    ["https://keys.play.example/aes/{ContentKeyId}", `/aes/${KEY_ID}`],
    ["https://play.example/keystone/{ContentKeyId}", `/keystone/${KEY_ID}`],
  ])("lead by the template %s to %s", (template, path) => {
    const custom = { name: "p", properties: { envelopeEncryption: { customKeyAcquisitionUrlTemplate: template } } };
    expect(keyPath(custom, { id: KEY_ID, alternativeMediaId: "a b" }, "/keys")).toBe(path);
  });
});
