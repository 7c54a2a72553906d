/**
 * `npm run bench:checks`: what it costs to look at 500 services every 5 s, as a player would: 250 regions with a live, encrypted video each, its
 * playlists, newest segment and key. CPU time of the gateway's process, and what it keeps in memory.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { request } from "undici";
import { runBench, type Figure } from "./frame.ts";
import { startOrigins } from "./origin/origin.ts";
import { manifestPath } from "./origin/video.ts";
import { cpuMs, rssMiB, startProcess, versionsOf } from "./process.ts";
import { KEY_PATH, workDirectory } from "./routers/site.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const REGIONS = 250;
const INTERVAL_S = 5;
const VIDEO = { protocol: "hls", encrypted: true, live: true } as const;

await runBench("checks", async ({ quick }) => {
  await using stack = new AsyncDisposableStack();
  const names = Array.from({ length: REGIONS }, (_, number) => `r${number}`);
  const origins = stack.use(await startOrigins(names.map((name) => ({ name, host: "127.0.0.1" }))));
  const directory = stack.use(await workDirectory());
  const file = join(directory.path, "paircast.yaml");
  const configuration = {
    regions: origins.regions.map((region) => ({ ...region, canary: { manifest: manifestPath(VIDEO), key: KEY_PATH } })),
    gateway: { listen: "127.0.0.1:0" },
    admin: { listen: "127.0.0.1:0" },
    health: { interval: `${INTERVAL_S}s` },
    replication: { enabled: false },
    state: { path: join(directory.path, "paircast.db") },
    log: { level: "warn" },
  };
  await writeFile(file, JSON.stringify(configuration));
  const args = ["--min-semi-space-size=4", MAIN, "serve", "--json", "--config", file];
  const program = stack.use(await startProcess({ command: process.execPath, args, ready: "line" }));
  const { admin } = JSON.parse(program.line) as { readonly admin: string };
  // Until every service was looked at twice, connections and compiled code are new.
  await delay(2 * INTERVAL_S * 1000);
  const seconds = quick ? 10 : 60;
  const before = { cpu: cpuMs(program.pid), probes: await probes(admin) };
  await delay(seconds * 1000);
  const after = { cpu: cpuMs(program.pid), probes: await probes(admin) };
  const { versions } = versionsOf([]);
  const failed = after.probes.failed - before.probes.failed;
  const figures: Figure[] = [
    { name: "500 checks every 5 s: share of a core", value: (after.cpu - before.cpu) / (10 * seconds), unit: "%" },
    { name: "probes per second", value: (after.probes.all - before.probes.all) / seconds, unit: "1/s" },
    { name: "failed probes", value: failed, unit: "probes" },
    { name: "RSS", value: rssMiB(program.pid), unit: "MiB" },
  ];
  return { versions, figures, notes: ["250 regions with a streaming and a key service; each probe is a walk of several requests"] };
});

interface Probes {
  readonly all: number;
  readonly failed: number;
}

async function probes(admin: string): Promise<Probes> {
  const { body } = await request(`${admin}/metrics`);
  const lines = (await body.text()).split("\n").filter((line) => line.startsWith("paircast_probes_total{"));
  const sum = (some: readonly string[]): number => some.reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  return { all: sum(lines), failed: sum(lines.filter((line) => !line.includes('result="success"'))) };
}
