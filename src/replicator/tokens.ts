/** Tokens for key delivery, signed with a policy's own symmetric verification key. */
import { SignJWT } from "jose";
import type { TokenSpec } from "./keyAccess.ts";

/** How far the clocks of two services may differ. */
const SKEW_SECONDS = 300;

/** A JWT (HS256) that lets its bearer have one key until `now + lifeMs`. A secret. */
export async function mintToken(spec: TokenSpec, now: number, lifeMs: number): Promise<string> {
  const seconds = Math.floor(now / 1000);
  const token = new SignJWT({ ...spec.claims })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuer(spec.issuer)
    .setAudience(spec.audience)
    .setNotBefore(seconds - SKEW_SECONDS)
    .setExpirationTime(seconds + Math.ceil(lifeMs / 1000));
  return token.sign(spec.signingKey);
}
