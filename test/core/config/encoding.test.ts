import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { parseConfig } from "../../../src/core/config/load.ts";
import type { Config } from "../../../src/core/config/schema.ts";
import { DEFAULT_POLICY } from "../../../src/encoding/policy.ts";

const AMS = { driver: "ams", subscriptionId: "s", resourceGroup: "r", accountName: "a" };
const LADDER = { name: "ladder", outputs: [{ preset: { "@odata.type": "#Any", deep: [1, { more: true }] } }] };
const SECRET = "sixteen-characters";

function config(encoding: object, more: object = {}): Config {
  const regions = [
    { name: "west", streaming: "https://west.example", account: AMS },
    { name: "files", streaming: "https://files.example" },
  ];
  return parseConfig("paircast.yaml", stringify({ regions, ...more, encoding }), { env: {}, readFile: () => "" });
}

describe("encoding", () => {
  it("waits as long as its policy says, unless it is told otherwise", () => {
    const { limits, health, check, retention } = config({ transforms: [LADDER] }).encoding ?? {};
    const { job, account } = DEFAULT_POLICY;
    const { submitMs: submit, queuedMs: queued, scheduledMs: scheduled, stalledMs: stalled, aliveMs: alive, maxAttempts: attempts } = job;
    expect(limits).toEqual({ submit, queued, scheduled, stalled, alive, attempts });
    expect(health).toEqual({
      interval: account.pingMs,
      fall: account.fall,
      fallFor: account.fallMs,
      rise: account.rise,
      hold: account.holdMs,
    });
    expect([check, retention]).toEqual([job.checkMs, job.retentionMs]);
  });

  it("passes presets on as they are", () => {
    expect(config({ transforms: [LADDER] }).encoding?.transforms).toEqual([LADDER]);
  });

  it.each([
    [{}, "transforms", ""],
    [{ transforms: [] }, "transforms", "at least one"],
    [{ transforms: [LADDER, LADDER] }, "transforms\\[1\\]\\.name", "must differ"],
    [{ transforms: [LADDER], accounts: [{ region: "files" }] }, "accounts\\[0\\]\\.region", "driver `ams`"],
    [{ transforms: [LADDER], accounts: [{ region: "west" }, { region: "west" }] }, "accounts\\[1\\]\\.region", "twice"],
    [{ transforms: [LADDER], notify: { url: "http://cms.example", secret: SECRET } }, "notify\\.url", "https"],
    [{ transforms: [LADDER], notify: { url: "https://cms.example", secret: "short" } }, "notify\\.secret", "16"],
    [{ transforms: [LADDER], preset: "x" }, "preset", "not a known setting"],
  ])("%o is refused", (encoding, path, words) => {
    expect(() => config(encoding)).toThrow(new RegExp(`encoding\\.${path}[^\\n]*${words}`));
  });

  it("publishes only what somebody carries", () => {
    const encoding = { transforms: [LADDER], publish: { streamingPolicy: "Predefined_ClearKey" } };
    expect(() => config(encoding, { replication: { enabled: false } })).toThrow(/encoding\.publish[^\n]*replication\.enabled/);
    expect(() => config(encoding, { state: { tables: { url: "https://a.table.core.windows.net" } } })).toThrow(
      /encoding\.publish[^\n]*queues/,
    );
  });
});
