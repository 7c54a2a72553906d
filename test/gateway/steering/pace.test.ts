import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { steeringManifest } from "../../../src/gateway/steering/answer.ts";
import { taken, type Bucket } from "../../../src/gateway/steering/bucket.ts";
import { hasIncident, isRecent, ttlSeconds } from "../../../src/gateway/steering/ttl.ts";

const POLICY = { ttl: 30_000, incidentTtl: 5_000 };
const CHANCES = Array.from({ length: 1_000 }, (_, index) => index / 1_000);

function range(pace: "calm" | "incident" | "slowed"): [number, number] {
  const seconds = CHANCES.map((chance) => ttlSeconds(POLICY, pace, chance));
  return [Math.min(...seconds), Math.max(...seconds)];
}

describe("time to the next request", () => {
  it("is about the setting when all is well, above the shorter one in an incident, and long for a player that asks too often", () => {
    expect(range("calm")).toEqual([24, 36]);
    expect(range("incident")).toEqual([5, 7]);
    expect(range("slowed")).toEqual([48, 72]);
  });

  it("is a whole number of seconds, at least 1, whatever is configured", () => {
    const ms = fc.integer({ min: 1, max: 10_000_000 });
    const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(ms, ms, fc.constantFrom("calm", "incident", "slowed"), chance, (ttl, incidentTtl, pace, draw) => {
        const seconds = ttlSeconds({ ttl, incidentTtl }, pace, draw);
        expect(Number.isSafeInteger(seconds)).toBe(true);
        expect(seconds).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  it("an incident is a region of the session that is not well, not one that an operator keeps away", () => {
    const seen = (verdict: Parameters<typeof hasIncident>[0][number]["verdict"]) =>
      hasIncident([{ region: "a", eligible: true, verdict, detail: "" }], ["a", "b"]);
    expect((["healthy", "drained", "disabled", "missing"] as const).map(seen)).toEqual([false, false, false, false]);
    expect((["degraded", "unhealthy", "ramping", "unknown", "no_keys"] as const).map(seen)).toEqual([true, true, true, true, true]);
    expect(hasIncident([{ region: "c", eligible: false, verdict: "unhealthy", detail: "" }], ["a", "b"])).toBe(false);
  });

  it("a change is recent for two times the TTL, also on a clock that was set back", () => {
    expect(isRecent(1_000_000, 1_059_999, POLICY)).toBe(true);
    expect(isRecent(1_000_000, 1_060_000, POLICY)).toBe(false);
    expect(isRecent(1_000_000, 990_000, POLICY)).toBe(true);
    expect(isRecent(Number.NEGATIVE_INFINITY, 1_000_000, POLICY)).toBe(false);
  });
});

describe("how often a client may ask", () => {
  function allowed(perSecond: number, seconds: number): number {
    let bucket: Bucket | null = null;
    let count = 0;
    for (let request = 0; request < perSecond * seconds; request += 1) {
      const step = taken(bucket, (request / perSecond) * 1_000);
      bucket = step.bucket;
      if (step.allowed) count += 1;
    }
    return count;
  }

  it("a player that asks once a second is never slowed, one that asks 140 times a second soon is", () => {
    expect(allowed(1, 600)).toBe(600);
    expect(allowed(140, 60)).toBeLessThanOrEqual(30 + 2 * 60);
  });

  it("never more than was saved and what has come in since, whatever the times", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1_000, max: 60_000 }), { maxLength: 200 }), (pauses) => {
        let bucket: Bucket | null = null;
        let at = 0;
        for (const pause of pauses) {
          at += pause;
          bucket = taken(bucket, at).bucket;
          expect(bucket.tokens).toBeGreaterThanOrEqual(0);
          expect(bucket.tokens).toBeLessThan(30);
        }
      }),
    );
  });
});

describe("steering manifest", () => {
  it("is JSON with what every player needs and no clones", () => {
    const uri = 'https://gw.example/steering/hls/a"b(c=d)?pathways=a,b';
    expect(JSON.parse(steeringManifest(30, uri, '["a","b"]'))).toEqual({
      VERSION: 1,
      TTL: 30,
      "RELOAD-URI": uri,
      "PATHWAY-PRIORITY": ["a", "b"],
    });
  });
});
