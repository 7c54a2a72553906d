/** The short ways against the application: the same request to both, over sockets, must get the same answer. */
import { Agent, createServer, request as httpRequest, type IncomingMessage } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { HEALTH_STATUSES } from "../../src/core/contracts.ts";
import { RegionHttpClient } from "../../src/core/http.ts";
import { buildGateway } from "../../src/gateway/app.ts";
import { GatewayServer } from "../../src/gateway/server.ts";
import { buildWorld, entry, EVERYWHERE, KEY_ID, LOCATOR, series, type World } from "../gateway/world.ts";

const LOOPBACK = { host: "127.0.0.1", port: 0 };
const ELSEWHERE = "99999999-5d43-4f31-9d52-4f4f0e8d2f63";

interface Shape {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** A key host that tells what it was asked. */
const keyHost = createServer((incoming, outgoing) => {
  const chunks: Buffer[] = [];
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
  incoming.on("end", () => {
    const { headers, method, url = "" } = incoming;
    const status = Number(/status=(\d{3})/.exec(url)?.[1] ?? 200);
    const told = JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString() });
    outgoing.writeHead(status, { "content-type": "application/json", "set-cookie": "a=b" });
    outgoing.end(url.includes("Widevine") ? told : "sixteen bytes k.");
  });
});

const stack = new AsyncDisposableStack();
/** Who says `Connection: close` does not get the short way. */
const agent = stack.adopt(new Agent({ keepAlive: true }), (each) => {
  each.destroy();
});
const whole: { world: World; server: GatewayServer }[] = [];

/** Both gateways have a world of their own, made and changed alike. */
async function gateway(short: boolean, regions: NonNullable<Parameters<typeof buildWorld>[0]["regions"]>): Promise<void> {
  const world = buildWorld({ clock: systemClock, regions, gateway: { keys: { hedge: "0s", timeout: "60s" } } });
  const http = stack.use(
    new RegionHttpClient({ origins: regions.flatMap(({ keys }) => (keys === null ? [] : [{ url: keys, ca: null }])) }),
  );
  const app = buildGateway({ ...world, log: world.logs.log, pools: http, ready: () => true });
  let taken = 0;
  const answerNow: typeof app.answerNow = (incoming, outgoing) => {
    const answered = app.answerNow(incoming, outgoing);
    if (answered) taken += 1;
    return answered;
  };
  shortAnswers = () => taken;
  const listened = short ? { fetch: app.fetch, answerNow } : { fetch: app.fetch };
  const server = stack.use(
    await GatewayServer.listen({ app: listened, listen: LOOPBACK, clock: systemClock, targets: "raw", graceMs: 100 }),
  );
  whole.push({ world, server });
}

let shortAnswers = (): number => 0;

beforeAll(async () => {
  keyHost.listen(0, "127.0.0.1");
  await once(keyHost, "listening");
  const keys = `http://127.0.0.1:${(keyHost.address() as AddressInfo).port}`;
  const regions = [
    { name: "westeurope", streaming: "https://we.streaming.example", keys: `${keys}/base` },
    { name: "northeurope", streaming: "https://ne.streaming.example/origin", keys: `${keys.replace("127.0.0.1", "localhost")}/north` },
  ];
  await gateway(false, regions);
  await gateway(true, regions);
});

afterAll(async () => {
  await stack.disposeAsync();
  keyHost.closeAllConnections();
  keyHost.close();
});

async function ask(server: GatewayServer, { method, target, headers, body }: Shape): Promise<Answer> {
  const outgoing = httpRequest({ ...server.address, path: target, method, headers: headers as Record<string, string>, agent });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of incoming.setEncoding("latin1")) text += String(chunk);
  const { date: _, ...told } = incoming.headers;
  return { status: incoming.statusCode, headers: told, body: text };
}

const segment = fc.constantFrom(
  "video.ism",
  "manifest(format=m3u8-cmaf)",
  "manifest%28format=mpd%29",
  "a.m3u8",
  "b.mpd",
  "seg-1.m4s",
  "..",
  "%2e",
  "%zz",
  "",
);
const path = fc.oneof(
  fc.constantFrom(`/${LOCATOR}/video.ism/manifest(format=m3u8-cmaf)`, `/${LOCATOR}/a.mpd`, `/${LOCATOR}/token=abc/seg-1.m4s`),
  fc
    .tuple(fc.constantFrom(LOCATOR, LOCATOR.toUpperCase(), ELSEWHERE, "vod/movie", "unknown"), fc.array(segment, { maxLength: 3 }))
    .map(([first, rest]) => `/${[first, ...rest].join("/")}`),
  fc.constantFrom("/healthz", "/keys", "/keys/", "/keys/Widevine/", "/keysmith/", "//evil.example/", `/keys/${LOCATOR}/${KEY_ID}`),
);
const query = fc.constantFrom(
  "",
  "?",
  "?a=b%2Fc&d",
  `?kid=${KEY_ID}`,
  `?kid=${KEY_ID}&status=404`,
  "?status=403",
  "?status=500",
  "?x=%zz",
  "?token=a.b-c_d~",
  "?q='\"{}|",
);
const fields = fc.record(
  {
    host: fc.constantFrom("gateway.example", "GATEWAY.example:8080", "keys.gateway.example", "bad host", "a/b"),
    "x-request-id": fc.constantFrom("request-0001", "short", "with blank", "eyJhbGciOi.abc.def"),
    authorization: fc.constant("Bearer token-value"),
    cookie: fc.constant("a=b"),
    "user-agent": fc.constant("player/1"),
    connection: fc.constantFrom("keep-alive", "close", "user-agent, keep-alive"),
    traceparent: fc.constantFrom("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "nonsense"),
  },
  { requiredKeys: ["x-request-id"] },
);
const asked: fc.Arbitrary<Shape> = fc
  .record({
    method: fc.constantFrom("GET", "GET", "GET", "HEAD", "POST", "PUT"),
    path,
    query,
    fields,
    body: fc.constantFrom("", "challenge"),
  })
  .map(({ method, path: where, query: what, fields: headers, body }) => {
    const sent = method === "POST" ? body : "";
    return { method, target: where + what, headers: { ...headers, "content-length": String(sent.length) }, body: sent };
  })
  .map((shape) => (shape.method === "POST" ? shape : { ...shape, headers: without(shape.headers, "content-length") }));

function without(headers: Shape["headers"], name: string): Shape["headers"] {
  return Object.fromEntries(Object.entries(headers).filter(([each]) => each !== name));
}

const worlds = fc.record({
  streaming: fc.tuple(fc.constantFrom(...HEALTH_STATUSES), fc.constantFrom(...HEALTH_STATUSES)),
  keys: fc.tuple(fc.constantFrom(...HEALTH_STATUSES), fc.constantFrom(...HEALTH_STATUSES)),
  west: fc.constantFrom("verified" as const, "withdrawn" as const),
  catalogued: fc.boolean(),
});

/** What is the gateway's own choice in every request, and no part of the answer's meaning. */
function comparable({ status, headers, body }: Answer): Answer {
  const own = { ...headers };
  const id = String(own["x-request-id"]);
  // An id that the gateway made is another one each time, and so is the span that it tells a key host.
  const made = /^00000000-0000-4000-8000-\d{12}$/.test(id);
  if (made) own["x-request-id"] = "(made)";
  const text = (made ? body.replaceAll(id, "(made)") : body).replace(
    /(\\"|")traceparent(\\"|"):(\\"|")00-(\w{32})-\w{16}/g,
    "traceparent $4",
  );
  return { status, headers: own, body: text };
}

describe("the short ways", () => {
  it("answer as the application does, whatever is asked and however the regions are", async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(worlds, fc.array(asked, { minLength: 4, maxLength: 12 }), async (state, requests) => {
        for (const { world } of whole) {
          world.catalogue.list = state.catalogued
            ? [state.west === "verified" ? EVERYWHERE : entry({ westeurope: "withdrawn", northeurope: "verified" })]
            : [];
          for (const [index, region] of ["westeurope", "northeurope"].entries()) {
            world.health.set(region, "streaming", state.streaming[index] ?? "unknown", "status");
            world.health.set(region, "keys", state.keys[index] ?? "unknown", "status");
          }
        }
        for (const shape of requests) {
          const [application, shortened] = await Promise.all(whole.map(async ({ server }) => ask(server, shape)));
          if (application === undefined || shortened === undefined) throw new Error("two answers are compared");
          expect(comparable(shortened), JSON.stringify(shape)).toEqual(comparable(application));
          compared += 1;
        }
      }),
      { numRuns: 80 },
    );
    // A property that compares the application with itself would prove nothing.
    expect(shortAnswers()).toBeGreaterThan(compared / 5);
  });

  it("count and log as the application does", async () => {
    const shapes: Shape[] = [
      {
        method: "GET",
        target: `/${LOCATOR}/video.ism/manifest(format=m3u8-cmaf)?token=secret`,
        headers: { "x-request-id": "request-0001" },
        body: "",
      },
      { method: "HEAD", target: `/${LOCATOR}/token=secret/seg.m4s`, headers: { "x-request-id": "eyJhbGciOi.abc.def" }, body: "" },
      {
        method: "POST",
        target: `/keys/Widevine/?kid=${KEY_ID}`,
        headers: { "x-request-id": "request-0003", "content-length": "1" },
        body: "c",
      },
    ];
    const told = await Promise.all(
      whole.map(async ({ world, server }) => {
        world.catalogue.list = [EVERYWHERE];
        for (const region of ["westeurope", "northeurope"]) {
          world.health.set(region, "streaming", region === "westeurope" ? "unhealthy" : "healthy", "status");
          world.health.set(region, "keys", "healthy");
        }
        const before = await counts(world);
        const from = world.logs.lines.length;
        for (const shape of shapes) await ask(server, shape);
        const lines = world.logs.lines.slice(from).map((line) => JSON.parse(line) as Record<string, unknown>);
        const after = await counts(world);
        return {
          lines: lines.map((line) => ({ ...line, time: null, ms: null })),
          counted: after.map((count, index) => count - (before[index] ?? 0)),
        };
      }),
    );
    expect(told[1]).toEqual(told[0]);
    expect(told[0]?.lines).toHaveLength(3);
    expect(told[0]?.counted).toEqual([1, 1, 1, 2, 2]);
    expect(JSON.stringify(told)).not.toContain("secret");
    expect(JSON.stringify(told)).not.toContain("eyJ");
  });

  it("tell the time as node does", async () => {
    for (const { server } of whole) {
      const before = systemClock.now();
      const outgoing = httpRequest({ ...server.address, path: `/${LOCATOR}/a.m3u8`, agent }).end();
      const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
      incoming.resume();
      const told = Date.parse(incoming.headers.date ?? "");
      // The field has whole seconds, and both keep it for a second.
      expect(told).toBeGreaterThan(before - 2_000);
      expect(told).toBeLessThanOrEqual(systemClock.now());
    }
  });
});

async function counts(world: World): Promise<number[]> {
  const values = [
    await series(world.metrics, "paircast_requests_total", { kind: "manifest", mode: "redirect", code: "3xx" }),
    await series(world.metrics, "paircast_requests_total", { kind: "media", mode: "redirect", code: "3xx" }),
    await series(world.metrics, "paircast_requests_total", { kind: "key", mode: "proxy", code: "2xx" }),
    await series(world.metrics, "paircast_locator_lookups_total", { result: "catalogue" }),
    await series(world.metrics, "paircast_routed_requests_total", { kind: "manifest", origin: "northeurope" }),
  ];
  const media = await series(world.metrics, "paircast_routed_requests_total", { kind: "media", origin: "northeurope" });
  return values.map((value, index) => (value ?? 0) + (index === 4 ? (media ?? 0) : 0));
}
