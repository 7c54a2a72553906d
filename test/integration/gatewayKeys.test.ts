import { createServer, request as httpRequest, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { RegionHttpClient } from "../../src/core/http.ts";
import { buildGateway } from "../../src/gateway/app.ts";
import { GatewayServer } from "../../src/gateway/server.ts";
import { silentHost } from "../gateway/silentHost.ts";
import { buildWorld, entry, EVERYWHERE, KEY_ID, series } from "../gateway/world.ts";
import { ManualClock } from "../fakes/clock.ts";
import { passTime } from "../harness/passTime.ts";
import { eventually } from "../harness/wait.ts";

const WEST_KEY = Buffer.from("west-key-16bytes");
const NORTH_KEY = Buffer.from("north-key16bytes");
const KEY_PATH = `/keys/?kid=${KEY_ID}&x=a%2Fb`;
const LICENCE_PATH = `/keys/Widevine/?kid=${KEY_ID}`;
const TIMEOUT_MS = 150;
/** How often the gateway looks at its time limits. */
const TICK_MS = 5;

const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

interface KeyHost {
  readonly url: string;
  readonly seen: Seen[];
  /** Connections that the other side has closed. */
  readonly closed: () => number;
}

async function listenOn(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stops.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await Promise.resolve();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A real key host that answers as told, after it has read the request. */
async function keyHost(answer: RequestListener): Promise<KeyHost> {
  const seen: Seen[] = [];
  let closed = 0;
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      seen.push({ method: incoming.method, url: incoming.url, headers: incoming.headers, body: Buffer.concat(chunks).toString() });
      answer(incoming, outgoing);
    });
  });
  server.on("connection", (socket) => socket.on("close", () => (closed += 1)));
  return { url: await listenOn(server), seen, closed: () => closed };
}

const giving =
  (
    body: Buffer | string,
    status = 200,
    headers: Record<string, string> = { "content-type": "application/octet-stream" },
  ): RequestListener =>
  (_, outgoing) => {
    outgoing.writeHead(status, headers).end(body);
  };

/** What a key host can do wrong, as it looks from outside. */
const FAULTS: Readonly<Record<string, { readonly url: () => Promise<string>; readonly reason: string; readonly status: number }>> = {
  "nothing listens": { url: refusing, reason: "refused", status: 502 },
  "a black hole": { url: async () => listenOn(createTcpServer(() => undefined)), reason: "timeout", status: 504 },
  "a connection that cannot be made": { url: async () => silentHost(stops), reason: "timeout", status: 504 },
  "a reset": {
    url: async () => listenOn(createTcpServer((socket) => socket.once("data", () => socket.resetAndDestroy()))),
    reason: "reset",
    status: 502,
  },
  "a status of 503": { url: async () => (await keyHost(giving("upstream secret text", 503))).url, reason: "status", status: 502 },
  "a redirect elsewhere": {
    url: async () => (await keyHost(giving("", 302, { location: "http://evil.example/" }))).url,
    reason: "status",
    status: 502,
  },
  "a login page": {
    url: async () => (await keyHost(giving("<!DOCTYPE html><html>", 200, { "content-type": "text/html" }))).url,
    reason: "body",
    status: 502,
  },
  "a login page in disguise": { url: async () => (await keyHost(giving("\n<HTML>upstream secret text"))).url, reason: "body", status: 502 },
  "a short key": { url: async () => (await keyHost(giving("only 15 bytes.."))).url, reason: "key_length", status: 502 },
  "headers that do not come": {
    url: async () => (await keyHost(() => undefined)).url,
    reason: "timeout",
    status: 504,
  },
  "half a body": {
    url: async () => (await keyHost((_, outgoing) => outgoing.writeHead(200, { "content-length": "16" }).write("eight by"))).url,
    reason: "timeout",
    status: 504,
  },
  "a body cut off": { url: async () => (await keyHost(cutOff)).url, reason: "truncated", status: 502 },
  "no HTTP": { url: async () => listenOn(createTcpServer((socket) => socket.end("SSH-2.0-OpenSSH\r\n"))), reason: "reset", status: 502 },
};

function cutOff(_: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.writeHead(200, { "content-length": "16" }).write("eight by", () => outgoing.destroy());
}

/** Port 1 of loopback: reserved, and nothing listens there. */
async function refusing(): Promise<string> {
  return Promise.resolve("http://127.0.0.1:1");
}

interface StartOptions {
  readonly west: string;
  readonly north?: string | null;
  readonly gateway?: Readonly<Record<string, unknown>>;
}

/** The time limits are those of a clock that stands still: only `pass` makes an answer late, and no pause of the machine. */
async function start({ west, north, gateway = {} }: StartOptions) {
  const northUrl = north === undefined ? (await keyHost(giving(NORTH_KEY))).url : north;
  const regions = [
    { name: "westeurope", streaming: "http://127.0.0.1:1", keys: `${west}/base` },
    ...(northUrl === null ? [] : [{ name: "northeurope", streaming: "http://127.0.0.1:2", keys: northUrl }]),
  ];
  const http = new RegionHttpClient({ origins: regions.map(({ keys }) => ({ url: keys, ca: null })) });
  const clock = new ManualClock();
  const world = buildWorld({
    regions,
    clock,
    gateway: { ...gateway, keys: { timeout: `${TIMEOUT_MS}ms`, hedge: "0s", mode: "proxy", ...(gateway["keys"] as object) } },
  });
  world.catalogue.list = [EVERYWHERE];
  const app = buildGateway({ ...world, log: world.logs.log, pools: http, ready: () => true });
  const server = await GatewayServer.listen({ app, listen: { host: "127.0.0.1", port: 0 }, clock: systemClock, targets: "raw" });
  stops.push(
    async () => server.close(100),
    async () => http[Symbol.asyncDispose](),
  );
  const pass = async (until: string, holds: () => boolean): Promise<void> => passTime(clock, TICK_MS, until, holds);
  return { ...world, server, pass };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

async function ask(
  server: GatewayServer,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<Answer> {
  const outgoing = httpRequest({
    host: "127.0.0.1",
    port: server.address.port,
    path,
    method: options.method ?? "GET",
    headers: options.headers,
    agent: false,
  });
  outgoing.end(options.body);
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks) };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  await eventually(20_000, what, async () => Promise.resolve(holds() ? true : null));
}

describe("a proxied key", () => {
  it("comes from the first region with path, query and base path byte for byte, and says so", async () => {
    const west = await keyHost(giving(WEST_KEY));
    const { server, outcomes, metrics } = await start({ west: west.url });
    const answer = await ask(server, KEY_PATH);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual(WEST_KEY);
    expect(answer.headers).toMatchObject({
      "content-type": "application/octet-stream",
      "content-length": "16",
      "cache-control": "no-store",
      "access-control-allow-origin": "*",
      "x-paircast-reason": "primary",
      "x-paircast-origin": "westeurope",
    });
    expect(west.seen[0]).toMatchObject({ method: "GET", url: `/base/?kid=${KEY_ID}&x=a%2Fb` });
    expect(outcomes.words).toEqual(["westeurope:ok"]);
    expect(await series(metrics, "paircast_requests_total", { kind: "key", mode: "proxy", code: "2xx" })).toBe(1);
  });

  it("takes a licence request's body and headers along, and its answer back", async () => {
    const west = await keyHost(
      giving("licence", 200, { "content-type": "text/xml", "set-cookie": "a=b", "access-control-allow-origin": "https://fixed.example" }),
    );
    const { server } = await start({ west: west.url });
    const headers = {
      authorization: "Bearer token-value",
      "content-type": "application/octet-stream",
      "x-axdrm-message": "message",
      "x-forwarded-for": "198.51.100.1",
      origin: "null",
    };
    const answer = await ask(server, LICENCE_PATH, { method: "POST", headers, body: "challenge" });
    expect([answer.status, answer.body.toString()]).toEqual([200, "licence"]);
    expect(answer.headers["content-type"]).toBe("text/xml");
    expect(answer.headers["set-cookie"]).toBeUndefined();
    expect(answer.headers["access-control-allow-origin"]).toBe("*");
    expect(west.seen[0]).toMatchObject({ method: "POST", url: `/base/Widevine/?kid=${KEY_ID}`, body: "challenge" });
    expect(west.seen[0]?.headers).toMatchObject({
      authorization: "Bearer token-value",
      "x-axdrm-message": "message",
      "x-forwarded-for": "127.0.0.1",
      host: new URL(west.url).host,
    });
    expect(west.seen[0]?.headers["origin"]).toBeUndefined();
    expect(west.seen[0]?.headers["x-request-id"]).toBe(answer.headers["x-request-id"]);
  });

  it("answers HEAD without a body", async () => {
    const { server } = await start({ west: (await keyHost(giving(WEST_KEY))).url });
    const answer = await ask(server, KEY_PATH, { method: "HEAD" });
    expect([answer.status, answer.body.length]).toEqual([200, 0]);
  });

  it.each(Object.entries(FAULTS))("%s: the next region answers, and health hears of it", async (_, fault) => {
    const { server, outcomes, metrics, clock, pass } = await start({ west: await fault.url() });
    const asked = ask(server, KEY_PATH);
    const began = clock.monotonic();
    if (fault.reason === "timeout") await pass("the first region to be late", () => outcomes.observed.length > 0);
    const answer = await asked;
    expect(answer.body).toEqual(NORTH_KEY);
    expect(answer.headers).toMatchObject({ "x-paircast-reason": "failover", "x-paircast-origin": "northeurope" });
    expect(clock.monotonic() - began).toBeLessThanOrEqual(fault.reason === "timeout" ? TIMEOUT_MS * 2 : 0);
    expect(outcomes.words).toEqual([`westeurope:${fault.reason}`, "northeurope:ok"]);
    expect(await series(metrics, "paircast_upstream_failures_total", { origin: "westeurope", service: "keys", reason: fault.reason })).toBe(
      1,
    );
  });

  it.each(Object.entries(FAULTS))("%s everywhere: an error of the gateway's own, with Retry-After", async (_, fault) => {
    const { server, outcomes, pass } = await start({ west: await fault.url(), north: await fault.url() });
    const asked = ask(server, KEY_PATH);
    if (fault.reason === "timeout") await pass("both regions to be late", () => outcomes.observed.length > 1);
    const answer = await asked;
    expect(answer.status).toBe(fault.status);
    expect(answer.headers).toMatchObject({ "retry-after": "5", "x-paircast-reason": "unavailable", "x-paircast-origin": "none" });
    expect(JSON.parse(answer.body.toString())).toEqual({
      error: "key_unavailable",
      message: "no key server gave a usable answer",
      requestId: answer.headers["x-request-id"],
    });
  });

  it("repeats a licence request's body at the next region", async () => {
    const west = await keyHost(giving("", 500));
    const north = await keyHost(giving("licence"));
    const { server } = await start({ west: west.url, north: north.url });
    const answer = await ask(server, LICENCE_PATH, { method: "POST", body: "challenge" });
    expect(answer.body.toString()).toBe("licence");
    expect([west.seen[0]?.body, north.seen[0]?.body]).toEqual(["challenge", "challenge"]);
  });

  it.each([[400], [401], [403], [415]])(
    "%i of the key host is passed on as it is, with a body of our own, and is nobody's failure",
    async (status) => {
      const north = await keyHost(giving(NORTH_KEY));
      const west = await keyHost(giving("upstream secret text", status, { "www-authenticate": 'Bearer error="upstream secret text"' }));
      const { server, outcomes } = await start({ west: west.url, north: north.url });
      const answer = await ask(server, KEY_PATH, { headers: { authorization: "Bearer wrong" } });
      expect(answer.status).toBe(status);
      expect(answer.body.toString() + JSON.stringify(answer.headers)).not.toContain("upstream");
      expect(answer.headers["www-authenticate"]).toBe(status === 401 ? "Bearer" : undefined);
      expect([north.seen, outcomes.observed]).toEqual([[], []]);
    },
  );

  it("429 of one region: the next one, and nobody is ill", async () => {
    const { server, outcomes } = await start({ west: (await keyHost(giving("", 429))).url });
    expect((await ask(server, KEY_PATH)).body).toEqual(NORTH_KEY);
    expect(outcomes.words).toEqual(["northeurope:ok"]);
  });

  it("a key whose whereabouts are not known is looked for in every region", async () => {
    const { server, catalogue, outcomes } = await start({
      west: (await keyHost(giving("", 404))).url,
      gateway: { keys: { mode: "auto" } },
    });
    catalogue.list = [];
    const answer = await ask(server, KEY_PATH);
    expect(answer.body).toEqual(NORTH_KEY);
    expect(answer.headers["x-paircast-reason"]).toBe("failover");
    expect(outcomes.words).toEqual(["northeurope:ok"]);
  });

  it("a key that no region has is 404", async () => {
    const nowhere = await keyHost(giving("upstream secret text", 404));
    const { server, catalogue } = await start({ west: nowhere.url, north: (await keyHost(giving("", 410))).url });
    catalogue.list = [];
    const answer = await ask(server, KEY_PATH);
    expect([answer.status, answer.headers["x-paircast-reason"]]).toEqual([404, "not_found"]);
    expect(answer.body.toString()).not.toContain("upstream");
  });

  it("is asked for only where the catalogue has it verified", async () => {
    const west = await keyHost(giving(WEST_KEY));
    const { server, catalogue } = await start({ west: west.url });
    catalogue.list = [entry({ northeurope: "verified" })];
    expect((await ask(server, KEY_PATH)).body).toEqual(NORTH_KEY);
    expect(west.seen).toEqual([]);
  });

  it("fails closed where configured: 503 without asking", async () => {
    const west = await keyHost(giving(WEST_KEY));
    const { server, health } = await start({ west: west.url, gateway: { whenNoneEligible: "closed" } });
    for (const region of ["westeurope", "northeurope"]) health.set(region, "keys", "unhealthy", "timeout");
    const answer = await ask(server, KEY_PATH);
    expect([answer.status, answer.headers["retry-after"], west.seen.length]).toEqual([503, "5", 0]);
  });

  it("mode auto proxies what a redirect would lose, and redirects the rest", async () => {
    const { server, catalogue } = await start({ west: (await keyHost(giving(WEST_KEY))).url, gateway: { keys: { mode: "auto" } } });
    const statusWith = async (headers: Record<string, string>, method = "GET") => (await ask(server, KEY_PATH, { method, headers })).status;
    expect(await statusWith({})).toBe(307);
    expect(await statusWith({ authorization: "Bearer x" })).toBe(200);
    expect(await statusWith({ cookie: "a=b" })).toBe(200);
    expect(await statusWith({}, "POST")).toBe(200);
    catalogue.list = [];
    expect(await statusWith({})).toBe(200);
  });
});

describe("limits", () => {
  const BIG = 65_537;

  it.each([
    ["announced", { "content-length": String(BIG) }],
    ["chunked", { "transfer-encoding": "chunked" }],
  ])("a request body over 64 KB, %s: 413, and no key host hears of it", async (_, headers) => {
    const west = await keyHost(giving(WEST_KEY));
    const { server, metrics } = await start({ west: west.url });
    const answer = await ask(server, LICENCE_PATH, { method: "POST", headers, body: Buffer.alloc(BIG) });
    expect([answer.status, answer.headers["x-paircast-reason"], west.seen.length]).toEqual([413, "body_too_large", 0]);
    expect(await series(metrics, "paircast_rejections_total", { reason: "body_too_large" })).toBe(1);
  });

  it("a request body of exactly 64 KB passes", async () => {
    const west = await keyHost(giving("licence"));
    const { server } = await start({ west: west.url });
    const answer = await ask(server, LICENCE_PATH, {
      method: "POST",
      headers: { "transfer-encoding": "chunked" },
      body: Buffer.alloc(BIG - 1, "x"),
    });
    expect([answer.status, west.seen[0]?.body.length]).toEqual([200, BIG - 1]);
  });

  it("an answer over 64 KB is not passed on, and does not speak against the region's health", async () => {
    const { server, outcomes } = await start({ west: (await keyHost(giving(Buffer.alloc(BIG)))).url, north: null });
    const answer = await ask(server, LICENCE_PATH, { method: "POST", body: "challenge" });
    expect([answer.status, outcomes.observed]).toEqual([502, []]);
  });
});

describe("a client that goes away", () => {
  it("ends the key host's request too, and is nobody's failure", async () => {
    const asked = Promise.withResolvers<void>();
    const west = await keyHost(() => {
      asked.resolve();
    });
    const { server, outcomes, logs, metrics } = await start({ west: west.url, gateway: { keys: { timeout: "30s" } } });
    const client = httpRequest({ host: "127.0.0.1", port: server.address.port, path: KEY_PATH, agent: false });
    client.on("error", () => undefined);
    client.end();
    await asked.promise;
    client.destroy();
    await until("the key host's connection closes", () => west.closed() === 1);
    await until("the request is logged", () => logs.of("gateway.request").length === 1);
    expect(logs.of("gateway.request")[0]).toMatchObject({ status: 499, reason: "client_gone" });
    expect(logs.lines).toHaveLength(1);
    expect(outcomes.observed).toEqual([]);
    expect(await series(metrics, "paircast_client_gone_total", {})).toBe(1);
  });

  it("in the middle of its body is the same", async () => {
    const west = await keyHost(giving(WEST_KEY));
    const { server, logs, outcomes } = await start({ west: west.url });
    const headers = { "content-length": "100", expect: "100-continue" };
    const client = httpRequest({ host: "127.0.0.1", port: server.address.port, path: LICENCE_PATH, method: "POST", headers, agent: false });
    client.on("error", () => undefined);
    client.flushHeaders();
    await once(client, "continue");
    client.write("half");
    client.destroy();
    await until("the request is logged", () => logs.of("gateway.request").length === 1);
    expect(logs.of("gateway.request")[0]).toMatchObject({ status: 499 });
    expect([west.seen, outcomes.observed]).toEqual([[], []]);
  });
});

describe("secrets", () => {
  it("no key, token or licence reaches the log or an outcome, whatever the key host does", async () => {
    const secret = "s3cr3tT0kenValue0123456789";
    const echoes: RequestListener = (incoming, outgoing) => {
      outgoing.writeHead(500, { "x-echo": secret }).end(`${incoming.url ?? ""} ${incoming.headers.authorization ?? ""} ${secret}`);
    };
    for (const west of [(await keyHost(giving(`${secret.slice(0, 16)}`))).url, (await keyHost(echoes)).url, await refusing()]) {
      const { server, logs, outcomes, metrics } = await start({ west, north: null });
      const headers = { authorization: `Bearer ${secret}`, cookie: `s=${secret}`, "x-axdrm-message": secret };
      const answer = await ask(server, `${KEY_PATH}&token=Bearer%20${secret}`, { headers });
      await ask(server, `${LICENCE_PATH}&token=${secret}`, { method: "POST", headers, body: secret });
      expect(logs.lines).toHaveLength(2);
      const told = logs.lines.join("") + JSON.stringify(outcomes.observed) + (await metrics.registry.metrics());
      expect(told).not.toContain(secret.slice(0, 16));
      if (answer.status !== 200) expect(answer.body.toString() + JSON.stringify(answer.headers)).not.toContain(secret);
    }
  });
});
