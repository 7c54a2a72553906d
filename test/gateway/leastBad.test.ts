/** Where nobody may serve: who is least bad, and what is said of it. With the small print of a decision that other tests pass over. */
import { describe, expect, it } from "vitest";
import { FAILURE_REASONS, type FailureReason } from "../../src/core/contracts.ts";
import { candidatesFor, locationOf } from "../../src/gateway/candidates.ts";
import { choose, decide } from "../../src/gateway/decide.ts";
import { assess, type Assessment } from "../../src/gateway/eligibility.ts";
import { hashText } from "../../src/gateway/order/hash.ts";
import { ill, question } from "./places.ts";
import { REGIONS, serviceHealth } from "./world.ts";

/** Least bad first; those in a row are as bad as one another. */
const KINDS: readonly (readonly FailureReason[])[] = [
  ["not_found", "unauthorized"],
  ["stale", "regressed", "rewritten", "segment", "too_large"],
  ["status"],
  ["timeout", "truncated", "abandoned"],
  ["body", "key_length", "key_mismatch"],
  ["reset"],
  ["tls", "dns"],
  ["refused"],
];
const kindOf = (reason: FailureReason): number => KINDS.findIndex((kind) => kind.includes(reason));

describe("the least bad", () => {
  it("knows every reason", () => {
    expect(KINDS.flat().toSorted()).toEqual([...FAILURE_REASONS].toSorted());
  });

  it("is the one of the lesser kind, and the first of one kind", () => {
    for (const one of FAILURE_REASONS) {
      for (const other of FAILURE_REASONS) {
        const { region, reason } = decide(
          question([
            { name: "a", streaming: ill(one) },
            { name: "b", streaming: ill(other) },
          ]),
        );
        expect([one, other, region, reason]).toEqual([one, other, kindOf(other) < kindOf(one) ? "b" : "a", "failopen"]);
      }
    }
  });

  it("without a reason is as bad as one that takes too long", () => {
    const beside = (reason: FailureReason, first: boolean) => {
      const places = [
        { name: "unexplained", streaming: serviceHealth("unhealthy") },
        { name: "other", streaming: ill(reason) },
      ];
      return decide(question(first ? places : places.toReversed())).region;
    };
    expect([beside("timeout", true), beside("timeout", false)]).toEqual(["unexplained", "other"]);
    expect([beside("status", true), beside("body", false)]).toEqual(["other", "unexplained"]);
  });

  it("is bad by its keys, too, where they are worse", () => {
    const places = [
      { name: "a", streaming: ill("not_found"), keys: ill("refused") },
      { name: "b", streaming: ill("reset") },
    ];
    expect(decide(question(places, { keys: "host" })).region).toBe("b");
    expect(decide(question(places)).region).toBe("a");
    expect(
      decide(
        question(
          [
            { name: "a", streaming: ill("not_found") },
            { name: "b", streaming: ill("not_found") },
          ],
          { keys: "host" },
        ),
      ).region,
    ).toBe("a");
  });

  it("is never one that was asked and failed for this very request, whatever its kind", () => {
    const asked = question([
      { name: "a", streaming: ill("not_found"), tried: true },
      { name: "b", streaming: ill("refused") },
    ]);
    expect(decide(asked)).toMatchObject({ region: "b", reason: "failopen" });
    expect(decide(asked).considered[0]).toEqual({ region: "a", eligible: false, verdict: "tried", detail: "failed for this request" });
  });
});

describe("nobody", () => {
  it("is null, by whatever way", () => {
    expect(decide(question([{ name: "a", holding: "absent" }]))).toMatchObject({ region: null, reason: "not_found" });
    expect(decide(question([{ name: "a", streaming: "unhealthy" }], { whenNoneEligible: "closed" })).region).toBeNull();
    expect(decide(question([])).region).toBeNull();
  });
});

describe("what is not known", () => {
  it("of a copy ranks behind a verified one, of a state behind a known one", () => {
    const { holdings: _, ...unlisted } = question([{ name: "a" }]);
    const [only] = decide({ ...unlisted, holdings: {} }).considered;
    expect(only?.detail).toBe("streaming healthy; not known whether it is there");
    expect(
      decide(
        question([
          { name: "a", holding: "unknown" },
          { name: "b", streaming: "unknown" },
        ]),
      ).region,
    ).toBe("b");
    const { health, ...unprobed } = question([{ name: "a" }]);
    expect(decide({ ...unprobed, health: { ...health, regions: {} } }).considered[0]).toMatchObject({ verdict: "unknown", eligible: true });
  });
});

describe("keys of another region", () => {
  const from = (b: Parameters<typeof question>[0][number]) =>
    decide(
      question(
        [
          { name: "a", keys: ill("refused") },
          { ...b, streaming: "unhealthy" },
        ],
        { keys: "any" },
      ),
    ).reason;

  it("do where they are verified and healthy, or degraded, and nobody has disabled them", () => {
    expect(from({ name: "b" })).toBe("primary");
    expect(from({ name: "b", keys: "degraded" })).toBe("primary");
    expect(from({ name: "b", keys: "unknown" })).toBe("failopen");
    expect(from({ name: "b", holding: "found" })).toBe("failopen");
    expect(from({ name: "b", overrides: [["disable", "keys"]] })).toBe("failopen");
    expect(from({ name: "b", overrides: [["disable", "streaming"]] })).toBe("primary");
  });
});

describe("a share of the viewers", () => {
  const returning = (share: number) => ({ name: "a", streaming: { ...serviceHealth("healthy"), share } });

  it("is told in whole percent, rounded", () => {
    const seed = Array.from({ length: 200 }, (_, at) => hashText(`${at}`)).find(
      (each) => decide(question([returning(0.124), { name: "b" }], { seed: each })).region === "b",
    );
    const detail = (share: number) => decide(question([returning(share), { name: "b" }], { seed: seed ?? 0 })).considered[0]?.detail;
    expect(detail(0.124)).toContain("now with 12 % of its viewers; streaming healthy");
    expect(detail(0.004)).toContain("now with 0 % of its viewers");
  });

  it("of one is everybody", () => {
    for (let seed = 0; seed < 50; seed += 1) {
      expect(decide(question([returning(1), { name: "b" }], { seed: hashText(`${seed}`) })).considered[0]?.verdict).toBe("healthy");
    }
  });
});

describe("an assessment", () => {
  const [candidate] = question([{ name: "a" }]).candidates;
  const assessed = (place: Parameters<typeof question>[0][number]): Assessment =>
    assess(candidate ?? { region: "a", base: null }, question([place]));

  it("of a region that may serve has a rank, and neither reserve nor severity", () => {
    expect(assessed({ name: "a" })).toMatchObject({
      rank: 0,
      reserve: null,
      severity: null,
      sure: true,
      share: 1,
      pinned: false,
      yields: false,
    });
    expect(assessed({ name: "a", holding: "found" })).toMatchObject({ rank: 0, sure: true });
    expect(assessed({ name: "a", holding: "unknown" })).toMatchObject({ rank: 4, sure: false });
  });

  it("of a drained one has a reserve, and a severity where it is ill", () => {
    const overrides = [["drain", "all"]] as const;
    expect(assessed({ name: "a", overrides })).toMatchObject({ rank: null, reserve: 0, severity: null });
    expect(assessed({ name: "a", overrides, streaming: ill("status") })).toMatchObject({ rank: null, reserve: null, severity: 12 });
  });

  it("of one that is out of the question has nothing", () => {
    const nothing = { rank: null, reserve: null, severity: null, sure: false, share: 1, pinned: false, yields: false };
    expect(assessed({ name: "a", holding: "missing" })).toMatchObject(nothing);
    expect(assessed({ name: "a", overrides: [["disable", "all"]] })).toMatchObject(nothing);
  });

  it("is chosen by the lowest score, and the first of equals", () => {
    const all = ["a", "b", "c"].map((region, at) => ({ ...assessed({ name: "a" }), region, rank: at === 0 ? 2 : 1 }));
    expect(choose(all, { tried: new Set(), whenNoneEligible: "open" })).toMatchObject({ region: "b", reason: "failover" });
  });
});

describe("a location", () => {
  const candidates = candidatesFor("streaming", [...REGIONS, { name: "c", streaming: "https://c.example", keys: null }]);

  it("is the region's base URL and the target, byte for byte", () => {
    expect(candidates.map(({ base }) => base)).toEqual([
      "https://we.streaming.example",
      "https://ne.streaming.example/origin",
      "https://c.example",
    ]);
    expect(locationOf(candidates, "northeurope", "/v/a.m3u8?x=%2F")).toBe("https://ne.streaming.example/origin/v/a.m3u8?x=%2F");
    expect(locationOf(candidates, "westeurope", "")).toBe("https://we.streaming.example");
  });

  it("there is none at a region that is not there or has no such service", () => {
    expect(() => locationOf(candidates, "elsewhere", "/")).toThrow(TypeError);
    expect(() => locationOf(candidatesFor("keys", [{ name: "c", streaming: "https://c.example", keys: null }]), "c", "/")).toThrow(
      "region c has no such service",
    );
  });
});
