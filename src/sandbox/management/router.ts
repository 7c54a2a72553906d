/** From HTTP to the entities' handlers: authentication, ARM's paths without regard to case, ARM's headers and errors. */
import { Hono, type Context } from "hono";
import type { ContentfulStatusCode, StatusCode } from "hono/utils/http-status";
import type { Json } from "../contracts.ts";
import { accountList } from "./account.ts";
import type { TokenAuthority } from "./auth.ts";
import type { Call, Reply, Route } from "./call.ts";
import type { Emulator } from "./emulator.ts";
import { ArmError, parentNotFound } from "./errors.ts";
import { decodedPath, matchPath, pathInAccount, patternOf } from "./paths.ts";

const MAX_BODY = 4 * 1024 * 1024;
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
  const compiled = routes.map((route) => ({ route, pattern: patternOf(route.path) }));
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
  const apiVersion = url.searchParams.get("api-version") ?? "";
  if (apiVersion === "") {
    const message = "The api-version query parameter (?api-version=) is required for all requests.";
    throw new ArmError(400, "MissingApiVersionParameter", message, "arm");
  }
  const path = pathInAccount(emulator.account, decodedPath(url.pathname));
  const body = c.req.method === "GET" ? null : await readBody(c);
  const call = (params: ReadonlyMap<string, string>): Call => ({ url, apiVersion, body, param: (name) => params.get(name) ?? "" });
  if (path === null) return accountList(emulator, call(new Map()));
  if (path.length > 0 && emulator.store.account === null) throw parentNotFound(emulator.account.name);
  const { route, params } = chosen(routes, c.req.method, path);
  return route.handle(call(params));
}

function chosen(routes: CompiledRoutes, method: string, path: readonly string[]) {
  const matching = routes.flatMap(({ route, pattern }) => {
    const params = matchPath(pattern, path);
    return params === null ? [] : [{ route, params }];
  });
  const found = matching.find(({ route }) => route.method === method);
  if (found !== undefined) return found;
  if (matching.length > 0) {
    throw new ArmError(405, "HttpMethodNotAllowed", `The http method '${method}' is not supported for this resource.`, "arm");
  }
  const message = `The resource type of '${path.join("/")}' could not be found in the namespace 'Microsoft.Media'.`;
  throw new ArmError(404, "InvalidResourceType", message, "arm");
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
    ...error.headers,
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
