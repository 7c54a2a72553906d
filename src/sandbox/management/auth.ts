/** Tokens of the emulator, given as Ravnur Media Services gives them: POST {endpoint}/auth/token with subscription and API key, answered with the bare JWT. */
import { createHash, timingSafeEqual } from "node:crypto";
import { errors, jwtVerify, SignJWT } from "jose";
import type { Clock, Random } from "../../core/clock.ts";
import type { Json } from "../contracts.ts";
import { ArmError } from "./errors.ts";
import { isObject } from "./fields.ts";

const LIFETIME_S = 3600;
const ISSUER = "paircast-sandbox";
const AUDIENCE = "https://management.azure.com/";

export interface AuthOptions {
  readonly subscriptionId: string;
  readonly apiKey: string;
  readonly clock: Clock;
  readonly random: Random;
}

export class TokenAuthority {
  readonly #options: AuthOptions;
  readonly #secret: Uint8Array;

  constructor(options: AuthOptions) {
    this.#options = options;
    this.#secret = new TextEncoder().encode(`${options.random.uuid()}${options.random.uuid()}`);
  }

  /** A token for one hour. 401 for another subscription or key. */
  async issue(request: Json): Promise<string> {
    const { subscriptionId, apiKey } = isObject(request) ? request : {};
    const known = typeof subscriptionId === "string" && subscriptionId.toLowerCase() === this.#options.subscriptionId.toLowerCase();
    if (!known || typeof apiKey !== "string" || !sameText(apiKey, this.#options.apiKey)) {
      throw new ArmError(401, "AuthenticationFailed", "Authentication failed: unknown subscription or API key.", "arm");
    }
    const now = Math.floor(this.#options.clock.now() / 1000);
    return new SignJWT({})
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(this.#options.subscriptionId)
      .setIssuedAt(now)
      .setExpirationTime(now + LIFETIME_S)
      .sign(this.#secret);
  }

  /** Throws 401 in the resource manager's form unless the header holds a valid token of this emulator. */
  async verify(authorization: string | undefined): Promise<void> {
    const token = /^Bearer (\S+)$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) {
      throw new ArmError(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.", "arm");
    }
    const currentDate = new Date(this.#options.clock.now());
    try {
      await jwtVerify(token, this.#secret, { issuer: ISSUER, audience: AUDIENCE, algorithms: ["HS256"], currentDate });
    } catch (error) {
      throw refusal(error);
    }
  }
}

function refusal(error: unknown): ArmError {
  if (error instanceof errors.JWTExpired) {
    return new ArmError(401, "ExpiredAuthenticationToken", "The access token expiry has passed.", "arm");
  }
  return new ArmError(401, "InvalidAuthenticationToken", "The access token is invalid.", "arm");
}

function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
