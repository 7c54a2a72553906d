/** `paircast serve` in a process of its own, with two static regions and a canary. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { request } from "undici";
import { KEY_HOST } from "../origin/video.ts";
import { startProcess } from "../process.ts";
import { KEY_PATH, streamingCheck, workDirectory, type ProbePolicy, type Router, type Site } from "./site.ts";

export interface PaircastOptions {
  readonly probes: ProbePolicy;
  readonly keys: "redirect" | "proxy";
  readonly cpus?: string;
}

export interface PaircastRouter extends Router {
  readonly admin: string;
  /** Why a region was taken for unhealthy, the latest last: `keys timeout: no answer within 1000 ms`. */
  reasons(region: string): string[];
}

const MAIN = new URL("../../../src/main.ts", import.meta.url);

/** One process serves one site: a region has one canary. */
export async function startPaircast(site: Site, options: PaircastOptions): Promise<PaircastRouter> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await workDirectory());
  const file = join(directory.path, "paircast.yaml");
  // JSON is YAML.
  await writeFile(file, JSON.stringify(configuration(site, options, directory.path)));
  const program = stack.use(
    await startProcess({
      command: process.execPath,
      args: [MAIN.pathname, "serve", "--json", "--config", file],
      ready: "line",
      ...(options.cpus === undefined ? {} : { cpus: options.cpus }),
    }),
  );
  const { gateway, admin } = JSON.parse(program.line) as { readonly gateway: string; readonly admin: string };
  const owned = stack.move();
  const reasons = (region: string): string[] =>
    program
      .errors()
      .split("\n")
      .flatMap((line) => drainReason(line, region));
  return { pid: program.pid, urls: [gateway], admin, reasons, [Symbol.asyncDispose]: async () => owned.disposeAsync() };
}

function configuration(site: Site, { probes, keys }: PaircastOptions, directory: string): unknown {
  const canary = { manifest: streamingCheck(site.video).path, ...(site.video.encrypted ? { key: KEY_PATH } : {}) };
  const ca = site.caFile === null ? {} : { caFile: site.caFile };
  return {
    regions: [site.a, site.b].map(({ name, streaming, keys: keyHost }) => ({ name, streaming, keys: keyHost, canary, ...ca })),
    gateway: { listen: "127.0.0.1:0", keys: { prefix: "/keys", host: new URL(KEY_HOST).hostname, mode: keys }, accessLog: false },
    admin: { listen: "127.0.0.1:0" },
    health: {
      interval: `${probes.intervalMs}ms`,
      fastInterval: `${probes.fastIntervalMs ?? probes.intervalMs}ms`,
      timeout: `${probes.timeoutMs}ms`,
      fall: probes.fall,
      rise: probes.rise,
    },
    replication: { enabled: false },
    state: { path: join(directory, "paircast.db") },
    log: { level: "warn" },
  };
}

/** Resolves when the router has its first probes' answers. */
export async function ready({ urls }: PaircastRouter): Promise<void> {
  for (;;) {
    const { statusCode, body } = await request(`${urls[0] ?? ""}/readyz`);
    await body.dump();
    if (statusCode === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function drainReason(line: string, region: string): string[] {
  if (!line.includes('"health.transition"')) return [];
  const told = JSON.parse(line) as Readonly<Record<string, unknown>>;
  if (told["region"] !== region || told["to"] !== "unhealthy") return [];
  return [`${String(told["service"])} ${String(told["reason"])}: ${String(told["detail"])}`];
}

/** How often a service of the region became unhealthy so far. */
export async function drainsOf({ admin }: PaircastRouter, region: string): Promise<number> {
  const { body } = await request(`${admin}/metrics`);
  const lines = (await body.text()).split("\n").filter((line) => line.startsWith("paircast_service_state_changes_total{"));
  const counted = lines.filter((line) => line.includes(`origin="${region}"`) && line.includes('to="unhealthy"'));
  if (counted.length === 0) throw new Error(`paircast counts no changes of region ${region}`);
  return counted.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}
