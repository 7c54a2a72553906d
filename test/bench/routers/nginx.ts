/** nginx: passive health by its defaults, retries on the other server as far as they can be asked for. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort, startProcess } from "../process.ts";
import { addressOf, CERTIFIED_NAME, workDirectory, type Router, type Site } from "./site.ts";

export async function startNginx(sites: readonly Site[], cpus?: string): Promise<Router> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await workDirectory());
  const ports = await Promise.all(sites.map(async () => freePort()));
  const file = join(directory.path, "nginx.conf");
  await writeFile(file, configuration(sites, ports, directory.path));
  const program = stack.use(
    await startProcess({
      command: "nginx",
      args: ["-c", file, "-e", join(directory.path, "error.log")],
      ready: { port: ports[0] ?? 0 },
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

const TEMPORARY = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

function configuration(sites: readonly Site[], ports: readonly number[], directory: string): string {
  return `${process.getuid?.() === 0 ? "user root;\n" : ""}worker_processes 1;
daemon off;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log crit;
events { worker_connections 8192; }
http {
  access_log off;
${TEMPORARY.map((name) => `  ${name}_temp_path ${directory}/${name};`).join("\n")}
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_connect_timeout 1s;
  proxy_read_timeout 2s;
  proxy_next_upstream error timeout invalid_header http_404 http_500 http_502 http_503 http_504 non_idempotent;
${sites.map((site, index) => section(site, `s${index}`, ports[index] ?? 0)).join("")}}
`;
}

function section(site: Site, name: string, port: number): string {
  const scheme = site.caFile === null ? "http" : "https";
  const upstream = (service: "streaming" | "keys"): string => `  upstream ${name}_${service} {
    server ${addressOf(site.a[service])};
    server ${addressOf(site.b[service])} backup;
    keepalive 16;
  }
`;
  return `${upstream("streaming")}${upstream("keys")}  server {
    listen 127.0.0.1:${port};
${tls(site)}    location / { proxy_pass ${scheme}://${name}_streaming; }
    location /keys/ { proxy_pass ${scheme}://${name}_keys; }
  }
`;
}

function tls({ caFile }: Site): string {
  if (caFile === null) return "";
  return `    proxy_ssl_verify on;
    proxy_ssl_trusted_certificate ${caFile};
    proxy_ssl_name ${CERTIFIED_NAME};
    proxy_ssl_server_name on;
`;
}
