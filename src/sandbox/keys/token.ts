/** The token restriction of a content key policy: JSON Web Tokens signed with a symmetric key, an RSA key or a certificate's key. */
import { type KeyObject, X509Certificate, createPublicKey } from "node:crypto";
import { type JWTPayload, errors, jwtVerify } from "jose";
import { z } from "zod";

const SYMMETRIC = "#Microsoft.Media.ContentKeyPolicySymmetricTokenKey";
const RSA = "#Microsoft.Media.ContentKeyPolicyRsaTokenKey";
const X509 = "#Microsoft.Media.ContentKeyPolicyX509CertificateTokenKey";

/** The claim that binds a token to one content key (`TokenClaim.ContentKeyIdentifierClaim`). */
const KEY_IDENTIFIER_CLAIM = "urn:microsoft:azure:mediaservices:contentkeyidentifier";

const verificationKey = z.discriminatedUnion("@odata.type", [
  z.object({ "@odata.type": z.literal(SYMMETRIC), keyValue: z.base64() }),
  z.object({ "@odata.type": z.literal(RSA), exponent: z.base64(), modulus: z.base64() }),
  z.object({ "@odata.type": z.literal(X509), rawBody: z.base64() }),
]);
type VerificationKey = z.infer<typeof verificationKey>;

export const tokenRestriction = z.object({
  issuer: z.string().nullish(),
  audience: z.string().nullish(),
  primaryVerificationKey: verificationKey.nullish(),
  alternateVerificationKeys: z.array(verificationKey).nullish(),
  requiredClaims: z.array(z.object({ claimType: z.string(), claimValue: z.string().nullish() })).nullish(),
  restrictionTokenType: z.string(),
  openIdConnectDiscoveryDocument: z.string().nullish(),
});
export type TokenRestriction = z.infer<typeof tokenRestriction>;

/** A refusal, worded for the engineer of the player. `status` is the HTTP status. */
export interface Denial {
  readonly status: 401 | 403 | 500 | 501;
  /** Stable word. */
  readonly code: string;
  readonly message: string;
}

export interface TokenCircumstances {
  /** Lower-case id of the content key that is asked for. */
  readonly keyId: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * Null: the token satisfies the restriction. Signature by the primary or an alternate key, issuer, audience, `exp` and `nbf` (without
 * leeway; a token without `exp` does not expire), then the required claims. The token itself is never quoted.
 */
export async function checkToken(restriction: TokenRestriction, token: string, { keyId, now }: TokenCircumstances): Promise<Denial | null> {
  const keys = [restriction.primaryVerificationKey ?? [], restriction.alternateVerificationKeys ?? []].flat();
  let denial: Denial = { status: 403, code: "token_signature", message: "the policy has no verification key" };
  for (const key of keys) {
    const verified = await verify(restriction, key, token, now);
    if ("claims" in verified) return denialOfClaims(restriction, verified.claims, keyId);
    denial = verified;
    // Anything but a wrong signature stays wrong under every other key.
    if (denial.code !== "token_signature" && denial.code !== "verification_key_unusable") break;
  }
  return denial;
}

async function verify(
  { issuer, audience }: TokenRestriction,
  key: VerificationKey,
  token: string,
  now: number,
): Promise<{ readonly claims: JWTPayload } | Denial> {
  try {
    const { payload } = await jwtVerify(token, material(key), {
      algorithms: key["@odata.type"] === SYMMETRIC ? ["HS256", "HS384", "HS512"] : ["RS256", "RS384", "RS512"],
      currentDate: new Date(now),
      ...(issuer === null || issuer === undefined || issuer === "" ? {} : { issuer }),
      ...(audience === null || audience === undefined || audience === "" ? {} : { audience }),
    });
    return { claims: payload };
  } catch (error) {
    return denialOfVerification(error);
  }
}

function material(key: VerificationKey): Uint8Array | KeyObject {
  switch (key["@odata.type"]) {
    case SYMMETRIC:
      return Buffer.from(key.keyValue, "base64");
    case RSA:
      return createPublicKey({ format: "jwk", key: { kty: "RSA", n: base64url(key.modulus), e: base64url(key.exponent) } });
    case X509:
      // DER, or PEM that was base64-encoded once more: the service accepts both.
      return new X509Certificate(Buffer.from(key.rawBody, "base64")).publicKey;
  }
}

function base64url(base64: string): string {
  return Buffer.from(base64, "base64").toString("base64url");
}

function denialOfVerification(error: unknown): Denial {
  const denied = (code: string, message: string): Denial => ({ status: 403, code, message });
  if (error instanceof errors.JWTExpired) return denied("token_expired", "the token has expired");
  if (error instanceof errors.JWTClaimValidationFailed)
    return denied("token_claim", `the token's ${error.claim} is not what the policy demands`);
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JOSEAlgNotAllowed) {
    return denied("token_signature", "the token is not signed with a verification key of the policy");
  }
  if (error instanceof errors.JOSEError) return denied("token_malformed", "the token is not a signed JSON Web Token");
  // jose refuses RSA keys below 2048 bits; node:crypto refuses what is not a key.
  return {
    status: 501,
    code: "verification_key_unusable",
    message: "a verification key of the policy cannot be used (RSA needs 2048 bits)",
  };
}

function denialOfClaims({ requiredClaims }: TokenRestriction, claims: JWTPayload, keyId: string): Denial | null {
  for (const { claimType, claimValue } of requiredClaims ?? []) {
    const values = valuesOf(claims[claimType]);
    const wanted = claimType === KEY_IDENTIFIER_CLAIM ? keyId : (claimValue ?? null);
    const fits = wanted === null ? values.length > 0 : values.some((value) => equal(claimType, value, wanted));
    if (!fits) return { status: 403, code: "token_claim", message: `the token's claim ${claimType} is not what the policy demands` };
  }
  return null;
}

/** GUIDs are compared without regard to case, everything else as it is. */
function equal(claimType: string, value: string, wanted: string): boolean {
  return claimType === KEY_IDENTIFIER_CLAIM ? value.toLowerCase() === wanted.toLowerCase() : value === wanted;
}

function valuesOf(claim: unknown): string[] {
  if (claim === undefined || claim === null) return [];
  return (Array.isArray(claim) ? claim : [claim]).map(String);
}
