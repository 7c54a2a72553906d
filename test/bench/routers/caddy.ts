/** Caddy: first healthy upstream, active checks with a body pattern, passive ones, and retries within a request. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort, startProcess } from "../process.ts";
import { addressOf, CERTIFIED_NAME, KEY_PATH, streamingCheck, workDirectory, type ProbePolicy, type Router, type Site } from "./site.ts";

export async function startCaddy(
  sites: readonly Site[],
  { probes, cpus }: { readonly probes: ProbePolicy; readonly cpus?: string },
): Promise<Router> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await workDirectory());
  const ports = await Promise.all(sites.map(async () => freePort()));
  const file = join(directory.path, "Caddyfile");
  await writeFile(file, configuration(sites, ports, probes));
  const program = stack.use(
    await startProcess({
      command: "caddy",
      args: ["run", "--adapter", "caddyfile", "--config", file],
      env: { HOME: directory.path, XDG_CONFIG_HOME: directory.path, XDG_DATA_HOME: directory.path },
      ready: { port: ports.at(-1) ?? 0 },
      ...(cpus === undefined ? {} : { cpus }),
    }),
  );
  const owned = stack.move();
  return {
    pid: program.pid,
    urls: ports.map((port) => `http://127.0.0.1:${port}`),
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}

function configuration(sites: readonly Site[], ports: readonly number[], probes: ProbePolicy): string {
  return `{
  admin off
  auto_https off
  log {
    level ERROR
  }
}
${sites.map((site, index) => section(site, ports[index] ?? 0, probes)).join("")}`;
}

function section(site: Site, port: number, probes: ProbePolicy): string {
  const { path, expect } = streamingCheck(site.video);
  const scheme = site.caFile === null ? "" : "https://";
  const proxy = (
    service: "streaming" | "keys",
    check: string,
  ): string => `reverse_proxy ${scheme}${addressOf(site.a[service])} ${scheme}${addressOf(site.b[service])} {
      lb_policy first
      lb_try_duration 5s
      fail_duration 10s
      unhealthy_status 5xx
      health_interval ${probes.intervalMs}ms
      health_timeout ${probes.timeoutMs}ms
${check}
      transport http {
        dial_timeout 1s
        response_header_timeout 2s
${tls(site)}      }
    }`;
  return `http://127.0.0.1:${port} {
  bind 127.0.0.1
  handle /keys/* {
    ${proxy("keys", `      health_uri ${KEY_PATH}`)}
  }
  handle {
    ${proxy("streaming", `      health_uri ${path}\n      health_body "${expect}"`)}
  }
}
`;
}

function tls({ caFile }: Site): string {
  if (caFile === null) return "";
  return `        tls
        tls_trusted_ca_certs ${caFile}
        tls_server_name ${CERTIFIED_NAME}
`;
}
