import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { silentLog } from "../../src/core/log.ts";
import type { JobRecord } from "../../src/core/ports/journal.ts";
import type { ReplicationStatus } from "../../src/core/replicationStatus.ts";
import type { StatusEvent } from "../../src/gateway/adminEvents.ts";
import { adminRefusal } from "../../src/gateway/adminGuard.ts";
import { adminSchemas } from "../../src/gateway/adminSchemas.ts";
import { buildAdmin, type AdminDeps } from "../../src/gateway/admin.ts";
import { OPERATIONS } from "../../src/gateway/openapi.ts";
import { MemoryEncoding } from "../fakes/memoryEncoding.ts";
import { MemoryMediaAccount } from "../fakes/memoryMediaAccount.ts";
import { encodingOver } from "./encodingStage.ts";
import { buildWorld, entry, EVERYWHERE, KEY_ID, LOCATOR, ManualClock, UNKNOWN_LOCATOR } from "./world.ts";

const TOKEN = "an-admin-token-of-enough-length";
const MANIFEST = `/${LOCATOR}/video.ism/manifest(format=m3u8-cmaf)`;
const JOB: JobRecord = {
  id: "westeurope/asset->northeurope",
  source: "westeurope",
  target: "northeurope",
  assetName: "asset",
  step: "published",
  state: "done",
  attempts: 1,
  errorCode: null,
  errorMessage: null,
  conflicts: [],
  updatedAt: 5,
};

const REPLICATION: ReplicationStatus = {
  at: 9,
  targets: [{ target: "northeurope", verified: 1, pending: 2, oldestPendingAt: 5, failed: 0, conflicts: 1, doneLastHour: 3 }],
  queue: { pending: 4, deadLetters: 0 },
  backfill: [{ region: "westeurope", startedAt: 1, pages: 2 }],
  lastFullAt: null,
};

class Feed {
  readonly listeners = new Set<(event: StatusEvent) => void>();

  subscribe(listener: (event: StatusEvent) => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  publish(event: StatusEvent): void {
    for (const listener of this.listeners) listener(event);
  }
}

function adminOf(overrides: Partial<AdminDeps> = {}) {
  const clock = new ManualClock();
  const world = buildWorld({ clock });
  world.catalogue.list = [EVERYWHERE];
  const feed = new Feed();
  const limits: number[] = [];
  const app = buildAdmin({
    ...world,
    version: "1.2.3",
    startedAt: 7,
    gatewayUrl: "http://127.0.0.1:8080",
    keysPrefix: "/keys",
    jobs: async (limit) => {
      limits.push(limit);
      return Promise.resolve([JOB]);
    },
    conflicts: async () => Promise.resolve([]),
    replication: async () => Promise.resolve(REPLICATION),
    events: feed,
    log: silentLog,
    token: null,
    page: null,
    sandbox: null,
    ...overrides,
  });
  const ask = async (path: string, headers: Record<string, string> = {}, method = "GET") =>
    app.request(path, { method, headers: { host: "localhost:9090", ...headers } });
  return { ...world, clock, app, ask, feed, limits };
}

/** The body, which must be exactly what the schema says. */
async function parsed<T>(answer: Response, schema: z.ZodType<T>): Promise<T> {
  expect(answer.status).toBe(200);
  return schema.parse(await answer.json());
}

describe("who may use it", () => {
  const facts = { method: "GET", path: "/api/status", host: "localhost:9090", origin: null, authorization: null };

  it.each([["localhost"], ["LOCALHOST:9090"], ["127.0.0.1:9090"], ["127.8.8.8"], ["[::1]:9090"], ["admin.localhost"]])(
    "without a token, Host %s is answered",
    (host) => {
      expect(adminRefusal({ ...facts, host }, null)).toBeNull();
    },
  );

  it.each([
    ["evil.example"],
    ["127.0.0.1.evil.example"],
    ["localhost.evil.example"],
    ["192.0.2.1:9090"],
    ["evil-localhost"],
    ["[::1].evil.example"],
    [null],
  ])("without a token, Host %s is refused", (host) => {
    expect(adminRefusal({ ...facts, host }, null)).toMatchObject({ status: 403, code: "foreign_host" });
  });

  it.each([[null], ["Bearer"], ["Bearer wrong"], [`Basic ${TOKEN}`], [`Bearer ${TOKEN}x`], [`Bearer ${TOKEN.slice(1)}`], [TOKEN]])(
    "with a token, Authorization %j is refused",
    (authorization) => {
      expect(adminRefusal({ ...facts, authorization }, TOKEN)).toMatchObject({ status: 401, code: "unauthorized" });
    },
  );

  it("with a token, its bearer is answered under any host name", () => {
    expect(adminRefusal({ ...facts, host: "admin.example", authorization: `Bearer ${TOKEN}` }, TOKEN)).toBeNull();
  });

  it.each([
    ["http://localhost:9090", null],
    ["https://evil.example", "foreign_origin"],
    ["http://localhost:8080", "foreign_origin"],
    ["null", "foreign_origin"],
  ])("a POST from a page of %s: %s", (origin, code) => {
    expect(adminRefusal({ ...facts, method: "POST", origin }, null)?.code ?? null).toBe(code);
    expect(adminRefusal({ ...facts, method: "GET", origin }, null)).toBeNull();
  });

  it("every path but /healthz and the page's own files is closed, and a token in the query does not open it", async () => {
    const page = new Hono().get("/", (context) => context.text("page"));
    const { ask } = adminOf({ token: TOKEN, page });
    for (const open of ["/healthz", "/"]) expect((await ask(open)).status).toBe(200);
    const closed = OPERATIONS.map((operation) => operation.path).filter((path) => path !== "/healthz");
    for (const path of [...closed, "/unknown", "/assets", "//"]) {
      for (const query of ["", `?token=${TOKEN}`]) {
        const answer = await ask(path + query);
        expect([path, answer.status, answer.headers.get("www-authenticate")]).toEqual([path, 401, "Bearer"]);
        adminSchemas.Error.parse(await answer.json());
      }
    }
    expect((await ask("/api/status", { authorization: `Bearer ${TOKEN}` })).status).toBe(200);
  });

  it("a foreign host name gets nothing", async () => {
    const { ask } = adminOf();
    expect((await ask("/metrics", { host: "evil.example" })).status).toBe(403);
  });
});

describe("what it answers", () => {
  it("/api/status: regions, videos and jobs", async () => {
    const { ask, health, clock, catalogue } = adminOf({ sandbox: { control: "http://127.0.0.1:9999" } });
    health.set("westeurope", "keys", "unhealthy", "refused");
    catalogue.list = [
      EVERYWHERE,
      entry({ westeurope: "withdrawn", northeurope: "verified" }, { locatorId: UNKNOWN_LOCATOR, publishedAt: 9 }),
    ];
    const status = await parsed(await ask("/api/status"), adminSchemas.Status);
    expect(status).toMatchObject({ version: "1.2.3", now: clock.now(), startedAt: 7, gateway: { url: "http://127.0.0.1:8080" } });
    expect(status.sandbox).toEqual({ control: "http://127.0.0.1:9999" });
    expect(status.videos.map((video) => video.locatorId)).toEqual([UNKNOWN_LOCATOR, LOCATOR]);
    expect(status.jobs).toEqual([JOB]);
    expect(
      status.regions.map(({ name, verified, services }) => [name, verified, services.streaming.status, services.keys?.reason]),
    ).toEqual([
      ["westeurope", 1, "healthy", "refused"],
      ["northeurope", 2, "healthy", null],
    ]);
  });

  it("/api/status and /api/catalogue: which of the videos are live events", async () => {
    const { ask, catalogue } = adminOf();
    const own = { locatorId: UNKNOWN_LOCATOR, locatorName: "paircast-live-Show", assetName: "paircast-live-Show", publishedAt: 9 };
    catalogue.list = [EVERYWHERE, entry({ westeurope: "withdrawn", northeurope: "verified" }, own)];
    const { videos } = await parsed(await ask("/api/status"), adminSchemas.Status);
    const { entries } = await parsed(await ask("/api/catalogue"), adminSchemas.Catalogue);
    for (const shown of [videos, entries])
      expect(shown.map(({ locatorId, liveEvent }) => [locatorId, liveEvent])).toEqual([
        [UNKNOWN_LOCATOR, "Show"],
        [LOCATOR, undefined],
      ]);
  });

  it("/api/status: a region without key delivery, not probed yet, and at most 200 videos", async () => {
    const regions = [{ name: "southeurope", streaming: "https://se.example", keys: null }];
    const { ask, catalogue } = adminOf({ regions });
    catalogue.list = Array.from({ length: 250 }, (_, at) => entry({}, { locatorId: `locator-${at}`, publishedAt: at }));
    const { regions: shown, videos } = await parsed(await ask("/api/status"), adminSchemas.Status);
    expect(shown[0]?.services).toEqual({ streaming: expect.objectContaining({ status: "unknown", checkedAt: null }) });
    expect([videos.length, videos[0]?.locatorId]).toEqual([200, "locator-249"]);
  });

  it("/api/explain: the candidates and why, by URL or by path, without asking anybody", async () => {
    const { ask, health } = adminOf();
    health.set("westeurope", "streaming", "unhealthy", "refused");
    for (const url of [MANIFEST, `http://gateway.example:8080${MANIFEST}?a=b%2Fc`]) {
      const explained = await parsed(await ask(`/api/explain?url=${encodeURIComponent(url)}`), adminSchemas.Explanation);
      expect(explained).toMatchObject({
        outcome: "routed",
        source: "catalogue",
        holdings: { westeurope: "verified", northeurope: "verified" },
      });
      expect(explained.decision).toMatchObject({ region: "northeurope", reason: "failover" });
      expect(explained.decision?.considered[0]).toEqual({
        region: "westeurope",
        eligible: false,
        verdict: "unhealthy",
        detail: "streaming unhealthy: refused; verified there",
      });
      expect(explained.location).toBe(`https://ne.streaming.example/origin${url.replace(/^http:\/\/[^/]+/, "")}`);
    }
  });

  it("/api/explain: keys, videos not known, refusals and local paths", async () => {
    const { ask } = adminOf();
    const explained = async (url: string, method = "GET") =>
      parsed(await ask(`/api/explain?method=${method}&url=${encodeURIComponent(url)}`), adminSchemas.Explanation);
    expect(await explained(`https://keys.gateway.example/?kid=${KEY_ID}`)).toMatchObject({
      request: { kind: "key", keyId: KEY_ID },
      source: "catalogue",
    });
    expect(await explained(`/${UNKNOWN_LOCATOR}/a.mpd`)).toMatchObject({ source: "nothing", decision: { reason: "primary" } });
    expect(await explained(`/${LOCATOR}/../a`)).toMatchObject({ outcome: "refused", rejection: { status: 400, code: "bad_path" } });
    expect(await explained(MANIFEST, "PUT")).toMatchObject({ outcome: "refused", rejection: { status: 405 } });
    expect(await explained("/healthz")).toMatchObject({ outcome: "local", decision: null });
    for (const path of ["/api/explain", "/api/explain?url=ftp://x/", "/api/explain?url=word"]) expect((await ask(path)).status).toBe(400);
  });

  it("/api/catalogue and /api/replication: newest first, within limits", async () => {
    const { ask, catalogue, limits } = adminOf();
    catalogue.list = [1, 3, 2].map((at) => entry({}, { locatorId: `locator-${at}`, publishedAt: at }));
    const { entries, total } = await parsed(await ask("/api/catalogue?limit=2"), adminSchemas.Catalogue);
    expect([entries.map((each) => each.locatorId), total]).toEqual([["locator-3", "locator-2"], 3]);
    for (const limit of ["5", "0", "99999", "nonsense"])
      await parsed(await ask(`/api/replication?limit=${limit}`), adminSchemas.Replication);
    expect(limits).toEqual([5, 1, 1_000, 100]);
    const conflicting = adminOf({ conflicts: async (limit) => Promise.resolve([{ ...JOB, attempts: limit }]) });
    const answer = await parsed(await conflicting.ask("/api/replication?limit=7"), adminSchemas.Replication);
    expect(answer).toEqual({ ...REPLICATION, jobs: [JOB], conflicts: [{ ...JOB, attempts: 7 }] });
  });

  it("/metrics: Prometheus' text, with the fail-open gauge of this moment", async () => {
    const { ask, health } = adminOf();
    for (const region of ["westeurope", "northeurope"]) health.set(region, "keys", "unhealthy", "timeout");
    const answer = await ask("/metrics");
    expect(answer.headers.get("content-type")).toContain("text/plain");
    expect(await answer.text()).toContain('paircast_failopen_active{service="keys"} 1');
  });

  it("the page, under the same guard and headers", async () => {
    const page = new Hono().get("/", (context) => context.html("page")).get("/assets/:file", (context) => context.text("asset"));
    const { ask } = adminOf({ page });
    expect(await (await ask("/")).text()).toBe("page");
    const asset = await ask("/assets/x.js");
    expect([asset.status, asset.headers.get("x-content-type-options"), asset.headers.get("x-frame-options")]).toEqual([
      200,
      "nosniff",
      "DENY",
    ]);
    const unknown = await ask("/unknown");
    expect(unknown.status).toBe(404);
    adminSchemas.Error.parse(await unknown.json());
  });

  it("an error of its own is 500 and says nothing of itself", async () => {
    const { ask } = adminOf({ jobs: async () => Promise.reject(new Error("secret inner state")) });
    const answer = await ask("/api/replication");
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain("secret");
  });
});

describe("/api/openapi.json", () => {
  const QUERIES: Readonly<Record<string, string>> = {
    "/api/explain": "?url=/x",
    "/probe": "?target=https://we.streaming.example/&module=hls",
  };

  const FILE = "a film";
  /** A request of each operation that changes something; `{id}` is what the one before has set. */
  const WRITES: Readonly<Record<string, object>> = {
    "/api/overrides": { kind: "drain", region: "westeurope", reason: "for the document", duration: "1m" },
    "/api/encoding/jobs": { transform: "ladder", input: { kind: "upload", fileName: "a.mp4", bytes: FILE.length } },
  };

  function requestOf(method: string, body: object | undefined): RequestInit {
    const host = { host: "localhost" };
    if (method === "put") return { method: "PUT", headers: host, body: FILE };
    if (method !== "post") return { method: method.toUpperCase(), headers: host };
    return { method: "POST", headers: { ...host, "content-type": "application/json" }, body: JSON.stringify(body) };
  }

  /** Of what was made; null where the answer is about something else. */
  function idIn(answer: unknown): string | null {
    const { override, job } = answer as Partial<Record<"override" | "job", { readonly id: string }>>;
    return (override ?? job)?.id ?? null;
  }

  /** Status and media type of the answer that an operation describes first: the good one. */
  function promised(responses: Readonly<Record<string, { readonly content: Readonly<Record<string, unknown>> }>>): string {
    const [[status, { content }] = ["none", { content: {} }]] = Object.entries(responses);
    return `${status} ${Object.keys(content).join()}`;
  }

  it("describes every operation there is, and each of them answers", async () => {
    const west = new MemoryMediaAccount({ region: "west" });
    const { app, ask } = adminOf({ encoding: encodingOver(new MemoryEncoding(), new Map([["west", west]])) });
    const document = (await (await ask("/api/openapi.json")).json()) as {
      paths: Record<string, Record<string, { responses: Record<string, { content: Record<string, { schema: { $ref?: string } }> }> }>>;
      components: { schemas: Record<string, unknown> };
    };
    const described = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    );
    expect(described.map(({ path, method }) => `${method} ${path}`)).toEqual(
      OPERATIONS.map(({ path, method }) => `${method ?? "get"} ${path}`),
    );
    let id = "";
    for (const { path, method, operation } of described) {
      const answer = await app.request(
        `${path.replace("{id}", id).replace("{region}", "west")}${QUERIES[path] ?? ""}`,
        requestOf(method, WRITES[path]),
      );
      const type = String(answer.headers.get("content-type")).replace(/;.*/, "");
      expect([path, `${answer.status} ${type}`]).toEqual([path, promised(operation.responses)]);
      if (method === "post") id = idIn(await answer.json()) ?? id;
      else await answer.body?.cancel();
    }
    const named = JSON.stringify(document.paths).matchAll(/#\/components\/schemas\/(\w+)/g);
    for (const [, name = ""] of named) expect(document.components.schemas).toHaveProperty(name);
  });

  it("names the token where one is configured", async () => {
    const { ask } = adminOf({ token: TOKEN });
    const answer = await ask("/api/openapi.json", { authorization: `Bearer ${TOKEN}` });
    expect(await answer.json()).toMatchObject({ components: { securitySchemes: { token: { scheme: "bearer" } } } });
  });
});

describe("/api/events", () => {
  const HEALTH_EVENT: StatusEvent = {
    type: "health",
    region: "westeurope",
    service: "keys",
    from: "healthy",
    to: "unhealthy",
    reason: "refused",
    detail: null,
    at: 9,
  };

  it("tells listeners what changes, and beats in between", async () => {
    const { ask, feed, clock } = adminOf();
    const answer = await ask("/api/events");
    expect(answer.headers.get("content-type")).toBe("text/event-stream");
    const reader = (answer.body ?? new ReadableStream<Uint8Array>()).pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader.read()).value).toBe(`event: heartbeat\ndata: {"at":${clock.now()}}\n\n`);
    feed.publish(HEALTH_EVENT);
    expect((await reader.read()).value).toBe(`event: health\ndata: ${JSON.stringify(HEALTH_EVENT)}\n\n`);
    feed.publish({ type: "catalogue", locatorId: LOCATOR, regions: { westeurope: "verified" }, at: 10 });
    expect((await reader.read()).value).toContain("event: catalogue\n");
    clock.advance(15_000);
    expect((await reader.read()).value).toContain("event: heartbeat\n");
    await reader.cancel();
    expect(feed.listeners.size).toBe(0);
  });

  it("takes so many listeners and no more, and forgets those that leave", async () => {
    const { app, feed } = adminOf();
    const gone = new AbortController();
    const open = async () => app.request("/api/events", { headers: { host: "localhost" }, signal: gone.signal });
    const answers = await Promise.all(Array.from({ length: 64 }, open));
    expect(answers.every((answer) => answer.status === 200)).toBe(true);
    expect((await open()).status).toBe(503);
    gone.abort();
    expect(feed.listeners.size).toBe(0);
    const later = await app.request("/api/events", { headers: { host: "localhost" } });
    expect(later.status).toBe(200);
    await later.body?.cancel();
  });

  it("cuts off a listener that does not read", async () => {
    const { ask, feed } = adminOf();
    const answer = await ask("/api/events");
    for (let sent = 0; sent < 300; sent += 1) feed.publish(HEALTH_EVENT);
    expect(feed.listeners.size).toBe(0);
    expect((await answer.text()).match(/event: /g)?.length).toBeLessThanOrEqual(256);
  });
});
