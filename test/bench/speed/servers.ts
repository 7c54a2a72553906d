/**
 * The servers whose speed is compared, each at the nearest it can do to what paircast does: the same header fields, a JSON access log with the
 * same fields, one process on one core.
 */
import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CatalogueEntry } from "../../../src/core/contracts.ts";
import { SqliteCatalogue } from "../../../src/replicator/sqlite/catalogue.ts";
import { freePort, peerVersion, startProcess, type BenchProcess } from "../process.ts";
import { caddyfile, haproxyConfiguration, nginxConfiguration, type Task } from "./configurations.ts";

export interface SpeedServer extends AsyncDisposable {
  readonly name: string;
  readonly url: string;
  readonly process: BenchProcess;
  /** Empties the access log, so that no disk runs full. */
  forget(): Promise<void>;
}

export interface ServerOptions {
  readonly task: Task;
  /** `host:port` of the two origins. */
  readonly origins: readonly [string, string];
  readonly cpus: string | null;
}

const MAIN = new URL("../../../src/main.ts", import.meta.url).pathname;
const VIDEOS = 1_000;

interface Launch {
  readonly name: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly port: number;
  readonly cpus: string | null;
}

/** Standard output and error go to the access log's file, as a supervisor would have it, and not through the bench. */
async function launched({ name, command, env = {}, directory, port, cpus }: Launch): Promise<SpeedServer> {
  const log = join(directory, "access.log");
  const program = await startProcess({
    command: "sh",
    args: ["-c", 'exec "$@" >>"$0" 2>&1', log, ...command],
    env,
    ready: { port },
    ...(cpus === null ? {} : { cpus }),
  });
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    process: program,
    forget: async () => truncate(log, 0).catch(() => undefined),
    [Symbol.asyncDispose]: async () => {
      await program.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function workDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), "paircast-speed-"));
}

/** What a player gets for a manifest; `redirect` is what the task of that name compares with others. */
export type PlaybackMode = "redirect" | "steer" | "anchor";

/** `workers`: processes on the shared port; null: the one process does everything. */
export async function startPaircast(
  { task, origins, cpus }: ServerOptions,
  workers: number | null = null,
  playback: PlaybackMode = "redirect",
): Promise<SpeedServer> {
  const directory = await workDirectory();
  const [port, admin] = [await freePort(), await freePort()];
  const database = join(directory, "paircast.db");
  await publish(database);
  const configuration = {
    regions: origins.map((origin, index) => ({ name: `region-${index}`, streaming: `http://${origin}`, keys: `http://${origin}` })),
    gateway: { listen: `127.0.0.1:${port}`, keys: { mode: task === "keys" ? "proxy" : "auto" }, playback },
    admin: { listen: `127.0.0.1:${admin}` },
    health: { interval: "2s" },
    replication: { enabled: false },
    state: { path: database },
  };
  const file = join(directory, "paircast.yaml");
  await writeFile(file, JSON.stringify(configuration));
  const command = [
    process.execPath,
    "--min-semi-space-size=4",
    MAIN,
    "serve",
    "--config",
    file,
    ...(workers === null ? [] : ["--workers", String(workers)]),
  ];
  return launched({ name: playback === "redirect" ? "paircast" : `paircast ${playback}`, command, directory, port, cpus });
}

/** The catalogue as a replicator leaves it: every video verified in both regions. */
async function publish(database: string): Promise<void> {
  await using catalogue = new SqliteCatalogue(database);
  for (let number = 0; number < VIDEOS; number += 1) await catalogue.put(videoEntry(number), null);
}

function videoEntry(number: number): CatalogueEntry {
  const copy = { state: "verified", at: 0, detail: "for the bench", aligned: true } as const;
  return {
    locatorId: `8d7ab48c-5d43-4f31-9d52-${String(number).padStart(12, "0")}`,
    locatorName: `locator-${number}`,
    assetName: `asset-${number}`,
    source: "region-0",
    streamingPolicyName: null,
    contentKeyPolicyName: null,
    manifests: { hls: null, dash: null },
    keys: [],
    regions: { "region-0": copy, "region-1": copy },
    publishedAt: 0,
  };
}

/** `bare`: what nginx does in the fewest words, with its ordinary access log. */
export async function startNginx({ task, origins, cpus }: ServerOptions, { bare = false, processes = 1 } = {}): Promise<SpeedServer> {
  const directory = await workDirectory();
  const port = await freePort();
  const file = join(directory, "nginx.conf");
  await writeFile(file, nginxConfiguration({ task, origins, port, directory, bare, processes }));
  const command = ["nginx", "-c", file, "-e", join(directory, "error.log")];
  return launched({ name: bare ? "nginx bare" : "nginx", command, directory, port, cpus });
}

export async function startHaproxy({ task, origins, cpus }: ServerOptions): Promise<SpeedServer> {
  const directory = await workDirectory();
  const port = await freePort();
  const file = join(directory, "haproxy.cfg");
  await writeFile(file, haproxyConfiguration({ task, origins, port }));
  return launched({ name: "haproxy", command: ["haproxy", "-db", "-f", file], directory, port, cpus });
}

export async function startCaddy({ task, origins, cpus }: ServerOptions): Promise<SpeedServer> {
  const directory = await workDirectory();
  const port = await freePort();
  const file = join(directory, "Caddyfile");
  const home = join(directory, "home");
  await mkdir(home);
  await writeFile(file, caddyfile({ task, origins, port, directory }));
  const env = { HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home, GOMAXPROCS: "1" };
  return launched({ name: "caddy", command: ["caddy", "run", "--adapter", "caddyfile", "--config", file], env, directory, port, cpus });
}

const PEERS = [
  ["nginx", async (options: ServerOptions) => startNginx(options)],
  ["haproxy", startHaproxy],
  ["caddy", startCaddy],
] as const;

/** All that are installed. */
export async function startPeers(options: ServerOptions, stack: AsyncDisposableStack): Promise<SpeedServer[]> {
  const servers: SpeedServer[] = [];
  for (const [name, start] of PEERS) if (peerVersion(name) !== null) servers.push(stack.use(await start(options)));
  return servers;
}
