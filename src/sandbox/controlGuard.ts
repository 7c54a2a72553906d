/** Who may call the control port: programs of this machine, and in a browser only the pages that are named. */
import type { MiddlewareHandler } from "hono";

const PREFLIGHT_AGE_S = "600";

/** Refuses a Host that is not this machine's loopback, and an Origin that is not among `pageOrigins`; answers preflights of those that are. */
export function guard(pageOrigins: () => readonly string[]): MiddlewareHandler {
  return async (c, next) => {
    c.header("Cache-Control", "no-store");
    c.header("X-Content-Type-Options", "nosniff");
    c.header("Vary", "Origin");
    const host = c.req.header("host") ?? "";
    if (!isLoopback(host))
      return c.json(refusal("the control port is asked for by a loopback address: localhost, 127.0.0.1 or [::1]"), 403);
    const origin = c.req.header("origin");
    if (origin === undefined) {
      await next();
      return;
    }
    if (!pageOrigins().includes(origin)) return c.json(refusal("this page may not use the control port"), 403);
    c.header("Access-Control-Allow-Origin", origin);
    if (c.req.method !== "OPTIONS") {
      await next();
      return;
    }
    c.header("Access-Control-Allow-Methods", "GET, POST, DELETE");
    c.header("Access-Control-Allow-Headers", "content-type");
    c.header("Access-Control-Max-Age", PREFLIGHT_AGE_S);
    return c.body(null, 204);
  };
}

function isLoopback(host: string): boolean {
  if (!URL.canParse(`http://${host}`)) return false;
  const { hostname } = new URL(`http://${host}`);
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function refusal(message: string): object {
  return { error: { code: "forbidden", message } };
}
