import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { verificationPolicy } from "../../../src/compose/verificationPolicy.ts";
import { parseConfig } from "../../../src/core/config/load.ts";
import type { Config } from "../../../src/core/config/schema.ts";
import { DEFAULT_VERIFICATION } from "../../../src/replicator/verification/policy.ts";

function config(replication: object): Config {
  const regions = [{ name: "west", streaming: "https://west.example.net" }];
  return parseConfig("paircast.yaml", stringify({ regions, gateway: { prefixes: ["/"] }, replication }), { env: {}, readFile: () => "" });
}

describe("verification", () => {
  it("is, where nothing is said, what jobs do by default", () => {
    expect(verificationPolicy(config({}))).toEqual(DEFAULT_VERIFICATION);
    expect(config({}).replication.recheck).toEqual({ enabled: true, every: 30 * 86_400_000, concurrency: 2, repair: true });
  });

  it.each([
    ["64KiB", 65_536],
    ["3MiB", 3 * 2 ** 20],
    ["1GiB", 2 ** 30],
  ])("reads blobs whole up to %s", (wholeUpTo, bytes) => {
    expect(verificationPolicy(config({ verification: { wholeUpTo } })).wholeBytes).toBe(bytes);
  });

  it.each([{ wholeUpTo: "1MB" }, { wholeUpTo: "1" }, { ranges: 2 }, { blobs: 0 }, { content: "none" }, { playback: "none" }])(
    "refuses %o",
    (verification) => {
      expect(() => config({ verification })).toThrow(/verification/);
    },
  );
});
