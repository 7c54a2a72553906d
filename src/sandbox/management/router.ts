/** From HTTP to the entities' handlers: authentication, ARM's paths without regard to case, ARM's headers and errors. */
import { Hono, type Context } from "hono";
import type { ContentfulStatusCode, StatusCode } from "hono/utils/http-status";
import { accountList } from "./account.ts";
import type { TokenAuthority } from "./auth.ts";
import type { Call, Reply, Route } from "./call.ts";
import type { Emulator } from "./emulator.ts";
import { ArmError, badRequest, parentNotFound, resourceNotFound } from "./errors.ts";
import { same } from "./store.ts";
import type { Json } from "../contracts.ts";

const MAX_BODY = 4 * 1024 * 1024;
const PROVIDER = ["providers", "microsoft.media", "mediaservices"];
const ENTITY_HEADERS = { "content-type": "application/json; odata.metadata=minimal", "odata-version": "4.0" };
const EVERY_ANSWER = { "cache-control": "no-cache", pragma: "no-cache", expires: "-1", "x-content-type-options": "nosniff" };

/** The emulator's HTTP application. Unforeseen failures answer 500 without their text and are passed to `failed`. */
export function managementApp(
  emulator: Emulator,
  tokens: TokenAuthority,
  routes: readonly Route[],
  failed: (error: unknown) => void,
): Hono {
  const app = new Hono();
  const compiled = routes.map((route) => ({ route, pattern: segments(route.path) }));
  app.use(async (c, next) => {
    await next();
    requestHeaders(c, emulator);
  });
  app.post("/auth/token", async (c) => c.text(await tokens.issue(await readBody(c))));
  app.all("/subscriptions/*", async (c) => {
    await tokens.verify(c.req.header("authorization"));
    return answer(await dispatch(emulator, compiled, c));
  });
  app.notFound(() => errorAnswer(new ArmError(404, "NotFound", "The requested path is not part of the management API.", "arm")));
  app.onError((error) => {
    if (error instanceof ArmError) return errorAnswer(error);
    failed(error);
    return errorAnswer(new ArmError(500, "InternalServerError", "The emulator failed to process the request."));
  });
  return app;
}

type CompiledRoutes = readonly { readonly route: Route; readonly pattern: readonly string[] }[];

async function dispatch(emulator: Emulator, routes: CompiledRoutes, c: Context): Promise<Reply> {
  const url = new URL(c.req.url);
  const apiVersion = url.searchParams.get("api-version");
  if (apiVersion === null || apiVersion === "") {
    throw new ArmError(
      400,
      "MissingApiVersionParameter",
      "The api-version query parameter (?api-version=) is required for all requests.",
      "arm",
    );
  }
  const path = decoded(url.pathname);
  const base = { url, apiVersion, body: c.req.method === "GET" ? null : await readBody(c) };
  const call = (params: ReadonlyMap<string, string>): Call => ({ ...base, param: (name) => params.get(name) ?? "" });
  const inAccount = accountPath(emulator, path);
  if (inAccount === null) return accountList(emulator, call(new Map()));
  if (inAccount.length > 0 && emulator.store.account === null) throw parentNotFound(emulator.account.name);
  let pathKnown = false;
  for (const { route, pattern } of routes) {
    const params = match(pattern, inAccount);
    if (params === null) continue;
    pathKnown = true;
    if (route.method === c.req.method) return route.handle(call(params));
  }
  throw pathKnown
    ? new ArmError(405, "HttpMethodNotAllowed", `The http method '${c.req.method}' is not supported for this resource.`, "arm")
    : new ArmError(
        404,
        "InvalidResourceType",
        `The resource type of '${inAccount.join("/")}' could not be found in the namespace 'Microsoft.Media'.`,
        "arm",
      );
}

/** What follows the account's name in the path; null for the lists of accounts. 404 in ARM's words for any other subscription, group or account. */
function accountPath({ account }: Emulator, path: readonly string[]): string[] | null {
  const [, subscription = "", ...scoped] = path;
  if (!same(subscription, account.subscriptionId)) {
    throw new ArmError(404, "SubscriptionNotFound", `The subscription '${subscription}' could not be found.`, "arm");
  }
  const grouped = scoped[0]?.toLowerCase() === "resourcegroups";
  const [provider, rest] = grouped ? [scoped.slice(2, 5), scoped.slice(5)] : [scoped.slice(0, 3), scoped.slice(3)];
  if (provider.join("/").toLowerCase() !== PROVIDER.join("/"))
    throw new ArmError(404, "InvalidResourceType", "The resource type could not be found.", "arm");
  if (grouped && !same(scoped[1] ?? "", account.resourceGroup)) {
    throw new ArmError(404, "ResourceGroupNotFound", `Resource group '${scoped[1] ?? ""}' could not be found.`, "arm");
  }
  const [name, ...inAccount] = rest;
  if (name === undefined) return null;
  if (!grouped || !same(name, account.name)) {
    throw inAccount.length === 0 ? resourceNotFound(`mediaServices/${name}`, account.resourceGroup) : parentNotFound(name);
  }
  return inAccount;
}

/** Null where the path is another one; else the variable segments. */
function match(pattern: readonly string[], path: readonly string[]): Map<string, string> | null {
  if (pattern.length !== path.length) return null;
  const params = new Map<string, string>();
  for (const [at, part] of pattern.entries()) {
    const segment = path[at] ?? "";
    if (part.startsWith(":")) params.set(part.slice(1), segment);
    else if (part !== segment.toLowerCase()) return null;
  }
  return params;
}

function segments(path: string): string[] {
  return path === "" ? [] : path.split("/");
}

function decoded(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "");
  try {
    const names = parts.map(decodeURIComponent);
    if (names.every((name) => !/[/\\\u0000-\u001f]/.test(name))) return names;
  } catch {
    // Falls through to the same answer: the path cannot be read.
  }
  throw badRequest("The path of the request is not valid.");
}

async function readBody(c: Context): Promise<Json> {
  const text = await c.req.text();
  if (text.length > MAX_BODY) throw new ArmError(413, "RequestEntityTooLarge", "The request is too large.", "arm");
  if (text.trim() === "") return null;
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new ArmError(400, "InvalidRequestContent", "The request content was invalid and could not be deserialized.", "arm");
  }
}

function answer({ status, body, headers = {} }: Reply): Response {
  const base = { ...EVERY_ANSWER, ...headers };
  if (body === undefined) return new Response(null, { status: status satisfies number as StatusCode, headers: base });
  return new Response(JSON.stringify(body), { status: status as ContentfulStatusCode, headers: { ...base, ...ENTITY_HEADERS } });
}

/** The service writes its errors indented with CRLF, the resource manager writes them compact. */
function errorAnswer(error: ArmError): Response {
  const compact = JSON.stringify(error.body());
  const service = error.origin === "service";
  const headers = {
    ...EVERY_ANSWER,
    "content-type": "application/json; charset=utf-8",
    ...(service ? { "content-language": "en-US" } : {}),
    ...(error.status === 401 ? { "www-authenticate": 'Bearer authorization_uri="/auth/token"' } : {}),
  };
  const body = service ? JSON.stringify(error.body(), null, 2).replaceAll("\n", "\r\n") : compact;
  return new Response(body, { status: error.status, headers });
}

function requestHeaders(c: Context, { random, clock, location }: Emulator): void {
  const id = random.uuid();
  const time = new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, "");
  c.header("x-ms-request-id", id);
  c.header("x-ms-correlation-request-id", id);
  c.header("x-ms-routing-request-id", `${location.replaceAll(" ", "").toUpperCase()}:${time}:${id}`);
  const clientId = c.req.header("x-ms-client-request-id");
  if (clientId !== undefined) c.header("x-ms-client-request-id", clientId);
}
