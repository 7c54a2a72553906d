import { describe, expect, it } from "vitest";
import type { PlaybackRequest } from "../../src/core/contracts.ts";
import { buildWorld, entry, KEY_ID, LOCATOR, ManualClock, manifestRequest, ScriptedHttp, UNKNOWN_LOCATOR } from "./world.ts";

const WEST = "https://we.streaming.example";
const NORTH = "https://ne.streaming.example";

function locating(gateway: Readonly<Record<string, unknown>> = {}) {
  const http = new ScriptedHttp();
  const clock = new ManualClock();
  const world = buildWorld({ gateway, clock, http });
  const locate = async (request: PlaybackRequest) => (await world.directory.locate(request)).holdings;
  return { ...world, http, clock, locate };
}

/** Lets every promise that can go on, go on. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe("holdings", () => {
  const unknown = manifestRequest(UNKNOWN_LOCATOR);

  it("of a catalogued locator are the catalogue's, without asking", async () => {
    const { catalogue, http, locate, directory } = locating();
    catalogue.list = [entry({ westeurope: "verified", northeurope: "withdrawn" })];
    expect(await locate(manifestRequest(LOCATOR))).toEqual({ westeurope: "verified", northeurope: "missing" });
    expect(directory.known(manifestRequest(LOCATOR))?.source).toBe("catalogue");
    expect(http.asked).toEqual([]);
  });

  it("are asked for once, whatever the number of viewers", async () => {
    const { http, locate } = locating();
    http.script.set(WEST, 200).set(NORTH, 404);
    const answers = await Promise.all(Array.from({ length: 20 }, () => locate(unknown)));
    for (const answer of answers) expect(answer).toEqual({ westeurope: "found", northeurope: "absent" });
    expect(http.asked).toHaveLength(2);
  });

  it("found ones are kept for foundFor, for every path of the locator", async () => {
    const { http, locate, clock } = locating({ unknownLocators: { foundFor: "5m" } });
    http.script.set(WEST, 200).set(NORTH, 404);
    await locate(unknown);
    clock.advance(299_000);
    await locate(manifestRequest(UNKNOWN_LOCATOR, "other"));
    expect(http.asked).toHaveLength(2);
    clock.advance(2_000);
    await locate(unknown);
    expect(http.asked).toHaveLength(4);
  });

  it("absent ones are kept for absentFor, and only for their path", async () => {
    const { http, locate, clock } = locating({ unknownLocators: { absentFor: "10s" } });
    http.script.set(WEST, ({ url }) => (url.includes("/video.ism/") ? 200 : 404)).set(NORTH, 404);
    expect(await locate(manifestRequest(UNKNOWN_LOCATOR, "wrong"))).toEqual({ westeurope: "absent", northeurope: "absent" });
    await locate(manifestRequest(UNKNOWN_LOCATOR, "wrong"));
    expect(http.asked).toHaveLength(2);
    expect(await locate(unknown)).toEqual({ westeurope: "found", northeurope: "absent" });
    const { http: other, locate: again, clock: later } = locating({ unknownLocators: { absentFor: "10s" } });
    await again(unknown);
    later.advance(10_001);
    await again(unknown);
    expect(other.asked).toHaveLength(4);
    clock.advance(1);
  });

  it("incomplete ones are kept only shortly", async () => {
    const { http, locate, clock } = locating({ unknownLocators: { foundFor: "5m", absentFor: "10s" } });
    http.script.set(WEST, "timeout").set(NORTH, 200);
    expect(await locate(unknown)).toEqual({ westeurope: "unknown", northeurope: "found" });
    clock.advance(10_001);
    http.script.set(WEST, 200);
    expect(await locate(unknown)).toEqual({ westeurope: "found", northeurope: "found" });
  });

  it("are bounded in number", async () => {
    const { http, locate } = locating({ unknownLocators: { entries: 100 } });
    http.script.set(WEST, 200).set(NORTH, 200);
    const id = (at: number) => `11111111-2222-4333-8444-${String(at).padStart(12, "0")}`;
    for (let at = 0; at <= 100; at += 1) await locate(manifestRequest(id(at)));
    const before = http.asked.length;
    await locate(manifestRequest(id(100)));
    expect(http.asked).toHaveLength(before);
    await locate(manifestRequest(id(0)));
    expect(http.asked).toHaveLength(before + 2);
  });

  it("do not wait long for a silent region once another has shown the video", async () => {
    const { http, directory, clock } = locating();
    http.script.set(WEST, "never").set(NORTH, 200);
    const located = directory.locate(unknown);
    await settle();
    clock.advance(250);
    expect((await located).holdings).toEqual({ westeurope: "unknown", northeurope: "found" });
  });

  it("leave out a region that is ill", async () => {
    const { http, locate, health } = locating();
    http.script.set(WEST, 200).set(NORTH, 200);
    health.set("westeurope", "streaming", "unhealthy", "timeout");
    expect(await locate(unknown)).toEqual({ westeurope: "unknown", northeurope: "found" });
    expect(http.asked).toHaveLength(1);
  });

  it("report failures of the region to health, and 404, 401 and redirects not", async () => {
    const { http, locate, outcomes, metrics } = locating();
    const answers = [503, "refused", "timeout", 404, 401, 403, 302, { status: 200, contentType: "text/html; charset=utf-8" }] as const;
    const holdings: string[] = [];
    for (const [at, answer] of answers.entries()) {
      http.script.set(WEST, answer).set(NORTH, 404);
      holdings.push((await locate(manifestRequest(UNKNOWN_LOCATOR, `video${at}`)))["westeurope"] ?? "");
    }
    expect(holdings).toEqual(["unknown", "unknown", "unknown", "absent", "unknown", "unknown", "unknown", "unknown"]);
    expect(outcomes.words).toEqual(["westeurope:status", "westeurope:refused", "westeurope:timeout", "westeurope:body"]);
    expect(await metrics.registry.metrics()).toContain(
      'paircast_upstream_failures_total{origin="westeurope",service="streaming",reason="refused"} 1',
    );
  });

  it("are asked for by GET where a region does not serve HEAD", async () => {
    const { http, locate } = locating();
    http.script
      .set(WEST, ({ method }) => (method === "HEAD" ? 405 : 200))
      .set(NORTH, ({ method }) => (method === "HEAD" ? 501 : "too_large"));
    expect(await locate(unknown)).toEqual({ westeurope: "found", northeurope: "found" });
  });

  it("of a key are the catalogue's, or not known", () => {
    const { catalogue, directory } = locating();
    const known = entry({ northeurope: "verified" });
    catalogue.list = [known];
    expect(directory.forKey(known.keys[0]?.id ?? "")).toEqual({ westeurope: "missing", northeurope: "verified" });
    expect(directory.forKey(UNKNOWN_LOCATOR)).toBeUndefined();
    expect(directory.forKey(null)).toBeUndefined();
  });
});

describe("the host of a packaged video's key", () => {
  const KEYS = [{ id: KEY_ID, fingerprint: "00" }];

  it.each([
    ["streaming", "none"],
    ["region", "region"],
    ["gateway", "gateway"],
    ["elsewhere", "none"],
  ] as const)("at %s makes %s answer for it", (keyHost, expected) => {
    const { catalogue, directory } = locating();
    catalogue.list = [entry({ westeurope: "verified" }, { keys: KEYS, keyHost })];
    expect(directory.keyHost(manifestRequest(LOCATOR))).toBe(expected);
  });

  it("decides who may serve it: those whose keys can be had, and of other regions only keys that are known to be the same", () => {
    const { catalogue, health, router } = locating();
    const chosen = () => {
      const request = manifestRequest(LOCATOR);
      const located = router.known(request);
      return located === undefined ? undefined : router.decide(request, located.holdings);
    };
    const both = { westeurope: "verified", northeurope: "verified" } as const;
    catalogue.list = [entry(both, { keys: KEYS, keyHost: "gateway" })];
    health.set("westeurope", "keys", "unhealthy", "status");
    expect(chosen()).toMatchObject({ region: "westeurope", reason: "primary" });
    catalogue.list = [entry(both, { keys: [{ id: KEY_ID, fingerprint: null }], keyHost: "gateway" })];
    expect(chosen()).toMatchObject({ region: "northeurope", reason: "failover", considered: [{ verdict: "no_keys" }, {}] });
    catalogue.list = [entry(both, { keys: KEYS, keyHost: "region" })];
    expect(chosen()).toMatchObject({ region: "northeurope", considered: [{ verdict: "no_keys" }, {}] });
    catalogue.list = [entry(both, { keys: KEYS, keyHost: "streaming" })];
    expect(chosen()).toMatchObject({ region: "westeurope", reason: "primary" });
  });
});
