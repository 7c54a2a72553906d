import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/core/config/load.ts";
import { ConfigError } from "../../../src/core/config/problems.ts";

const REGIONS = `regions:
  - { name: a, streaming: "https://a.example", keys: "https://keys.a.example" }
  - { name: b, streaming: "https://b.example" }
gateway:
  prefixes: [/vod/]
`;

const sources = {
  env: {},
  readFile: (path: string): string => {
    throw new Error(`reads ${path}`);
  },
};

function problems(gateway: string): string[] {
  try {
    parseConfig("p.yaml", REGIONS + gateway, sources);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split("\n");
    throw error;
  }
  return [];
}

const GEO = "  viewers: { country: { header: X-Country, from: [10.0.0.0/8] } }\n  routing:\n    method: geographic\n    rules:\n";

/** name -> [what stands under gateway, from line 6 on; the problems] */
const BAD: Record<string, readonly [string, ...string[]]> = {
  "a method that is none": [
    "  routing: { method: nearest }\n",
    "p.yaml:6: gateway.routing.method: name a method: priority, weighted, geographic, latency or hash",
  ],
  "an option of another method": [
    "  routing:\n    method: priority\n    weights: { a: 1 }\n",
    "p.yaml:8: gateway.routing.weights: is not a known setting here; check its spelling and its indentation",
  ],
  "a weight for nobody": [
    "  routing:\n    method: weighted\n    weights:\n      a: 1\n      b: 1\n      c: 1\n",
    "p.yaml:11: gateway.routing.weights.c: no region is named c; regions are a, b",
  ],
  "a region without weight": [
    "  routing:\n    method: weighted\n    weights: { a: 1 }\n",
    "p.yaml:8: gateway.routing.weights: region b has no weight; give it one (0: only when no other region is eligible)",
  ],
  "weights that weigh nothing": [
    "  routing: { method: weighted, weights: { a: 0, b: 0 } }\n",
    "p.yaml:6: gateway.routing.weights: every weight is 0, so nothing is weighted; give a region more than 0",
  ],
  "a canary that is no region": [
    "  routing:\n    canary: { region: c, percent: 5 }\n",
    "p.yaml:7: gateway.routing.canary.region: no region is named c; regions are a, b",
  ],
  "a canary for more than everybody": [
    "  routing: { canary: { region: b, percent: 101 } }\n",
    "p.yaml:6: gateway.routing.canary.percent: Too big: expected number to be <=100",
  ],
  "a canary for nobody": [
    "  routing: { canary: { region: b, percent: 0 } }\n",
    "p.yaml:6: gateway.routing.canary.percent: 0 % is nobody: remove the canary",
  ],
  "stickiness by something else": [
    "  routing: { sticky: { by: cookie } }\n",
    "p.yaml:6: gateway.routing.sticky.by: write cmcd-sid, or query:NAME",
  ],
  "a load that cannot be kept": [
    "  routing: { method: hash, load: 1 }\n",
    "p.yaml:6: gateway.routing.load: must be more than 1: no region can stay below the mean",
  ],
  "a rule that matches nobody": [
    `${GEO}      - regions: [a]\n`,
    "p.yaml:10: gateway.routing.rules[0]: matches nobody; name countries or subnets",
  ],
  "a rule for a region that is none": [
    `${GEO}      - { countries: [DE], regions: [a, x] }\n`,
    "p.yaml:10: gateway.routing.rules[0].regions[1]: no region is named x; regions are a, b",
  ],
  "a rule and a fallback that name a region twice": [
    `${GEO}      - { countries: [DE], regions: [a, a] }\n    fallback: [b, a, b]\n`,
    "p.yaml:10: gateway.routing.rules[0].regions[1]: a stands here already; the first place counts",
    "p.yaml:11: gateway.routing.fallback[2]: b stands here already; the first place counts",
  ],
  "a country that an earlier rule has": [
    `${GEO}      - { countries: [DE, at], regions: [a] }\n      - { countries: [CH, AT], regions: [b] }\n`,
    "p.yaml:11: gateway.routing.rules[1].countries[1]: AT is matched by an earlier entry, so this one never matches; remove one",
  ],
  "a network inside an earlier one": [
    `${GEO}      - { subnets: [10.0.0.0/8], regions: [a] }\n      - { subnets: [192.0.2.0/24, "::ffff:10.1.0.0/112"], regions: [b] }\n`,
    "p.yaml:11: gateway.routing.rules[1].subnets[1]: lies in 10.0.0.0/8, which is matched earlier; put the smaller network first",
  ],
  "a network that is none": [
    `${GEO}      - { subnets: [10.0.0.1/8], regions: [a] }\n`,
    "p.yaml:10: gateway.routing.rules[0].subnets[0]: write a network such as 10.0.0.0/8 or 2001:db8::/32, without bits behind its prefix, or an address",
  ],
  "a country that is none": [
    `${GEO}      - { countries: [Germany], regions: [a] }\n`,
    "p.yaml:10: gateway.routing.rules[0].countries[0]: write a country as two letters (ISO 3166-1), for instance DE",
  ],
  "countries that nothing tells": [
    "  routing:\n    method: geographic\n    rules: [{ countries: [DE], regions: [a] }]\n",
    "p.yaml:8: gateway.routing.rules[0].countries: nothing tells a viewer's country; set gateway.viewers.country, or use subnets",
  ],
  "a country header that anybody may set": [
    "  viewers: { country: { header: X-Country, from: [] } }\n",
    "p.yaml:6: gateway.viewers.country.from: name the addresses that set it",
  ],
  "a route without host and prefix": [
    "  routes:\n    - routing: { method: latency }\n",
    "p.yaml:7: gateway.routes[0]: matches everything; name a host or a prefix, and write the default under gateway.routing",
  ],
  "a route that an earlier one covers": [
    "  routes:\n    - { prefix: /vod/, routing: {} }\n    - { host: x.example, prefix: /vod/live/, routing: {} }\n",
    "p.yaml:8: gateway.routes[1]: never matches, because gateway.routes[0] takes all of it; put this one before it, or remove it",
  ],
  "a route for a path that is not let in": [
    "  routes:\n    - prefix: /live/\n      routing: {}\n",
    "p.yaml:7: gateway.routes[0].prefix: no request for a video or a key can start with /live/; it must lie under one of gateway.prefixes, a locator id or /keys/",
  ],
  "a route for a path that is not let in on a host that is not the keys' host": [
    "  keys: { host: keys.example }\n  routes:\n    - host: x.example\n      prefix: /live/\n      routing: {}\n",
    "p.yaml:9: gateway.routes[0].prefix: no request for a video or a key can start with /live/; it must lie under one of gateway.prefixes, a locator id or /keys/",
  ],
  "a policy of a route": [
    "  routes:\n    - prefix: /vod/\n      routing:\n        canary: { region: c, percent: 5 }\n",
    "p.yaml:9: gateway.routes[0].routing.canary.region: no region is named c; regions are a, b",
  ],
};

/** What stands under gateway. */
const GOOD: Record<string, string> = {
  nothing: "",
  "a canary without a method": "  routing: { canary: { region: b, percent: 0.5 } }\n",
  weights: "  routing: { method: weighted, weights: { a: 3, b: 0 }, sticky: { by: 'query:user' } }\n",
  "rules with both": `${GEO}      - { countries: [de], subnets: [10.1.0.0/16], regions: [b] }\n      - { subnets: [10.0.0.0/8], regions: [a, b] }\n`,
  "a narrower route before a wider one":
    "  routes:\n    - { host: x.example, prefix: /vod/, routing: {} }\n    - { prefix: /vod/, routing: {} }\n    - { host: x.example, routing: {} }\n",
  "routes for a locator, keys, a part of a prefix and everything under a host":
    "  routes:\n    - { prefix: /8d7ab48c-5d43-4f31-9d52-4f4f0e8d2f63/, routing: {} }\n    - { prefix: /keys/, routing: {} }\n    - { prefix: /vod/live/, routing: {} }\n    - { host: x.example, prefix: /, routing: {} }\n",
  "any path where a host is for keys":
    "  keys: { host: keys.example }\n  routes: [{ host: keys.example, prefix: /this/, routing: {} }, { prefix: /that/, routing: {} }]\n",
};

describe("the routing part of a configuration", () => {
  it.each(Object.entries(BAD))("refuses %s", (_, [gateway, ...expected]) => {
    expect(problems(gateway)).toEqual(expected);
  });

  it.each(Object.entries(GOOD))("takes %s", (_, gateway) => {
    expect(problems(gateway)).toEqual([]);
  });

  it("has priority as its default, and defaults in its methods", () => {
    const routing = (gateway: string) => parseConfig("p.yaml", REGIONS + gateway, sources).gateway.routing;
    expect(routing("")).toEqual({ method: "priority" });
    expect(routing("  routing: { method: latency }\n")).toEqual({ method: "latency", tolerance: 20 });
    expect(routing("  routing: { method: hash }\n")).toEqual({ method: "hash", load: 1.25 });
  });

  it("reads names as they are compared", () => {
    const { viewers, routes, routing } = parseConfig(
      "p.yaml",
      `${REGIONS}${GEO}      - { countries: [de], regions: [b] }\n  routes: [{ host: X.Example, routing: {} }]\n`,
      sources,
    ).gateway;
    expect(viewers.country).toEqual({ header: "x-country", from: ["10.0.0.0/8"] });
    expect(routes[0]?.host).toBe("x.example");
    expect(routing).toMatchObject({ rules: [{ countries: ["DE"] }] });
  });

  it("takes a country database, and wants a region to choose from", () => {
    expect(problems("  viewers:\n    country: { database: x.mmdb }\n")).toEqual([]);
    const alone = "regions: [{ name: a, streaming: 'https://a.example' }]\ngateway:\n  routing: { canary: { region: a, percent: 5 } }\n";
    expect(() => parseConfig("p.yaml", alone, sources)).toThrow(
      "p.yaml:3: gateway.routing.canary: there is only one region, so it gets every viewer; add one or remove this",
    );
  });
});
