import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { buildGateway } from "../../src/gateway/app.ts";
import { buildWorld, entry, EVERYWHERE, KEY_ID, LOCATOR, ScriptedHttp, series, UNKNOWN_LOCATOR, type World } from "./world.ts";

const MANIFEST = `/${LOCATOR}/video.ism/manifest(format=m3u8-cmaf,encryption=cbc)?a=b%2Fc&d`;

/** A gateway without sockets: proxied keys are tested in test/integration/gatewayKeys.test.ts. */
function gatewayOf(gateway: Readonly<Record<string, unknown>> = {}, ready = true) {
  const http = new ScriptedHttp();
  const world = buildWorld({ gateway, clock: systemClock, http });
  world.catalogue.list = [EVERYWHERE];
  const pools = {
    dispatcher: (origin: string): never => {
      throw new Error(`no key host is asked here: ${origin}`);
    },
  };
  const app = buildGateway({ ...world, log: world.logs.log, pools, ready: () => ready });
  const ask = async (target: string, init: RequestInit = {}) => app.request("/", init, { target });
  return { ...world, http, app, ask };
}

describe("redirects", () => {
  it("a manifest goes to the first region by 302, path and query byte for byte", async () => {
    const { ask } = gatewayOf();
    const answer = await ask(MANIFEST);
    expect(answer.status).toBe(302);
    expect(answer.headers.get("location")).toBe(`https://we.streaming.example${MANIFEST}`);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("x-paircast-reason")).toBe("primary");
    expect(answer.headers.get("x-paircast-origin")).toBe("westeurope");
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
  });

  it("takes the URL's path and query where no raw target is handed over", async () => {
    const { app } = gatewayOf();
    const answer = await app.request(MANIFEST);
    expect(answer.headers.get("location")).toBe(`https://we.streaming.example${MANIFEST}`);
  });

  it.each([["HEAD"], ["GET"]])("%s of a media path goes where its manifest goes", async (method) => {
    const { ask, health } = gatewayOf();
    health.set("westeurope", "streaming", "unhealthy", "refused");
    const answer = await ask(`/${LOCATOR}/video.ism/QualityLevels(1)/Fragments(video=0)`, { method });
    expect(answer.status).toBe(302);
    expect(answer.headers.get("location")).toBe(
      `https://ne.streaming.example/origin/${LOCATOR}/video.ism/QualityLevels(1)/Fragments(video=0)`,
    );
    expect(answer.headers.get("x-paircast-reason")).toBe("failover");
  });

  it("a catalogued video goes only to regions where it is verified, however well the others are", async () => {
    const { ask, catalogue, health } = gatewayOf();
    catalogue.list = [entry({ westeurope: "withdrawn", northeurope: "verified" })];
    expect((await ask(MANIFEST)).headers.get("x-paircast-origin")).toBe("northeurope");
    health.set("northeurope", "streaming", "unhealthy", "status");
    const answer = await ask(MANIFEST);
    expect(answer.headers.get("x-paircast-origin")).toBe("northeurope");
    expect(answer.headers.get("x-paircast-reason")).toBe("failopen");
    catalogue.list = [entry({ westeurope: "withdrawn" })];
    const gone = await ask(MANIFEST);
    expect(gone.status).toBe(404);
    expect(await gone.json()).toEqual({ error: "not_found", message: "no region has it", requestId: gone.headers.get("x-request-id") });
  });

  it("streaming and keys are routed separately", async () => {
    const { ask, health } = gatewayOf();
    health.set("westeurope", "keys", "unhealthy", "refused");
    expect((await ask(MANIFEST)).headers.get("x-paircast-origin")).toBe("westeurope");
    expect((await ask(`/keys?kid=${KEY_ID}`)).headers.get("x-paircast-origin")).toBe("northeurope");
  });

  it("nothing eligible: the least bad region, counted, and shown by the gauge", async () => {
    const { ask, health, metrics, router } = gatewayOf();
    health.set("westeurope", "streaming", "unhealthy", "refused");
    health.set("northeurope", "streaming", "unhealthy", "status");
    const answer = await ask(MANIFEST);
    expect(answer.status).toBe(302);
    expect(answer.headers.get("x-paircast-reason")).toBe("failopen");
    expect(answer.headers.get("x-paircast-origin")).toBe("northeurope");
    expect(await series(metrics, "paircast_decisions_total", { kind: "manifest", reason: "failopen" })).toBe(1);
    router.recordFailOpen();
    expect(await series(metrics, "paircast_failopen_active", { service: "streaming" })).toBe(1);
    expect(await series(metrics, "paircast_failopen_active", { service: "keys" })).toBe(0);
    health.set("westeurope", "streaming", "healthy");
    router.recordFailOpen();
    expect(await series(metrics, "paircast_failopen_active", { service: "streaming" })).toBe(0);
  });

  it("nothing eligible and configured closed: 503 with Retry-After", async () => {
    const { ask, health, metrics, router } = gatewayOf({ whenNoneEligible: "closed", retryAfter: "7s" });
    for (const region of ["westeurope", "northeurope"]) health.set(region, "streaming", "unhealthy", "timeout");
    const answer = await ask(MANIFEST);
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("7");
    expect(answer.headers.get("location")).toBeNull();
    expect(answer.headers.get("x-paircast-origin")).toBe("none");
    router.recordFailOpen();
    expect(await series(metrics, "paircast_failopen_active", { service: "streaming" })).toBe(0);
  });
});

describe("videos that the catalogue does not know", () => {
  const target = `/${UNKNOWN_LOCATOR}/video.ism/manifest(format=m3u8-cmaf)`;

  it("are asked for at the candidates and remembered", async () => {
    const { ask, http, outcomes, metrics } = gatewayOf();
    http.script.set("https://we.streaming.example", 404).set("https://ne.streaming.example", 200);
    const first = await ask(target);
    expect(first.headers.get("location")).toBe(`https://ne.streaming.example/origin${target}`);
    expect(first.headers.get("x-paircast-reason")).toBe("failover");
    await ask(target);
    expect(http.asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `HEAD https://we.streaming.example${target}`,
      `HEAD https://ne.streaming.example/origin${target}`,
    ]);
    expect(outcomes.observed).toEqual([]);
    expect(await series(metrics, "paircast_locator_lookups_total", { result: "asked" })).toBe(1);
    expect(await series(metrics, "paircast_locator_lookups_total", { result: "cached" })).toBe(1);
  });

  it("are 404 where every region says so", async () => {
    const { ask, http } = gatewayOf();
    http.script.set("https://we.streaming.example", 404).set("https://ne.streaming.example", 410);
    const answer = await ask(target);
    expect(answer.status).toBe(404);
    expect(answer.headers.get("x-paircast-reason")).toBe("not_found");
  });

  it("that vanish with their viewer are nobody's failure", async () => {
    const { app, http, metrics, logs } = gatewayOf();
    const gone = new AbortController();
    http.script.set("https://we.streaming.example", () => {
      gone.abort();
      return 200;
    });
    const answer = await app.request("/", { signal: gone.signal }, { target });
    expect(answer.status).toBe(499);
    expect(await series(metrics, "paircast_client_gone_total", {})).toBe(1);
    expect(logs.of("gateway.request")[0]).toMatchObject({ status: 499, reason: "client_gone" });
  });
});

describe("key redirects", () => {
  it.each([
    ["auto", "GET", {}, 307],
    ["redirect", "GET", {}, 307],
    ["redirect", "POST", { authorization: "Bearer abcdefgh" }, 307],
  ])("mode %s, %s %j: %i", async (mode, method, headers, status) => {
    const { ask } = gatewayOf({ keys: { mode } });
    const answer = await ask(`/keys/?kid=${KEY_ID}&token=a%2Fb`, { method, headers, ...(method === "POST" ? { body: "x" } : {}) });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("location")).toBe(`https://we.keys.example/base/?kid=${KEY_ID}&token=a%2Fb`);
  });

  it("every request under the keys host name is a key request", async () => {
    const { ask } = gatewayOf({ keys: { mode: "redirect" } });
    const answer = await ask(`/Widevine/?kid=${KEY_ID}`, { headers: { host: "keys.gateway.example" } });
    expect(answer.headers.get("location")).toBe(`https://we.keys.example/base/Widevine/?kid=${KEY_ID}`);
  });
});

describe("answers of the gateway's own", () => {
  it("answers preflights for every path, never by a redirect", async () => {
    const { ask } = gatewayOf();
    const headers = {
      origin: "https://player.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization",
    };
    for (const target of [MANIFEST, `/keys?kid=${KEY_ID}`, "*", "/unknown"]) {
      const answer = await ask(target, { method: "OPTIONS", headers });
      expect(answer.status).toBe(204);
      expect(answer.headers.get("access-control-allow-origin")).toBe("*");
      expect(answer.headers.get("access-control-allow-methods")).toContain("POST");
      const allowed = answer.headers.get("access-control-allow-headers")?.split(", ") ?? [];
      expect(allowed).toEqual(expect.arrayContaining(["authorization", "content-type", "range", "x-axdrm-message", "*"]));
      expect(Number(answer.headers.get("access-control-max-age"))).toBeGreaterThan(0);
      expect(answer.headers.get("x-paircast-reason")).toBe("preflight");
    }
  });

  it("allows credentials only for one configured origin", async () => {
    const { ask } = gatewayOf({ corsOrigin: "https://player.example" });
    const answer = await ask(MANIFEST);
    expect(answer.headers.get("access-control-allow-origin")).toBe("https://player.example");
    expect(answer.headers.get("access-control-allow-credentials")).toBe("true");
    expect(answer.headers.get("vary")).toBe("origin");
    expect((await gatewayOf().ask(MANIFEST)).headers.get("access-control-allow-credentials")).toBeNull();
  });

  it("is alive at once and ready when told so", async () => {
    expect((await gatewayOf({}, false).ask("/healthz")).status).toBe(200);
    const starting = await gatewayOf({}, false).ask("/readyz");
    expect([starting.status, await starting.json()]).toEqual([503, { status: "starting" }]);
    expect((await gatewayOf().ask("/readyz")).status).toBe(200);
  });

  it("logs no line for health checks, and one for anything else", async () => {
    const world = gatewayOf();
    await world.ask("/healthz");
    await world.ask("/readyz");
    expect(world.logs.of("gateway.request")).toEqual([]);
    await world.ask(MANIFEST);
    expect(world.logs.of("gateway.request")).toHaveLength(1);
  });

  it.each([
    ["/../etc/passwd", "GET", 400, "path"],
    ["//evil.example/", "GET", 400, "bad_request"],
    ["http://evil.example/x.mpd", "GET", 400, "bad_request"],
    [`/${LOCATOR}/${"a".repeat(8_192)}.mpd`, "GET", 414, "too_long"],
    ["/unknown", "GET", 404, "path"],
    [MANIFEST, "PUT", 405, "method"],
    [MANIFEST, "PROPFIND", 501, "method"],
    [MANIFEST, "POST", 405, "method"],
  ])("%j by %s: %i, counted as %s", async (target, method, status, reason) => {
    const { ask, metrics } = gatewayOf();
    const answer = await ask(target, { method });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("x-paircast-reason")).toBe(reason);
    expect(answer.headers.get("allow") !== null).toBe(status === 405 || status === 501);
    expect(answer.headers.get("location")).toBeNull();
    expect(Object.keys((await answer.json()) as object)).toEqual(["error", "message", "requestId"]);
    expect(await series(metrics, "paircast_rejections_total", { reason })).toBe(1);
  });

  it("every answer carries a request id: a sane one of the client's, else one of its own", async () => {
    const { ask } = gatewayOf();
    const idOf = async (offered: string) => (await ask(MANIFEST, { headers: { "x-request-id": offered } })).headers.get("x-request-id");
    expect(await idOf("player-7:42.a_b")).toBe("player-7:42.a_b");
    for (const strange of ["short", "x".repeat(65), "with blank in it", '{"json":true}', "-leading-hyphen"]) {
      expect(await idOf(strange)).toMatch(/^00000000-0000-4000-8000-\d{12}$/);
    }
  });

  it("an error of its own is 500, logged once, and says nothing of itself", async () => {
    const world: World = buildWorld({ clock: systemClock });
    const health = {
      snapshot: (): never => {
        throw new Error("secret inner state");
      },
    };
    const { PlaybackRouter } = await import("../../src/gateway/router.ts");
    world.catalogue.list = [EVERYWHERE];
    const door = { prefixes: [], keyPrefix: "/keys", keyHost: null };
    const router = new PlaybackRouter({ ...world, door, health });
    const app = buildGateway({
      ...world,
      router,
      log: world.logs.log,
      pools: {
        dispatcher: () => {
          throw new Error("unused");
        },
      },
      ready: () => true,
    });
    const answer = await app.request("/", {}, { target: MANIFEST });
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain("secret");
    expect(world.logs.of("gateway.internal")).toHaveLength(1);
  });
});

describe("the access log", () => {
  it("has one line per request with decision, without query", async () => {
    const { ask, health, logs } = gatewayOf();
    health.set("westeurope", "streaming", "unhealthy", "refused");
    await ask(MANIFEST, { headers: { "x-request-id": "request-0001" } });
    expect(logs.of("gateway.request")).toEqual([
      expect.objectContaining({
        requestId: "request-0001",
        method: "GET",
        path: MANIFEST.slice(0, MANIFEST.indexOf("?")),
        kind: "manifest",
        mode: "redirect",
        status: 302,
        reason: "failover",
        origin: "northeurope",
        considered: ["westeurope:unhealthy", "northeurope:healthy"],
      }),
    ]);
  });

  it("is silent where configured", async () => {
    const { ask, logs } = gatewayOf({ accessLog: false });
    await ask(MANIFEST);
    expect(logs.lines).toEqual([]);
  });

  it("never holds a secret, wherever a client puts it", async () => {
    const { ask, logs } = gatewayOf({ keys: { mode: "redirect" } });
    const secret = "s3cr3tT0kenValue0123456789";
    const jwt = `eyJhbGciOiJIUzI1NiJ9.${secret}.${secret}`;
    const headers = { authorization: `Bearer ${secret}`, cookie: `session=${secret}`, "x-request-id": `id with ${secret}` };
    const targets = [
      `${MANIFEST}&token=${secret}`,
      `/keys?kid=${KEY_ID}&token=Bearer%20${secret}`,
      `/${LOCATOR}/token=${secret}/a.m3u8`,
      `/${LOCATOR}/hdnts=exp=1~hmac=${secret}/a.m3u8`,
      `/${LOCATOR}/${jwt}/a.m3u8`,
      `http://user:${secret}@evil.example/a.mpd`,
      `//user:${secret}@evil.example/`,
      `/unknown?sig=${secret}`,
    ];
    for (const target of targets) for (const method of ["GET", "POST", "PUT", "OPTIONS"]) await ask(target, { method, headers });
    expect(logs.lines).toHaveLength(targets.length * 4);
    expect(logs.lines.join("\n")).not.toContain(secret);
  });
});
