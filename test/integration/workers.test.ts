/** `paircast serve --workers 2` as processes: one shared port, one prober, and what happens when one of them dies. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, request as httpRequest, type IncomingMessage, type Server } from "node:http";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { readdirSync, readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually, within } from "../harness/wait.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const MANIFEST = "/vod/video/master.m3u8";
const DEADLINE_MS = 30_000;

const stack: AsyncDisposableStack[] = [];
let directory = "";

beforeEach(async () => {
  stack.push(new AsyncDisposableStack());
  directory = await mkdtemp(join(tmpdir(), "paircast-workers-"));
  stack[0]?.defer(async () => rm(directory, { recursive: true, force: true }));
});

afterEach(async () => {
  await stack.pop()?.disposeAsync();
});

/** A region that has every video. */
async function origin(): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer((_, outgoing) =>
    outgoing.writeHead(200, { "content-type": "application/vnd.apple.mpegurl" }).end("#EXTM3U\n"),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stack[0]?.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

interface Running {
  readonly child: ChildProcess;
  readonly gateway: string;
  readonly admin: string;
}

interface Settings {
  readonly west: string;
  readonly north: string;
  readonly corsOrigin?: string;
}

async function configure({ west, north, corsOrigin = "*" }: Settings): Promise<string> {
  const file = join(directory, "paircast.yaml");
  const configuration = {
    regions: [
      { name: "west", streaming: west },
      { name: "north", streaming: north },
    ],
    gateway: { listen: "127.0.0.1:0", prefixes: ["/vod/"], corsOrigin },
    admin: { listen: "127.0.0.1:0" },
    health: { interval: "200ms", fastInterval: "100ms", timeout: "1s" },
    replication: { enabled: false },
    state: { path: join(directory, "paircast.db") },
  };
  await writeFile(file, JSON.stringify(configuration));
  return file;
}

async function serve(file: string): Promise<Running> {
  const args = [MAIN, "serve", "--json", "--workers", "2", "--config", file];
  const log = join(directory, "log");
  const child = spawn("sh", ["-c", 'exec "$0" "$@" 2>"$LOG"', process.execPath, ...args], {
    env: { ...process.env, LOG: log },
    stdio: ["ignore", "pipe", "inherit"],
  });
  stack[0]?.defer(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  });
  const lines = createInterface({ input: child.stdout ?? process.stdin });
  const ended = once(child, "exit").then(async () => {
    throw new Error(`serve ended: ${await readFile(log, "utf8")}`);
  });
  ended.catch(() => undefined);
  const [line] = (await Promise.race([once(lines, "line"), ended])) as [string];
  return { child, ...(JSON.parse(line) as { gateway: string; admin: string }) };
}

interface Answer {
  readonly origin: unknown;
  readonly cors: unknown;
}

/** On a connection of its own: the kernel chooses the worker. */
async function ask(gateway: string): Promise<Answer> {
  const outgoing = httpRequest(gateway + MANIFEST, { agent: false }).end();
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  incoming.resume();
  return { origin: incoming.headers["x-paircast-origin"], cors: incoming.headers["access-control-allow-origin"] };
}

async function askMany(gateway: string, count: number): Promise<Answer[]> {
  return Promise.all(Array.from({ length: count }, async () => ask(gateway)));
}

/** Sum of a metric's series whose labels include `labels`. */
async function metric(admin: string, name: string, labels = ""): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line.startsWith(name) && line.includes(labels));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

function childrenOf(pid: number | undefined): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => {
      try {
        const stat = readFileSync(`/proc/${each}/stat`, "utf8");
        const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return Number(parent) === pid && state !== "Z";
      } catch {
        return false;
      }
    });
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.startsWith("Z") === false;
  } catch {
    return false;
  }
}

describe.skipIf(process.platform !== "linux")("two workers", () => {
  it("answer on one port, are counted as one, and hear what the one prober sees", async () => {
    const [west, north] = [await origin(), await origin()];
    const { child, gateway, admin } = await serve(await configure({ west: west.url, north: north.url }));
    const workers = childrenOf(child.pid);
    expect(workers).toHaveLength(2);
    await eventually(DEADLINE_MS, "both workers to send viewers to the first region", async () => {
      const answers = await askMany(gateway, 10);
      return answers.every((answer) => answer.origin === "west") ? true : null;
    });
    const before = await metric(admin, "paircast_requests_total", 'kind="manifest"');
    await askMany(gateway, 40);
    expect(await metric(admin, "paircast_requests_total", 'kind="manifest"')).toBe(before + 40);
    expect(await metric(admin, "paircast_request_duration_seconds_count", 'kind="manifest"')).toBe(before + 40);
    const healthy = 'origin="west",service="streaming",state="healthy"';
    await eventually(DEADLINE_MS, "the first region to be found healthy", async () =>
      (await metric(admin, "paircast_service_state", healthy)) === 1 ? true : null,
    );
    west.server.closeAllConnections();
    west.server.close();
    await eventually(DEADLINE_MS, "both workers to send viewers to the other region", async () => {
      const answers = await askMany(gateway, 10);
      return answers.every((answer) => answer.origin === "north") ? true : null;
    });
    expect(await metric(admin, "paircast_service_state_changes_total", 'origin="west",service="streaming",to="unhealthy"')).toBe(1);
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    // They would be after 8 s.
    expect(await within(7_500, "serve to end before its workers would be killed", ended)).toEqual([0, null]);
    await eventually(DEADLINE_MS, "the workers to end, too", () => Promise.resolve(workers.some(alive) ? null : true));
  });

  it("take up a new configuration together", async () => {
    const [west, north] = [await origin(), await origin()];
    const settings = { west: west.url, north: north.url };
    const { child, gateway } = await serve(await configure(settings));
    expect((await askMany(gateway, 5)).every(({ cors }) => cors === "*")).toBe(true);
    await configure({ ...settings, corsOrigin: "https://player.example" });
    child.kill("SIGHUP");
    await eventually(DEADLINE_MS, "both workers to answer as configured now", async () => {
      const answers = await askMany(gateway, 10);
      return answers.every(({ cors }) => cors === "https://player.example") ? true : null;
    });
    expect(childrenOf(child.pid)).toHaveLength(2);
  });

  it("are replaced when they die, and their counts stay", async () => {
    const [west, north] = [await origin(), await origin()];
    const { child, gateway, admin } = await serve(await configure({ west: west.url, north: north.url }));
    await askMany(gateway, 20);
    const counted = await metric(admin, "paircast_requests_total", 'kind="manifest"');
    expect(counted).toBe(20);
    const [victim = 0, other = 0] = childrenOf(child.pid);
    process.kill(victim, "SIGKILL");
    await eventually(DEADLINE_MS, "another worker in its place", () => {
      const now = childrenOf(child.pid);
      return Promise.resolve(now.length === 2 && now.includes(other) && !now.includes(victim) ? true : null);
    });
    await eventually(DEADLINE_MS, "every connection to be answered", async () => {
      const answers = await Promise.allSettled(Array.from({ length: 10 }, async () => ask(gateway)));
      return answers.every(({ status }) => status === "fulfilled") ? true : null;
    });
    expect(await metric(admin, "paircast_worker_ended_total")).toBe(1);
    expect(await metric(admin, "paircast_requests_total", 'kind="manifest"')).toBeGreaterThanOrEqual(counted + 10);
  });

  it("do not outlive the process that started them", async () => {
    const [west, north] = [await origin(), await origin()];
    const { child } = await serve(await configure({ west: west.url, north: north.url }));
    const workers = childrenOf(child.pid);
    child.kill("SIGKILL");
    await eventually(DEADLINE_MS, "the workers to end", () => Promise.resolve(workers.some(alive) ? null : true));
  });
});
