/** Key delivery as a player meets it, rule by rule of the content key policy. */
import { createPrivateKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { SignJWT } from "jose";
import { generate } from "selfsigned";
import { describe, expect, it } from "vitest";
import { silentLog } from "../../../src/core/log.ts";
import type { Json, JsonObject } from "../../../src/sandbox/contracts.ts";
import { keysApp } from "../../../src/sandbox/keys/app.ts";
import { ManualClock } from "../../fakes/clock.ts";
import { FakeAccount, FakeFault, KEY, KEYED_LOCATOR, TEMPLATE_LOCATOR } from "../streaming/sampleRegion.ts";

const TYPE = "#Microsoft.Media.ContentKeyPolicy";
const CLEAR_KEY = { "@odata.type": `${TYPE}ClearKeyConfiguration` };
const WIDEVINE = { "@odata.type": `${TYPE}WidevineConfiguration`, widevineTemplate: "{}" };
const OPEN = { "@odata.type": `${TYPE}OpenRestriction` };
const KEY_CLAIM = "urn:microsoft:azure:mediaservices:contentkeyidentifier";

const SECRET = randomBytes(32);
const OTHER_SECRET = randomBytes(32);
const ISSUER = "https://issuer.test";
const AUDIENCE = "viewers";

function symmetric(secret: Uint8Array): JsonObject {
  return { "@odata.type": `${TYPE}SymmetricTokenKey`, keyValue: Buffer.from(secret).toString("base64") };
}

function tokenRestriction(change: Record<string, Json> = {}): JsonObject {
  return {
    "@odata.type": `${TYPE}TokenRestriction`,
    issuer: ISSUER,
    audience: AUDIENCE,
    primaryVerificationKey: symmetric(SECRET),
    alternateVerificationKeys: [],
    requiredClaims: [],
    restrictionTokenType: "Jwt",
    ...change,
  };
}

function policy(...options: readonly { configuration: JsonObject; restriction: JsonObject }[]): JsonObject {
  return { policyId: "p", options };
}

function clearKey(restriction: JsonObject): JsonObject {
  return policy({ configuration: CLEAR_KEY, restriction });
}

interface TokenOptions {
  readonly issuer?: string;
  readonly audience?: string | string[];
  readonly claims?: Record<string, unknown>;
  readonly expiresAt?: number;
  readonly notBefore?: number;
  readonly algorithm?: string;
}

const START = Date.UTC(2026, 0, 1);

function sign(key: Parameters<SignJWT["sign"]>[0], options: TokenOptions = {}): Promise<string> {
  const jwt = new SignJWT({ ...options.claims })
    .setProtectedHeader({ alg: options.algorithm ?? "HS256" })
    .setIssuer(options.issuer ?? ISSUER)
    .setAudience(options.audience ?? AUDIENCE);
  if (options.expiresAt !== undefined) jwt.setExpirationTime(options.expiresAt / 1000);
  if (options.notBefore !== undefined) jwt.setNotBefore(options.notBefore / 1000);
  return jwt.sign(key);
}

function delivery(properties: JsonObject | null): {
  account: FakeAccount;
  fault: FakeFault;
  clock: ManualClock;
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** Asks for the key with a token; the status, and the code of a refusal. */
  outcome(token?: string): Promise<string>;
} {
  const account = new FakeAccount();
  if (properties !== null) account.contentKeyPolicies.set("open", properties);
  const fault = new FakeFault();
  const clock = new ManualClock(START);
  const app = keysApp({ account, clock, fault, log: silentLog });
  const ask = async (path: string, init?: RequestInit): Promise<Response> => app.request(`http://keys.test${path}`, init);
  const outcome = async (token?: string): Promise<string> => {
    const answer = await ask(`/?kid=${KEY.id}`, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
    if (answer.status === 200) return "200";
    return `${answer.status} ${((await answer.json()) as { error: { code: string } }).error.code}`;
  };
  return { account, fault, clock, ask, outcome };
}

async function bytes(answer: Response): Promise<string> {
  return Buffer.from(await answer.arrayBuffer()).toString("base64");
}

describe("an open policy", () => {
  it("delivers the 16 bytes, never to be stored, to any page", async () => {
    const { ask } = delivery(clearKey(OPEN));
    const answer = await ask(`/?kid=${KEY.id}`, { headers: { origin: "https://page.test" } });
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-type": "application/octet-stream",
      "content-length": "16",
      "cache-control": "no-store",
      "access-control-allow-origin": "*",
    });
    expect(await bytes(answer)).toBe(KEY.value);
  });

  it.each([`/?kid=${KEY.id.toUpperCase()}`, `/?KID=${KEY.id}`, `/?x=1&Kid=${KEY.id}`, `?kid=${KEY.id}`])("answers %s", async (path) => {
    const { ask } = delivery(clearKey(OPEN));
    expect(await bytes(await ask(path))).toBe(KEY.value);
    expect(await bytes(await ask(path, { method: "POST" }))).toBe(KEY.value);
  });

  it.each([
    ["/", 400],
    ["/?kid=", 400],
    ["/?kid=not-a-guid", 400],
    [`/?kid={${KEY.id}}`, 400],
    ["/?kid=5a1f0c8e-3f0e-4d6c-9a52-1a7d7c1cffff", 404],
    [`/keys?kid=${KEY.id}`, 404],
  ])("%s is %i", async (path, status) => {
    const answer = await delivery(clearKey(OPEN)).ask(path);
    expect(answer.status).toBe(status);
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
  });

  it("answers a preflight with Authorization, and other methods with 405", async () => {
    const { ask } = delivery(clearKey(OPEN));
    const preflight = {
      origin: "https://page.test",
      "access-control-request-method": "GET",
      "access-control-request-headers": "authorization",
    };
    const answer = await ask(`/?kid=${KEY.id}`, { method: "OPTIONS", headers: preflight });
    expect(answer.status).toBe(204);
    expect(answer.headers.get("access-control-allow-headers")).toBe("authorization");
    expect((await ask(`/?kid=${KEY.id}`, { method: "DELETE" })).status).toBe(405);
  });

  it("a key without policy of its own is under the streaming policy's default; without either nobody gets it", async () => {
    const { account, ask } = delivery(clearKey(OPEN));
    const kid = account.locator(TEMPLATE_LOCATOR)?.contentKeys[0]?.id ?? "";
    expect((await ask(`/?kid=${kid}`)).status).toBe(200);
    account.change(KEYED_LOCATOR, { contentKeys: [{ ...KEY, policyName: null }] });
    expect((await ask(`/?kid=${KEY.id}`)).status).toBe(403);
  });

  it("is wrong or short while that fault is switched on", async () => {
    const { ask, fault } = delivery(clearKey(OPEN));
    fault.kind = "wrong-key";
    const wrong = Buffer.from(await (await ask(`/?kid=${KEY.id}`)).arrayBuffer());
    expect(wrong).toHaveLength(16);
    expect(wrong.toString("base64")).not.toBe(KEY.value);
    fault.kind = "short-key";
    expect(Buffer.from(await (await ask(`/?kid=${KEY.id}`)).arrayBuffer())).toHaveLength(8);
    fault.kind = null;
    expect(await bytes(await ask(`/?kid=${KEY.id}`))).toBe(KEY.value);
  });
});

describe("a token restriction", () => {
  it("demands a token: 401 with a challenge", async () => {
    const answer = await delivery(clearKey(tokenRestriction())).ask(`/?kid=${KEY.id}`);
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
  });

  it("takes the token from the header or the query, with the prefixes that players wrote", async () => {
    const { ask } = delivery(clearKey(tokenRestriction()));
    const token = await sign(SECRET);
    for (const query of [token, `Bearer%3D${token}`, `Bearer=${token}`, `Bearer%20${token}`, `Bearer+${token}`]) {
      expect((await ask(`/?kid=${KEY.id}&token=${query}`)).status, query.slice(0, 12)).toBe(200);
    }
    expect((await ask(`/?kid=${KEY.id}`, { headers: { authorization: `bearer ${token}` } })).status).toBe(200);
    expect((await ask(`/?kid=${KEY.id}`, { headers: { authorization: `Basic ${token}` } })).status).toBe(401);
    expect((await ask(`/?kid=${KEY.id}&token=`)).status).toBe(401);
  });

  it("checks the signature with the symmetric key, and with the alternate keys", async () => {
    const { outcome, account } = delivery(clearKey(tokenRestriction()));
    expect(await outcome(await sign(SECRET))).toBe("200");
    expect(await outcome(await sign(OTHER_SECRET))).toBe("403 token_signature");
    account.contentKeyPolicies.set("open", clearKey(tokenRestriction({ alternateVerificationKeys: [symmetric(OTHER_SECRET)] })));
    expect(await outcome(await sign(OTHER_SECRET))).toBe("200");
    expect(await outcome(await sign(SECRET))).toBe("200");
    expect(await outcome(await sign(randomBytes(32)))).toBe("403 token_signature");
  });

  it("refuses what is not a signed token, and a token that is not signed at all", async () => {
    const { outcome } = delivery(clearKey(tokenRestriction()));
    expect(await outcome("abc")).toBe("403 token_malformed");
    const [, claims] = (await sign(SECRET)).split(".");
    const none = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${claims}.`;
    expect(await outcome(none)).toMatch(/^403 token_(malformed|signature)$/);
  });

  it("checks an RSA signature, and does not take the public modulus for a shared secret", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const { n = "", e = "" } = publicKey.export({ format: "jwk" });
    const [modulus, exponent] = [n, e].map((part) => Buffer.from(part, "base64url").toString("base64"));
    const rsa = { "@odata.type": `${TYPE}RsaTokenKey`, modulus: modulus ?? "", exponent: exponent ?? "" };
    const { outcome } = delivery(clearKey(tokenRestriction({ primaryVerificationKey: rsa })));
    expect(await outcome(await sign(privateKey, { algorithm: "RS256" }))).toBe("200");
    const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    expect(await outcome(await sign(stranger, { algorithm: "RS256" }))).toBe("403 token_signature");
    expect(await outcome(await sign(Buffer.from(n, "base64url")))).toBe("403 token_signature");
  });

  it("checks a signature with a certificate's key, given as DER or as PEM", async () => {
    const { cert, private: key } = await generate([{ name: "commonName", value: "issuer.test" }], { keySize: 2048 });
    const der = cert.replace(/-----[^-]+-----|\s/g, "");
    for (const rawBody of [der, Buffer.from(cert).toString("base64")]) {
      const x509 = { "@odata.type": `${TYPE}X509CertificateTokenKey`, rawBody };
      const { outcome } = delivery(clearKey(tokenRestriction({ primaryVerificationKey: x509 })));
      expect(await outcome(await sign(createPrivateKey(key), { algorithm: "RS256" }))).toBe("200");
      expect(await outcome(await sign(SECRET))).toBe("403 token_signature");
    }
  });

  it("says so when a verification key cannot be used, and goes on to the alternates", async () => {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const { n = "", e = "" } = publicKey.export({ format: "jwk" });
    const small = {
      "@odata.type": `${TYPE}RsaTokenKey`,
      modulus: Buffer.from(n, "base64url").toString("base64"),
      exponent: Buffer.from(e, "base64url").toString("base64"),
    };
    const x509 = { "@odata.type": `${TYPE}X509CertificateTokenKey`, rawBody: Buffer.from("no certificate").toString("base64") };
    const { outcome, account } = delivery(clearKey(tokenRestriction({ primaryVerificationKey: x509 })));
    expect(await outcome(await sign(SECRET))).toBe("501 verification_key_unusable");
    account.contentKeyPolicies.set(
      "open",
      clearKey(tokenRestriction({ primaryVerificationKey: small, alternateVerificationKeys: [symmetric(SECRET)] })),
    );
    expect(await outcome(await sign(SECRET))).toBe("200");
  });

  it("checks issuer and audience", async () => {
    const { outcome } = delivery(clearKey(tokenRestriction()));
    expect(await outcome(await sign(SECRET, { audience: ["others", AUDIENCE] }))).toBe("200");
    expect(await outcome(await sign(SECRET, { issuer: "https://other.test" }))).toBe("403 token_claim");
    expect(await outcome(await sign(SECRET, { audience: "others" }))).toBe("403 token_claim");
  });

  it("checks exp and nbf against the clock", async () => {
    const { outcome, clock } = delivery(clearKey(tokenRestriction()));
    const token = await sign(SECRET, { notBefore: START + 10_000, expiresAt: START + 20_000 });
    expect(await outcome(token)).toBe("403 token_claim");
    await clock.advance(10_000);
    expect(await outcome(token)).toBe("200");
    await clock.advance(10_000);
    expect(await outcome(token)).toBe("403 token_expired");
  });

  it("checks required claims by value, by presence, and in lists", async () => {
    const requiredClaims = [
      { claimType: "plan", claimValue: "gold" },
      { claimType: "user", claimValue: null },
    ];
    const { outcome } = delivery(clearKey(tokenRestriction({ requiredClaims })));
    expect(await outcome(await sign(SECRET, { claims: { plan: "gold", user: 17 } }))).toBe("200");
    expect(await outcome(await sign(SECRET, { claims: { plan: ["silver", "gold"], user: "x" } }))).toBe("200");
    expect(await outcome(await sign(SECRET, { claims: { plan: "silver", user: "x" } }))).toBe("403 token_claim");
    expect(await outcome(await sign(SECRET, { claims: { plan: "Gold", user: "x" } }))).toBe("403 token_claim");
    expect(await outcome(await sign(SECRET, { claims: { plan: "gold" } }))).toBe("403 token_claim");
    expect(await outcome(await sign(SECRET, { claims: { user: "x" } }))).toBe("403 token_claim");
  });

  it("the content key identifier claim must name the key that is asked for", async () => {
    const { outcome, account } = delivery(clearKey(tokenRestriction({ requiredClaims: [{ claimType: KEY_CLAIM, claimValue: null }] })));
    const other = account.locator(TEMPLATE_LOCATOR)?.contentKeys[0]?.id;
    expect(await outcome(await sign(SECRET, { claims: { [KEY_CLAIM]: KEY.id.toUpperCase() } }))).toBe("200");
    expect(await outcome(await sign(SECRET, { claims: { [KEY_CLAIM]: other } }))).toBe("403 token_claim");
    expect(await outcome(await sign(SECRET))).toBe("403 token_claim");
  });

  it("never repeats the token", async () => {
    const { ask } = delivery(clearKey(tokenRestriction()));
    const token = await sign(OTHER_SECRET);
    const answer = await ask(`/?kid=${KEY.id}&token=${token}`);
    expect(answer.status).toBe(403);
    expect(await answer.text()).not.toContain(token.slice(-20));
  });
});

describe("options", () => {
  it("are tried in order, and one that allows is enough", async () => {
    const wantsToken = { configuration: CLEAR_KEY, restriction: tokenRestriction() };
    const licence = { configuration: WIDEVINE, restriction: OPEN };
    const open = { configuration: CLEAR_KEY, restriction: OPEN };
    expect(await delivery(policy(licence, wantsToken, open)).outcome()).toBe("200");
    expect(await delivery(policy(licence, wantsToken)).outcome()).toBe("401 token_missing");
    expect(await delivery(policy(licence, wantsToken)).outcome(await sign(SECRET))).toBe("200");
    expect(await delivery(policy(licence)).outcome()).toBe("501 not_emulated");
  });

  it.each([
    ["simple web tokens", tokenRestriction({ restrictionTokenType: "Swt" }), "501 not_emulated"],
    [
      "an OpenID discovery document",
      tokenRestriction({ openIdConnectDiscoveryDocument: "https://id.test/.well-known" }),
      "501 not_emulated",
    ],
    ["an unknown restriction", { "@odata.type": `${TYPE}UnknownRestriction` }, "501 not_emulated"],
    [
      "a token restriction without its key's value",
      tokenRestriction({ primaryVerificationKey: { ...symmetric(SECRET), keyValue: null } }),
      "500 policy_malformed",
    ],
    ["no verification key", tokenRestriction({ primaryVerificationKey: null }), "403 token_signature"],
  ])("%s: described, not delivered", async (_, restriction, expected) => {
    expect(await delivery(clearKey(restriction)).outcome(await sign(SECRET))).toBe(expected);
  });

  it("none at all, and something that is no policy, allow nobody", async () => {
    expect(await delivery(policy()).outcome()).toBe("403 policy_empty");
    expect(await delivery({ options: "all" }).outcome()).toBe("500 policy_malformed");
    expect(await delivery(null).outcome()).toBe("403 policy_missing");
  });
});

const RECORDING = new URL("../../../../shared/ams/recordings/content_key_policy_show_with_secrets.json", import.meta.url);

describe.skipIf(!existsSync(RECORDING))("a policy as the service recorded it with its secrets", () => {
  it("is understood: a token is demanded, and its 512-bit certificate is refused by name", async () => {
    const exchanges = JSON.parse(readFileSync(RECORDING, "utf8")) as { request: { uri: string }; response: { body: JsonObject } }[];
    const recorded = exchanges.find(({ request }) => request.uri.includes("getPolicyPropertiesWithSecrets"))?.response.body ?? {};
    const { outcome } = delivery(recorded);
    expect(await outcome()).toBe("401 token_missing");
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    expect(await outcome(await sign(privateKey, { algorithm: "RS256" }))).toBe("501 verification_key_unusable");
  });
});
