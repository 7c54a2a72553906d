/** The status page and its files. Everything it shows comes from the admin API; nothing is loaded from elsewhere. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Hono } from "hono";

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  mjs: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

const CLIENT_FILES = ["main", "api", "dom", "history", "overrides", "player", "regions", "routing", "tables"] as const;
const ENCODING_FILES = [
  "attemptTimes",
  "encoding",
  "encodingAccounts",
  "encodingApi",
  "encodingForm",
  "encodingJobs",
  "encodingWords",
  "sendFile",
  "timeLine",
] as const;

/** What the page's player takes from the client kit; the import map calls the folder `paircast/`. */
const KIT_FILES = ["hlsjs", "penalties", "timing", "watchdog"] as const;

export interface PageOptions {
  /** Origins that the page's player and buttons talk to: the gateway, the regions, a sandbox's control port. */
  readonly connectTo: readonly string[];
}

/** Routes `/` and `/assets/…`. The files are read once, at the start. */
export function statusPage(options: PageOptions): Hono {
  const app = new Hono();
  const html = file("index.html");
  const policy = contentSecurityPolicy(html.toString("utf8"), options.connectTo);
  const serve = (path: string, body: Buffer, name: string) =>
    app.get(path, (c) =>
      c.body(new Uint8Array(body), 200, {
        "content-type": TYPES[name.replace(/^.*\./, "")] ?? "application/octet-stream",
        "content-security-policy": policy,
        "cache-control": "no-cache",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
      }),
    );
  serve("/", html, "index.html");
  for (const name of ["style.css", "icon.svg"]) serve(`/assets/${name}`, file(name), name);
  for (const name of [...CLIENT_FILES, ...ENCODING_FILES]) serve(`/assets/client/${name}.js`, file(`client/${name}.js`), `${name}.js`);
  for (const name of KIT_FILES) serve(`/assets/clients/${name}.js`, file(`../../../clients/${name}.js`), `${name}.js`);
  serve("/assets/hls.mjs", hlsModule(), "hls.mjs");
  return app;
}

function file(name: string): Buffer {
  return readFileSync(new URL(name, import.meta.url));
}

function hlsModule(): Buffer {
  const entry = createRequire(import.meta.url).resolve("hls.js");
  return readFileSync(new URL("hls.min.mjs", pathToFileURL(entry)));
}

/** The import map is the only inline script; hls.js needs blob: for its worker and its media source. */
function contentSecurityPolicy(html: string, connectTo: readonly string[]): string {
  const importMap = /<script type="importmap">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? "";
  const hash = createHash("sha256").update(importMap).digest("base64");
  return [
    "default-src 'none'",
    `script-src 'self' 'sha256-${hash}'`,
    "style-src 'self'",
    "img-src 'self'",
    "media-src 'self' blob:",
    "worker-src 'self' blob:",
    `connect-src 'self' ${connectTo.join(" ")}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}
