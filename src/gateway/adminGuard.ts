/** Who may use the admin listener. Closed by default: a token, or else nobody who is not on this machine. */
import { createHash, timingSafeEqual } from "node:crypto";
import { isLoopback } from "../core/config/units.ts";

export interface AdminRequestFacts {
  readonly method: string;
  readonly path: string;
  readonly host: string | null;
  readonly origin: string | null;
  readonly authorization: string | null;
}

export interface AdminRefusal {
  readonly status: 401 | 403;
  readonly code: "unauthorized" | "foreign_host" | "foreign_origin";
  readonly message: string;
}

/** Why a request is refused; null where it may pass. `token` null: none is configured. */
export function adminRefusal(facts: AdminRequestFacts, token: string | null): AdminRefusal | null {
  if (facts.path === "/healthz") return null;
  if (token !== null && isPageFile(facts)) return null;
  return (token === null ? hostRefusal(facts.host) : tokenRefusal(facts.authorization, token)) ?? originRefusal(facts);
}

/** The status page itself holds nothing secret, and a browser cannot send a token with the first request: the page asks for it. */
function isPageFile({ method, path }: AdminRequestFacts): boolean {
  return (method === "GET" || method === "HEAD") && (path === "/" || path.startsWith("/assets/"));
}

function tokenRefusal(authorization: string | null, token: string): AdminRefusal | null {
  const presented = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  if (presented !== undefined && equal(presented, token)) return null;
  return { status: 401, code: "unauthorized", message: "send `Authorization: Bearer` with the configured admin token" };
}

/** Digests have one length, so the comparison tells nothing of the token's own. */
function equal(one: string, other: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

/** DNS rebinding: a page of a foreign site reaches a loopback listener under a name of its own, and Host gives it away. */
function hostRefusal(host: string | null): AdminRefusal | null {
  if (host !== null && isLoopbackName(hostName(host))) return null;
  return { status: 403, code: "foreign_host", message: "without an admin token only localhost, 127.0.0.0/8 and [::1] are answered" };
}

/** Cross-site requests that change something: browsers send them without asking, and name where they come from. */
function originRefusal({ method, host, origin }: AdminRequestFacts): AdminRefusal | null {
  if (method === "GET" || method === "HEAD" || origin === null) return null;
  if (URL.canParse(origin) && new URL(origin).host === host?.toLowerCase()) return null;
  return { status: 403, code: "foreign_origin", message: "this request comes from a page of another origin" };
}

function hostName(host: string): string {
  return host
    .replace(/:\d+$/, "")
    .replaceAll(/^\[|\]$/g, "")
    .toLowerCase();
}

function isLoopbackName(name: string): boolean {
  return isLoopback(name) || name.endsWith(".localhost");
}
