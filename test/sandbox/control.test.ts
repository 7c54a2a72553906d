import { getRequestListener } from "@hono/node-server";
import { request } from "undici";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { PaircastError } from "../../src/core/errors.ts";
import { silentLog, type Log } from "../../src/core/log.ts";
import { createAuthority } from "../../src/sandbox/certificates.ts";
import { SANDBOX_SERVICES, type SandboxService } from "../../src/sandbox/contracts.ts";
import { controlApp, type ControlDeps, type ControlledRegion, type PublishRequest } from "../../src/sandbox/control.ts";
import { EventGrid } from "../../src/sandbox/events/eventGrid.ts";
import { FaultServer } from "../../src/sandbox/faultServer.ts";
import { CALM, JobBehaviour } from "../../src/sandbox/management/jobBehaviour.ts";
import type { PublishedVideo } from "../../src/sandbox/publish.ts";
import { seededRandom } from "../fakes/clock.ts";
import { EventReceiver } from "../harness/eventReceiver.ts";

const PAGE = "http://127.0.0.1:9090";
const VIDEO: PublishedVideo = {
  name: "sample",
  locatorId: "11111111-2222-3333-4444-555555555555",
  hls: "/11111111-2222-3333-4444-555555555555/sample.ism/manifest(format=m3u8-cmaf)",
  dash: "/11111111-2222-3333-4444-555555555555/sample.ism/manifest(format=mpd-time-cmaf)",
  keyId: null,
  token: null,
  source: "westeurope",
  protection: "clear",
};

interface Region extends ControlledRegion {
  readonly servers: Readonly<Record<SandboxService, FaultServer>>;
}

let west: Region;
let north: Region;
let control: FaultServer;
let published: PublishRequest[] = [];
let publishFails: Error | null = null;
const warnings: string[] = [];
const log: Log = { ...silentLog, warn: (event) => warnings.push(event) };
const stack = new AsyncDisposableStack();

async function startRegion(name: string, tlsServices: readonly SandboxService[]): Promise<Region> {
  const tls = await (await createAuthority(systemClock)).issue(["127.0.0.1"]);
  const entries = await Promise.all(
    SANDBOX_SERVICES.map(async (service) => {
      const server = await FaultServer.start({
        label: `${name} ${service}`,
        host: "127.0.0.1",
        port: 0,
        tls: tlsServices.includes(service) ? tls : null,
        clock: systemClock,
        listener: (_req, res) => res.end("served"),
      });
      return [service, stack.use(server)] as const;
    }),
  );
  const servers = Object.fromEntries(entries) as Record<SandboxService, FaultServer>;
  const urls = Object.fromEntries(entries.map(([service, { origin }]) => [service, origin])) as Record<SandboxService, string>;
  return { name, urls, servers, encoding: desk(name) };
}

function desk(topic: string): ControlledRegion["encoding"] {
  const settings = { queuedMs: 1, scheduledMs: 2, processingMs: 3, ...CALM };
  const events = stack.use(new EventGrid({ topic, clock: systemClock, random: seededRandom(1), log: silentLog }));
  return { behaviour: new JobBehaviour(settings), events };
}

beforeAll(async () => {
  west = await startRegion("westeurope", []);
  north = await startRegion("northeurope", ["streaming", "keys"]);
  const deps: ControlDeps = {
    regions: [west, north],
    pageOrigins: () => [PAGE],
    videos: () => [VIDEO],
    publish: async (asked) => {
      published.push(asked);
      if (publishFails !== null) throw publishFails;
      return { ...VIDEO, source: asked.region, protection: asked.protection, name: asked.name ?? "chosen" };
    },
    log,
  };
  const serve = getRequestListener(controlApp(deps).fetch);
  const listener = (...exchange: Parameters<typeof serve>): void => void serve(...exchange);
  const port = { label: "control", host: "127.0.0.1", port: 0, tls: null, clock: systemClock };
  control = stack.use(await FaultServer.start({ ...port, listener }));
});
afterEach(async () => {
  published = [];
  publishFails = null;
  for (const { servers } of [west, north]) await Promise.all(SANDBOX_SERVICES.map(async (service) => servers[service].clear()));
});
afterAll(async () => stack.disposeAsync());

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

async function ask(method: "GET" | "POST" | "DELETE" | "OPTIONS", path: string, body?: unknown, headers = {}): Promise<Answer> {
  const sent = body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body);
  const answer = await request(`${control.origin}${path}`, { method, headers, body: sent });
  const text = await answer.body.text();
  return { status: answer.statusCode, headers: answer.headers, body: text === "" ? null : (JSON.parse(text) as unknown) };
}

function failed(code: string, message: RegExp): object {
  return { error: { code, message: expect.stringMatching(message) as string } };
}

function faults({ servers }: Region): Record<string, string | null> {
  return Object.fromEntries(SANDBOX_SERVICES.map((service) => [service, servers[service].current()?.kind ?? null]));
}

describe("faults", () => {
  it("breaks one service of one region and mends it", async () => {
    const broken = await ask("POST", "/regions/westeurope/faults", { service: "keys", kind: "status", status: 418 });
    expect(broken).toMatchObject({
      status: 200,
      body: { name: "westeurope", services: { keys: { fault: { kind: "status", status: 418 } }, streaming: { fault: null } } },
    });
    const answer = await request(west.urls.keys);
    expect(answer.statusCode).toBe(418);
    await answer.body.dump();
    expect((await ask("DELETE", "/regions/westeurope/faults")).status).toBe(200);
    expect(await (await request(west.urls.keys)).body.text()).toBe("served");
  });

  it("breaks everything with `all`, and mends one service with ?service=", async () => {
    await ask("POST", "/regions/westeurope/faults", { service: "all", kind: "refuse" });
    expect(faults(west)).toEqual({ streaming: "refuse", keys: "refuse", management: "refuse", storage: "refuse" });
    expect(faults(north)).toEqual({ streaming: null, keys: null, management: null, storage: null });
    for (const url of Object.values(west.urls)) await expect(request(url)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await ask("DELETE", "/regions/westeurope/faults?service=streaming");
    expect(faults(west)).toMatchObject({ streaming: null, keys: "refuse" });
  });

  it("applies a kind with `all` where it can be", async () => {
    await ask("POST", "/regions/northeurope/faults", { service: "all", kind: "wrong-key" });
    expect(faults(north)).toEqual({ streaming: null, keys: "wrong-key", management: null, storage: null });
    await ask("DELETE", "/regions/northeurope/faults");
    await ask("POST", "/regions/northeurope/faults", { service: "all", kind: "expired-cert" });
    expect(faults(north)).toEqual({ streaming: "expired-cert", keys: "expired-cert", management: null, storage: null });
  });

  it.each([
    [{ service: "storage", kind: "wrong-key" }, 400, /storage cannot have the fault wrong-key, only keys can/],
    [{ service: "keys", kind: "missing-segments" }, 400, /only streaming can/],
    [{ service: "streaming", kind: "expired-cert" }, 409, /speak plain HTTP: for expired-cert start the sandbox with TLS/],
    [{ service: "all", kind: "expired-cert" }, 409, /speak plain HTTP/],
  ])("refuses %j, which does not apply", async (body, status, message) => {
    const answer = await ask("POST", "/regions/westeurope/faults", body);
    expect(answer).toMatchObject({ status, body: failed("fault_not_applicable", message) });
    expect(Object.values(faults(west))).toEqual([null, null, null, null]);
  });

  it.each([
    ["not JSON", /must be a JSON object/],
    [[], /expected object/],
    [{ kind: "refuse" }, /service: .*"streaming"\|"keys"\|"management"\|"storage"\|"all"/],
    [{ service: "keys", kind: "explode" }, /kind: .*"refuse"\|"blackhole"\|"reset"/],
    [{ service: "keys", kind: "status", status: 42 }, /status: /],
    [{ service: "keys", kind: "slow", delayMs: -1 }, /delayMs: /],
    [{ service: "keys", kind: "slow", delay: 1 }, /delay/],
  ])("refuses the body %j and says what is allowed", async (body, message) => {
    expect(await ask("POST", "/regions/westeurope/faults", body)).toMatchObject({ status: 400, body: failed("bad_request", message) });
    expect(Object.values(faults(west))).toEqual([null, null, null, null]);
  });

  it("names the regions that there are, and limits bodies", async () => {
    const unknown = failed("unknown_region", /no region mars, only westeurope and northeurope/);
    expect(await ask("POST", "/regions/mars/faults", { service: "all", kind: "refuse" })).toMatchObject({ status: 404, body: unknown });
    expect(await ask("DELETE", "/regions/mars/faults")).toMatchObject({ status: 404, body: unknown });
    expect((await ask("DELETE", "/regions/westeurope/faults?service=moon")).status).toBe(400);
    expect((await ask("POST", "/regions/westeurope/faults", "x".repeat(20_000))).status).toBe(413);
    expect(await ask("GET", "/nothing")).toMatchObject({ status: 404, body: failed("not_found", /\/regions\/\{name\}\/faults/) });
  });
});

describe("what there is", () => {
  it("shows regions with URLs, faults and counts", async () => {
    await (await request(west.urls.streaming)).body.dump();
    await west.servers.keys.set({ kind: "slow", status: 503, delayMs: 5 });
    const { status, body } = await ask("GET", "/regions");
    expect(status).toBe(200);
    const streaming = { url: west.urls.streaming, fault: null, counts: west.servers.streaming.counts() };
    const keys = { url: west.urls.keys, fault: { kind: "slow", delayMs: 5 } };
    expect(body).toMatchObject({ regions: [{ name: "westeurope", services: { streaming, keys } }, { name: "northeurope" }] });
    expect(west.servers.streaming.counts().served).toBeGreaterThan(0);
  });

  it("shows videos", async () => {
    expect(await ask("GET", "/videos")).toMatchObject({ status: 200, body: { videos: [VIDEO] } });
  });
});

describe("publishing", () => {
  it("hands the request on, with defaults, and answers with the video", async () => {
    expect(await ask("POST", "/videos", { region: "northeurope" })).toMatchObject({
      status: 201,
      body: { name: "chosen", source: "northeurope", protection: "gateway-keys" },
    });
    expect((await ask("POST", "/videos", { region: "westeurope", protection: "clear", name: "my-copy-2", live: false })).status).toBe(201);
    expect(published).toEqual([
      { region: "northeurope", protection: "gateway-keys", name: null, live: false },
      { region: "westeurope", protection: "clear", name: "my-copy-2", live: false },
    ]);
  });

  it.each([
    [{}, 400],
    [{ region: "mars" }, 404],
    [{ region: "westeurope", protection: "drm" }, 400],
    [{ region: "westeurope", name: "../up" }, 400],
    [{ region: "westeurope", name: "a--b" }, 400],
    [{ region: "westeurope", name: "x".repeat(64) }, 400],
  ])("refuses %j with %i", async (body, status) => {
    expect((await ask("POST", "/videos", body)).status).toBe(status);
    expect(published).toEqual([]);
  });

  it.each([
    [new PaircastError("video_exists", "sample is there", { retry: "conflict" }), 409, failed("video_exists", /sample is there/)],
    [new PaircastError("account_unavailable", "no answer", { retry: "retry" }), 503, failed("account_unavailable", /no answer/)],
    [new PaircastError("publish_failed", "answered 400"), 502, failed("publish_failed", /answered 400/)],
    [new Error("password in here"), 500, failed("internal", /see the sandbox's log/)],
  ])("answers %s with %i", async (error, status, body) => {
    publishFails = error;
    warnings.length = 0;
    expect(await ask("POST", "/videos", { region: "westeurope" })).toMatchObject({ status, body });
    expect(warnings).toEqual(["sandbox.control_failed"]);
  });
});

describe("jobs and their events", () => {
  it("are changed in part, and put back", async () => {
    const fail = { code: "ServiceTransientError", retry: "DoNotRetry", times: 1 };
    const changed = await ask("POST", "/regions/westeurope/jobs", { processingMs: 50, stuck: "Scheduled", fail });
    const expected = { queuedMs: 1, scheduledMs: 2, processingMs: 50, stuck: "Scheduled", fail: { ...fail, atPercent: 0 }, api: null };
    expect(changed).toMatchObject({ status: 200, body: expected });
    expect((await ask("GET", "/regions/westeurope/jobs")).body).toMatchObject(expected);
    expect((await ask("GET", "/regions/northeurope/jobs")).body).toMatchObject({ processingMs: 3, stuck: null });
    expect((await ask("DELETE", "/regions/westeurope/jobs")).body).toEqual({ queuedMs: 1, scheduledMs: 2, processingMs: 3, ...CALM });
    expect((await ask("POST", "/regions/westeurope/events", { lost: 0.05, seed: 7 })).body).toMatchObject({
      lost: 0.05,
      doubled: 0,
      seed: 7,
    });
    expect((await ask("DELETE", "/regions/westeurope/events")).body).toMatchObject({ lost: 0, seed: null });
  });

  it("go to those who have shown that they want them", async () => {
    await using receiver = await EventReceiver.start();
    const destination = { kind: "webhook", url: `${receiver.url}?code=secret`, headers: { "x-secret": "1" } };
    const subscribed = await ask("POST", "/regions/westeurope/subscriptions", { name: "mine", destination });
    expect(subscribed).toMatchObject({ status: 201, body: { name: "mine", kind: "webhook", url: receiver.url } });
    expect(receiver.handshakes).toBe(1);
    expect(JSON.stringify(await ask("GET", "/regions/westeurope/subscriptions"))).not.toContain("secret");
    expect((await ask("DELETE", "/regions/westeurope/subscriptions/mine")).body).toEqual({ subscriptions: [] });
    expect((await ask("DELETE", "/regions/westeurope/subscriptions/mine")).status).toBe(404);
    const silent = { kind: "webhook", url: west.urls.keys };
    expect(await ask("POST", "/regions/westeurope/subscriptions", { name: "other", destination: silent })).toMatchObject({
      status: 502,
      body: failed("subscription_refused", /not the validation code/),
    });
  });

  it.each([
    ["/regions/mars/jobs", {}, 404],
    ["/regions/westeurope/jobs", { stuck: "Finished" }, 400],
    ["/regions/westeurope/jobs", { fail: { code: "Bored" } }, 400],
    ["/regions/westeurope/jobs", { fail: { code: "ServiceError", retry: "Perhaps" } }, 400],
    ["/regions/westeurope/jobs", { api: { status: 200 } }, 400],
    ["/regions/westeurope/events", { lost: 2 }, 400],
    ["/regions/westeurope/events", { wrong: 1 }, 400],
    ["/regions/westeurope/subscriptions", { name: "x", destination: { kind: "webhook", url: "http://127.0.0.1" } }, 400],
    ["/regions/westeurope/subscriptions", { name: "abc", destination: { kind: "queue", url: "file:///etc/passwd" } }, 400],
  ])("%s refuses %j", async (path, body, status) => {
    expect((await ask("POST", path, body)).status).toBe(status);
  });
});

describe("who may call", () => {
  const breaking = { service: "all", kind: "refuse" };

  it.each(["http://evil.example", "null", "http://127.0.0.1:9091", "https://127.0.0.1:9090", `${PAGE}.evil.example`])(
    "refuses pages from %s",
    async (origin) => {
      const answer = await ask("POST", "/regions/westeurope/faults", breaking, { origin });
      expect(answer).toMatchObject({ status: 403, body: failed("forbidden", /this page/) });
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
      expect((await ask("OPTIONS", "/regions", undefined, { origin })).status).toBe(403);
      expect(Object.values(faults(west))).toEqual([null, null, null, null]);
    },
  );

  it.each(["evil.example", "evil.example:8090", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1"])(
    "refuses the Host %s",
    async (host) => {
      expect(await ask("POST", "/regions/westeurope/faults", breaking, { host })).toMatchObject({ status: 403 });
      expect((await ask("GET", "/videos", undefined, { host })).status).toBe(403);
      expect(Object.values(faults(west))).toEqual([null, null, null, null]);
    },
  );

  it.each(["localhost:8090", "127.0.0.1", "[::1]:8090", "127.0.0.11:80"])("takes the Host %s", async (host) => {
    expect((await ask("GET", "/videos", undefined, { host })).status).toBe(200);
  });

  it("answers the admin page, preflights and errors included", async () => {
    const cors = { "access-control-allow-origin": PAGE, vary: "Origin" };
    const preflight = await ask("OPTIONS", "/regions/westeurope/faults", undefined, { origin: PAGE });
    expect(preflight).toMatchObject({ status: 204, headers: { ...cors, "access-control-allow-methods": "GET, POST, DELETE" } });
    expect(preflight.headers["access-control-allow-headers"]).toBe("content-type");
    expect(await ask("GET", "/regions", undefined, { origin: PAGE })).toMatchObject({ status: 200, headers: cors });
    expect(await ask("POST", "/regions/mars/faults", breaking, { origin: PAGE })).toMatchObject({ status: 404, headers: cors });
  });
});
