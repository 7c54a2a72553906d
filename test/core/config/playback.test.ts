import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/core/config/load.ts";
import { ConfigError } from "../../../src/core/config/problems.ts";
import { configWarnings } from "../../../src/core/config/warnings.ts";

const CANARY = 'canary: { manifest: "/c.m3u8" }';
const TWO = `regions:\n  - { name: a, streaming: "https://a.example", ${CANARY} }\n  - { name: b, streaming: "https://b.example", ${CANARY} }\n`;
const ONE = `regions:\n  - { name: a, streaming: "https://a.example", ${CANARY} }\n`;

function parsed(text: string) {
  return parseConfig("p.yaml", text, { env: {}, readFile: () => "" });
}

function problems(text: string): string[] {
  try {
    parsed(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split("\n");
    throw error;
  }
  return [];
}

describe("playback is refused", () => {
  it.each([
    ["a mode that is none", `${TWO}gateway: { playback: proxy }\n`, /^p\.yaml:4: gateway\.playback: /],
    ["steering with one region", `${ONE}gateway: { playback: steer }\n`, /^p\.yaml:3: gateway\.playback: there is only one region/],
    [
      "steering with one region, of a route",
      `${ONE}gateway:\n  prefixes: [/vod/]\n  routes:\n    - { prefix: /vod/, playback: steer }\n`,
      /^p\.yaml:6: gateway\.routes\[0\]\.playback: there is only one region/,
    ],
    [
      "a region with the name of the way out",
      `${TWO.replace("name: b", "name: gateway")}gateway: { playback: steer }\n`,
      /^p\.yaml:4: gateway\.playback: a region has the name gateway/,
    ],
    [
      "videos where the steering endpoint is",
      `${TWO}gateway: { playback: steer, prefixes: [/steering/] }\n`,
      /^p\.yaml:4: gateway\.playback: takes the paths under \/steering\//,
    ],
    [
      "keys where the steering endpoint is",
      `${TWO}gateway: { playback: steer, keys: { prefix: /steering } }\n`,
      /^p\.yaml:4: gateway\.playback: takes the paths under \/steering\//,
    ],
    [
      "players that ask less often during an incident",
      `${TWO}gateway: { steering: { ttl: 5s, incidentTtl: 10s } }\n`,
      /^p\.yaml:4: gateway\.steering\.incidentTtl: is longer than gateway\.steering\.ttl/,
    ],
    ["a TTL below a second", `${TWO}gateway: { steering: { incidentTtl: 500ms } }\n`, /incidentTtl: must be at least 1000 ms/],
    [
      "a cache for less than one manifest",
      `${TWO}gateway: { manifests: { maxBytes: 8000000, cacheBytes: 4000000 } }\n`,
      /^p\.yaml:4: gateway\.manifests\.cacheBytes: is less than/,
    ],
  ])("%s", (_, text, expected) => {
    expect(problems(text)).toEqual([expect.stringMatching(expected)]);
  });

  it.each([
    ["anchoring with one region", `${ONE}gateway: { playback: anchor }\n`],
    ["a region named gateway without steering", `${TWO.replace("name: b", "name: gateway")}gateway: { playback: anchor }\n`],
    ["a prefix of that name without steering", `${TWO}gateway: { prefixes: [/steering/] }\n`],
  ])("but not %s", (_, text) => {
    expect(problems(text)).toEqual([]);
  });
});

it("a route has the default's mode where it has none", () => {
  const { gateway } = parsed(`${TWO}gateway: { playback: anchor, prefixes: [/vod/], routes: [{ prefix: /vod/ }] }\n`);
  expect([gateway.playback, gateway.routes[0]?.playback]).toEqual(["anchor", undefined]);
});

describe("a gateway that does not know its own URL is warned of", () => {
  const warned = (gateway: string): number => configWarnings(parsed(`${TWO}gateway: { ${gateway} }\n`)).length;

  it.each(["playback: steer", "playback: anchor", "prefixes: [/vod/], routes: [{ prefix: /vod/, playback: anchor }]"])("%s", (gateway) => {
    expect(warned(gateway)).toBe(1);
  });

  it.each([
    "playback: redirect",
    'playback: steer, publicUrl: "https://gw.example"',
    "playback: steer, viewers: { proxies: [10.0.0.0/8] }",
    "playback: steer, listen: 127.0.0.1:8080",
  ])("but not %s", (gateway) => {
    expect(warned(gateway)).toBe(0);
  });
});
