/** Trace context and the sampled access log, over sockets: by the short way and by the application, and on to a key host. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { request } from "undici";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { RegionHttpClient } from "../../src/core/http.ts";
import { buildGateway } from "../../src/gateway/app.ts";
import { GatewayServer } from "../../src/gateway/server.ts";
import { buildWorld, EVERYWHERE, KEY_ID, LOCATOR } from "../gateway/world.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT = `00-${TRACE}-00f067aa0ba902b7-01`;
const MANIFEST = `/${LOCATOR}/video.ism/manifest(format=m3u8-cmaf)`;

let keyHost: Server;
let asked: IncomingHttpHeaders[];
let stops: (() => Promise<void>)[];

beforeEach(async () => {
  asked = [];
  stops = [];
  keyHost = createServer((incoming, outgoing) => {
    asked.push(incoming.headers);
    outgoing.end(Buffer.alloc(16, 7));
  });
  keyHost.listen(0, "127.0.0.1");
  await once(keyHost, "listening");
});

afterEach(async () => {
  for (const stop of stops.toReversed()) await stop();
  keyHost.close().closeAllConnections();
});

async function gateway(settings: Readonly<Record<string, unknown>>) {
  const keys = `http://127.0.0.1:${(keyHost.address() as AddressInfo).port}`;
  const regions = [
    { name: "west", streaming: "https://west.streaming.example", keys },
    { name: "north", streaming: "https://north.streaming.example", keys: null },
  ];
  const world = buildWorld({ clock: systemClock, regions, gateway: settings });
  world.catalogue.list = [
    { ...EVERYWHERE, regions: { west: { state: "verified", at: 1, detail: "" }, north: { state: "verified", at: 1, detail: "" } } },
  ];
  const http = new RegionHttpClient({ origins: [{ url: keys, ca: null }] });
  const app = buildGateway({ ...world, log: world.logs.log, pools: http, ready: () => true });
  const server = await GatewayServer.listen({ app, listen: { host: "127.0.0.1", port: 0 }, clock: systemClock, targets: "raw" });
  stops.push(
    async () => http[Symbol.asyncDispose](),
    async () => server.close(100),
  );
  const ask = async (path: string, headers: Record<string, string> = {}, method: "GET" | "POST" = "GET") => {
    const answer = await request(`${server.url}${path}`, { method, headers, body: method === "POST" ? "challenge" : null });
    await answer.body.dump();
    return answer.statusCode;
  };
  return { ask, world, lines: () => world.logs.of("gateway.request") };
}

describe("a traceparent that comes in", () => {
  it.each([
    ["by the short way", {}],
    ["by the application", { "content-length": "0" }],
  ])("is named in the access log: %s", async (_, extra) => {
    const { ask, lines } = await gateway({});
    await ask(MANIFEST, { traceparent: TRACEPARENT, ...extra });
    await ask(MANIFEST, { traceparent: "00-nonsense", ...extra });
    await ask(MANIFEST, extra);
    expect(lines().map((line) => line["traceId"])).toEqual([TRACE, undefined, undefined]);
    expect(lines().map((line) => line["reason"])).toEqual(["primary", "primary", "primary"]);
  });

  it("goes on to the key host with a span of the gateway's own, and the vendors' part as it is", async () => {
    const { ask, lines } = await gateway({});
    await ask(`/keys/?kid=${KEY_ID}`, { traceparent: TRACEPARENT, tracestate: "vendor=1" }, "POST");
    const [headers] = asked;
    expect(headers?.["traceparent"]).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
    expect(headers?.["traceparent"]).not.toBe(TRACEPARENT);
    expect(headers?.["tracestate"]).toBe("vendor=1");
    expect(lines()[0]?.["traceId"]).toBe(TRACE);
  });

  it("does not go on where it is not valid, and neither does its tracestate", async () => {
    const { ask } = await gateway({});
    await ask(`/keys/?kid=${KEY_ID}`, { traceparent: `00-${"0".repeat(32)}-00f067aa0ba902b7-01`, tracestate: "vendor=1" }, "POST");
    expect(asked[0]).not.toHaveProperty("traceparent");
    expect(asked[0]).not.toHaveProperty("tracestate");
  });

  it("is ignored where tracing is off", async () => {
    const { ask, lines } = await gateway({ tracing: "off" });
    await ask(MANIFEST, { traceparent: TRACEPARENT });
    await ask(`/keys/?kid=${KEY_ID}`, { traceparent: TRACEPARENT }, "POST");
    expect(lines().map((line) => line["traceId"])).toEqual([undefined, undefined]);
    expect(asked[0]).not.toHaveProperty("traceparent");
  });
});

it("a traceparent is made where none comes in, if configured, and the same is logged and sent on", async () => {
  const { ask, lines } = await gateway({ tracing: "generate" });
  await ask(MANIFEST);
  await ask(`/keys/?kid=${KEY_ID}`, {}, "POST");
  const [redirected, proxied] = lines().map((line) => String(line["traceId"]));
  expect(redirected).toMatch(/^[0-9a-f]{32}$/);
  expect(asked[0]?.["traceparent"]).toMatch(new RegExp(`^00-${proxied}-[0-9a-f]{16}-00$`));
});

describe("a sampled access log", () => {
  it("leaves ordinary requests to chance, and keeps errors and failovers", async () => {
    // The world's chance is always 0.5.
    const { ask, lines, world } = await gateway({ accessLog: { sample: 0.4 } });
    await ask(MANIFEST);
    await ask(MANIFEST, { "content-length": "0" });
    expect(lines()).toEqual([]);
    await ask("/nowhere");
    world.health.set("west", "streaming", "unhealthy", "timeout");
    await ask(MANIFEST);
    expect(lines().map((line) => [line["status"], line["reason"]])).toEqual([
      [404, "path"],
      [302, "failover"],
    ]);
  });

  it("keeps what chance takes", async () => {
    const { ask, lines } = await gateway({ accessLog: { sample: 0.6 } });
    await ask(MANIFEST);
    expect(lines()).toHaveLength(1);
  });

  it("false logs nothing", async () => {
    const { ask, lines } = await gateway({ accessLog: false });
    await ask("/nowhere");
    expect(lines()).toEqual([]);
  });
});
