/** HAProxy: near its defaults, with body checks, per-request retries on the other server, and the probe policy of the bench. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort, startProcess } from "../process.ts";
import { addressOf, CERTIFIED_NAME, KEY_PATH, streamingCheck, workDirectory, type ProbePolicy, type Router, type Site } from "./site.ts";

/**
 * - `proxy` carries everything · `redirect` answers with the region that is up
 * - `proxy-default` carries everything without retries on answers or redispatch to the other server, as HAProxy does unless told
 */
export type HaproxyMode = "proxy" | "proxy-default" | "redirect";

export interface HaproxyOptions {
  readonly probes: ProbePolicy;
  readonly mode: HaproxyMode;
  readonly cpus?: string;
}

export async function startHaproxy(sites: readonly Site[], options: HaproxyOptions): Promise<Router> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await workDirectory());
  const ports = await Promise.all(sites.map(async () => freePort()));
  const file = join(directory.path, "haproxy.cfg");
  await writeFile(file, configuration(sites, ports, options));
  const program = stack.use(
    await startProcess({
      command: "haproxy",
      args: ["-db", "-f", file],
      ready: { port: ports[0] ?? 0 },
      ...(options.cpus === undefined ? {} : { cpus: options.cpus }),
    }),
  );
  const owned = stack.move();
  return {
    pid: program.pid,
    urls: ports.map((port) => `http://127.0.0.1:${port}`),
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}

function configuration(sites: readonly Site[], ports: readonly number[], { probes, mode }: HaproxyOptions): string {
  const fast = probes.fastIntervalMs === null ? "" : ` fastinter ${probes.fastIntervalMs}`;
  return `global
  maxconn 4000
  nbthread 1
defaults
  mode http
  timeout connect 1s
  timeout client 10s
  timeout server 2s
  timeout check ${probes.timeoutMs}
  default-server inter ${probes.intervalMs}${fast} fall ${probes.fall} rise ${probes.rise}
${sites.map((site, index) => section(site, `s${index}`, ports[index] ?? 0, mode)).join("")}`;
}

const RETRIES = `  balance first
  option redispatch 1
  retry-on conn-failure empty-response junk-response response-timeout 404 500 502 503 504
`;

function section(site: Site, name: string, port: number, mode: HaproxyMode): string {
  const { path, expect } = streamingCheck(site.video);
  const backend = (service: "streaming" | "keys", check: string): string => `backend ${name}_${service}
${mode === "proxy" ? RETRIES : ""}  option httpchk
${check}  server a ${addressOf(site.a[service])} check${tls(site)}
  server b ${addressOf(site.b[service])} check${tls(site)}${mode === "proxy" ? "" : " backup"}
`;
  const streamingChecks = `  http-check send meth GET uri ${path}\n  http-check expect string ${expect.replace("#", "\\#")}\n`;
  const keyChecks = `  http-check send meth GET uri ${KEY_PATH}\n  http-check expect status 200\n`;
  return `frontend ${name}
  bind 127.0.0.1:${port}
${mode === "redirect" ? redirects(site, name) : ""}  use_backend ${name}_keys if { path_beg /keys/ }
  default_backend ${name}_streaming
${backend("streaming", streamingChecks)}${backend("keys", keyChecks)}`;
}

function redirects(site: Site, name: string): string {
  return `  http-request redirect prefix ${site.a.streaming} code 307 if { srv_is_up(${name}_streaming/a) }
  http-request redirect prefix ${site.b.streaming} code 307
`;
}

function tls({ caFile }: Site): string {
  return caFile === null ? "" : ` ssl verify required ca-file ${caFile} verifyhost ${CERTIFIED_NAME} sni str(${CERTIFIED_NAME})`;
}
