/** Credentials for the management API and for storage: Entra ID, or the API key of a compatible service. */
import type { AccessToken, GetTokenOptions, TokenCredential } from "@azure/core-auth";
import { ClientSecretCredential, DefaultAzureCredential, ManagedIdentityCredential } from "@azure/identity";
import { decodeJwt } from "jose";
import type { Clock } from "../../core/clock.ts";
import { PaircastError } from "../../core/errors.ts";

/** As in the configuration file. */
export type MediaCredentialConfig =
  | { readonly kind: "default" }
  | { readonly kind: "managed-identity"; readonly clientId?: string | undefined }
  | { readonly kind: "client-secret"; readonly tenantId: string; readonly clientId: string; readonly clientSecret: string }
  | { readonly kind: "api-key"; readonly apiKey: string; readonly tokenUrl?: string | undefined }
  | { readonly kind: "bearer"; readonly token: string }
  | { readonly kind: "header"; readonly header: string; readonly secret: string };

export interface CredentialOptions {
  /** Management endpoint without a trailing slash; asked for tokens at `/auth/token` (`api-key` without a `tokenUrl`). */
  readonly endpoint: string;
  readonly subscriptionId: string;
  readonly clock: Clock;
  /** Time for one token request. Default 15 s. */
  readonly timeoutMs?: number;
}

/** A credential of any kind. Nothing is asked or looked up before the first token is needed. */
export function createCredential(config: MediaCredentialConfig, options: CredentialOptions): TokenCredential {
  switch (config.kind) {
    case "default":
      return defaultCredential();
    case "managed-identity":
      return config.clientId === undefined ? new ManagedIdentityCredential() : new ManagedIdentityCredential({ clientId: config.clientId });
    case "client-secret":
      return new ClientSecretCredential(config.tenantId, config.clientId, config.clientSecret);
    case "api-key":
      return new ApiKeyCredential(config.apiKey, config.tokenUrl ?? `${options.endpoint.replace(/\/+$/, "")}/auth/token`, options);
    case "bearer":
      return new FixedToken(config.token, options.clock);
    case "header":
      return new HeaderSecret(config.header, config.secret);
  }
}

/** A secret that goes in a header field of its own, where a client knows of it; a token for whom does not. */
export class HeaderSecret implements TokenCredential {
  readonly header: string;
  readonly secret: string;

  constructor(header: string, secret: string) {
    this.header = header;
    this.secret = secret;
  }

  getToken(): Promise<AccessToken> {
    return Promise.resolve({ token: this.secret, expiresOnTimestamp: Number.MAX_SAFE_INTEGER });
  }
}

/** A token from the configuration. One that says when it ends is not sent after that. */
class FixedToken implements TokenCredential {
  readonly #token: string;
  readonly #clock: Clock;

  constructor(token: string, clock: Clock) {
    this.#token = token;
    this.#clock = clock;
  }

  getToken(): Promise<AccessToken> {
    const endsAt = endOf(this.#token) ?? this.#clock.now() + UNDATED_MS;
    if (this.#clock.now() < endsAt) return Promise.resolve({ token: this.#token, expiresOnTimestamp: endsAt });
    const ended = new Date(endsAt).toISOString();
    return Promise.reject(
      new PaircastError("account_denied", `the configured token ended at ${ended}: put a new one into the configuration`),
    );
  }
}

/** Null for a token that is no JSON Web Token, or has no end. */
function endOf(token: string): number | null {
  try {
    const { exp } = decodeJwt(token);
    return exp === undefined ? null : exp * 1000;
  } catch {
    return null;
  }
}

/** `DefaultAzureCredential`, made when first used: making one already looks into the environment. */
export function defaultCredential(): TokenCredential {
  let made: DefaultAzureCredential | null = null;
  return {
    getToken: (scopes, options) => {
      made ??= new DefaultAzureCredential();
      return made.getToken(scopes, options);
    },
  };
}

/** A token is replaced this long before it ends. */
const MARGIN_MS = 120_000;
/** How long a token without an end is used. */
const UNDATED_MS = 600_000;

/** `POST {url}` with subscription and API key; the answer is the token itself. Kept until shortly before its end. */
class ApiKeyCredential implements TokenCredential {
  readonly #apiKey: string;
  readonly #url: string;
  readonly #options: CredentialOptions;
  #token: AccessToken | null = null;
  #renewal: Promise<AccessToken> | null = null;

  constructor(apiKey: string, url: string, options: CredentialOptions) {
    this.#apiKey = apiKey;
    this.#url = url;
    this.#options = options;
  }

  async getToken(_scopes: string | string[], options: GetTokenOptions = {}): Promise<AccessToken> {
    if (options.abortSignal?.aborted === true) throw new DOMException("The operation was aborted", "AbortError");
    const { clock } = this.#options;
    if (this.#token !== null && clock.now() < this.#token.expiresOnTimestamp - MARGIN_MS) return this.#token;
    this.#renewal ??= this.#renew().finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  }

  async #renew(): Promise<AccessToken> {
    const token = parsed(await this.#ask(this.#url), this.#url, this.#options.clock);
    this.#token = token;
    return token;
  }

  /** Not bound to one caller's signal: others wait for the same token. */
  async #ask(url: string): Promise<string> {
    const { clock, subscriptionId, timeoutMs = 15_000 } = this.#options;
    using deadline = clock.deadline(timeoutMs);
    try {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ subscriptionId, apiKey: this.#apiKey }),
        redirect: "error",
        signal: deadline.signal,
      });
      if (!answer.ok) throw refused(url, answer.status);
      return (await answer.text()).trim();
    } catch (cause) {
      if (cause instanceof PaircastError) throw cause;
      throw new PaircastError("account_unavailable", `ask ${url} for a token: no answer`, { retry: "retry", cause });
    }
  }
}

function refused(url: string, status: number): PaircastError {
  const unavailable = status === 429 || status >= 500;
  const advice = unavailable ? "try again later" : "check subscriptionId and apiKey of the region's account";
  return new PaircastError(
    unavailable ? "account_unavailable" : "account_denied",
    `ask ${url} for a token: answered ${status}; ${advice}`,
    {
      retry: unavailable ? "retry" : "never",
    },
  );
}

/** The text is the token; some services send it as a JSON string. */
function parsed(text: string, url: string, clock: Clock): AccessToken {
  const token = text.replace(/^"|"$/g, "");
  try {
    const { exp } = decodeJwt(token);
    return { token, expiresOnTimestamp: exp === undefined ? clock.now() + MARGIN_MS + UNDATED_MS : exp * 1000 };
  } catch {
    throw new PaircastError("account_denied", `ask ${url} for a token: the answer is not a JSON Web Token; check the endpoint`);
  }
}
