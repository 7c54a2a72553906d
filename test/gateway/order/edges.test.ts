/** Orders at their edges: what is drawn at a bound, equal scores, and what is kept of a viewer over a session. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress } from "../../../src/core/address.ts";
import { bitsOf, chanceOf, fraction, hashText, mix } from "../../../src/gateway/order/hash.ts";
import { admitted, orderFor, placeIndex, type OrderFacts } from "../../../src/gateway/order/order.ts";
import { preparePolicy, type RoutingPolicy } from "../../../src/gateway/order/policy.ts";
import { bounded, rendezvous, weighted } from "../../../src/gateway/order/spread.ts";
import {
  ANYBODY,
  hintedViewer,
  keptOf,
  keptViewer,
  networksOf,
  NOTHING_BELIEVED,
  seedOf,
  viewerAddress,
  viewerFor,
  type Viewer,
  type WireFacts,
} from "../../../src/gateway/order/viewer.ts";
import { DecisionWindow } from "../../../src/gateway/order/window.ts";

const FACTS: OrderFacts = { video: null, latencies: {}, loads: { counts: {}, able: [] } };
const order = (policy: RoutingPolicy, regions: readonly string[], viewer: Partial<Viewer> = {}, facts: Partial<OrderFacts> = {}) =>
  orderFor(preparePolicy(policy, regions), { ...ANYBODY, ...viewer }, { ...FACTS, ...facts });

describe("numbers", () => {
  it("a chance and its bits are each other's inverse", () => {
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), (bits) => {
        expect(bitsOf(chanceOf(bits))).toBe(bits);
        expect(chanceOf(bits)).toBeLessThan(1);
      }),
    );
    expect([chanceOf(0), chanceOf(0x8000_0000), chanceOf(-1)]).toEqual([0, 0.5, 0xffff_ffff / 0x1_0000_0000]);
  });
});

describe("nobody in particular", () => {
  it("has neither session nor place, and no luck either way", () => {
    expect(ANYBODY).toEqual({ session: null, country: null, address: null, chance: 0 });
  });
});

describe("a draw at its bound", () => {
  const drawn = (viewer: Viewer) => fraction(mix(seedOf(viewer), hashText("canary")));

  it("a canary has those below its share, and not the one at it", () => {
    const viewer = { ...ANYBODY, chance: 0.3 };
    const share = drawn(viewer);
    const with_ = (percent: number) => order({ method: "priority", canary: { region: "b", percent } }, ["a", "b"], viewer).canary;
    expect(with_(share * 100)).toBeNull();
    expect(with_(share * 100 * 1.000_001)).toBe("b");
    expect(preparePolicy({ method: "priority", canary: { region: "b", percent: 50 } }, ["a", "b"]).canary).toEqual({
      region: "b",
      share: 0.5,
    });
  });

  it("without a canary is no draw", () => {
    expect(order({ method: "priority" }, ["a", "b"])).toEqual({ regions: ["a", "b"], canary: null });
  });

  it("a region that returns has those below its share, and everybody at 1", () => {
    const [seed, salt] = [hashText("viewer"), hashText("a")];
    const share = fraction(mix(seed ^ hashText("ramp"), salt));
    expect([admitted(seed, salt, share), admitted(seed, salt, share + 1e-9)]).toEqual([false, true]);
    // Whose number is as near to 1 as a number comes is admitted, too.
    for (let each = 0; each < 1_000; each += 1) expect(admitted(each, salt, 1)).toBe(true);
  });
});

describe("equals", () => {
  const four = ["d", "b", "c", "a"];

  it("stay as they stood: by weight 0, by a missing measurement, by one measurement", () => {
    expect(weighted(four, {}, 1, {})).toEqual(four);
    expect(weighted(four, {}, 1, { d: 0, b: 0, c: 0, a: 0 })).toEqual(four);
    expect(order({ method: "latency", tolerance: 5 }, four, {}, { latencies: { c: 10 } }).regions).toEqual(["c", "d", "b", "a"]);
    expect(order({ method: "latency", tolerance: 5 }, four, {}, { latencies: { c: 10, a: 50, b: 50 } }).regions).toEqual([
      "c",
      "b",
      "a",
      "d",
    ]);
    expect(order({ method: "latency", tolerance: 5 }, four).regions).toEqual(four);
    expect(order({ method: "latency", tolerance: 5 }, four, { session: "s" }).regions).toEqual(four);
  });

  it("stay as they stood where all draw the same number", () => {
    expect(rendezvous(four, { d: 7, b: 7, c: 7, a: 7 }, 3)).toEqual(four);
    expect(rendezvous(["a", "b"], {}, 3)).toEqual(["a", "b"]);
  });

  it("a region without weight comes behind the least weight that there is", () => {
    for (let key = 0; key < 200; key += 1) expect(weighted(["zero", "none", "some"], {}, key, { zero: 0, some: 1e-6 })[0]).toBe("some");
  });

  it("a region without a salt draws by 0", () => {
    const salts = { a: hashText("a") };
    for (let key = 0; key < 50; key += 1) {
      expect(rendezvous(["a", "b"], salts, key)).toEqual(rendezvous(["a", "b"], { ...salts, b: 0 }, key));
      expect(weighted(["a", "b"], salts, key, { a: 1, b: 1 })).toEqual(weighted(["a", "b"], { ...salts, b: 0 }, key, { a: 1, b: 1 }));
    }
  });

  it("a region that was never chosen is not full", () => {
    expect(bounded(["a", "b"], { counts: { a: 10 }, able: ["a", "b"] }, 1.01)).toEqual(["b", "a"]);
    expect(bounded(["a", "b"], { counts: {}, able: ["a", "b"] }, 1.01)).toEqual(["a", "b"]);
  });
});

describe("a place", () => {
  const places = [{ countries: new Set(["DE"]), networks: networksOf(["192.0.2.0/24"]), order: ["a"] }];

  it("is that of a country or of an address, and of neither nowhere", () => {
    expect(placeIndex(places, { ...ANYBODY, country: "DE" })).toBe(0);
    expect(placeIndex(places, { ...ANYBODY, address: parseAddress("192.0.2.9") })).toBe(0);
    expect(placeIndex(places, ANYBODY)).toBe(-1);
  });
});

const wire = (target: string, peer: string | null, forwarded?: string): WireFacts => ({
  target,
  header: (name) => (name === "x-forwarded-for" ? forwarded : undefined),
  peer: () => peer,
});

describe("what is known of a viewer", () => {
  const PRIORITY = preparePolicy({ method: "priority" }, ["a"]);
  const GEOGRAPHIC = preparePolicy({ method: "geographic", rules: [{ countries: ["DE"], regions: ["a"] }] }, ["a"]);

  it("is null where it is not asked for, or not told", () => {
    expect(viewerFor(PRIORITY, wire("/", "192.0.2.1"), NOTHING_BELIEVED, 0.5)).toEqual({
      session: null,
      country: null,
      address: null,
      chance: 0.5,
    });
    expect(viewerFor(GEOGRAPHIC, wire("/", null), NOTHING_BELIEVED, 0.5)).toEqual({
      session: null,
      country: null,
      address: null,
      chance: 0.5,
    });
    expect(hintedViewer(GEOGRAPHIC, {}, "/", NOTHING_BELIEVED, 0.5)).toEqual({ session: null, country: null, address: null, chance: 0.5 });
  });

  it("is read from a query wherever it begins", () => {
    const sticky = preparePolicy({ method: "priority", sticky: { by: "query:sid" } }, ["a"]);
    const session = (target: string) => viewerFor(sticky, wire(target, null), NOTHING_BELIEVED, 0).session;
    expect([session("?sid=one"), session("/v?sid=one&x"), session("/v?x&sid=one")]).toEqual(["one", "one", "one"]);
  });

  it("is the last address that is believed", () => {
    const proxies = networksOf(["10.0.0.0/8"]);
    expect(viewerAddress(wire("/", "10.0.0.1", "192.0.2.1, 10.0.0.2"), proxies)).toEqual(parseAddress("192.0.2.1"));
    expect(viewerAddress(wire("/", "192.0.2.7", "192.0.2.1"), proxies)).toEqual(parseAddress("192.0.2.7"));
    expect(viewerAddress(wire("/", null), proxies)).toBeNull();
  });
});

describe("what is kept of a viewer", () => {
  const drawn: Viewer = { ...ANYBODY, chance: 0.3 };
  const named: Viewer = { ...ANYBODY, session: "one", chance: 0.3 };

  it("is a number of his session, or of his chance, and nothing where everybody is the same", () => {
    expect(keptOf(named)).toEqual({ as: "session", bits: hashText("one") });
    expect(keptOf(drawn)).toEqual({ as: "chance", bits: bitsOf(0.3) });
    expect(keptOf({ ...drawn, sessionBits: 7 })).toEqual({ as: "session", bits: 7 });
    expect(keptOf(ANYBODY)).toBeNull();
  });

  it("makes the next request draw as the first did", () => {
    const later: Viewer = { ...ANYBODY, chance: 0.9 };
    for (const first of [named, drawn]) expect(seedOf(keptViewer(later, keptOf(first)))).toBe(seedOf(first));
    expect(keptViewer(later, keptOf(drawn))).toEqual({ ...later, chance: chanceOf(bitsOf(0.3)) });
    expect(keptViewer(later, keptOf(named))).toEqual({ ...later, sessionBits: hashText("one") });
  });

  it("does not count where nothing is kept, nothing is drawn, or he names his session", () => {
    const later: Viewer = { ...ANYBODY, chance: 0.9 };
    expect(keptViewer(later, null)).toBe(later);
    expect(keptViewer(ANYBODY, keptOf(drawn))).toBe(ANYBODY);
    const other: Viewer = { ...later, session: "two" };
    expect(keptViewer(other, keptOf(drawn))).toBe(other);
    expect(keptViewer(other, keptOf(named))).toBe(other);
  });
});

describe("the window of decisions", () => {
  it("counts within a step, and forgets a region as often as it was chosen", () => {
    const window = new DecisionWindow();
    for (const at of [0, 1, 4_999]) window.record("a", at);
    window.record("b", 5_000);
    expect(window.counts(5_000)).toEqual({ a: 3, b: 1 });
    expect(window.counts(60_000)).toEqual({ a: 0, b: 1 });
    expect(window.counts(65_000)).toEqual({ a: 0, b: 0 });
  });

  it("holds still while the clock does, or goes back", () => {
    const window = new DecisionWindow();
    window.record("a", 100_000);
    window.record("a", 90_000);
    expect(window.counts(90_000)).toEqual({ a: 2 });
    expect(window.counts(100_000)).toEqual({ a: 2 });
  });
});
