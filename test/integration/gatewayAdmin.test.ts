import { get, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { afterEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { silentLog } from "../../src/core/log.ts";
import type { StatusEvent } from "../../src/gateway/adminEvents.ts";
import { buildAdmin } from "../../src/gateway/admin.ts";
import { GatewayServer } from "../../src/gateway/server.ts";
import { buildWorld } from "../gateway/world.ts";
import { eventually } from "../harness/wait.ts";

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function start() {
  const listeners = new Set<(event: StatusEvent) => void>();
  const subscribe = (listener: (event: StatusEvent) => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const world = buildWorld({ clock: systemClock });
  const app = buildAdmin({
    ...world,
    version: "1.2.3",
    startedAt: 7,
    gatewayUrl: "http://127.0.0.1:8080",
    keysPrefix: "/keys",
    jobs: async () => Promise.resolve([]),
    conflicts: async () => Promise.resolve([]),
    replication: async () => Promise.resolve({ at: 0, targets: [], queue: null, backfill: [], lastFullAt: null }),
    events: { subscribe },
    log: silentLog,
    token: null,
    page: null,
    sandbox: null,
  });
  const server = await GatewayServer.listen({
    app,
    listen: { host: "127.0.0.1", port: 0 },
    clock: systemClock,
    targets: "parsed",
    graceMs: 50,
  });
  stops.push(async () => server.close());
  return { server, listeners };
}

async function open(url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const outgoing = get(url, { headers, agent: false });
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  return incoming;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  await eventually(20_000, what, async () => Promise.resolve(holds() ? true : null));
}

describe("the admin listener", () => {
  it("answers under its loopback address, and not under a name that was rebound to it", async () => {
    const { server } = await start();
    const answer = await open(`${server.url}/api/status`);
    expect(answer.statusCode).toBe(200);
    answer.resume();
    const rebound = await open(`${server.url}/api/status`, { host: `evil.example:${server.address.port}` });
    expect(rebound.statusCode).toBe(403);
    rebound.resume();
  });

  it("forgets a listener that goes away, without a word on the console", async () => {
    const spoken = [vi.spyOn(console, "info"), vi.spyOn(console, "error"), vi.spyOn(console, "log")];
    const { server, listeners } = await start();
    const stream = await open(`${server.url}/api/events`);
    const [first] = (await once(stream, "data")) as [Buffer];
    expect(first.toString()).toContain("event: heartbeat\n");
    expect(listeners.size).toBe(1);
    stream.destroy();
    await until("the listener is forgotten", () => listeners.size === 0);
    // A whole exchange later, whatever the adapter had to say of the stream would have been said.
    (await open(`${server.url}/healthz`)).resume();
    for (const spy of spoken) expect(spy).not.toHaveBeenCalled();
  });

  it("closes with a listener connected, once its grace is over", async () => {
    const { server, listeners } = await start();
    const stream = await open(`${server.url}/api/events`);
    stream.on("error", () => undefined).resume();
    const ended = new Promise((resolve) => stream.once("close", resolve));
    await server.close();
    await ended;
    await until("the listener is forgotten", () => listeners.size === 0);
  });
});
