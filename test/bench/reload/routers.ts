/** Routers that answer every request with a redirect, and take up another target for it without being started again. */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort, startProcess, type BenchProcess } from "../process.ts";
import { workDirectory } from "../routers/site.ts";

const run = promisify(execFile);
const MAIN = new URL("../../../src/main.ts", import.meta.url).pathname;

export interface ReloadingRouter extends AsyncDisposable {
  readonly url: string;
  /** Writes a configuration whose answer is `target`, and asks for it to be taken up. Resolves before it has been. */
  reload(target: string): Promise<void>;
}

export type Peer = "paircast" | "paircast-workers" | "nginx" | "haproxy" | "caddy";

interface Recipe {
  readonly file: string;
  readonly config: (target: string, port: number, directory: string) => string;
  readonly command: string;
  readonly args: (file: string, directory: string) => readonly string[];
  readonly apply: (program: BenchProcess, file: string, directory: string) => Promise<void> | void;
}

/** Every origin that a target can be is a region: paircast redirects to the first of them that is well. */
function paircastConfig(target: string, others: readonly string[], port: number, workers: number): string {
  const regions = [target, ...others.filter((other) => other !== target)];
  return JSON.stringify({
    regions: regions.map((streaming) => ({ name: `at-${new URL(streaming).port}`, streaming })),
    gateway: { listen: `127.0.0.1:${port}`, prefixes: ["/"], accessLog: false, workers },
    admin: { listen: "127.0.0.1:0" },
    health: { interval: "1s", fastInterval: "200ms" },
    replication: { enabled: false },
    state: { path: "paircast.db" },
    log: { level: "warn" },
  });
}

function recipes(targets: readonly string[]): Readonly<Record<Peer, Recipe>> {
  const paircast = (workers: number): Recipe => ({
    file: "paircast.yaml",
    config: (target, port) => paircastConfig(target, targets, port, workers),
    command: process.execPath,
    args: (file) => [MAIN, "serve", "--config", file],
    apply: (program) => {
      program.send("SIGHUP");
    },
  });
  return {
    paircast: paircast(1),
    "paircast-workers": paircast(2),
    nginx: {
      file: "nginx.conf",
      config: nginxConfig,
      command: "nginx",
      args: (file, directory) => ["-c", file, "-e", join(directory, "error.log")],
      apply: (program) => {
        program.send("SIGHUP");
      },
    },
    haproxy: {
      file: "haproxy.cfg",
      config: haproxyConfig,
      command: "haproxy",
      args: (file, directory) => ["-W", "-S", join(directory, "master.sock"), "-f", file],
      apply: (program) => {
        program.send("SIGUSR2");
      },
    },
    caddy: {
      file: "Caddyfile",
      config: (target, port, directory) =>
        `{\n admin unix/${directory}/admin.sock\n auto_https off\n log {\n level ERROR\n }\n}\nhttp://127.0.0.1:${port} {\n redir ${target}{uri} 302\n}\n`,
      command: "caddy",
      args: (file) => ["run", "--adapter", "caddyfile", "--config", file],
      apply: async (_program, file, directory) => {
        await run("caddy", ["reload", "--adapter", "caddyfile", "--config", file, "--address", `unix/${directory}/admin.sock`], {
          env: { ...process.env, HOME: directory },
        });
      },
    },
  };
}

function nginxConfig(target: string, port: number, directory: string): string {
  const user = process.getuid?.() === 0 ? "user root;\n" : "";
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${directory}/${name};`)
    .join("\n");
  return `${user}worker_processes 1;
daemon off;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log crit;
events { worker_connections 4096; }
http {
access_log off;
${temporary}
server { listen 127.0.0.1:${port} backlog=4096; return 302 ${target}$request_uri; }
}
`;
}

/** The listening socket is handed from one process to the next (`expose-fd`), which is what makes its reload seamless. */
function haproxyConfig(target: string, port: number, directory: string): string {
  return `global
  maxconn 4000
  nbthread 1
  stats socket ${directory}/stats.sock mode 600 level admin expose-fd listeners
defaults
  mode http
  timeout connect 1s
  timeout client 10s
  timeout server 2s
frontend front
  bind 127.0.0.1:${port}
  http-request redirect prefix ${target} code 302
`;
}

export async function startRouter(peer: Peer, targets: readonly string[]): Promise<ReloadingRouter> {
  await using stack = new AsyncDisposableStack();
  const { path: directory } = stack.use(await workDirectory());
  const port = await freePort();
  const recipe = recipes(targets)[peer];
  const file = join(directory, recipe.file);
  await writeFile(file, recipe.config(targets[0] ?? "", port, directory));
  const env = { HOME: directory, XDG_CONFIG_HOME: directory, XDG_DATA_HOME: directory };
  const program = stack.use(
    await startProcess({ command: recipe.command, args: recipe.args(file, directory), cwd: directory, env, ready: { port } }),
  );
  const owned = stack.move();
  return {
    url: `http://127.0.0.1:${port}`,
    reload: async (target) => {
      await writeFile(file, recipe.config(target, port, directory));
      await recipe.apply(program, file, directory);
    },
    [Symbol.asyncDispose]: async () => owned.disposeAsync(),
  };
}
