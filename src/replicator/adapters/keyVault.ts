/** A secret in Azure Key Vault. https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret */
import type { TokenCredential } from "@azure/core-auth";
import type { Clock } from "../../core/clock.ts";
import { PaircastError } from "../../core/errors.ts";
import { defaultCredential } from "./credentials.ts";

const API_VERSION = "7.4";
const TIMEOUT_MS = 15_000;

export interface VaultSecretOptions {
  /** `https://VAULT.vault.azure.net/secrets/NAME`, with a version or without. */
  readonly url: string;
  readonly clock: Clock;
  /** Default: DefaultAzureCredential. */
  readonly credential?: TokenCredential;
}

/** The secret's text. Throws `key_vault_unavailable` (retry), `key_vault_denied` (never) or `key_vault_rejected` (never). */
export async function readVaultSecret({ url, clock, credential = defaultCredential() }: VaultSecretOptions): Promise<string> {
  const token = await tokenFor(url, credential);
  using deadline = clock.deadline(TIMEOUT_MS);
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(`${url}?api-version=${API_VERSION}`, {
      headers: { authorization: `Bearer ${token}` },
      redirect: "error",
      signal: deadline.signal,
    });
    text = await answer.text();
  } catch (cause) {
    throw new PaircastError("key_vault_unavailable", `read ${url}: no answer`, { retry: "retry", cause });
  }
  if (!answer.ok) throw refused(url, answer.status);
  return valueIn(text, url);
}

/** The vaults of each cloud are one audience: `https://vault.azure.net`. */
export function vaultScope(url: string): string {
  const { hostname } = new URL(url);
  return `https://${hostname.slice(hostname.indexOf(".") + 1)}/.default`;
}

async function tokenFor(url: string, credential: TokenCredential): Promise<string> {
  try {
    const token = await credential.getToken(vaultScope(url));
    if (token !== null) return token.token;
  } catch (cause) {
    throw new PaircastError("key_vault_denied", `read ${url}: no token could be had; check the identity that paircast runs under`, {
      cause,
    });
  }
  throw new PaircastError("key_vault_denied", `read ${url}: no token could be had; check the identity that paircast runs under`);
}

function refused(url: string, status: number): PaircastError {
  if (status === 408 || status === 429 || status >= 500)
    return new PaircastError("key_vault_unavailable", `read ${url}: answered ${status}; try again later`, { retry: "retry" });
  if (status === 401 || status === 403)
    return new PaircastError(
      "key_vault_denied",
      `read ${url}: answered ${status}; give the identity the right to get secrets, and let this network in`,
    );
  return new PaircastError("key_vault_rejected", `read ${url}: answered ${status}; check the name of the vault and of the secret`);
}

function valueIn(text: string, url: string): string {
  try {
    const { value } = JSON.parse(text) as { readonly value?: unknown };
    if (typeof value === "string") return value;
  } catch {
    // Said below.
  }
  throw new PaircastError("key_vault_rejected", `read ${url}: the answer is no secret; check the URL`);
}
