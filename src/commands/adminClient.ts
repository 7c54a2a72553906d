/** Asks the admin API of a running gateway. */
import { createReadStream, existsSync } from "node:fs";
import { request } from "undici";
import { loadConfig } from "../core/config/load.ts";
import { PaircastError } from "../core/errors.ts";

export interface AdminOptions {
  /** Null: paircast.yaml where there is one, else the default address. */
  readonly config: string | null;
  /** Overrides the address in the configuration. */
  readonly admin: string | null;
}

/** A request that changes something. */
export interface AdminChange {
  readonly method: "POST" | "PUT" | "DELETE";
  readonly body?: unknown;
  /** Sent in place of `body`, as it is. */
  readonly file?: { readonly path: string; readonly bytes: number };
}

/** The JSON answer of `path`; throws `admin_unreachable` or `admin_refused` with what to do. */
export async function askAdmin(options: AdminOptions, path: string): Promise<unknown> {
  const { url, status, text } = await exchange(options, path, { method: "GET" });
  if (status === 200) return JSON.parse(text) as unknown;
  throw new PaircastError("admin_refused", `${url}${path.split("?")[0] ?? path} answered ${status}: ${failureOf(text).message}`);
}

/** The JSON answer to a change; throws with the admin API's own code and words where it refuses. */
export async function changeByAdmin(options: AdminOptions, path: string, change: AdminChange): Promise<unknown> {
  const { url, status, text } = await exchange(options, path, change);
  if (status < 300) return JSON.parse(text) as unknown;
  const { code, message } = failureOf(text);
  throw new PaircastError(code ?? "admin_refused", code === null ? `${url}${path} answered ${status}: ${message}` : message);
}

async function exchange(
  options: AdminOptions,
  path: string,
  { method, ...sent }: AdminChange | { readonly method: "GET" },
): Promise<{ url: string; status: number; text: string }> {
  const { url, token, from, tokenPlace: place } = adminAddress(options);
  const { headers, ...content } = contentOf(sent);
  const answer = await request(`${url}${path}`, {
    method,
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
    ...content,
    bodyTimeout: TIMEOUT_MS,
  }).catch((error: unknown) => {
    throw new PaircastError(
      "admin_unreachable",
      `no gateway answers at ${url} (${from}): start one with \`paircast serve\`, or name its admin address with --admin`,
      { cause: error },
    );
  });
  if (answer.statusCode === 401) {
    throw new PaircastError("admin_refused", `${url} wants ${token === null ? "the" : "another"} admin token: set ${place}`);
  }
  return { url, status: answer.statusCode, text: await answer.body.text() };
}

/** Once a file has been sent, it takes the regions some time to make it whole. */
const FILE_TIMEOUT_MS = 180_000;
const TIMEOUT_MS = 5_000;

function contentOf({ body, file }: Pick<AdminChange, "body" | "file">) {
  if (file !== undefined) {
    const headers = { "content-type": "application/octet-stream", "content-length": String(file.bytes) };
    return { headers, body: createReadStream(file.path), headersTimeout: FILE_TIMEOUT_MS };
  }
  if (body === undefined) return { headers: {}, body: null, headersTimeout: TIMEOUT_MS };
  return { headers: { "content-type": "application/json" }, body: JSON.stringify(body), headersTimeout: TIMEOUT_MS };
}

interface AdminAddress {
  readonly url: string;
  readonly token: string | null;
  /** Where the address and the token come from, for people. */
  readonly from: string;
  readonly tokenPlace: string;
}

const DEFAULT_CONFIG = "paircast.yaml";
/** Of `admin.listen`, and of the sandbox. */
const DEFAULT_ADMIN = "http://127.0.0.1:9090";

function adminAddress({ config, admin }: AdminOptions): AdminAddress {
  const file = config ?? (existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : null);
  if (admin === null && file !== null) return configuredAddress(file);
  return {
    url: admin === null ? DEFAULT_ADMIN : adminUrl(admin),
    token: process.env["PAIRCAST_ADMIN_TOKEN"] ?? null,
    from: admin === null ? `the default address, as there is no ${DEFAULT_CONFIG} here` : "--admin",
    tokenPlace: "the environment variable PAIRCAST_ADMIN_TOKEN",
  };
}

function configuredAddress(file: string): AdminAddress {
  const { listen, token = null } = loadConfig(file).admin;
  const { host, port } = listen;
  const reachable = host === "" || host === "0.0.0.0" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  return { url: `http://${reachable}:${port}`, token, from: `admin.listen in ${file}`, tokenPlace: `admin.token in ${file}` };
}

/** `host:port` will do. */
function adminUrl(given: string): string {
  const url = given.includes("://") ? given : `http://${given}`;
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return url.replace(/\/+$/, "");
  throw new PaircastError("bad_option", `--admin ${given}: write the gateway's admin address, for instance http://127.0.0.1:9090`);
}

/** What the admin API says of an error, or the start of what something else answered. */
function failureOf(body: string): { readonly code: string | null; readonly message: string } {
  try {
    const { error, message } = JSON.parse(body) as { error?: unknown; message?: unknown };
    if (typeof message === "string") return { code: typeof error === "string" ? error : null, message };
  } catch {
    // Not the admin API's JSON.
  }
  return { code: null, message: body.slice(0, 200) };
}
