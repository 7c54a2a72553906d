import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  FAILURE_REASONS,
  HEALTH_STATUSES,
  OVERRIDE_KINDS,
  OVERRIDE_SERVICES,
  type HealthStatus,
  type Holding,
  type OverrideKind,
  type OverrideService,
  type ServiceHealth,
} from "../../src/core/contracts.ts";
import { decide, type Question } from "../../src/gateway/decide.ts";
import { noneEligible, type KeyNeed } from "../../src/gateway/eligibility.ts";
import { hashText } from "../../src/gateway/order/hash.ts";
import { ill, question, verdicts, type Place } from "./places.ts";
import { serviceHealth } from "./world.ts";

describe("degraded and unknown", () => {
  it("come after healthy, in this order, and before ill", () => {
    const all: Place[] = [
      { name: "a", streaming: "unhealthy" },
      { name: "b", streaming: "unknown" },
      { name: "c", streaming: "degraded" },
      { name: "d", streaming: "healthy" },
    ];
    const chosen = [0, 1, 2, 3].map((count) => decide(question(all.slice(0, 4 - count))).region);
    expect(chosen).toEqual(["d", "c", "b", "a"]);
  });

  it("a degraded region says what degrades it", () => {
    const slow: ServiceHealth = {
      ...serviceHealth("degraded"),
      signals: [
        { kind: "first_byte", detail: "900 ms to the first byte" },
        { kind: "clock", detail: "40 s ahead" },
      ],
    };
    const [only] = decide(question([{ name: "a", streaming: slow }])).considered;
    expect(only).toMatchObject({ eligible: true, detail: "streaming degraded: 900 ms to the first byte, 40 s ahead; verified there" });
  });
});

describe("a drained region", () => {
  const drained = { overrides: [["drain", "streaming"]] } as const;

  it("gets nothing while anything else is eligible, however little that is", () => {
    const asked = question([
      { name: "a", ...drained },
      { name: "b", streaming: "unknown", holding: "unknown" },
    ]);
    expect(decide(asked)).toMatchObject({ region: "b", reason: "failover" });
    expect(verdicts(asked)).toEqual(["a drained", "b unknown +"]);
  });

  it("serves before an ill one, also where one fails closed", () => {
    const places: Place[] = [
      { name: "a", streaming: "unhealthy" },
      { name: "b", ...drained },
    ];
    expect(decide(question(places))).toMatchObject({ region: "b", reason: "failover" });
    expect(decide(question(places, { whenNoneEligible: "closed" }))).toMatchObject({ region: "b", reason: "failover" });
    expect(verdicts(question(places))).toEqual(["a unhealthy", "b drained +"]);
    expect(decide(question([{ name: "a", ...drained }]))).toMatchObject({ region: "a", reason: "primary" });
  });

  it("that is ill, too, comes after all that are only ill", () => {
    const places: Place[] = [
      { name: "a", streaming: ill("unauthorized"), ...drained },
      { name: "b", streaming: ill("refused") },
    ];
    expect(decide(question(places))).toMatchObject({ region: "b", reason: "failopen" });
    expect(decide(question(places.slice(0, 1)))).toMatchObject({ region: "a", reason: "failopen" });
    expect(decide(question(places.slice(0, 1), { whenNoneEligible: "closed" }))).toMatchObject({ region: null, reason: "unavailable" });
  });

  it("is drained for its service alone, or for all", () => {
    const of = (service: OverrideService) => decide(question([{ name: "a", overrides: [["drain", service]] }, { name: "b" }])).region;
    expect([of("streaming"), of("all"), of("keys"), of("encoding")]).toEqual(["b", "b", "a", "a"]);
  });

  it("two of them serve by health, then in order", () => {
    const both: Place[] = [
      { name: "a", streaming: "degraded", ...drained },
      { name: "b", ...drained },
      { name: "c", ...drained },
    ];
    expect(decide(question(both)).region).toBe("b");
  });

  it("that does not have the video stays without it", () => {
    expect(decide(question([{ name: "a", holding: "missing", ...drained }]))).toMatchObject({ region: null, reason: "not_found" });
  });

  it("has failed once it was tried", () => {
    expect(decide(question([{ name: "a", tried: true, ...drained }]))).toMatchObject({ region: null, reason: "unavailable" });
  });
});

describe("a disabled region", () => {
  const disabled = { overrides: [["disable", "all"]] } as const;

  it("is never chosen, also where nothing else is left", () => {
    const places: Place[] = [
      { name: "a", ...disabled },
      { name: "b", streaming: "unhealthy" },
    ];
    expect(decide(question(places))).toMatchObject({ region: "b", reason: "failopen" });
    expect(decide(question(places.slice(0, 1)))).toMatchObject({ region: null, reason: "unavailable" });
    expect(verdicts(question(places))).toEqual(["a disabled", "b unhealthy"]);
  });

  it("does not make a video that is nowhere else be not found", () => {
    expect(
      decide(
        question([
          { name: "a", ...disabled },
          { name: "b", holding: "absent" },
        ]),
      ).reason,
    ).toBe("unavailable");
    expect(
      decide(
        question([
          { name: "a", holding: "missing", ...disabled },
          { name: "b", holding: "absent" },
        ]),
      ).reason,
    ).toBe("not_found");
  });

  it("stays away under a pin and under a drain of its own", () => {
    for (const kind of ["pin", "drain"] as const) {
      const both = {
        name: "a",
        overrides: [
          [kind, "streaming"],
          ["disable", "all"],
        ],
      } as const;
      expect(decide(question([both]))).toMatchObject({ region: null, reason: "unavailable" });
    }
  });
});

describe("a pinned region", () => {
  const pinned = { overrides: [["pin", "streaming"]] } as const;

  const WELL = ["healthy", "degraded", "unknown"] as const;

  it("gets everything that it holds and can serve, whatever its place", () => {
    for (const streaming of WELL) {
      const asked = question([{ name: "a" }, { name: "b", streaming, ...pinned }]);
      expect(decide(asked)).toMatchObject({ region: "b", reason: "pinned" });
      expect(verdicts(asked)).toEqual(["a healthy +", `b ${streaming} +`]);
      expect(decide(asked).considered[1]?.detail).toMatch(/^pinned by an operator; streaming/);
    }
  });

  it("yields while it is ill, and says so, whoever is first", () => {
    for (const places of [["a", "b"] as const, ["b", "a"] as const]) {
      const asked = question(places.map((name) => (name === "b" ? { name, streaming: ill("timeout"), ...pinned } : { name })));
      expect(decide(asked)).toMatchObject({ region: "a", reason: "failover" });
      const considered = decide(asked).considered.find(({ region }) => region === "b");
      expect(considered).toEqual({
        region: "b",
        eligible: false,
        verdict: "unhealthy",
        detail: "pinned by an operator, and the pin is not honoured, because it cannot serve: streaming unhealthy: timeout; verified there",
      });
    }
  });

  it("yields where the keys that the video needs cannot be had there", () => {
    const asked = question([{ name: "a" }, { name: "b", keys: "unhealthy", ...pinned }], { keys: "host" });
    expect(decide(asked)).toMatchObject({ region: "a", reason: "failover", considered: [{}, { verdict: "no_keys" }] });
  });

  it("yields to a region that is drained, before it is the last resort of all", () => {
    const drained = { name: "a", overrides: [["drain", "all"]] } as const;
    expect(decide(question([drained, { name: "b", streaming: "unhealthy", ...pinned }]))).toMatchObject({
      region: "a",
      reason: "failover",
    });
    const allIll = [
      { name: "a", streaming: ill("not_found") },
      { name: "b", streaming: ill("refused"), ...pinned },
    ];
    expect(decide(question(allIll))).toMatchObject({ region: "b", reason: "failopen" });
    expect(decide(question(allIll, { whenNoneEligible: "closed" }))).toMatchObject({ region: null, reason: "unavailable" });
  });

  it("by force gets everything that it holds, well or ill", () => {
    const forced = { overrides: [["pin", "streaming", "forced"]] } as const;
    for (const streaming of HEALTH_STATUSES) {
      const asked = question([{ name: "a" }, { name: "b", streaming, ...forced }], { whenNoneEligible: "closed" });
      expect(decide(asked)).toMatchObject({ region: "b", reason: "pinned" });
      expect(decide(asked).considered[1]?.detail).toMatch(/^pinned by an operator; streaming/);
    }
  });

  it("gets nothing that it does not hold or has not got the service for", () => {
    for (const lack of [{ holding: "missing" }, { holding: "absent" }, { has: false }] as const) {
      expect(decide(question([{ name: "a" }, { name: "b", ...lack, ...pinned }]))).toMatchObject({ region: "a", reason: "primary" });
    }
  });

  it("gets nothing that it failed at", () => {
    expect(decide(question([{ name: "a" }, { name: "b", tried: true, ...pinned }]))).toMatchObject({ region: "a", reason: "failover" });
  });

  it("gets everybody while it returns slowly, too", () => {
    const slow = { ...serviceHealth("healthy"), share: 0 };
    expect(decide(question([{ name: "a" }, { name: "b", streaming: slow, ...pinned }], { seed: 7 })).region).toBe("b");
  });

  it("of another service is not pinned", () => {
    expect(decide(question([{ name: "a" }, { name: "b", overrides: [["pin", "keys"]] }])).region).toBe("a");
  });

  it("is not drained", () => {
    const both = {
      name: "b",
      overrides: [
        ["drain", "all"],
        ["pin", "streaming"],
      ],
    } as const;
    expect(decide(question([{ name: "a" }, both]))).toMatchObject({ region: "b", reason: "pinned" });
  });
});

describe("a region that was tried", () => {
  it("says nothing new where it may not serve anyway", () => {
    const asked = question([
      { name: "a", holding: "absent", tried: true },
      { name: "b", has: false, tried: true },
      { name: "c", holding: "missing" },
    ]);
    expect(verdicts(asked)).toEqual(["a absent", "b no_service", "c missing"]);
    expect(decide(asked).reason).toBe("not_found");
  });

  it("is not called the canary's that failed", () => {
    const places: Place[] = [{ name: "a" }, { name: "b" }];
    expect(decide(question(places, { canary: "a" }))).toMatchObject({ region: "a", reason: "canary" });
    expect(decide(question([{ name: "a", tried: true }, { name: "b" }], { canary: "a" }))).toMatchObject({
      region: "b",
      reason: "failover",
    });
  });
});

describe("a region that returns slowly", () => {
  const returning = (share: number): Place => ({ name: "a", streaming: { ...serviceHealth("healthy"), share } });

  it("has its share of the viewers, and the others go on", () => {
    const seeds = Array.from({ length: 10_000 }, (_, at) => hashText(`session-${at}`));
    for (const share of [0.1, 0.5, 0.9]) {
      const asked = (seed: number) => decide(question([returning(share), { name: "b" }], { seed })).region;
      const inside = seeds.filter((seed) => asked(seed) === "a").length / seeds.length;
      expect(Math.abs(inside - share)).toBeLessThan(0.015);
    }
  });

  it("says so to those who are not in its share", () => {
    const outside = Array.from({ length: 50 }, (_, seed) => question([returning(0.25), { name: "b" }], { seed }));
    const refused = outside.map((asked) => decide(asked)).filter(({ region }) => region === "b");
    expect(refused[0]?.considered[0]?.detail).toMatch(/now with 25 % of its viewers/);
    const asked = question([returning(0), { name: "b" }], { seed: 7 });
    expect(decide(asked)).toMatchObject({ region: "b", reason: "failover" });
    expect(decide(asked).considered[0]).toEqual({
      region: "a",
      eligible: true,
      verdict: "ramping",
      detail: "returns slowly after a recovery, now with 0 % of its viewers; streaming healthy; verified there",
    });
  });

  it("serves everybody rather than an unknown or an ill one, and after a degraded one", () => {
    const beside = (streaming: HealthStatus) => decide(question([returning(0), { name: "b", streaming }], { seed: 7 })).region;
    expect([beside("unknown"), beside("unhealthy"), beside("degraded")]).toEqual(["a", "a", "b"]);
    expect(decide(question([returning(0)], { seed: 7 }))).toMatchObject({ region: "a", reason: "primary" });
  });

  it("counts as any other for who does not say who asks, and at a share of 1", () => {
    expect(decide(question([returning(0), { name: "b" }])).region).toBe("a");
    expect(decide(question([returning(1), { name: "b" }], { seed: 7 })).region).toBe("a");
  });

  it("stays ill while it is", () => {
    const sick = { name: "a", streaming: { ...ill("timeout"), share: 0.5 } };
    expect(verdicts(question([sick, { name: "b" }], { seed: 7 }))).toEqual(["a unhealthy", "b healthy +"]);
  });
});

describe("keys and streaming together", () => {
  const places = (a: Partial<Place>, b: Partial<Place> = {}): Place[] => [
    { name: "a", ...a },
    { name: "b", ...b },
  ];
  const region = (keys: KeyNeed, of: Place[]) => decide(question(of, { keys })).region;
  const each = (of: Place[]) => (["none", "host", "region", "any"] as const).map((keys) => region(keys, of)).join(" ");

  it.each([
    ["all is well", places({}), "a a a a"],
    ["keys of a are ill", places({ keys: "unhealthy" }), "a b b a"],
    ["keys of a are not looked at yet", places({ keys: "unknown" }), "a a a a"],
    ["keys of a are degraded", places({ keys: "degraded" }), "a a a a"],
    ["a has no key delivery", places({ keys: null }), "a a b a"],
    ["keys of a are ill, and those of b not looked at", places({ keys: "unhealthy" }, { keys: "unknown" }), "a b b b"],
    ["keys of a are ill, and b does not have the video", places({ keys: "unhealthy" }, { holding: "missing" }), "a a a a"],
    ["keys of a are disabled", places({ overrides: [["disable", "keys"]] }), "a b b a"],
    ["keys of a are ill, those of b disabled", places({ keys: "unhealthy" }, { overrides: [["disable", "keys"]] }), "a a a a"],
    ["keys of a are drained", places({ overrides: [["drain", "keys"]] }), "a b a a"],
    ["keys of both are ill", places({ keys: ill("refused") }, { keys: ill("timeout") }), "a b b b"],
  ])("%s", (_, of, expected) => {
    expect(each(of)).toBe(expected);
  });

  it("says what is the matter", () => {
    const asked = question(places({ keys: ill("refused") }), { keys: "host" });
    expect(decide(asked).considered[0]).toEqual({
      region: "a",
      eligible: false,
      verdict: "no_keys",
      detail: "the keys that this video needs cannot be had: keys unhealthy: refused; verified there",
    });
    const without = decide(question(places({ keys: null }), { keys: "region" })).considered[0]?.detail;
    expect(without).toContain("the region has no key delivery");
    const disabled = decide(question(places({ overrides: [["disable", "keys"]] }), { keys: "region" })).considered[0]?.detail;
    expect(disabled).toContain("disabled by an operator");
  });

  it("fails open where no region has both, by the worse of the two", () => {
    const asked = (a: Partial<Place>, b: Partial<Place>) => decide(question(places(a, b), { keys: "host" }));
    expect(asked({ keys: ill("refused") }, { streaming: ill("status") })).toMatchObject({ region: "b", reason: "failopen" });
    expect(asked({ keys: ill("status") }, { streaming: ill("refused") })).toMatchObject({ region: "a", reason: "failopen" });
    expect(asked({ streaming: ill("status"), keys: ill("refused") }, { streaming: ill("timeout") })).toMatchObject({ region: "b" });
  });

  it("is nobody's matter where keys are what is asked for", () => {
    expect(decide(question(places({ streaming: "unhealthy" }), { service: "keys", keys: "none" })).region).toBe("a");
  });
});

describe("noneEligible", () => {
  it("leaves out what is disabled, and takes a drained region for one that serves", () => {
    const none = (places: readonly Place[]) => {
      const { candidates, health: snapshot, overrides } = question(places);
      return noneEligible("streaming", candidates, snapshot, overrides);
    };
    const sick: Place = { name: "a", streaming: "unhealthy" };
    expect(none([sick, { name: "b", overrides: [["disable", "all"]] }])).toBe(true);
    expect(none([sick, { name: "b", overrides: [["drain", "all"]] }])).toBe(false);
    expect(none([{ name: "b", overrides: [["disable", "all"]] }])).toBe(false);
    expect(none([sick, { name: "b", has: false }])).toBe(true);
  });
});

describe("whatever is asked", () => {
  const serviceState = fc.record({
    status: fc.constantFrom(...HEALTH_STATUSES),
    reason: fc.constantFrom(...FAILURE_REASONS),
    share: fc.constantFrom(0, 0.3, 1),
  });
  const place = fc.record({
    has: fc.boolean(),
    streaming: serviceState.map(({ status, reason, share }) => ({ ...serviceHealth(status, reason), share })),
    keys: fc.option(serviceState.map(({ status, reason }) => serviceHealth(status, reason))),
    holding: fc.constantFrom<Holding>("verified", "missing", "found", "absent", "unknown"),
    overrides: fc.uniqueArray(fc.tuple(fc.constantFrom(...OVERRIDE_KINDS), fc.constantFrom(...OVERRIDE_SERVICES)), {
      maxLength: 2,
    }),
    tried: fc.boolean(),
  });
  const questions = fc
    .tuple(
      fc.array(place, { minLength: 1, maxLength: 5 }),
      fc.record({
        whenNoneEligible: fc.constantFrom<"open" | "closed">("open", "closed"),
        keys: fc.constantFrom<KeyNeed>("none", "host", "region", "any"),
        seed: fc.nat(),
        canary: fc.constantFrom("r0", "r1", null),
      }),
    )
    .map(([places, asked]) => ({
      places,
      asked: question(
        places.map((each, at) => ({ ...each, name: `r${at}` })),
        asked,
      ),
    }));

  const check = (property: (asked: Question, places: readonly Omit<Place, "name">[]) => void): void => {
    fc.assert(
      fc.property(questions, ({ places, asked }) => {
        property(asked, places);
      }),
      { numRuns: 2_000 },
    );
  };
  const under = (asked: Question, kind: OverrideKind, region: string | null): boolean =>
    (asked.overrides ?? []).some((each) => each.kind === kind && each.region === region && ["streaming", "all"].includes(each.service));

  it("a region without the service, without the video, disabled or tried is never chosen", () => {
    check((asked) => {
      const { region } = decide(asked);
      if (region === null) return;
      expect(asked.candidates.find((candidate) => candidate.region === region)?.base).not.toBeNull();
      expect(["missing", "absent"]).not.toContain(asked.holdings[region]);
      expect(under(asked, "disable", region)).toBe(false);
      expect(asked.tried.has(region)).toBe(false);
    });
  });

  it("an eligible region beats every other, and nothing ill is chosen where one fails closed", () => {
    check((asked) => {
      const { region, reason, considered } = decide(asked);
      const eligible = considered.filter((each) => each.eligible).map((each) => each.region);
      if (eligible.length > 0) expect(eligible).toContain(region);
      else expect(["failopen", "not_found", "unavailable"]).toContain(reason);
      if (reason === "failopen") expect(asked.whenNoneEligible).toBe("open");
      expect(region === null).toBe(reason === "not_found" || reason === "unavailable");
      expect(considered.map((each) => each.region)).toEqual(asked.candidates.map((each) => each.region));
    });
  });

  it("nobody is left without a region while one that holds the video is not ruled out", () => {
    check((asked) => {
      const { region } = decide(asked);
      if (region !== null || asked.whenNoneEligible === "closed") return;
      for (const { region: name, base } of asked.candidates) {
        const lacks = base === null || ["missing", "absent"].includes(asked.holdings[name] ?? "");
        expect(lacks || asked.tried.has(name) || under(asked, "disable", name)).toBe(true);
      }
    });
  });

  it("a drained region is chosen only where all others are ruled out or ill", () => {
    check((asked) => {
      const { region, considered } = decide(asked);
      if (considered.find((each) => each.region === region)?.verdict !== "drained") return;
      const better = considered.filter(({ verdict }) => ["healthy", "degraded", "unknown", "ramping"].includes(verdict));
      expect(better).toEqual([]);
    });
  });

  it("the reason says how it came about", () => {
    check((asked) => {
      const { region, reason, considered } = decide(asked);
      const serving = considered.filter(({ verdict }) => verdict !== "no_service");
      if (reason === "pinned") expect(under(asked, "pin", region)).toBe(true);
      if (reason === "canary") expect(region).toBe(asked.canary);
      if (reason === "primary") expect(region).toBe(serving[0]?.region);
      const overridden = serving.some((each) => under(asked, "pin", each.region) && each.region !== region);
      if (reason === "failover" && !overridden) expect(region).not.toBe(serving[0]?.region);
      if (reason === "not_found") expect(serving.every(({ verdict }) => verdict === "missing" || verdict === "absent")).toBe(true);
    });
  });
});
