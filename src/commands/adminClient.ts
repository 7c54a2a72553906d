/** Asks the admin API of a running gateway. */
import { request } from "undici";
import { loadConfig } from "../core/config/load.ts";
import { PaircastError } from "../core/errors.ts";

export interface AdminOptions {
  readonly config: string;
  /** Overrides the address in the configuration. */
  readonly admin: string | null;
}

/** The JSON answer of `path`; throws `admin_unreachable` or `admin_refused` with what to do. */
export async function askAdmin(options: AdminOptions, path: string): Promise<unknown> {
  const { url, token } = adminAddress(options);
  const answer = await request(`${url}${path}`, {
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    headersTimeout: 5000,
    bodyTimeout: 5000,
  }).catch((error: unknown) => {
    throw new PaircastError(
      "admin_unreachable",
      `no gateway answers at ${url}: start one with \`paircast serve\`, or name its admin address with --admin`,
      { cause: error },
    );
  });
  if (answer.statusCode === 401)
    throw new PaircastError("admin_refused", `${url} wants the admin token: set admin.token in ${options.config}`);
  if (answer.statusCode !== 200)
    throw new PaircastError(
      "admin_refused",
      `${url}${path.split("?")[0] ?? path} answered ${answer.statusCode}: ${await answer.body.text()}`,
    );
  return answer.body.json();
}

function adminAddress({ config, admin }: AdminOptions): { url: string; token: string | null } {
  if (admin !== null) return { url: admin.replace(/\/+$/, ""), token: process.env["PAIRCAST_ADMIN_TOKEN"] ?? null };
  const loaded = loadConfig(config);
  const { host, port } = loaded.admin.listen;
  const reachable = host === "" || host === "0.0.0.0" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  return { url: `http://${reachable}:${port}`, token: loaded.admin.token ?? null };
}
