import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  OVERRIDE_KINDS,
  OVERRIDE_SERVICES,
  SERVICES,
  type HealthSnapshot,
  type HealthStatus,
  type Override,
  type Region,
  type Service,
} from "../../../src/core/contracts.ts";
import {
  judgeOverride,
  MAX_OVERRIDE_MS,
  MAX_REASON_LENGTH,
  type Encoder,
  type OverrideRequest,
  type OverrideSituation,
} from "../../../src/gateway/overrides/rules.ts";
import { anOverride } from "../../conformance/overrideStore.ts";
import { serviceHealth } from "../world.ts";

const NOW = 1_000_000;

const REGIONS: readonly Region[] = [
  { name: "westeurope", streaming: "https://we.example", keys: "https://we-keys.example" },
  { name: "northeurope", streaming: "https://ne.example", keys: "https://ne-keys.example" },
  { name: "backup", streaming: "https://backup.example", keys: null },
];

type Statuses = Readonly<Record<string, Readonly<Partial<Record<Service, HealthStatus>>>>>;

function healthOf(statuses: Statuses): HealthSnapshot {
  const regions = Object.entries(statuses).map(([name, services]) => [
    name,
    Object.fromEntries(Object.entries(services).map(([service, status]) => [service, serviceHealth(status)])),
  ]);
  return { takenAt: NOW, regions: Object.fromEntries(regions) as HealthSnapshot["regions"] };
}

const ALL_WELL: Statuses = {
  westeurope: { streaming: "healthy", keys: "healthy" },
  northeurope: { streaming: "healthy", keys: "healthy" },
  backup: { streaming: "healthy" },
};

function request(change: Partial<OverrideRequest> = {}): OverrideRequest {
  return {
    kind: "drain",
    region: "westeurope",
    service: "all",
    reason: "maintenance",
    durationMs: 60_000,
    expiresAt: null,
    by: "ada",
    force: false,
    ...change,
  };
}

function situation(
  statuses: Statuses = ALL_WELL,
  active: readonly Override[] = [],
  change: Partial<OverrideSituation> = {},
): OverrideSituation {
  return { regions: REGIONS, active, health: healthOf(statuses), now: NOW, ...change };
}

/** The refusal's code, or `allowed`. */
function verdict(asked: OverrideRequest, where: OverrideSituation): string {
  const ruling = judgeOverride(asked, where);
  return ruling.allowed ? "allowed" : ruling.refusal.code;
}

function active(kind: Override["kind"], region: string, service: Override["service"] = "all"): Override {
  return anOverride(`${kind}-${region}-${service}`, { kind, region, service });
}

describe("what an override must say", () => {
  it("is stored as asked, with a tidy reason and an end", () => {
    expect(judgeOverride(request({ reason: "  new\n certificates " }), situation())).toEqual({
      allowed: true,
      override: {
        kind: "drain",
        region: "westeurope",
        service: "all",
        reason: "new certificates",
        by: "ada",
        createdAt: NOW,
        expiresAt: NOW + 60_000,
      },
    });
  });

  it.each<[string, Partial<OverrideRequest>, string]>([
    ["a region that is not configured", { region: "mars" }, "unknown_region"],
    ["a region's name in capitals", { region: "WestEurope" }, "unknown_region"],
    ["keys of a region without key delivery", { region: "backup", service: "keys" }, "no_such_service"],
    ["streaming of a region without key delivery", { region: "backup", service: "streaming" }, "allowed"],
    ["all of a region without key delivery", { region: "backup" }, "allowed"],
    ["no reason", { reason: "" }, "reason_missing"],
    ["a reason of blanks", { reason: " \n\t " }, "reason_missing"],
    ["the longest reason", { reason: "x".repeat(MAX_REASON_LENGTH) }, "allowed"],
    ["a longer one", { reason: "x".repeat(MAX_REASON_LENGTH + 1) }, "reason_too_long"],
    ["no end", { durationMs: null }, "expiry_missing"],
    ["an end that is no number", { durationMs: Number.NaN }, "expiry_missing"],
    ["no duration at all", { durationMs: 0 }, "expiry_in_past"],
    ["an end that has passed", { durationMs: null, expiresAt: NOW - 1 }, "expiry_in_past"],
    ["an end this very moment", { durationMs: null, expiresAt: NOW }, "expiry_in_past"],
    ["an end to come", { durationMs: null, expiresAt: NOW + 1 }, "allowed"],
    ["the longest duration", { durationMs: MAX_OVERRIDE_MS }, "allowed"],
    ["a longer one", { durationMs: MAX_OVERRIDE_MS + 1 }, "expiry_too_long"],
    ["an end too far away", { durationMs: null, expiresAt: NOW + MAX_OVERRIDE_MS + 1 }, "expiry_too_long"],
    ["an end without end", { durationMs: Number.POSITIVE_INFINITY }, "expiry_missing"],
  ])("%s", (_, change, expected) => {
    expect(verdict(request(change), situation())).toBe(expected);
    if (expected !== "allowed") expect(verdict(request({ ...change, force: true }), situation())).toBe(expected);
  });

  it("has a shorter limit where one is configured", () => {
    expect(verdict(request({ durationMs: 61_000 }), situation(ALL_WELL, [], { maxMs: 60_000 }))).toBe("expiry_too_long");
  });
});

describe("contradictions", () => {
  it.each<[string, readonly Override[], Partial<OverrideRequest>, string]>([
    ["a pin of a disabled region", [active("disable", "westeurope")], { kind: "pin" }, "contradiction"],
    ["a pin of a drained region", [active("drain", "westeurope", "keys")], { kind: "pin" }, "contradiction"],
    ["a pin of another service than is drained", [active("drain", "westeurope", "keys")], { kind: "pin", service: "streaming" }, "allowed"],
    ["a pin while another region is drained", [active("drain", "northeurope")], { kind: "pin" }, "allowed"],
    ["a pin while another region is pinned", [active("pin", "northeurope")], { kind: "pin" }, "contradiction"],
    [
      "a pin while another region is pinned for the other service",
      [active("pin", "northeurope", "keys")],
      { kind: "pin", service: "streaming" },
      "allowed",
    ],
    ["a pin that is pinned already", [active("pin", "westeurope")], { kind: "pin" }, "allowed"],
    ["a drain of a pinned region: it replaces the pin", [active("pin", "westeurope")], { kind: "drain" }, "allowed"],
    ["a drain of a region that is pinned for a part of it", [active("pin", "westeurope", "keys")], { kind: "drain" }, "contradiction"],
    ["a drain beside a pin for the other service", [active("pin", "westeurope", "keys")], { service: "streaming" }, "allowed"],
    ["a disable of a pinned region: it holds", [active("pin", "westeurope", "keys")], { kind: "disable" }, "allowed"],
  ])("%s", (_, overrides, change, expected) => {
    expect(verdict(request(change), situation(ALL_WELL, overrides))).toBe(expected);
    expect(verdict(request({ ...change, force: true }), situation(ALL_WELL, overrides))).toBe(expected);
  });

  it("names the override to be lifted", () => {
    const ruling = judgeOverride(request({ kind: "pin" }), situation(ALL_WELL, [active("disable", "westeurope")]));
    expect(ruling).toMatchObject({ refusal: { message: expect.stringContaining("disable-westeurope-all") as string } });
  });
});

describe("the last eligible region", () => {
  const NORTH_ILL: Statuses = {
    ...ALL_WELL,
    northeurope: { streaming: "unhealthy", keys: "unhealthy" },
    backup: { streaming: "unhealthy" },
  };
  const ALL_ILL: Statuses = { ...NORTH_ILL, westeurope: { streaming: "unhealthy", keys: "unhealthy" } };

  it.each<[string, Statuses, readonly Override[], Partial<OverrideRequest>, string]>([
    ["others are well", ALL_WELL, [], {}, "allowed"],
    ["others are ill", NORTH_ILL, [], {}, "last_eligible"],
    [
      "others are ill for streaming, and only keys are drained",
      { ...NORTH_ILL, northeurope: { streaming: "unhealthy", keys: "healthy" } },
      [],
      { service: "keys" },
      "allowed",
    ],
    [
      "others are well for streaming only, and all is drained",
      { ...ALL_WELL, northeurope: { streaming: "healthy", keys: "unhealthy" } },
      [],
      {},
      "last_eligible",
    ],
    ["the other one that has keys is drained", ALL_WELL, [active("drain", "northeurope")], { service: "keys" }, "last_eligible"],
    ["the other one that has keys is disabled", ALL_WELL, [active("disable", "northeurope")], { service: "keys" }, "last_eligible"],
    [
      "the other one that has keys is drained for streaming",
      ALL_WELL,
      [active("drain", "northeurope", "streaming")],
      { service: "keys" },
      "allowed",
    ],
    ["the other one that has keys is pinned", ALL_WELL, [active("pin", "northeurope")], { service: "keys" }, "allowed"],
    ["a third one is well", ALL_WELL, [active("drain", "northeurope")], { service: "streaming" }, "allowed"],
    ["others were not looked at yet: they are eligible", { westeurope: ALL_WELL["westeurope"] ?? {} }, [], {}, "allowed"],
    [
      "others are degraded: they are eligible",
      { ...NORTH_ILL, northeurope: { streaming: "degraded", keys: "degraded" } },
      [],
      {},
      "allowed",
    ],
    ["it is ill itself: nothing is lost", ALL_ILL, [], {}, "allowed"],
    ["a drain that is extended is judged anew", NORTH_ILL, [active("drain", "westeurope")], {}, "last_eligible"],
    [
      "it is drained by another override, which stays",
      NORTH_ILL,
      [active("drain", "westeurope", "all")],
      { service: "streaming" },
      "allowed",
    ],
    ["a pin takes nothing away", NORTH_ILL, [], { kind: "pin" }, "allowed"],
    ["disabling an ill one leaves other last resorts", ALL_ILL, [], { kind: "disable" }, "allowed"],
    [
      "disabling the last resort",
      ALL_ILL,
      [active("disable", "northeurope"), active("disable", "backup")],
      { kind: "disable" },
      "last_eligible",
    ],
    [
      "draining the last resort leaves it the last resort",
      ALL_ILL,
      [active("disable", "northeurope"), active("disable", "backup")],
      {},
      "allowed",
    ],
  ])("%s", (_, statuses, overrides, change, expected) => {
    expect(verdict(request(change), situation(statuses, overrides))).toBe(expected);
    expect(verdict(request({ ...change, force: true }), situation(statuses, overrides))).toBe("allowed");
  });

  it("is no matter of a pin, which must only be of a region that is well", () => {
    expect(verdict(request({ kind: "pin" }), situation(ALL_ILL))).toBe("unhealthy");
    expect(verdict(request({ kind: "pin", force: true }), situation(ALL_ILL))).toBe("allowed");
    expect(judgeOverride(request({ kind: "pin", force: true }), situation(ALL_ILL))).toMatchObject({ override: { forced: true } });
    for (const harmless of [{ kind: "pin", force: false } as const, { kind: "drain", force: true } as const]) {
      const ruling = judgeOverride(request(harmless), situation(ALL_WELL));
      expect(ruling.allowed && "forced" in ruling.override).toBe(false);
    }
    expect(verdict(request({ kind: "pin", region: "northeurope", service: "keys" }), situation(ALL_ILL))).toBe("unhealthy");
    expect(verdict(request({ kind: "pin" }), situation({ westeurope: { streaming: "degraded", keys: "unknown" } }))).toBe("allowed");
  });

  it("of a single region", () => {
    expect(verdict(request(), situation(ALL_WELL, [], { regions: REGIONS.slice(0, 1) }))).toBe("last_eligible");
  });

  it("is refused with the state of the others", () => {
    const ruling = judgeOverride(request(), situation({ ...NORTH_ILL }, [active("drain", "backup")]));
    expect(ruling).toMatchObject({
      refusal: { message: expect.stringContaining("northeurope is unhealthy, backup is drained") as string },
    });
  });
});

describe("encoding", () => {
  const BOTH: readonly Encoder[] = [
    { region: "westeurope", works: true },
    { region: "northeurope", works: true },
  ];
  const NORTH_OUT = BOTH.map((each) => ({ ...each, works: each.region === "westeurope" }));
  const encoding = { service: "encoding" } as const;

  it("of a region has overrides of its own, which are nothing to viewers", () => {
    expect(judgeOverride(request({ ...encoding, kind: "disable" }), situation(ALL_WELL, [], { encoders: BOTH }))).toMatchObject({
      override: { kind: "disable", region: "westeurope", service: "encoding" },
    });
    // The last region for viewers may lose its jobs, and one without jobs is still there for viewers.
    const alone = situation(ALL_WELL, [active("drain", "northeurope", "streaming"), active("disable", "backup")], { encoders: BOTH });
    expect([verdict(request(), alone), verdict(request(encoding), alone)]).toEqual(["last_eligible", "allowed"]);
    expect(verdict(request({ service: "streaming" }), situation(ALL_WELL, [active("disable", "northeurope", "encoding")]))).toBe("allowed");
    expect(verdict(request(), situation({ ...ALL_WELL, backup: {} }, [active("disable", "backup", "encoding")]))).toBe("allowed");
  });

  it("is refused where there is none, and for pins", () => {
    for (const change of [{ region: "backup" }, { kind: "pin" } as const])
      expect(verdict(request({ ...encoding, ...change }), situation(ALL_WELL, [], { encoders: BOTH }))).toBe("no_such_service");
    expect(judgeOverride(request(encoding), situation(ALL_WELL, [], { encoders: [] }))).toMatchObject({
      refusal: { message: expect.stringContaining("nothing is encoded here") as string },
    });
    // Its records cannot be read: nobody knows better.
    expect(verdict(request(encoding), situation())).toBe("allowed");
  });

  it("and pins say nothing to each other", () => {
    const pinned = [active("pin", "westeurope")];
    expect(verdict(request(encoding), situation(ALL_WELL, pinned, { encoders: BOTH }))).toBe("allowed");
    expect(verdict(request({ kind: "pin" }), situation(ALL_WELL, [active("drain", "westeurope", "encoding")], { encoders: BOTH }))).toBe(
      "allowed",
    );
    expect(verdict(request({ kind: "pin", service: "keys" }), situation(ALL_WELL, [active("drain", "westeurope")]))).toBe("contradiction");
  });

  it.each<[string, readonly Encoder[], readonly Override[], Partial<OverrideRequest>, string]>([
    ["another account works", BOTH, [], encoding, "allowed"],
    ["the other is out", NORTH_OUT, [], encoding, "last_eligible"],
    ["the other is out, and the region as a whole is meant", NORTH_OUT, [], {}, "last_eligible"],
    ["the other is out, and jobs are not meant", NORTH_OUT, [], { service: "streaming" }, "allowed"],
    ["the other is drained", BOTH, [active("drain", "northeurope", "encoding")], { ...encoding, kind: "disable" }, "last_eligible"],
    ["the other is drained as a whole", BOTH, [active("drain", "northeurope")], encoding, "last_eligible"],
    ["the other is drained for viewers", BOTH, [active("drain", "northeurope", "streaming")], encoding, "allowed"],
    ["there is no other", BOTH.slice(0, 1), [], encoding, "last_eligible"],
    ["the region does not encode", BOTH.slice(1), [], {}, "allowed"],
    ["it is out itself: nothing is lost", [{ region: "westeurope", works: false }], [], encoding, "allowed"],
    ["it is drained already as a whole", NORTH_OUT, [active("drain", "westeurope")], encoding, "allowed"],
    ["it is judged anew where it is replaced", NORTH_OUT, [active("drain", "westeurope", "encoding")], encoding, "last_eligible"],
  ])("has a last account that takes jobs: %s", (_, encoders, overrides, change, expected) => {
    expect(verdict(request(change), situation(ALL_WELL, overrides, { encoders }))).toBe(expected);
    expect(verdict(request({ ...change, force: true }), situation(ALL_WELL, overrides, { encoders }))).toBe("allowed");
  });

  it("says of the others why they take none", () => {
    expect(judgeOverride(request(encoding), situation(ALL_WELL, [], { encoders: NORTH_OUT }))).toMatchObject({
      refusal: { message: expect.stringContaining("the last that takes encoding jobs (northeurope is out)") as string },
    });
  });
});

describe("properties", () => {
  const status = fc.constantFrom<HealthStatus>("healthy", "degraded", "unhealthy", "unknown");
  const region = fc.constantFrom(...REGIONS.map(({ name }) => name));
  const service = fc.constantFrom(...OVERRIDE_SERVICES);
  const statuses = fc.record({
    westeurope: fc.record({ streaming: status, keys: status }),
    northeurope: fc.record({ streaming: status, keys: status }),
    backup: fc.record({ streaming: status }),
  });
  const kind = fc.constantFrom(...OVERRIDE_KINDS);
  /** One for a region and service at most, as the store keeps them. */
  const inForce = fc
    .uniqueArray(fc.record({ kind, region, service }), { maxLength: 6, selector: (each) => `${each.region} ${each.service}` })
    .map((list) => list.map((each) => active(each.kind, each.region, each.service)));
  const asked = fc.record({ kind, region, service, force: fc.boolean() }).map((change) => request(change));

  const covers = (override: Override, name: Service) => override.service === "all" || override.service === name;

  function eligible(name: Service, overrides: readonly Override[], health: HealthSnapshot): string[] {
    return REGIONS.filter((each) => name === "streaming" || each.keys !== null)
      .filter((each) => health.regions[each.name]?.[name]?.status !== "unhealthy")
      .filter((each) => !overrides.some((other) => other.kind !== "pin" && other.region === each.name && covers(other, name)))
      .map((each) => each.name);
  }

  /** What the store would hold. */
  function after(ruling: Omit<Override, "id">, overrides: readonly Override[]): Override[] {
    return [...overrides.filter((other) => other.region !== ruling.region || other.service !== ruling.service), { id: "new", ...ruling }];
  }

  it("without force, nothing that is allowed takes the last eligible region of a service", () => {
    fc.assert(
      fc.property(statuses, inForce, asked, (health, overrides, wanted) => {
        const where = situation(health, overrides);
        const ruling = judgeOverride({ ...wanted, force: false }, where);
        if (!ruling.allowed) return;
        const kept = overrides.filter((other) => other.region !== wanted.region || other.service !== wanted.service);
        for (const name of SERVICES) {
          const before = eligible(name, kept, where.health);
          if (before.length > 0) expect(eligible(name, after(ruling.override, overrides), where.health).length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("a refusal for the last eligible region is never about one that would leave another", () => {
    fc.assert(
      fc.property(statuses, inForce, asked, (health, overrides, wanted) => {
        const where = situation(health, overrides);
        if (verdict(wanted, where) !== "last_eligible") return;
        const forced = judgeOverride({ ...wanted, force: true }, where);
        if (!forced.allowed) throw new Error("forced, and refused all the same");
        const services = SERVICES.filter((name) => wanted.service === "all" || wanted.service === name);
        const kept = overrides.filter((other) => other.region !== wanted.region || other.service !== wanted.service);
        const gone = services.filter((name) => eligible(name, after(forced.override, overrides), where.health).length === 0);
        expect(gone.length).toBeGreaterThan(0);
        if (wanted.kind === "drain") expect(gone.some((name) => eligible(name, kept, where.health).length > 0)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("force only ever turns a question into a yes", () => {
    fc.assert(
      fc.property(statuses, inForce, asked, (health, overrides, wanted) => {
        const where = situation(health, overrides);
        const plain = verdict({ ...wanted, force: false }, where);
        expect(verdict({ ...wanted, force: true }, where)).toBe(plain === "last_eligible" || plain === "unhealthy" ? "allowed" : plain);
      }),
    );
  });
});
