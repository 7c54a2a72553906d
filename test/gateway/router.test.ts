import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  HEALTH_STATUSES,
  OVERRIDE_KINDS,
  SERVICES,
  type Holding,
  type Override,
  type PlaybackRequest,
  type Region,
  type ServiceHealth,
} from "../../src/core/contracts.ts";
import { candidatesFor } from "../../src/gateway/candidates.ts";
import { decide } from "../../src/gateway/decide.ts";
import type { Holdings } from "../../src/gateway/eligibility.ts";
import { ANYBODY } from "../../src/gateway/order/viewer.ts";
import { PlaybackRouter } from "../../src/gateway/router.ts";
import { buildWorld, entry, KEY_ID, LOCATOR, ManualClock, manifestRequest, REGIONS, serviceHealth, UNKNOWN_LOCATOR } from "./world.ts";

const THREE: readonly Region[] = [...REGIONS, { name: "eastus", streaming: "https://eu.streaming.example", keys: null }];
const ALL_VERIFIED: Holdings = { westeurope: "verified", northeurope: "verified", eastus: "verified" };
const MANIFEST = `/${LOCATOR}/video.ism/manifest(format=m3u8-cmaf)`;

interface Wire {
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly peer?: string;
}

function routed(gateway: Readonly<Record<string, unknown>> = {}) {
  const clock = new ManualClock();
  const world = buildWorld({ clock, gateway, regions: THREE });
  world.catalogue.list = [entry({ westeurope: "verified", northeurope: "verified", eastus: "verified" })];
  const overridden: { list: readonly Override[] } = { list: [] };
  let draws = 0;
  // Evenly over [0, 1), so that shares come out the same in every run.
  const random = { ...world.random, next: () => (draws++ * 0.618_033_988_749_895) % 1 };
  const router = new PlaybackRouter({ ...world, overrides: { active: () => overridden.list }, random });
  const ask = (url: string, { target, headers = {}, peer = "203.0.113.9" }: Wire = {}) => {
    const [host, path = ""] = url.startsWith("/") ? [null, url] : [url.slice(0, url.indexOf("/")), url.slice(url.indexOf("/"))];
    const front = router.read({ method: "GET", target: path, host });
    if (front.type !== "playback") throw new Error(`${url} is no request for a video`);
    const holdings = router.known(front.request)?.holdings ?? ALL_VERIFIED;
    const wire = { target: target ?? path, header: (name: string) => headers[name], peer: () => peer };
    return router.decide(front.request, holdings, router.viewer(front.request, wire));
  };
  return { ...world, clock, router, ask, overridden };
}

function override(kind: Override["kind"], region: string, service: Override["service"] = "all"): Override {
  return { id: `${kind}-${region}`, kind, region, service, reason: "for the test", by: "test", createdAt: 1, expiresAt: 2 };
}

describe("policies by route", () => {
  it("the first route that matches host and path holds, else the default", () => {
    const geographic = { method: "geographic", rules: [{ subnets: ["0.0.0.0/0"], regions: ["northeurope"] }] };
    const { ask } = routed({
      routes: [
        { host: "live.example", prefix: "/vod/live/", routing: { canary: { region: "eastus", percent: 100 } } },
        { prefix: "/vod/", routing: geographic },
        { host: "keys.gateway.example", routing: geographic },
      ],
    });
    expect(ask(MANIFEST)).toMatchObject({ region: "westeurope", reason: "primary" });
    expect(ask("/vod/movie/master.m3u8")).toMatchObject({ region: "northeurope", reason: "primary" });
    expect(ask("live.example/vod/live/master.m3u8")).toMatchObject({ region: "eastus", reason: "canary" });
    expect(ask("LIVE.example.:8080/vod/live/master.m3u8")).toMatchObject({ region: "eastus" });
    expect(ask("other.example/vod/live/master.m3u8")).toMatchObject({ region: "northeurope" });
    expect(ask(`keys.gateway.example/?kid=${KEY_ID}`)).toMatchObject({ region: "northeurope" });
    expect(ask(`/keys/?kid=${KEY_ID}`)).toMatchObject({ region: "westeurope" });
  });

  it("each fails open or closed by itself", async () => {
    const { ask, health, router, metrics } = routed({
      whenNoneEligible: "closed",
      routes: [{ host: "open.example", routing: {}, whenNoneEligible: "open" }],
    });
    for (const { name } of THREE) health.set(name, "streaming", "unhealthy", "timeout");
    expect(ask(MANIFEST)).toMatchObject({ region: null, reason: "unavailable" });
    expect(ask(`open.example${MANIFEST}`)).toMatchObject({ region: "westeurope", reason: "failopen" });
    expect(ask(MANIFEST)).toMatchObject({ region: null, reason: "unavailable" });
    router.recordFailOpen();
    const gauge = await metrics.registry.getSingleMetric("paircast_failopen_active")?.get();
    expect(gauge?.values.map(({ labels, value }) => [labels["service"], value])).toEqual([
      ["streaming", 1],
      ["keys", 0],
    ]);
  });
});

describe("viewers", () => {
  it("of a country go where its rule says, if the header comes from whom it should", () => {
    const { ask } = routed({
      viewers: { proxies: ["10.0.0.0/8"], country: { header: "X-Country", from: ["10.0.0.0/8"] } },
      routing: { method: "geographic", rules: [{ countries: ["US"], regions: ["eastus"] }], fallback: ["northeurope"] },
    });
    expect(ask(MANIFEST, { peer: "10.0.0.1", headers: { "x-country": "us" } }).region).toBe("eastus");
    expect(ask(MANIFEST, { peer: "203.0.113.9", headers: { "x-country": "us" } }).region).toBe("northeurope");
  });

  it("with a session stay where they are, in every gateway", () => {
    const gateway = {
      routing: {
        method: "weighted",
        weights: { westeurope: 1, northeurope: 1, eastus: 1 },
        sticky: { by: "cmcd-sid" },
        canary: { region: "eastus", percent: 10 },
      },
    };
    const one = routed(gateway);
    const other = routed(gateway);
    other.ask(MANIFEST);
    const regions = Array.from({ length: 300 }, (_, at) => {
      const target = `${MANIFEST}?CMCD=sid%3D%22s${at}%22`;
      const { region } = one.ask(MANIFEST, { target });
      expect(one.ask(MANIFEST, { target }).region).toBe(region);
      expect(other.ask(MANIFEST, { headers: { "cmcd-session": `sid="s${at}"` } }).region).toBe(region);
      return region;
    });
    expect(new Set(regions).size).toBe(3);
  });

  it("without one are spread by weight", () => {
    const { ask } = routed({ routing: { method: "weighted", weights: { westeurope: 3, northeurope: 1, eastus: 0 } } });
    const regions = Array.from({ length: 4_000 }, () => ask(MANIFEST).region);
    expect(Math.abs(regions.filter((region) => region === "westeurope").length / 4_000 - 0.75)).toBeLessThan(0.03);
    expect(regions).not.toContain("eastus");
  });

  it("of an ill region go to the next in their own order", () => {
    const { ask, health } = routed({ routing: { method: "weighted", weights: { westeurope: 1, northeurope: 1, eastus: 1 } } });
    health.set("westeurope", "streaming", "unhealthy", "refused");
    const regions = Array.from({ length: 2_000 }, () => ask(MANIFEST).region);
    expect(regions).not.toContain("westeurope");
    expect(Math.abs(regions.filter((region) => region === "eastus").length / 2_000 - 0.5)).toBeLessThan(0.04);
  });
});

describe("hash", () => {
  it("keeps a video in its region until that has more than its share of a minute's requests", () => {
    const { router, clock } = routed({ routing: { method: "hash", load: 2 } });
    const request = manifestRequest(UNKNOWN_LOCATOR);
    const ask = () => router.decide(request, ALL_VERIFIED, ANYBODY).region ?? "";
    const home = ask();
    const regions = Array.from({ length: 299 }, ask);
    const atHome = 1 + regions.filter((region) => region === home).length;
    expect(atHome).toBe(200);
    clock.advance(66_000);
    expect(ask()).toBe(home);
  });

  it.each(["unhealthy", "drain", "disable"] as const)("leaves regions out of the mean that get nothing: %s", (why) => {
    const { router, health, overridden } = routed({ routing: { method: "hash", load: 1.5 } });
    if (why === "unhealthy") health.set("westeurope", "streaming", "unhealthy", "refused");
    else overridden.list = [override(why, "westeurope")];
    const counts: Record<string, number> = {};
    for (let at = 0; at < 1_000; at += 1) {
      const { region } = router.decide(manifestRequest(UNKNOWN_LOCATOR), ALL_VERIFIED, ANYBODY);
      counts[region ?? ""] = (counts[region ?? ""] ?? 0) + 1;
    }
    expect(Object.values(counts).toSorted((one, other) => one - other)).toEqual([250, 750]);
  });

  it("leaves regions out of the mean that have not got the service", () => {
    const { router } = routed({ routing: { method: "hash", load: 1.5 } });
    const request: PlaybackRequest = { kind: "key", service: "keys", locatorId: null, keyId: KEY_ID, target: "/" };
    const counts: Record<string, number> = {};
    for (let at = 0; at < 1_000; at += 1) {
      const { region } = router.decide(request, ALL_VERIFIED, ANYBODY);
      counts[region ?? ""] = (counts[region ?? ""] ?? 0) + 1;
    }
    expect(Object.values(counts).toSorted((one, other) => one - other)).toEqual([250, 750]);
  });

  it("does not count what is only explained, nor second tries", () => {
    const { router } = routed({ routing: { method: "hash" } });
    router.decide(manifestRequest(LOCATOR), ALL_VERIFIED, ANYBODY, new Set(["westeurope"]));
    router.explain(MANIFEST);
    expect(router.explain(MANIFEST)?.routing?.why).toContain("westeurope 0, northeurope 0, eastus 0");
  });
});

describe("latency", () => {
  it("goes by what the gateway's own probes have measured", () => {
    const { ask, health } = routed({ routing: { method: "latency", tolerance: "5ms" } });
    const measured = (region: string, latencyMs: number) => {
      health.put(region, "streaming", { ...serviceHealth("healthy"), latencyMs });
    };
    measured("westeurope", 80);
    measured("northeurope", 30);
    expect(ask(MANIFEST).region).toBe("northeurope");
    measured("eastus", 20);
    expect(ask(MANIFEST)).toMatchObject({ region: "eastus", reason: "primary" });
    measured("northeurope", 25);
    expect(ask(MANIFEST).region).toBe("northeurope");
  });
});

describe("overrides", () => {
  it("hold from the next request on, and end with it", () => {
    const { ask, overridden } = routed();
    expect(ask(MANIFEST).region).toBe("westeurope");
    overridden.list = [override("drain", "westeurope")];
    expect(ask(MANIFEST)).toMatchObject({ region: "northeurope", reason: "failover" });
    overridden.list = [override("pin", "eastus")];
    expect(ask(MANIFEST)).toMatchObject({ region: "eastus", reason: "pinned" });
    overridden.list = [override("disable", "westeurope"), override("disable", "northeurope"), override("disable", "eastus")];
    expect(ask(MANIFEST)).toMatchObject({ region: null, reason: "unavailable" });
    overridden.list = [];
    expect(ask(MANIFEST)).toMatchObject({ region: "westeurope", reason: "primary" });
  });
});

describe("keys of a video", () => {
  const protectedBy = (streamingPolicyName: string | null) => {
    const all = { westeurope: "verified", northeurope: "verified", eastus: "verified" } as const;
    return entry(all, { streamingPolicyName });
  };

  it("that come through the gateway may come from another region, unless that is forbidden", () => {
    for (const [cross, expected] of [
      [true, "westeurope"],
      [false, "northeurope"],
    ] as const) {
      const { ask, health, catalogue } = routed({ keys: { cross } });
      catalogue.list = [protectedBy("gatewayKeys")];
      health.set("westeurope", "keys", "unhealthy", "refused");
      expect(ask(MANIFEST).region).toBe(expected);
    }
  });

  it("that the manifest names by the region's own host have to be well there", () => {
    const { ask, health, catalogue } = routed();
    catalogue.list = [protectedBy("Predefined_ClearKey")];
    health.set("westeurope", "keys", "unhealthy", "refused");
    expect(ask(MANIFEST)).toMatchObject({ region: "northeurope", reason: "failover" });
    expect(ask(MANIFEST).considered[0]?.verdict).toBe("no_keys");
    catalogue.list = [{ ...protectedBy("Predefined_ClearStreamingOnly"), keys: [] }];
    expect(ask(MANIFEST).region).toBe("westeurope");
  });
});

describe("explain", () => {
  it("says by what the regions are ordered, for the viewer that is supposed", () => {
    const { router } = routed({
      viewers: { country: { header: "x-country", from: ["10.0.0.0/8"] } },
      routing: {
        method: "geographic",
        rules: [
          { countries: ["US"], regions: ["eastus"] },
          { subnets: ["198.51.100.0/24"], regions: ["northeurope"] },
        ],
        sticky: { by: "query:s" },
      },
    });
    const us = router.explain(MANIFEST, "GET", { country: "us", session: "one" });
    expect(us?.routing).toEqual({
      route: null,
      method: "geographic",
      why: "by geographic rule 1 (country US, address not known)",
      session: "one",
      country: "US",
    });
    expect(us?.decision).toMatchObject({ region: "eastus", reason: "primary" });
    expect(us?.location).toBe(`https://eu.streaming.example${MANIFEST}`);
    const there = router.explain(MANIFEST, "GET", { address: "198.51.100.7" });
    expect(there?.routing?.why).toBe("by geographic rule 2 (country not known, address known)");
    expect(there?.decision?.considered.map(({ region }) => region)).toEqual(["northeurope", "westeurope", "eastus"]);
    const nobody = router.explain(`${MANIFEST}?s=two`);
    expect(nobody?.routing).toMatchObject({
      why: "no geographic rule matches (country not known, address not known), so in the order of the fallback",
      session: "two",
    });
  });

  it.each([
    [{}, "in the order of the configuration"],
    [
      { canary: { region: "eastus", percent: 5 } },
      /^in the order of the configuration; eastus is tried out with 5 % of the viewers, this viewer is /,
    ],
    [
      { method: "weighted", weights: { westeurope: 2, northeurope: 1, eastus: 0 } },
      "by weight (westeurope 2, northeurope 1, eastus 0), drawn by chance",
    ],
    [
      { method: "weighted", weights: { westeurope: 2, northeurope: 1, eastus: 0 }, sticky: { by: "cmcd-sid" } },
      "by weight (westeurope 2, northeurope 1, eastus 0), drawn by the viewer's session",
    ],
    [
      { method: "latency" },
      "by the time that probes take (westeurope not measured, northeurope not measured, eastus not measured); 20 ms more than the fastest count as equal",
    ],
    [
      { method: "hash" },
      "by a hash of the video, at most 1.25 times the mean load (requests in the last minute: westeurope 0, northeurope 0, eastus 0)",
    ],
  ])("%j", (routing, why) => {
    const { router } = routed({ routing });
    const said = router.explain(MANIFEST, "GET", { session: "s" })?.routing?.why;
    if (typeof why === "string") expect(said).toBe(why);
    else expect(said).toMatch(why);
  });

  it("names the route", () => {
    const { router } = routed({ routes: [{ host: "x.example", prefix: `/${LOCATOR}/`, routing: { method: "latency" } }] });
    expect(router.explain(`http://x.example${MANIFEST}`)?.routing).toMatchObject({ route: 0, method: "latency" });
    expect(router.explain(MANIFEST)?.routing).toMatchObject({ route: null, method: "priority" });
  });

  it("decides as a player's request is decided", () => {
    const { router, ask } = routed({ routing: { method: "hash", load: 5 } });
    expect(router.explain(MANIFEST)?.decision).toEqual(ask(MANIFEST));
  });
});

describe("what is kept between requests", () => {
  const state = fc.record({
    status: fc.constantFrom(...HEALTH_STATUSES),
    share: fc.constantFrom(0.5, 1),
    detail: fc.constantFrom("x", "y"),
  });
  const step = fc.oneof(
    fc.record({ region: fc.constantFrom(...THREE), service: fc.constantFrom(...SERVICES), state }),
    fc.record({
      overrides: fc.uniqueArray(
        fc.record({ kind: fc.constantFrom(...OVERRIDE_KINDS), region: fc.constantFrom(...THREE), service: fc.constantFrom(...SERVICES) }),
        { maxLength: 3 },
      ),
    }),
  );
  const holding = fc.constantFrom<Holding>("verified", "missing", "found", "absent", "unknown");
  const holdings = fc.record({ westeurope: holding, northeurope: holding, eastus: holding });
  const asked = fc.record({
    service: fc.constantFrom(...SERVICES),
    holdings,
    chance: fc.double({ min: 0, max: 0.999, noNaN: true }),
    tried: fc.subarray(["westeurope", "eastus"]),
  });

  /** The streaming side of a video whose keys come through the gateway, or a key. */
  const requestFor = (service: "streaming" | "keys"): PlaybackRequest =>
    service === "streaming" ? manifestRequest(LOCATOR) : { kind: "key", service, locatorId: null, keyId: KEY_ID, target: "/" };

  it("never makes a decision differ from one that is made afresh", () => {
    const { router, health, overridden } = routed();
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.array(asked, { minLength: 1, maxLength: 4 })), { maxLength: 12 }), (steps) => {
        for (const { name } of THREE) for (const service of SERVICES) health.set(name, service, "healthy");
        overridden.list = [];
        for (const [change, questions] of steps) {
          if ("overrides" in change)
            overridden.list = change.overrides.map(({ kind, region, service }) => override(kind, region.name, service));
          else health.put(change.region.name, change.service, { ...serviceHealth(change.state.status), ...change.state });
          for (const { service, holdings: held, chance, tried } of questions) {
            const viewer = { ...ANYBODY, chance };
            const fresh = decide({
              service,
              candidates: candidatesFor(service, THREE),
              holdings: held,
              health: health.snapshot(),
              overrides: overridden.list,
              keys: service === "streaming" ? "any" : "none",
              tried: new Set(tried),
              whenNoneEligible: "open",
              seed: Math.floor(chance * 4_294_967_296),
            });
            expect(router.decide(requestFor(service), held, viewer, new Set(tried))).toEqual(fresh);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("does not mix up videos, however many regions there are", () => {
    const many = Array.from({ length: 30 }, (_, at): Region => ({ name: `r${at}`, streaming: `https://r${at}.example`, keys: null }));
    const { router } = buildWorld({ clock: new ManualClock(), regions: many });
    const only = (at: number): Holdings => Object.fromEntries(many.map(({ name }, index) => [name, index === at ? "verified" : "missing"]));
    for (const at of [0, 29, 7, 28, 0]) expect(router.decide(manifestRequest(LOCATOR), only(at)).region).toBe(`r${at}`);
  });

  it("is kept while health says the same, and decided again when it does not", () => {
    const { router, health } = routed();
    const request = manifestRequest(LOCATOR);
    const first = router.decide(request, ALL_VERIFIED, ANYBODY);
    health.set("westeurope", "streaming", "healthy");
    expect(router.decide(request, { ...ALL_VERIFIED }, ANYBODY)).toBe(first);
    const sick: ServiceHealth = serviceHealth("unhealthy", "timeout");
    health.put("eastus", "streaming", sick);
    const second = router.decide(request, ALL_VERIFIED, ANYBODY);
    expect(second).not.toBe(first);
    health.put("eastus", "streaming", { ...sick, detail: "another" });
    expect(router.decide(request, ALL_VERIFIED, ANYBODY).considered[2]?.detail).toContain("another");
  });
});

describe("wherever a policy sends it, a request", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "/", ".", "%", "2", "f", "@", ":", "\\", "?", "#", "é", "=", "&"), maxLength: 40 });
  const policies = [
    {},
    { method: "weighted", weights: { westeurope: 1, northeurope: 1, eastus: 1 } },
    { method: "hash" },
    { canary: { region: "eastus", percent: 50 }, sticky: { by: "query:s" } },
  ];

  it("stays under the base URL of a configured region", () => {
    const bases = THREE.map(({ streaming }) => streaming);
    const routers = policies.map((routing) => routed({ routing }).router);
    fc.assert(
      fc.property(fc.constantFrom(...routers), fc.constantFrom(`/${LOCATOR}/`, "/vod/x/", "/"), text, (router, start, rest) => {
        const front = router.read({ method: "GET", target: start + rest, host: "gateway.example" });
        if (front.type !== "playback" || front.request.kind === "key") return;
        const { region } = router.decide(front.request, ALL_VERIFIED);
        expect(region).not.toBeNull();
        const location = router.location(front.request, region ?? "");
        const base = bases.find((each) => location.startsWith(`${each}/`));
        expect(base).toBeDefined();
        expect(new URL(location).origin).toBe(new URL(base ?? "").origin);
        expect(new URL(location).pathname.startsWith(new URL(`${base ?? ""}/`).pathname)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
