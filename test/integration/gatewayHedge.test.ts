/** Key hosts that are slow or silent: who is asked when, who wins, and what it costs the others. */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { RegionHttpClient } from "../../src/core/http.ts";
import { buildGateway } from "../../src/gateway/app.ts";
import { GatewayServer } from "../../src/gateway/server.ts";
import { ManualClock } from "../fakes/clock.ts";
import { buildWorld, EVERYWHERE, KEY_ID } from "../gateway/world.ts";
import { passTime } from "../harness/passTime.ts";
import { eventually } from "../harness/wait.ts";

const HEDGE_MS = 60;
const KEY = Buffer.from("sixteen bytes k.");

/** How often the gateway looks at its time limits. */
const TICK_MS = 5;

/** `held`: answers once it is released. */
type Behaviour = "answer" | "silent" | "half" | "status" | "held";

interface KeyHost {
  readonly url: string;
  behaviour: Behaviour;
  asked: number;
  /** Bodies in the order in which they came. */
  readonly bodies: string[];
  /** Requests whose connection was closed before they were answered. */
  abandoned: number;
  /** Those that are held are answered now, and those that follow at once: by the key, or by another status. */
  release(status?: number): void;
}

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

async function keyHost(behaviour: Behaviour): Promise<KeyHost> {
  const { promise: released, resolve: release } = Promise.withResolvers<number>();
  const host: KeyHost = {
    url: "",
    behaviour,
    asked: 0,
    bodies: [],
    abandoned: 0,
    release: (status = 200) => {
      release(status);
    },
  };
  const server = createServer((incoming, outgoing) => {
    host.asked += 1;
    outgoing.on("close", () => {
      if (!outgoing.writableFinished) host.abandoned += 1;
    });
    let body = "";
    incoming.on("data", (chunk: Buffer) => (body += chunk.toString()));
    incoming.on("end", () => {
      host.bodies.push(body);
      if (host.behaviour === "held") void released.then((status) => outgoing.writeHead(status).end(status === 200 ? KEY : ""));
      else behave(host.behaviour, outgoing);
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

function behave(behaviour: Exclude<Behaviour, "held">, outgoing: ServerResponse): void {
  if (behaviour === "status") outgoing.writeHead(503).end();
  else if (behaviour === "half") outgoing.writeHead(200, { "content-length": "16" }).write("eight by");
  else if (behaviour === "answer") outgoing.end(KEY);
}

/** Who is slow is told by a clock that stands still: only `pass` makes an answer late, and no pause of the machine. */
async function gateway(west: Behaviour, north: Behaviour, keys: Readonly<Record<string, unknown>> = {}) {
  const hosts = { west: await keyHost(west), north: await keyHost(north) };
  const regions = [
    { name: "westeurope", streaming: "http://127.0.0.1:1", keys: hosts.west.url },
    { name: "northeurope", streaming: "http://127.0.0.1:2", keys: hosts.north.url },
  ];
  const clock = new ManualClock();
  const world = buildWorld({
    regions,
    clock,
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
  const pass = async (until: string, holds: () => boolean): Promise<void> => passTime(clock, TICK_MS, until, holds);
  /** Asks, and lets time pass until both regions have been asked `count` times each. */
  const askBoth = async (body?: string, count = 1): Promise<{ readonly answered: Promise<Answered> }> => {
    const answered = ask(server, body);
    answered.catch(() => undefined);
    await happens("the first region to be asked", () => hosts.west.asked === count);
    await pass("the second region to be asked", () => hosts.north.asked === count);
    return { answered };
  };
  return { ...world, ...hosts, server, clock, pass, ask: async (body?: string) => ask(server, body), askBoth };
}

async function happens(what: string, holds: () => boolean): Promise<void> {
  await eventually(20_000, what, async () => Promise.resolve(holds() ? true : null));
}

interface Answered {
  readonly status: number | undefined;
  readonly origin: unknown;
  readonly body: Buffer;
}

async function ask(server: GatewayServer, body?: string): Promise<Answered> {
  const method = body === undefined ? "GET" : "POST";
  const headers = body === undefined ? {} : { "content-length": String(body.length) };
  const outgoing = httpRequest({ ...server.address, path: `/keys/Widevine/?kid=${KEY_ID}`, method, headers, agent: false });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const origin = incoming.headers["x-paircast-origin"];
  return { status: incoming.statusCode, origin, body: Buffer.concat(chunks) };
}

async function calledOff(host: KeyHost): Promise<void> {
  await happens("the slower region's request to be called off", () => host.abandoned === 1);
}

describe("a key host that does not answer in time", () => {
  it.each([
    ["GET", "silent", undefined],
    ["POST", "silent", "challenge"],
    ["GET", "half", undefined],
  ] as const)("%s, %s: the next one is asked beside it, wins, and the first is called off", async (_, behaviour, body) => {
    const { west, north, askBoth, outcomes, clock } = await gateway(behaviour, "answer");
    const began = clock.monotonic();
    const { answered } = await askBoth(body);
    expect(await answered).toMatchObject({ status: 200, origin: "northeurope", body: KEY });
    expect(clock.monotonic() - began).toBeGreaterThanOrEqual(HEDGE_MS);
    expect([west.bodies, north.bodies]).toEqual([[body ?? ""], [body ?? ""]]);
    await calledOff(west);
    // It was slow this once: health hears of what answered, and of no failure.
    expect(outcomes.words).toEqual(["northeurope:ok"]);
  });

  it("wins all the same where it is the first to answer", async () => {
    const { west, north, askBoth } = await gateway("held", "silent");
    const { answered } = await askBoth();
    west.release();
    expect(await answered).toMatchObject({ status: 200, origin: "westeurope" });
    expect([west.asked, north.asked]).toEqual([1, 1]);
    await calledOff(north);
  });

  it.each([
    ["is off", { hedge: "0s" }, undefined],
    ["is off for licences", { hedgePost: false }, "challenge"],
  ])("gets no company where hedging %s", async (_, keys, body) => {
    const { west, north, ask: get, clock } = await gateway("held", "answer", keys);
    const answered = get(body);
    await happens("the first region to be asked", () => west.asked === 1);
    await clock.advance(HEDGE_MS * 10);
    west.release();
    expect(await answered).toMatchObject({ status: 200, origin: "westeurope" });
    expect(north.asked).toBe(0);
  });

  it("gets company for keys where hedging is off for licences", async () => {
    const { askBoth } = await gateway("held", "answer", { hedgePost: false });
    expect(await (await askBoth()).answered).toMatchObject({ origin: "northeurope" });
  });

  it("is waited for where the company fails", async () => {
    const { west, askBoth, outcomes } = await gateway("held", "status");
    const { answered } = await askBoth();
    await happens("the company to fail", () => outcomes.words.length === 1);
    west.release();
    expect(await answered).toMatchObject({ status: 200, origin: "westeurope" });
    expect(outcomes.words).toEqual(["northeurope:status", "westeurope:ok"]);
  });

  it("is asked last for a moment after three requests that others answered", async () => {
    const { west, ask: get, askBoth } = await gateway("silent", "answer");
    for (let count = 1; count <= 3; count += 1) await (await askBoth(undefined, count)).answered;
    // No time passes: who were asked first would leave this one waiting.
    expect((await get()).origin).toBe("northeurope");
    expect(west.asked).toBe(3);
  });

  it("that everybody waits for gets company from a few requests only, so that the load does not double", async () => {
    const { west, north, ask: get, clock, pass } = await gateway("held", "held");
    const answered = Promise.all(Array.from({ length: 30 }, async () => get()));
    await happens("all requests to be under way", () => west.asked === 30);
    await pass("a few of them to get company", () => north.asked === 6);
    await clock.advance(HEDGE_MS * 10);
    west.release();
    for (const { status, origin } of await answered) expect([status, origin]).toEqual([200, "westeurope"]);
    // A fifth of 30.
    expect(north.asked).toBe(6);
  });
});

describe("a key host that fails under many requests at once", () => {
  it("fails none of them: second tries beyond the budget wait for their turn", async () => {
    const { west, north, ask: get, pass } = await gateway("held", "held", { hedge: "0s" });
    let done = false;
    const answered = Promise.all(Array.from({ length: 40 }, async () => get())).finally(() => (done = true));
    answered.catch(() => undefined);
    await happens("all requests to be under way", () => west.asked === 40);
    west.release(503);
    await pass("as many second tries as may be", () => north.asked === 8);
    north.release();
    await pass("every request to have had its turn", () => done);
    expect((await answered).map(({ status, origin }) => `${String(status)} ${String(origin)}`)).toEqual(Array(40).fill("200 northeurope"));
  });
});
