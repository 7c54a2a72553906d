/** The key delivery of a sandbox region: clear keys for AES-128, under the content key policy of the key. */
import { Hono } from "hono";
import { cors } from "hono/cors";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Clock } from "../../core/clock.ts";
import { errorChain, errorCode } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { AccountView, EmulatedKey, EmulatedLocator, FaultView, JsonObject } from "../contracts.ts";
import { denialOf } from "./policy.ts";

export interface KeysDeps {
  readonly account: AccountView;
  readonly clock: Clock;
  /** Only `wrong-key` and `short-key` are honoured here; the other faults belong to the server around the app. */
  readonly fault: FaultView;
  readonly log: Log;
}

/**
 * `GET` and `POST /?kid={content key id}` answer the key's bytes. As OAuth 2.0 has it (RFC 6750, 3.1) a missing token is 401 with a
 * challenge; a token that does not satisfy the policy is 403, so that a player can tell "sign in" from "not for you". 404 for an id
 * that no locator holds, 400 for what is not a GUID, 501 for what the emulator does not deliver. Refusals are worded in JSON.
 * A key is delivered whatever the time window of its locator, and whether or not the streaming endpoint runs.
 */
export function keysApp(deps: KeysDeps): Hono {
  const app = new Hono();
  app.use(cors({ origin: "*", allowMethods: ["GET", "HEAD", "POST", "OPTIONS"], exposeHeaders: ["Content-Length", "Date"], maxAge: 600 }));
  app.on(["GET", "POST"], "/", (context) => deliver(deps, context.req.raw));
  app.all("/", () => refusal(405, "method_not_allowed", "only GET, HEAD, POST and OPTIONS", { allow: "GET, HEAD, POST, OPTIONS" }));
  app.notFound(() => refusal(404, "not_found", "key delivery answers at /?kid={content key id}"));
  app.onError((error) => {
    deps.log.warn("sandbox.keys.failed", { code: errorCode(error), error: errorChain(error) });
    return refusal(500, "internal", "the key could not be delivered");
  });
  return app;
}

function refusal(status: ContentfulStatusCode, code: string, message: string, headers: Record<string, string> = {}): Response {
  return Response.json({ error: { code, message } }, { status, headers: { "cache-control": "no-store", ...headers } });
}

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

async function deliver({ account, clock, fault }: KeysDeps, request: Request): Promise<Response> {
  const query = new URL(request.url).searchParams;
  const keyId = parameter(query, "kid")?.toLowerCase();
  if (keyId === undefined || !GUID.test(keyId)) return refusal(400, "kid_malformed", "kid must be the GUID of a content key");
  const held = account.key(keyId);
  if (held === null) return refusal(404, "key_unknown", "no streaming locator of this account holds a content key with this id");
  const policy = policyOf(account, held.locator, held.key);
  if (policy === null) return refusal(403, "policy_missing", "the content key has no content key policy, so nobody is allowed");
  const denial = await denialOf(policy, { keyId, token: tokenOf(request.headers, query), now: clock.now() });
  if (denial !== null)
    return refusal(denial.status, denial.code, denial.message, denial.status === 401 ? { "www-authenticate": "Bearer" } : {});
  return keyAnswer(faulty(Buffer.from(held.key.value, "base64"), fault));
}

/** The policy that the key names, else the default of the locator's streaming policy. */
function policyOf(account: AccountView, locator: EmulatedLocator, key: EmulatedKey): JsonObject | null {
  const standard = account.streamingPolicy(locator.streamingPolicyName)?.["defaultContentKeyPolicyName"];
  const name = key.policyName ?? (typeof standard === "string" ? standard : null);
  return name === null ? null : account.contentKeyPolicy(name);
}

/** `Authorization: Bearer …`, or `token=` in the query, where players also wrote `Bearer=…` and `Bearer …`. */
function tokenOf(headers: Headers, query: URLSearchParams): string | null {
  const header = /^Bearer\s+(\S+)\s*$/i.exec(headers.get("authorization") ?? "")?.[1];
  const token =
    header ??
    parameter(query, "token")
      ?.replace(/^Bearer[=\s]\s*/i, "")
      .trim();
  return token === undefined || token === "" ? null : token;
}

/** The first parameter of a name, in any case. */
function parameter(query: URLSearchParams, name: string): string | undefined {
  return [...query].find(([key]) => key.toLowerCase() === name)?.[1];
}

function faulty(key: Uint8Array, fault: FaultView): Uint8Array {
  switch (fault.current()?.kind) {
    case "wrong-key":
      return key.map((byte) => byte ^ 0xff);
    case "short-key":
      return key.subarray(0, Math.floor(key.length / 2));
    default:
      return key;
  }
}

function keyAnswer(key: Uint8Array): Response {
  return new Response(new Uint8Array(key), {
    headers: { "content-type": "application/octet-stream", "content-length": String(key.length), "cache-control": "no-store" },
  });
}
