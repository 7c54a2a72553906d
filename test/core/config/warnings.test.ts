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
