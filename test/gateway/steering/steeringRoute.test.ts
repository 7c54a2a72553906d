import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ViewerQuorum } from "../../../src/health/quorum.ts";
import { series } from "../world.ts";
import { ORIGIN, PATH, reporting, SESSION, steeringWorld, THREE, type SteeringManifest, type SteeringWorld } from "./steeringWorld.ts";

const NAMES = THREE.map(({ name }) => name);

describe("answer to a poll", () => {
  it("is a steering manifest that nobody keeps and every page may read", () => {
    const { poll } = steeringWorld();
    const { answer, list, mode, reason } = poll(SESSION);
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      "content-type": "application/vnd.apple.steering-list",
      "cache-control": "no-store",
      "access-control-allow-origin": "*",
      "x-paircast-origin": "westeurope",
      "content-length": String(Buffer.byteLength(String(answer.body))),
    });
    expect([mode, reason]).toEqual(["steer", "primary"]);
    expect(Object.keys(list).toSorted()).toEqual(["PATHWAY-PRIORITY", "RELOAD-URI", "TTL", "VERSION"]);
    expect(list.VERSION).toBe(1);
    expect(list["PATHWAY-PRIORITY"]).toEqual(NAMES);
    expect(poll(SESSION.replace("/hls/", "/dash/")).answer.headers["content-type"]).toBe("application/json");
  });

  it("leads back to itself: the same session, with a number by which the viewer is known again", () => {
    const { poll } = steeringWorld();
    const first = poll(reporting(SESSION, "westeurope", 1)).list["RELOAD-URI"];
    expect(first).toMatch(new RegExp(`^${ORIGIN}/steering/hls/.*\\?pathways=westeurope,northeurope,eastus&chance=[0-9a-f]{8}$`));
    expect(poll(reporting(first, "westeurope", 1)).list["RELOAD-URI"]).toBe(first);
    expect(poll(SESSION).list["RELOAD-URI"]).not.toBe(first);
  });

  it("asks again in half a minute, and soon while a region of the session is ill or has just changed", () => {
    const { poll, put, clock } = steeringWorld();
    const range = (ttl: number) => (ttl <= 7 ? "soon" : "later");
    expect(range(poll(SESSION).list.TTL)).toBe("later");
    put("eastus", { status: "unhealthy", reason: "timeout" });
    expect(range(poll(SESSION).list.TTL)).toBe("soon");
    expect(range(poll(SESSION.replace(",eastus", "")).list.TTL)).toBe("later");
    clock.advance(3_600_000);
    expect(range(poll(SESSION).list.TTL)).toBe("soon");
    put("eastus", {});
    expect(range(poll(SESSION).list.TTL)).toBe("soon");
    clock.advance(60_000);
    expect(range(poll(SESSION).list.TTL)).toBe("later");
  });

  it("a region that fails goes behind those that serve, and comes back to the head", () => {
    const { poll, put } = steeringWorld();
    put("westeurope", { status: "unhealthy", reason: "refused" });
    const lost = poll(`${SESSION},gateway`);
    expect(lost.list["PATHWAY-PRIORITY"]).toEqual(["northeurope", "eastus", "westeurope", "gateway"]);
    expect([lost.reason, lost.answer.headers["x-paircast-origin"]]).toEqual(["failover", "northeurope"]);
    put("westeurope", {});
    expect(poll(SESSION).list["PATHWAY-PRIORITY"][0]).toBe("westeurope");
  });

  it("is given whatever the state, also where new requests are refused", () => {
    const { poll, health } = steeringWorld({ whenNoneEligible: "closed" });
    for (const name of NAMES) health.set(name, "streaming", "unhealthy", "refused");
    const { answer, list } = poll(SESSION);
    expect(answer.status).toBe(200);
    expect(list["PATHWAY-PRIORITY"]).toEqual(NAMES);
  });

  it("a pathway whose region is no longer configured stays in the list, behind the others", () => {
    const { poll } = steeringWorld();
    const { list } = poll(`/steering/hls${PATH}?pathways=removed,northeurope,gateway`);
    expect(list["PATHWAY-PRIORITY"]).toEqual(["northeurope", "removed", "gateway"]);
  });

  it.each([
    ["no pathways", `/steering/hls${PATH}`],
    ["a list that cannot be read", `/steering/hls${PATH}?pathways=${"x,".repeat(20)}`],
    ["no video", "/steering/dash/nothing?pathways=%22"],
    ["no path", "/steering/hls/"],
    ["a path that leaves", "/steering/hls/%2e%2e/x?pathways=a,a"],
    ["another protocol", "/steering/smooth/x"],
  ])("%s: 200 with every region, best first", (_, target) => {
    const { poll, put } = steeringWorld();
    put("westeurope", { status: "unhealthy", reason: "refused" });
    const { answer, list } = poll(target);
    expect(answer.status).toBe(200);
    expect(list["PATHWAY-PRIORITY"]).toEqual(["northeurope", "eastus", "westeurope"]);
    expect(new URL(list["RELOAD-URI"]).origin).toBe(ORIGIN);
    expect(poll(list["RELOAD-URI"]).list["PATHWAY-PRIORITY"]).toEqual(["northeurope", "eastus", "westeurope"]);
  });

  it("never throws and is always whole, whatever is asked", () => {
    const world = steeringWorld();
    const junk = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.webQueryParameters());
    const names = fc.array(fc.constantFrom(...NAMES, "gateway", "gone", "A", ""), { maxLength: 20 }).map((list) => list.join(","));
    fc.assert(
      fc.property(junk, junk, names, fc.constantFrom(...NAMES), fc.boolean(), (path, query, list, ill, well) => {
        world.put(ill, well ? {} : { status: "unhealthy", reason: "reset" });
        const { answer, list: given } = world.poll(`/steering/hls/${path}?pathways=${list}&${query}`);
        expect(answer.status).toBe(200);
        const priority = given["PATHWAY-PRIORITY"];
        expect(priority.length).toBeGreaterThan(0);
        expect(new Set(priority).size).toBe(priority.length);
        expect(Number.isInteger(given.TTL) && given.TTL >= 1).toBe(true);
        expect(given["RELOAD-URI"].startsWith(`${ORIGIN}/steering/hls/`)).toBe(true);
        const state = world.health.snapshot().regions;
        const well2 = priority.filter((id) => state[id]?.streaming?.status === "healthy");
        if (well2.length > 0) expect(well2).toContain(priority[0]);
      }),
      { numRuns: 300 },
    );
  });
});

describe("policy of the route", () => {
  const headOf = (list: SteeringManifest) => list["PATHWAY-PRIORITY"][0];

  it("geography is that of the one who asks now", () => {
    const rules = [{ subnets: ["198.51.100.0/24"], regions: ["eastus"] }];
    const { poll } = steeringWorld({ routing: { method: "geographic", rules } });
    expect(headOf(poll(SESSION).list)).toBe("westeurope");
    expect(poll(SESSION, { peer: "198.51.100.7" }).list["PATHWAY-PRIORITY"]).toEqual(["eastus", "westeurope", "northeurope"]);
  });

  it("a route of its own holds by the path of the manifest", () => {
    const routes = [
      { prefix: "/vod/", routing: { method: "geographic", rules: [{ countries: ["XX"], regions: ["eastus"] }], fallback: ["eastus"] } },
    ];
    const { poll } = steeringWorld({ routes });
    expect(headOf(poll("/steering/hls/vod/movie/m.m3u8?pathways=westeurope,eastus").list)).toBe("eastus");
    expect(headOf(poll(SESSION).list)).toBe("westeurope");
  });

  it.each([
    [{ method: "weighted", weights: { westeurope: 1, northeurope: 1, eastus: 1 } }],
    [{ canary: { region: "eastus", percent: 50 } }],
  ])("chance decides once for a session: %j", (routing) => {
    const { poll } = steeringWorld({ routing });
    const heads = new Set<string | undefined>();
    for (let viewer = 0; viewer < 30; viewer += 1) {
      const { list } = poll(SESSION);
      heads.add(headOf(list));
      let url = list["RELOAD-URI"];
      for (let again = 0; again < 5; again += 1) {
        const next = poll(url).list;
        expect(headOf(next)).toBe(headOf(list));
        url = next["RELOAD-URI"];
      }
    }
    expect(heads.size).toBeGreaterThan(1);
  });

  it("a session that was named at its start is the same without its name, and its name stays out of the URL", () => {
    const { poll, router } = steeringWorld({
      routing: { method: "weighted", weights: { westeurope: 1, northeurope: 1, eastus: 1 }, sticky: { by: "query:viewer" } },
    });
    for (let viewer = 0; viewer < 20; viewer += 1) {
      const named = `${SESSION}&viewer=secret-${viewer}`;
      const { list } = poll(named);
      expect(list["RELOAD-URI"]).not.toContain("secret");
      expect(poll(list["RELOAD-URI"]).list["PATHWAY-PRIORITY"]).toEqual(list["PATHWAY-PRIORITY"]);
      const front = router.read({ method: "GET", target: `${PATH}?viewer=secret-${viewer}`, host: null });
      if (front.type !== "playback") throw new Error("no request for a video");
      const wire = { target: front.request.target, header: () => undefined, peer: () => null };
      const decision = router.decide(front.request, router.known(front.request)?.holdings ?? {}, router.viewer(front.request, wire));
      expect(headOf(list)).toBe(decision.region);
    }
  });

  it("a session is not moved by the load of a minute, and polls are no load", () => {
    const { poll } = steeringWorld({ routing: { method: "hash", load: 1.01 } });
    const url = `/steering/hls${PATH}?pathways=eastus,westeurope,northeurope`;
    for (let count = 0; count < 200; count += 1) expect(headOf(poll(url).list)).toBe("eastus");
  });

  it("an operator's word holds for sessions under way, too", async () => {
    const { poll, overrides } = steeringWorld();
    const control = { by: "test", reason: "for the test", durationMs: 600_000, expiresAt: null, force: false };
    await overrides.set({ ...control, kind: "drain", region: "westeurope", service: "all" });
    expect(poll(SESSION).list["PATHWAY-PRIORITY"]).toEqual(["northeurope", "eastus", "westeurope"]);
    await overrides.set({ ...control, kind: "pin", region: "eastus", service: "all" });
    expect(headOf(poll(SESSION).list)).toBe("eastus");
  });
});

/** A player with a session of its own at one pathway; the seconds pass before it asks. */
function player({ poll, clock }: SteeringWorld, peer: string) {
  let url = poll(SESSION, { peer }).list["RELOAD-URI"];
  let loaded = 1_000_000;
  return (pathway: string, seconds: number): SteeringManifest => {
    clock.advance(seconds * 1_000);
    loaded += 1;
    const { list } = poll(reporting(url, pathway, loaded), { peer });
    url = list["RELOAD-URI"];
    return list;
  };
}

describe("what players report", () => {
  it("one that leaves the head of its list is heard as a failure of that region, in its own name", () => {
    const world = steeringWorld();
    const ask = player(world, "203.0.113.9");
    ask("westeurope", 30);
    ask("westeurope", 30);
    expect(ask("northeurope", 30).TTL).toBeLessThanOrEqual(7);
    expect(world.reports).toEqual([
      "westeurope/streaming good 51968.28937",
      "westeurope/streaming good 51968.28937",
      "westeurope/streaming bad 51968.28937",
    ]);
  });

  it("all addresses of one IPv6 network are one voice", () => {
    const world = steeringWorld();
    for (const peer of ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"]) {
      const ask = player(world, peer);
      ask("westeurope", 30);
    }
    expect(new Set(world.reports).size).toBe(2);
  });

  it("one that stays away for good is not asked to come soon for ever", () => {
    const ask = player(steeringWorld(), "203.0.113.9");
    const ttls = Array.from({ length: 12 }, () => ask("northeurope", 6).TTL);
    expect(ttls.slice(0, 10).every((ttl) => ttl <= 7)).toBe(true);
    expect(ttls.slice(10).every((ttl) => ttl >= 24)).toBe(true);
  });

  it("one that comes late has been elsewhere in between, and starts anew", () => {
    const world = steeringWorld();
    const ask = player(world, "203.0.113.9");
    ask("westeurope", 30);
    ask("westeurope", 30);
    ask("northeurope", 120);
    expect(world.reports.filter((report) => report.includes("bad"))).toEqual([]);
  });

  it("players that are being moved by a loss say nothing against anybody", () => {
    const world = steeringWorld();
    const ask = player(world, "203.0.113.9");
    ask("westeurope", 30);
    ask("westeurope", 30);
    world.put("westeurope", { status: "unhealthy", reason: "refused" });
    ask("northeurope", 30);
    ask("northeurope", 6);
    world.put("westeurope", {});
    ask("northeurope", 6);
    ask("northeurope", 6);
    ask("westeurope", 6);
    expect(world.reports.filter((report) => report.includes("bad"))).toEqual([]);
  });

  it("a region that is not configured, and a word that is no pathway, are not heard of", async () => {
    const world = steeringWorld();
    const gone = `/steering/hls${PATH}?pathways=removed&chance=00000001`;
    for (let count = 0; count < 5; count += 1) {
      world.clock.advance(30_000);
      world.poll(reporting(gone, "removed", count));
      world.poll(reporting(`${SESSION}&chance=00000002`, "nowhere", count));
    }
    expect(world.reports).toEqual([]);
    expect(await world.metrics.registry.metrics()).not.toMatch(/removed|nowhere/);
  });

  it("is counted, and so is the head of every answer", async () => {
    const world = steeringWorld();
    const ask = player(world, "203.0.113.9");
    for (const pathway of ["westeurope", "westeurope", "eastus", "eastus"]) ask(pathway, 30);
    const { metrics } = world;
    expect(await series(metrics, "paircast_steering_answers_total", { origin: "westeurope" })).toBe(5);
    expect(await series(metrics, "paircast_steering_answers_total", { origin: "eastus" })).toBe(0);
    expect(await series(metrics, "paircast_steering_reports_total", { origin: "westeurope", result: "good" })).toBe(2);
    expect(await series(metrics, "paircast_steering_reports_total", { origin: "westeurope", result: "bad" })).toBe(1);
    // The second time it came late: it was asked to come back soon.
    expect(await series(metrics, "paircast_steering_reports_total", { origin: "westeurope", result: "doubtful" })).toBe(1);
  });
});

describe("quorum of what players report", () => {
  /** Whether it is reached while some leave the head and others stay, each from an address of its own but where `peer` says otherwise. */
  function isReached(leaving: number, staying: number, peer?: string): boolean {
    const world = steeringWorld();
    const players = Array.from({ length: leaving + staying }, (_, number) => player(world, peer ?? `203.0.113.${number + 1}`));
    for (let round = 0; round < 2; round += 1) for (const [number, ask] of players.entries()) ask("westeurope", number === 0 ? 28 : 0.1);
    world.reports.length = 0;
    for (const [number, ask] of players.entries()) ask(number < staying ? "westeurope" : "northeurope", number === 0 ? 28 : 0.1);
    const quorum = new ViewerQuorum({ quorum: 3, window: 10_000 });
    return world.reports
      .map((report, at) => quorum.heard(report.split(" ").at(-1) ?? "", report.includes(" good "), at * 100))
      .includes(true);
  }

  it.each([
    ["three that leave are heard", 3, 0, undefined, true],
    ["two are not", 2, 0, undefined, false],
    ["three among more that stay are not", 3, 4, undefined, false],
    ["but more than stay are", 5, 4, undefined, true],
    ["twenty players at one address are one", 20, 0, "203.0.113.9", false],
  ] as const)("%s", (_, leaving, staying, peer, reached) => {
    expect(isReached(leaving, staying, peer)).toBe(reached);
  });
});

describe("a client that hammers", () => {
  it("is answered, and told to take its time; others are not", async () => {
    const { poll, metrics, clock } = steeringWorld();
    const ttls = Array.from({ length: 140 }, () => poll(SESSION).list.TTL);
    expect(ttls.slice(0, 30).every((ttl) => ttl <= 36)).toBe(true);
    expect(ttls.slice(30).every((ttl) => ttl >= 48)).toBe(true);
    expect(poll(SESSION, { peer: "203.0.113.10" }).list.TTL).toBeLessThanOrEqual(36);
    expect(await series(metrics, "paircast_steering_slowed_total", {})).toBe(110);
    clock.advance(10_000);
    expect(poll(SESSION).list.TTL).toBeLessThanOrEqual(36);
  });
});
