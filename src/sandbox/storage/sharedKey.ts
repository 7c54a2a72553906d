/**
 * Shared Key authorization of the blob service. The signature covers `x-ms-copy-source`, which the front has to change: what was signed
 * rightly is signed anew, what was not is left for Azurite to refuse.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

export interface Account {
  readonly name: string;
  /** Base64. */
  readonly key: string;
}

export interface SignedRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
}

const SIGNED_HEADERS = [
  "content-encoding",
  "content-language",
  "content-length",
  "content-md5",
  "content-type",
  "date",
  "if-modified-since",
  "if-match",
  "if-none-match",
  "if-unmodified-since",
  "range",
];

/** The Authorization value for `request`. `key` is base64. */
export function sharedKey(account: Account, request: SignedRequest): string {
  const signature = createHmac("sha256", Buffer.from(account.key, "base64")).update(stringToSign(account.name, request)).digest("base64");
  return `SharedKey ${account.name}:${signature}`;
}

/** True when `authorization` is the right Shared Key for `request`. */
export function isSignedWith(account: Account, request: SignedRequest, authorization: string): boolean {
  const right = Buffer.from(sharedKey(account, request));
  const given = Buffer.from(authorization);
  return right.length === given.length && timingSafeEqual(right, given);
}

function stringToSign(account: string, request: SignedRequest): string {
  const headers = byName(request.headers);
  const standard = SIGNED_HEADERS.map((name) => {
    const value = headers.get(name) ?? "";
    return name === "content-length" && value === "0" ? "" : value;
  });
  const canonical = [...headers.keys()]
    .filter((name) => name.startsWith("x-ms-"))
    .sort()
    .map((name) => `${name}:${headers.get(name) ?? ""}\n`);
  return `${request.method}\n${standard.join("\n")}\n${canonical.join("")}${canonicalResource(account, request.target)}`;
}

function byName(raw: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at + 1 < raw.length; at += 2) headers.set((raw[at] ?? "").toLowerCase(), (raw[at + 1] ?? "").trim());
  return headers;
}

function canonicalResource(account: string, target: string): string {
  const cut = target.indexOf("?");
  const query = new URLSearchParams(cut < 0 ? "" : target.slice(cut + 1));
  const names = [...new Set([...query.keys()].map((name) => name.toLowerCase()))].sort();
  const lines = names.map((name) => `\n${name}:${query.getAll(name).sort().join(",")}`);
  return `/${account}${cut < 0 ? target : target.slice(0, cut)}${lines.join("")}`;
}
