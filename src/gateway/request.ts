/** The front door: from a raw request to what the player asks for, or to a clear refusal. */
import type { PlaybackRequest } from "../core/contracts.ts";
import { percentDecoded } from "../core/percent.ts";
import { pathOf, queryOf, targetProblem } from "./target.ts";

/** A request as it came over the wire. `target` is the raw request target, never a URL that was parsed and written again. */
export interface RawRequest {
  readonly method: string;
  readonly target: string;
  /** The Host field; null where an HTTP/1.0 client sent none. */
  readonly host: string | null;
}

/** The parts of the configuration that say which requests are whose. */
export interface FrontDoor {
  /** Each starts and ends with a slash. */
  readonly prefixes: readonly string[];
  readonly keyPrefix: string;
  /** Lower case, without port. */
  readonly keyHost: string | null;
  /** Which requests are routed differently; the first that matches holds. Left out: none. */
  readonly routes?: readonly RouteMatch[];
  /** Whether `/steering/hls/…` and `/steering/dash/…` are the gateway's own. Left out: they are not. */
  readonly steering?: boolean;
}

/** Null: any. */
export interface RouteMatch {
  /** Lower case, without port. */
  readonly host: string | null;
  /** Starts and ends with a slash. */
  readonly prefix: string | null;
}

export interface Rejection {
  readonly status: 400 | 404 | 405 | 414 | 501;
  /** Metric label and `x-paircast-reason`. */
  readonly reason: "method" | "path" | "too_long" | "bad_request";
  /** Stable code for clients. */
  readonly code: string;
  readonly message: string;
  /** `Allow` of a 405 or 501. */
  readonly allow: string | null;
}

export type LocalAnswer = "healthz" | "readyz" | "preflight";

/** A player asks for the steering manifest of its session: `/steering/{protocol}{path of its manifest}?…`. */
export interface SteeringAsked {
  readonly type: "steering";
  readonly protocol: "hls" | "dash";
  /** Of the manifest, with the query of the steering request; null where no video has this path (any more). */
  readonly request: PlaybackRequest | null;
}

export type FrontDoorResult =
  | { readonly type: "playback"; readonly request: PlaybackRequest }
  | { readonly type: "local"; readonly answer: LocalAnswer }
  | SteeringAsked
  | { readonly type: "rejected"; readonly rejection: Rejection };

const ALLOW_ALL = "GET, HEAD, POST, OPTIONS";
const ALLOW_READ = "GET, HEAD, OPTIONS";
/** Known elsewhere in HTTP and not here: 405. What HTTP does not know at all: 501 (RFC 9110 §15.6.2). */
const FOREIGN_METHODS: ReadonlySet<string> = new Set(["PUT", "DELETE", "PATCH", "TRACE", "CONNECT"]);
const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const HOST = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i;
/** Smooth, HLS and DASH of a media account: `{name}.ism/manifest(format=…)`, the parenthesis sometimes percent-encoded; `.isml` for live. */
const ISM_MANIFEST = /\/[^/]+\.isml?\/manifest(?:(?:\(|%28)[^/]*)?$/i;
const FILE_MANIFEST = /\/[^/]+\.(?:m3u8|mpd)$/i;

/** What a raw request asks for. The order of the checks decides which refusal a request with several faults gets. */
export function readRequest(raw: RawRequest, door: FrontDoor): FrontDoorResult {
  const early = methodProblem(raw.method);
  if (early !== null) return rejected(early);
  if (raw.host !== null && !HOST.test(raw.host)) {
    return rejected({
      status: 400,
      reason: "bad_request",
      code: "bad_host",
      message: "the Host field is not a host name with an optional port",
    });
  }
  if (raw.method === "OPTIONS" && raw.target === "*") return { type: "local", answer: "preflight" };
  const problem = targetProblem(raw.target);
  if (problem !== null) return steeringAnyway(raw, door) ?? rejected(problem);
  return raw.method === "OPTIONS" ? { type: "local", answer: "preflight" } : classify(raw, door);
}

function methodProblem(method: string): Omit<Rejection, "allow"> | null {
  if (method === "GET" || method === "HEAD" || method === "POST" || method === "OPTIONS") return null;
  return FOREIGN_METHODS.has(method)
    ? { status: 405, reason: "method", code: "method_not_allowed", message: "nothing here answers this method" }
    : { status: 501, reason: "method", code: "method_unknown", message: "this method is not known here" };
}

function rejected(rejection: Omit<Rejection, "allow">, allow = ALLOW_ALL): FrontDoorResult {
  return { type: "rejected", rejection: { ...rejection, allow: rejection.reason === "method" ? allow : null } };
}

function classify({ method, target, host }: RawRequest, door: FrontDoor): FrontDoorResult {
  const path = pathOf(target);
  const asked =
    localAnswer(path) ?? keyRequest(target, host, door) ?? steeringAsked(target, host, door) ?? locatorRequest(target, path, door);
  if (asked === null) {
    const message = "no video and no key has this path; a video's path starts with its locator id or a configured prefix";
    return rejected({ status: 404, reason: "path", code: "unknown_path", message });
  }
  if (method === "POST" && !isKey(asked)) {
    return rejected({ status: 405, reason: "method", code: "method_not_allowed", message: "only keys are asked for by POST" }, ALLOW_READ);
  }
  if (typeof asked === "string") return { type: "local", answer: asked };
  return "type" in asked ? asked : { type: "playback", request: routed(asked, host, path, door) };
}

function isKey(asked: LocalAnswer | SteeringAsked | PlaybackRequest): boolean {
  return typeof asked !== "string" && "kind" in asked && asked.kind === "key";
}

function routed(request: PlaybackRequest, host: string | null, path: string, { routes }: FrontDoor): PlaybackRequest {
  const route = routes === undefined ? -1 : routeIndex(routes, host, path);
  return route < 0 ? request : { ...request, route };
}

function routeIndex(routes: readonly RouteMatch[], host: string | null, path: string): number {
  const name = host === null ? null : hostName(host);
  return routes.findIndex(
    (route) => (route.host === null || route.host === name) && (route.prefix === null || path.startsWith(route.prefix)),
  );
}

function localAnswer(path: string): LocalAnswer | null {
  if (path === "/healthz") return "healthz";
  return path === "/readyz" ? "readyz" : null;
}

const STEERING = /^\/steering\/(hls|dash)(?=\/)/;

/** A path that would be refused, of a player that would stop to ask for ever if it were: it gets every region, by the default policy. */
function steeringAnyway({ method, target }: RawRequest, door: FrontDoor): SteeringAsked | null {
  const protocol = door.steering === true && (method === "GET" || method === "HEAD") ? STEERING.exec(target)?.[1] : undefined;
  return protocol === "hls" || protocol === "dash" ? { type: "steering", protocol, request: null } : null;
}

/** What follows is the path of a manifest, under which the session has its route and its policy. */
function steeringAsked(target: string, host: string | null, door: FrontDoor): SteeringAsked | null {
  if (door.steering !== true) return null;
  const [prefix, protocol] = STEERING.exec(target) ?? [];
  if (prefix === undefined || (protocol !== "hls" && protocol !== "dash")) return null;
  const inner = target.slice(prefix.length);
  const path = pathOf(inner);
  const request = locatorRequest(inner, path, door);
  return { type: "steering", protocol, request: request === null ? null : routed(request, host, path, door) };
}

function keyRequest(target: string, host: string | null, door: FrontDoor): PlaybackRequest | null {
  const inner = isKeyHost(host, door) ? target : withoutKeyPrefix(target, door.keyPrefix);
  if (inner === null) return null;
  return { kind: "key", service: "keys", locatorId: null, keyId: keyIdOf(inner), target: inner };
}

function isKeyHost(host: string | null, { keyHost }: FrontDoor): boolean {
  if (keyHost === null || host === null) return false;
  return hostName(host) === keyHost;
}

/** Without port and the root's dot, in lower case. */
function hostName(host: string): string {
  return host.replace(/:\d+$/, "").replace(/\.$/, "").toLowerCase();
}

/** `/keys/a?b` -> `/a?b`, `/keys?b` -> `/?b`; null for any other path, and for what would turn into a `//host`. */
function withoutKeyPrefix(target: string, prefix: string): string | null {
  if (!target.startsWith(prefix)) return null;
  const rest = target.slice(prefix.length);
  if (rest === "" || rest.startsWith("?")) return `/${rest}`;
  return rest.startsWith("/") && !rest.startsWith("//") ? rest : null;
}

/** `?kid=` in any case (AMS wrote both kid and KID), else the last GUID among the path's segments (`/keys/{AlternativeMediaId}/{ContentKeyId}`). */
function keyIdOf(target: string): string | null {
  for (const field of queryOf(target).split("&")) {
    const cut = field.indexOf("=");
    if (cut < 0 || field.slice(0, cut).toLowerCase() !== "kid") continue;
    const value = decoded(field.slice(cut + 1));
    if (GUID.test(value)) return value.toLowerCase();
  }
  const last = pathOf(target)
    .split("/")
    .findLast((segment) => GUID.test(segment));
  return last?.toLowerCase() ?? null;
}

function locatorRequest(target: string, path: string, door: FrontDoor): PlaybackRequest | null {
  const locatorId = guidLocator(path) ?? prefixedLocator(path, door.prefixes);
  if (locatorId === null) return null;
  const manifest = ISM_MANIFEST.test(path) || FILE_MANIFEST.test(path);
  return { kind: manifest ? "manifest" : "media", service: "streaming", locatorId, keyId: null, target };
}

/** The locator id is the first path segment, and something must follow it. */
function guidLocator(path: string): string | null {
  const end = path.indexOf("/", 1);
  if (end < 0 || end === path.length - 1) return null;
  const first = path.slice(1, end);
  return GUID.test(first) ? first.toLowerCase() : null;
}

/** The longest prefix that matches, and the segment after it: `/vod/` and `/vod/movie-1/master.m3u8` -> `vod/movie-1`. */
function prefixedLocator(path: string, prefixes: readonly string[]): string | null {
  let longest: string | null = null;
  for (const prefix of prefixes) if (path.startsWith(prefix) && prefix.length > (longest?.length ?? 0)) longest = prefix;
  if (longest === null) return null;
  const end = path.indexOf("/", longest.length);
  if (end <= longest.length || end === path.length - 1) return null;
  return decoded(path.slice(1, end)).toLowerCase();
}

/** For look-ups only, so that two spellings of one name are one video. */
function decoded(text: string): string {
  return percentDecoded(text) ?? text;
}
