/**
 * MK.IO's surface of an emulated media account: the same entities under `/api/ams/{project}/…`, with its token, its form of answers and errors,
 * its paging and its limits. Made from the service's SDK and documentation: what the live service does was not seen.
 */
import { Hono, type Context } from "hono";
import type { ContentfulStatusCode, StatusCode } from "hono/utils/http-status";
import type { Json } from "../contracts.ts";
import { bodyOf, type Call, type Reply, type Route } from "./call.ts";
import type { Emulator } from "./emulator.ts";
import { ArmError, badRequest, notFound } from "./errors.ts";
import { mkioBody, mkioError } from "./mkioForm.ts";
import { checkWrite, MKIO_RATES, MkioMeter, RateLimited, type MkioRates } from "./mkioLimits.ts";
import { decodedPath, matchPath, patternOf } from "./paths.ts";

export interface MkioSurface {
  readonly project: string;
  readonly token: string;
  /** Whether the secrets of content key policies can be read back: the service's SDKs differ. Default false. */
  readonly givesSecrets?: boolean;
  /** Requests per minute. Default: the service's own. */
  readonly rates?: MkioRates;
}

const MAX_BODY = 4 * 1024 * 1024;
/** AMS's own that the service does not have. */
const ABSENT = /(^|\/)(listcontainersas|getencryptionkey|tracks|syncstoragekeys)(\/|$)/;

/** `routes` are those of the account's entities, with ids of the project. */
export function mkioApp(emulator: Emulator, surface: MkioSurface, routes: readonly Route[], failed: (error: unknown) => void): Hono {
  const app = new Hono();
  const meter = new MkioMeter(surface.rates ?? MKIO_RATES, emulator.clock);
  const known = routes.filter(({ path }) => path !== "" && !ABSENT.test(path)).map((route) => ({ route, pattern: patternOf(route.path) }));
  app.all("/api/ams/*", async (c) => {
    authorise(c, surface.token);
    meter.count(c.req.method === "GET" || c.req.method === "POST" ? "reads" : "writes");
    return answer(await dispatch(surface, known, c), new URL(c.req.url), surface.project);
  });
  app.notFound((c) => refused(c, notFound(), emulator));
  app.onError((error, c) => {
    if (error instanceof ArmError) return refused(c, error, emulator);
    failed(error);
    return refused(c, new ArmError(500, "InternalServerError", "The emulator failed to process the request."), emulator);
  });
  return app;
}

type Known = readonly { readonly route: Route; readonly pattern: readonly string[] }[];

function authorise(c: Context, token: string): void {
  const bearer = /^Bearer (\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
  if ((bearer ?? c.req.header("x-mkio-token")) !== token) throw new ArmError(401, "Unauthorized", "The token is missing or not valid.");
}

async function dispatch({ project, givesSecrets = false }: MkioSurface, known: Known, c: Context): Promise<Reply> {
  const url = new URL(c.req.url);
  const [, , named = "", ...path] = decodedPath(url.pathname);
  if (named !== project) throw notFound();
  const { route, params } = chosen(known, c.req.method, path);
  const param = (name: string): string => params.get(name) ?? "";
  const call: Call = { url, apiVersion: "2022-08-01", body: c.req.method === "GET" ? null : await readBody(c), param };
  if (route.path.endsWith("getpolicypropertieswithsecrets")) {
    if (!givesSecrets) throw notFound();
    return wrapped(await route.handle(call), param("policy"));
  }
  if (route.method === "PUT") checkWrite(route.path.split("/").at(-2) ?? "", path.at(-1) ?? "", bodyOf(call));
  return route.handle(call);
}

/** The answer has the entity's form, where AMS gives the properties alone. */
function wrapped({ status, body = {} }: Reply, name: string): Reply {
  return { status, body: { name, properties: body } };
}

function chosen(known: Known, method: string, path: readonly string[]) {
  const matching = known.flatMap(({ route, pattern }) => {
    const params = matchPath(pattern, path);
    return params === null ? [] : [{ route, params }];
  });
  const found = matching.find(({ route }) => route.method === method);
  if (found !== undefined) return found;
  throw matching.length === 0 ? notFound() : new ArmError(405, "MethodNotAllowed", "The method is not allowed for the requested URL.");
}

async function readBody(c: Context): Promise<Json> {
  const text = await c.req.text();
  if (text.length > MAX_BODY) throw badRequest("The request is too large.");
  if (text.trim() === "") return null;
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw badRequest("The request is not JSON.");
  }
}

function answer({ status, body }: Reply, url: URL, project: string): Response {
  if (body === undefined) return new Response(null, { status: status satisfies number as StatusCode });
  return Response.json(mkioBody(body, url, project), { status: status as ContentfulStatusCode });
}

function refused(c: Context, error: ArmError, { random }: Emulator): Response {
  const later = error instanceof RateLimited ? { "retry-after": String(error.retryAfterS) } : {};
  const body = mkioError(error.status, error.code, error.message, random.uuid());
  return c.json(body, error.status as ContentfulStatusCode, { ...error.headers, ...later });
}
