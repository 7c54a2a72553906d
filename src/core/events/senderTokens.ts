/**
 * Tokens of Microsoft Entra ID by which Event Grid shows who it is, checked by the tenant's own signing keys.
 * https://learn.microsoft.com/azure/event-grid/secure-webhook-delivery, https://learn.microsoft.com/entra/identity-platform/access-tokens
 */
import { createRemoteJWKSet, customFetch, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from "jose";
import type { Clock } from "../clock.ts";
import { errorChain, PaircastError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { HttpClient } from "../ports/http.ts";
import { isFields } from "./envelope.ts";

export interface SenderPolicy {
  /** GUID, lower case. */
  readonly tenant: string;
  readonly audience: readonly string[];
  /** GUID, lower case. */
  readonly appId?: string | undefined;
  /** Base URL without a trailing slash. */
  readonly login: string;
  readonly issuer?: string | undefined;
}

export interface SenderTokensOptions {
  readonly policy: SenderPolicy;
  /** Asks `policy.login`. */
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly log: Log;
}

/** `unknown`: the signing keys cannot be had now. */
export type TokenVerdict = "good" | "bad" | "unknown";

/** Who signs tokens publishes new keys long before they are used, and an unknown one is looked for at once. */
const KEYS_FRESH_MS = 24 * 3_600_000;
/** An unknown key is not looked for again before, nor is a login host asked that has just failed: anybody can send a token. */
const COOLDOWN_MS = 30_000;
const FETCH_MS = 5_000;
const MAX_KEYS_BYTES = 1024 * 1024;
/** Clocks differ. */
const TOLERANCE_S = 60;
const REFUSALS_TOLD_MS = 60_000;

export class SenderTokens {
  readonly #options: SenderTokensOptions;
  readonly #keys: JWTVerifyGetKey;
  readonly #issuers: readonly string[];
  #failedAt: number | null = null;
  #toldAt: number | null = null;

  constructor(options: SenderTokensOptions) {
    const { tenant, login, issuer } = options.policy;
    this.#options = options;
    // Of both versions of tokens: which one it is, the application's manifest says.
    this.#issuers = issuer === undefined ? [`https://sts.windows.net/${tenant}/`, `${login}/${tenant}/v2.0`] : [issuer];
    this.#keys = createRemoteJWKSet(new URL(`${login}/${tenant}/discovery/v2.0/keys`), {
      cacheMaxAge: KEYS_FRESH_MS,
      cooldownDuration: COOLDOWN_MS,
      [customFetch]: async (url) => this.#fetch(url),
    });
  }

  /** `authorization`: the header as it came. Never rejects, and takes nothing for good that could not be checked. */
  async check(authorization: string | null): Promise<TokenVerdict> {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? "")?.[1];
    if (token === undefined) return this.#refuse("there is no bearer token");
    try {
      return this.#judge(await this.#verified(token));
    } catch (error) {
      // Not of the token, or of one that is signed by a key that is too new to be known: told again, it may be good.
      if (!(error instanceof errors.JOSEError) || error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid)
        return "unknown";
      const verdict = this.#refuse(error.message);
      return error instanceof errors.JWKSNoMatchingKey ? "unknown" : verdict;
    }
  }

  async #verified(token: string): Promise<JWTPayload> {
    const { policy, clock } = this.#options;
    const { payload } = await jwtVerify(token, this.#keys, {
      algorithms: ["RS256"],
      issuer: [...this.#issuers],
      audience: [...policy.audience],
      requiredClaims: ["exp", "tid"],
      clockTolerance: TOLERANCE_S,
      currentDate: new Date(clock.now()),
    });
    return payload;
  }

  #judge(payload: JWTPayload): TokenVerdict {
    const { tenant, appId } = this.#options.policy;
    if (payload["tid"] !== tenant) return this.#refuse("it is of another tenant");
    // Named so in tokens of the first version, and of the second.
    if (appId !== undefined && (payload["appid"] ?? payload["azp"]) !== appId) return this.#refuse("it is of another application");
    return "good";
  }

  /** Said now and then: whoever reaches the listener can be refused. */
  #refuse(why: string): TokenVerdict {
    const { clock, log } = this.#options;
    const now = clock.monotonic();
    if (this.#toldAt === null || now - this.#toldAt >= REFUSALS_TOLD_MS) {
      this.#toldAt = now;
      log.warn("events.token_refused", { why });
    }
    return "bad";
  }

  async #fetch(url: string): Promise<Response> {
    const { http, clock, log } = this.#options;
    if (this.#failedAt !== null && clock.monotonic() - this.#failedAt < COOLDOWN_MS) throw unavailable(url);
    try {
      const { status, body } = await http.ask({ method: "GET", url, timeoutMs: FETCH_MS, maxBytes: MAX_KEYS_BYTES });
      if (status !== 200) throw new PaircastError("signing_keys_unavailable", `read ${url}: answered ${status}`, { retry: "retry" });
      const keys: unknown = JSON.parse(Buffer.from(body).toString("utf8"));
      if (!isFields(keys) || !Array.isArray(keys["keys"])) throw new Error(`${url} is no set of keys`);
      this.#failedAt = null;
      return Response.json(keys);
    } catch (error) {
      this.#failedAt = clock.monotonic();
      log.error("events.keys_unavailable", { url, error: errorChain(error) });
      throw unavailable(url);
    }
  }
}

function unavailable(url: string): PaircastError {
  return new PaircastError("signing_keys_unavailable", `read the signing keys at ${url}: they cannot be had now`, { retry: "retry" });
}
