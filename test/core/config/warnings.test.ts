import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/core/config/load.ts";
import { configWarnings } from "../../../src/core/config/warnings.ts";

function warned(region: string): string[] {
  const text = `regions:\n  - { name: backup, streaming: "https://backup.example"${region} }\ngateway: { prefixes: ["/"] }\n`;
  return configWarnings(parseConfig("paircast.yaml", text, { env: {}, readFile: () => "" })).map(
    ({ path, message }) => `${path}: ${message}`,
  );
}

describe("a configuration is warned of", () => {
  it("a static region of which nothing but its existence can be probed", () => {
    expect(warned("")).toEqual([
      expect.stringMatching(/^regions\[0\]: region backup has neither account\.storage nor a canary.*canary\.manifest$/),
    ]);
    expect(warned(", canary: {}")).toHaveLength(1);
  });

  it.each([
    ["a canary", ', canary: { manifest: "/a.m3u8" }'],
    ["one of several canaries", ', canaries: [{ manifest: "/a.m3u8" }]'],
    ["storage", ', account: { driver: static, storage: { url: "https://a.example" } }'],
    ["a media account", ", account: { driver: ams, subscriptionId: s, resourceGroup: g, accountName: a }"],
  ])("but not one with %s", (_, region) => {
    expect(warned(region)).toEqual([]);
  });
});

describe("regions under one host name", () => {
  const warnings = (playback: string, second: string): string[] => {
    const region = (name: string, streaming: string): string =>
      `  - { name: ${name}, streaming: "${streaming}", canary: { manifest: "/a.m3u8" } }\n`;
    const text = `regions:\n${region("west", "https://media.example/west")}${region("north", second)}gateway: { publicUrl: "https://play.example", playback: ${playback} }\n`;
    return configWarnings(parseConfig("paircast.yaml", text, { env: {}, readFile: () => "" })).map(({ path }) => path);
  };

  it("are left both by a player that leaves one, where it is steered", () => {
    expect(warnings("steer", "https://media.example:8443/north")).toEqual(["regions[1].streaming"]);
    expect(warnings("steer", "https://north.example")).toEqual([]);
    expect(warnings("redirect", "https://media.example/north")).toEqual([]);
  });
});
