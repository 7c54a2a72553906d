import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress } from "../../../src/core/address.ts";
import { fraction, hashText, mix } from "../../../src/gateway/order/hash.ts";
import { admitted, orderFor, type OrderFacts } from "../../../src/gateway/order/order.ts";
import { preparePolicy, type RoutingPolicy } from "../../../src/gateway/order/policy.ts";
import { rendezvous } from "../../../src/gateway/order/spread.ts";
import { ANYBODY, type Viewer } from "../../../src/gateway/order/viewer.ts";

const NO_FACTS: OrderFacts = { video: null, latencies: {}, loads: { counts: {}, able: [] } };
const MANY = Array.from({ length: 20_000 }, (_, at) => at);

const regionLists = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,11}$/), { minLength: 1, maxLength: 7 });

function order(policy: RoutingPolicy, regions: readonly string[], viewer: Partial<Viewer> = {}, facts: Partial<OrderFacts> = {}) {
  return orderFor(preparePolicy(policy, regions), { ...ANYBODY, ...viewer }, { ...NO_FACTS, ...facts });
}

/** How often each region comes first, as shares of all. */
function shares(firsts: readonly (string | undefined)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const first of firsts) counts[first ?? "none"] = (counts[first ?? "none"] ?? 0) + 1 / firsts.length;
  return counts;
}

function policies(regions: readonly string[]): fc.Arbitrary<RoutingPolicy> {
  const some = fc.subarray([...regions], { minLength: 1 });
  const onTop = fc.record(
    {
      sticky: fc.constant({ by: "cmcd-sid" }),
      canary: fc.record({ region: fc.constantFrom(...regions), percent: fc.double({ min: 0.01, max: 100, noNaN: true }) }),
    },
    { requiredKeys: [] },
  );
  const method = fc.oneof(
    fc.constant({ method: "priority" } as const),
    fc
      .array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: regions.length, maxLength: regions.length })
      .map(
        (weights) => ({ method: "weighted", weights: Object.fromEntries(regions.map((name, at) => [name, weights[at] ?? 0])) }) as const,
      ),
    fc.tuple(some, some).map(([first, fallback]) => ({
      method: "geographic" as const,
      rules: [{ countries: ["DE"], regions: first }],
      fallback,
    })),
    fc.nat(100).map((tolerance) => ({ method: "latency", tolerance }) as const),
    fc.double({ min: 1.01, max: 5, noNaN: true }).map((load) => ({ method: "hash", load }) as const),
  );
  return fc.tuple(method, onTop).map(([base, top]) => ({ ...base, ...top }));
}

const viewers = fc.record({
  session: fc.option(fc.string({ minLength: 1, maxLength: 20 })),
  country: fc.constantFrom("DE", "FR", null),
  address: fc.constant(null),
  chance: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});

function factsFor(regions: readonly string[]): fc.Arbitrary<OrderFacts> {
  const perRegion = fc.dictionary(fc.constantFrom(...regions), fc.nat(300));
  return fc
    .tuple(fc.option(fc.uuid()), perRegion, perRegion, fc.subarray([...regions]))
    .map(([video, latencies, counts, able]) => ({ video, latencies, loads: { counts, able } }));
}

describe("every order", () => {
  const cases = regionLists.chain((regions) => fc.tuple(fc.constant(regions), policies(regions), viewers, factsFor(regions)));

  it("names every region once", () => {
    fc.assert(
      fc.property(cases, ([regions, policy, viewer, facts]) => {
        expect(order(policy, regions, viewer, facts).regions.toSorted()).toEqual(regions.toSorted());
      }),
      { numRuns: 1_000 },
    );
  });

  it("is the same for the same question", () => {
    fc.assert(
      fc.property(cases, ([regions, policy, viewer, facts]) => {
        expect(order(policy, regions, viewer, facts)).toEqual(order(policy, regions, viewer, facts));
      }),
    );
  });

  it("does not depend on chance for a viewer with a session", () => {
    fc.assert(
      fc.property(cases, fc.double({ min: 0, max: 0.999, noNaN: true }), ([regions, policy, viewer, facts], chance) => {
        const known = { ...viewer, session: "a session" };
        expect(order(policy, regions, { ...known, chance }, facts)).toEqual(order(policy, regions, known, facts));
      }),
    );
  });
});

describe("numbers from names", () => {
  it("never change: gateways of different releases have to agree", () => {
    expect([hashText(""), hashText("westeurope"), hashText("northeurope")]).toEqual(GOLDEN.texts);
    expect([mix(0, 0), mix(1, 2), mix(2, 1)]).toEqual(GOLDEN.mixed);
    const salts = Object.fromEntries(["westeurope", "northeurope", "eastus"].map((name) => [name, hashText(name)]));
    expect(["one", "two", "three", "four"].map((key) => rendezvous(Object.keys(salts), salts, hashText(key))[0])).toEqual(GOLDEN.firsts);
  });

  it("lie in (0, 1) and are spread evenly", () => {
    expect(fraction(0)).toBeGreaterThan(0);
    expect(fraction(-1)).toBeLessThan(1);
    const buckets = Array.from({ length: 10 }, () => 0);
    for (const at of MANY) {
      const bucket = Math.floor(fraction(mix(hashText(`session-${at}`), hashText("westeurope"))) * 10);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    for (const count of buckets) expect(Math.abs(count - 2_000)).toBeLessThan(200);
  });
});

const GOLDEN = {
  texts: [2_872_998_923, 978_664_815, 3_295_189_424],
  mixed: [593_198_731, 1_063_573_529, 1_113_431_429],
  firsts: ["eastus", "eastus", "eastus", "northeurope"],
};

describe("priority", () => {
  it("is the order of the configuration", () => {
    expect(order({ method: "priority" }, ["c", "a", "b"], { chance: 0.9, session: "s" }).regions).toEqual(["c", "a", "b"]);
  });
});

describe("weighted", () => {
  const weights = { a: 5, b: 3, c: 2, d: 0 };
  const policy = { method: "weighted", weights } as const;
  const regions = Object.keys(weights);

  it.each([
    ["chance", (at: number) => ({ chance: (at + 0.5) / MANY.length })],
    ["sessions", (at: number) => ({ session: `session-${at}` })],
  ])("by %s gives each region its share", (_, viewerOf) => {
    const got = shares(MANY.map((at) => order(policy, regions, viewerOf(at)).regions[0]));
    expect(Math.abs((got["a"] ?? 0) - 0.5)).toBeLessThan(0.012);
    expect(Math.abs((got["b"] ?? 0) - 0.3)).toBeLessThan(0.012);
    expect(Math.abs((got["c"] ?? 0) - 0.2)).toBeLessThan(0.012);
    expect(got["d"]).toBeUndefined();
  });

  it("spreads the viewers of a region that is gone by weight, too", () => {
    const orders = MANY.map((at) => order(policy, regions, { session: `session-${at}` }).regions).filter(([first]) => first === "a");
    const got = shares(orders.map(([, second]) => second));
    expect(Math.abs((got["b"] ?? 0) - 0.6)).toBeLessThan(0.02);
    expect(Math.abs((got["c"] ?? 0) - 0.4)).toBeLessThan(0.02);
  });

  it("puts weight 0 last, in the order of the configuration", () => {
    const zero = { method: "weighted", weights: { x: 0, y: 1, z: 0 } } as const;
    fc.assert(
      fc.property(viewers, (viewer) => {
        expect(order(zero, ["x", "y", "z"], viewer).regions).toEqual(["y", "x", "z"]);
      }),
    );
  });
});

describe("geographic", () => {
  const policy: RoutingPolicy = {
    method: "geographic",
    rules: [
      { countries: ["DE", "AT"], regions: ["b"] },
      { countries: ["SE"], subnets: ["10.1.0.0/16", "2001:db8::/32"], regions: ["c", "b"] },
    ],
    fallback: ["d"],
  };
  const regions = ["a", "b", "c", "d"];

  it.each([
    ["DE", null, ["b", "d", "a", "c"]],
    ["AT", null, ["b", "d", "a", "c"]],
    ["SE", null, ["c", "b", "d", "a"]],
    [null, "10.1.2.3", ["c", "b", "d", "a"]],
    [null, "2001:db8::1", ["c", "b", "d", "a"]],
    ["DE", "10.1.2.3", ["b", "d", "a", "c"]],
    ["FR", "10.2.0.1", ["d", "a", "b", "c"]],
    [null, null, ["d", "a", "b", "c"]],
  ])("a viewer of %s at %s", (country, address, expected) => {
    expect(order(policy, regions, { country, address: address === null ? null : parseAddress(address) }).regions).toEqual(expected);
  });

  it("without a fallback goes on in the order of the configuration", () => {
    const bare: RoutingPolicy = { method: "geographic", rules: [{ countries: ["DE"], regions: ["c", "a"] }] };
    expect(order(bare, regions, { country: "DE" }).regions).toEqual(["c", "a", "b", "d"]);
    expect(order(bare, regions, {}).regions).toEqual(regions);
  });
});

describe("latency", () => {
  const regions = ["a", "b", "c", "d"];
  const by = (latencies: Record<string, number>, tolerance = 20, viewer: Partial<Viewer> = {}) =>
    order({ method: "latency", tolerance }, regions, viewer, { latencies }).regions;

  it("puts the fastest first, and those about as fast in the order of the configuration", () => {
    expect(by({ a: 100, b: 30, c: 20, d: 60 })).toEqual(["b", "c", "d", "a"]);
    expect(by({ a: 40, b: 30, c: 20, d: 60 })).toEqual(["a", "b", "c", "d"]);
    expect(by({ a: 40.1, b: 30, c: 20, d: 60 })).toEqual(["b", "c", "a", "d"]);
    expect(by({ a: 3, b: 2, c: 1, d: 4 }, 0)).toEqual(["c", "b", "a", "d"]);
  });

  it("puts what was never measured last, and is the configuration's where nothing was", () => {
    expect(by({ d: 500 })).toEqual(["d", "a", "b", "c"]);
    expect(by({})).toEqual(regions);
  });

  it("keeps a session among those that are about as fast", () => {
    const firsts = shares(MANY.map((at) => by({ a: 25, b: 30, c: 20, d: 90 }, 20, { session: `s${at}` })[0]));
    expect(Object.keys(firsts).toSorted()).toEqual(["a", "b", "c"]);
    for (const share of Object.values(firsts)) expect(Math.abs(share - 1 / 3)).toBeLessThan(0.02);
    expect(by({ a: 25, b: 30, c: 20, d: 90 }, 20, { session: "s1" }).at(-1)).toBe("d");
  });
});

describe("hash", () => {
  const policy = { method: "hash", load: 1.25 } as const;
  const first = (regions: readonly string[], video: string) => order(policy, regions, {}, { video }).regions[0];

  it("gives each region about as many videos", () => {
    const got = shares(MANY.map((at) => first(["a", "b", "c"], `video-${at}`)));
    for (const region of ["a", "b", "c"]) expect(Math.abs((got[region] ?? 0) - 1 / 3)).toBeLessThan(0.015);
  });

  it("moves only the videos of a region that leaves", () => {
    fc.assert(
      fc.property(
        regionLists.filter((list) => list.length > 1),
        fc.uuid(),
        fc.nat(6),
        (regions, video, at) => {
          const leaver = regions[at % regions.length] ?? "";
          const whole = order(policy, regions, {}, { video }).regions;
          const rest = order(
            policy,
            regions.filter((name) => name !== leaver),
            {},
            { video },
          ).regions;
          expect(rest).toEqual(whole.filter((name) => name !== leaver));
        },
      ),
    );
  });

  it("does not depend on the order of the configuration", () => {
    fc.assert(
      fc.property(regionLists, fc.uuid(), (regions, video) => {
        expect(order(policy, regions.toReversed(), {}, { video })).toEqual(order(policy, regions, {}, { video }));
      }),
    );
  });

  it("never loads a region with more than so many times the mean", () => {
    const plays = fc.array(fc.constantFrom("v1", "v2", "v3"), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(plays, fc.integer({ min: 2, max: 5 }), fc.double({ min: 1.05, max: 3, noNaN: true }), (videos, size, load) => {
        const regions = ["a", "b", "c", "d", "e"].slice(0, size);
        const counts: Record<string, number> = {};
        for (const [at, video] of videos.entries()) {
          const [chosen = ""] = order({ method: "hash", load }, regions, {}, { video, loads: { counts, able: regions } }).regions;
          counts[chosen] = (counts[chosen] ?? 0) + 1;
          expect(counts[chosen]).toBeLessThanOrEqual(Math.ceil((load * (at + 1)) / size));
        }
      }),
    );
  });

  it("keeps its own order while nobody is too loaded, and where everybody is", () => {
    const plain = order(policy, ["a", "b", "c"], {}, { video: "v" }).regions;
    const even = { counts: { a: 10, b: 10, c: 10 }, able: ["a", "b", "c"] };
    expect(order(policy, ["a", "b", "c"], {}, { video: "v", loads: even }).regions).toEqual(plain);
    const [one = "", two = "", three = ""] = plain;
    const both = { counts: { [one]: 50, [two]: 50 }, able: ["a", "b", "c"] };
    expect(order(policy, ["a", "b", "c"], {}, { video: "v", loads: both }).regions).toEqual([three, one, two]);
    const away = { counts: { [one]: 9, [two]: 0, [three]: 0 }, able: [one] };
    expect(order(policy, ["a", "b", "c"], {}, { video: "v", loads: away }).regions).toEqual(plain);
  });

  it("goes by the session where the viewer has one, and by chance where there is nothing to go by", () => {
    const regions = ["a", "b", "c"];
    const bySession = (session: string, video: string) =>
      order({ ...policy, sticky: { by: "cmcd-sid" } }, regions, { session }, { video }).regions;
    expect(bySession("s", "v1")).toEqual(bySession("s", "v2"));
    expect(new Set(MANY.slice(0, 100).map((at) => bySession(`s${at}`, "v1")[0])).size).toBe(3);
    expect(new Set(MANY.slice(0, 100).map((at) => order(policy, regions, { chance: at / 100 }).regions[0])).size).toBe(3);
  });
});

describe("the canary", () => {
  const canary = { region: "b", percent: 5 };

  it.each([
    ["priority", { method: "priority", canary }],
    ["weighted", { method: "weighted", weights: { a: 1, b: 8, c: 1 }, canary }],
    ["latency", { method: "latency", tolerance: 5, canary }],
  ] as const)("gets its share under %s, and nobody else while another region can serve", (_, policy) => {
    const orders = MANY.map((at) => order(policy, ["a", "b", "c"], { chance: (at + 0.5) / MANY.length }, { latencies: { b: 1, a: 50 } }));
    const inside = orders.filter((each) => each.canary === "b");
    expect(Math.abs(inside.length / MANY.length - 0.05)).toBeLessThan(0.005);
    for (const { regions, canary: tried } of orders) expect(regions.indexOf("b")).toBe(tried === null ? 2 : 0);
  });

  it("100 % is everybody", () => {
    for (const chance of [0, 0.5, 0.999_999]) {
      expect(order({ method: "priority", canary: { region: "b", percent: 100 } }, ["a", "b"], { chance }).canary).toBe("b");
    }
  });

  it("is drawn apart from the weights and from slow returns", () => {
    const drawn = MANY.filter(
      (at) => order({ method: "priority", canary: { region: "b", percent: 20 } }, ["a", "b"], { session: `s${at}` }).canary !== null,
    );
    const admittedOnes = drawn.filter((at) => admitted(hashText(`s${at}`), hashText("b"), 0.3));
    expect(Math.abs(admittedOnes.length / drawn.length - 0.3)).toBeLessThan(0.03);
    const weighted = drawn.map(
      (at) => order({ method: "weighted", weights: { a: 1, c: 1 } }, ["a", "c"], { session: `s${at}` }).regions[0],
    );
    expect(Math.abs((shares(weighted)["a"] ?? 0) - 0.5)).toBeLessThan(0.03);
  });
});

describe("a slow return", () => {
  it.each([[0], [0.1], [0.5], [0.9]])("lets in a share of %s", (share) => {
    const inside = MANY.filter((at) => admitted(hashText(`s${at}`), hashText("westeurope"), share));
    expect(Math.abs(inside.length / MANY.length - share)).toBeLessThan(0.012);
  });

  it("is drawn apart from the weights: of a region's own viewers, too, a share is let in", () => {
    const policy = { method: "weighted", weights: { a: 1, b: 1 } } as const;
    const own = MANY.filter((at) => order(policy, ["a", "b"], { session: `s${at}` }).regions[0] === "a");
    const inside = own.filter((at) => admitted(hashText(`s${at}`), hashText("a"), 0.5));
    expect(Math.abs(inside.length / own.length - 0.5)).toBeLessThan(0.02);
  });

  it("lets in more as the share grows, never others; and everybody at 1", () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (seed, salt, one, other) => {
          if (admitted(seed, salt, Math.min(one, other))) expect(admitted(seed, salt, Math.max(one, other))).toBe(true);
          expect(admitted(seed, salt, 1)).toBe(true);
        },
      ),
    );
  });
});
