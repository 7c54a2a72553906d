/** Key hosts that are slow or silent: who is asked when, who wins, and what it costs the others. */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { RegionHttpClient } from "../../src/core/http.ts";
import { buildGateway } from "../../src/gateway/app.ts";
import { GatewayServer } from "../../src/gateway/server.ts";
import { buildWorld, EVERYWHERE, KEY_ID } from "../gateway/world.ts";
import { eventually } from "../harness/wait.ts";

const HEDGE_MS = 60;
const KEY = Buffer.from("sixteen bytes k.");

type Behaviour = "answer" | "silent" | "half" | "status" | { readonly afterMs: number };

interface KeyHost {
  readonly url: string;
  behaviour: Behaviour;
  asked: number;
  /** Bodies in the order in which they came. */
  readonly bodies: string[];
  /** Requests whose connection was closed before they were answered. */
  abandoned: number;
}

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function keyHost(behaviour: Behaviour): Promise<KeyHost> {
  const host: KeyHost = { url: "", behaviour, asked: 0, bodies: [], abandoned: 0 };
  const server = createServer((incoming, outgoing) => {
    host.asked += 1;
    outgoing.on("close", () => {
      if (!outgoing.writableFinished) host.abandoned += 1;
    });
    let body = "";
    incoming.on("data", (chunk: Buffer) => (body += chunk.toString()));
    incoming.on("end", () => {
      host.bodies.push(body);
      void behave(host.behaviour, outgoing);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stops.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return Object.assign(host, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

async function behave(behaviour: Behaviour, outgoing: ServerResponse): Promise<void> {
  if (behaviour === "silent") return;
  if (typeof behaviour === "object") await systemClock.sleep(behaviour.afterMs);
  if (behaviour === "status") outgoing.writeHead(503).end();
  else if (behaviour === "half") outgoing.writeHead(200, { "content-length": "16" }).write("eight by");
  else outgoing.end(KEY);
}

async function gateway(west: Behaviour, north: Behaviour, keys: Readonly<Record<string, unknown>> = {}) {
  const hosts = { west: await keyHost(west), north: await keyHost(north) };
  const regions = [
    { name: "westeurope", streaming: "http://127.0.0.1:1", keys: hosts.west.url },
    { name: "northeurope", streaming: "http://127.0.0.1:2", keys: hosts.north.url },
  ];
  const world = buildWorld({
    regions,
    clock: systemClock,
    gateway: { keys: { mode: "proxy", hedge: `${HEDGE_MS}ms`, timeout: "2s", ...keys } },
  });
  world.catalogue.list = [EVERYWHERE];
  const http = new RegionHttpClient({ origins: regions.map((region) => ({ url: region.keys, ca: null })) });
  const app = buildGateway({ ...world, log: world.logs.log, pools: http, ready: () => true });
  const server = await GatewayServer.listen({ app, listen: { host: "127.0.0.1", port: 0 }, clock: systemClock, targets: "raw" });
  stops.push(
    async () => server.close(100),
    async () => http[Symbol.asyncDispose](),
  );
  return { ...world, ...hosts, server, ask: async (body?: string) => ask(server, body) };
}

interface Answered {
  readonly status: number | undefined;
  readonly origin: unknown;
  readonly body: Buffer;
  readonly ms: number;
}

async function ask(server: GatewayServer, body?: string): Promise<Answered> {
  const started = performance.now();
  const method = body === undefined ? "GET" : "POST";
  const headers = body === undefined ? {} : { "content-length": String(body.length) };
  const outgoing = httpRequest({ ...server.address, path: `/keys/Widevine/?kid=${KEY_ID}`, method, headers, agent: false });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const origin = incoming.headers["x-paircast-origin"];
  return { status: incoming.statusCode, origin, body: Buffer.concat(chunks), ms: performance.now() - started };
}

async function calledOff(host: KeyHost): Promise<void> {
  await eventually(2_000, "the slower region's request to be called off", () => Promise.resolve(host.abandoned === 1 ? true : null));
}

describe("a key host that does not answer in time", () => {
  it.each([
    ["GET", "silent", undefined],
    ["POST", "silent", "challenge"],
    ["GET", "half", undefined],
  ] as const)("%s, %s: the next one is asked beside it, wins, and the first is called off", async (_, behaviour, body) => {
    const { west, north, ask: get, outcomes } = await gateway(behaviour, "answer");
    const answer = await get(body);
    expect(answer).toMatchObject({ status: 200, origin: "northeurope", body: KEY });
    expect(answer.ms).toBeGreaterThanOrEqual(HEDGE_MS - 5);
    expect(answer.ms).toBeLessThan(1_000);
    expect([west.bodies, north.bodies]).toEqual([[body ?? ""], [body ?? ""]]);
    await calledOff(west);
    // It was slow this once: health hears of what answered, and of no failure.
    expect(outcomes.words).toEqual(["northeurope:ok"]);
  });

  it("wins all the same where it is the first to answer", async () => {
    const { west, north, ask: get } = await gateway({ afterMs: HEDGE_MS * 2 }, { afterMs: 1_500 });
    expect(await get()).toMatchObject({ status: 200, origin: "westeurope" });
    expect([west.asked, north.asked]).toEqual([1, 1]);
    await calledOff(north);
  });

  it("gets no company where hedging is off, or off for licences", async () => {
    const off = await gateway({ afterMs: HEDGE_MS * 2 }, "answer", { hedge: "0s" });
    expect(await off.ask()).toMatchObject({ origin: "westeurope" });
    expect(off.north.asked).toBe(0);
    const licences = await gateway({ afterMs: HEDGE_MS * 2 }, "answer", { hedgePost: false });
    expect(await licences.ask("challenge")).toMatchObject({ origin: "westeurope" });
    expect(licences.north.asked).toBe(0);
    expect(await licences.ask()).toMatchObject({ origin: "northeurope" });
  });

  it("is waited for where the company fails", async () => {
    const { ask: get, outcomes } = await gateway({ afterMs: HEDGE_MS * 3 }, "status");
    expect(await get()).toMatchObject({ status: 200, origin: "westeurope" });
    expect(outcomes.words).toEqual(["northeurope:status", "westeurope:ok"]);
  });

  it("is asked last for a moment after three requests that others answered", async () => {
    const { west, ask: get } = await gateway("silent", "answer");
    for (let request = 0; request < 3; request += 1) await get();
    expect(west.asked).toBe(3);
    const quick = await get();
    expect(quick.origin).toBe("northeurope");
    expect(quick.ms).toBeLessThan(HEDGE_MS);
    expect(west.asked).toBe(3);
  });

  it("that everybody waits for gets company from a few requests only, so that the load does not double", async () => {
    const { north, ask: get } = await gateway({ afterMs: 600 }, { afterMs: 600 });
    const answers = await Promise.all(Array.from({ length: 30 }, async () => get()));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
    // A fifth of 30, and some more that take the places of the first who are answered.
    expect(north.asked).toBeGreaterThanOrEqual(6);
    expect(north.asked).toBeLessThanOrEqual(20);
  });
});

describe("a key host that fails under many requests at once", () => {
  it("fails none of them: second tries beyond the budget wait for their turn", async () => {
    const { ask: get } = await gateway("status", { afterMs: 20 });
    const answers = await Promise.all(Array.from({ length: 40 }, async () => get()));
    expect(answers.map(({ status, origin }) => `${String(status)} ${String(origin)}`)).toEqual(Array(40).fill("200 northeurope"));
  });
});
