import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { parseConfig } from "../../../src/core/config/load.ts";
import type { Config } from "../../../src/core/config/schema.ts";
import { DEFAULT_POLICY } from "../../../src/encoding/policy.ts";

const AMS = { driver: "ams", subscriptionId: "s", resourceGroup: "r", accountName: "a" };
const LADDER = { name: "ladder", outputs: [{ preset: { "@odata.type": "#Any", deep: [1, { more: true }] } }] };
const SECRET = "sixteen-characters";
const QUEUE = { url: "https://a.queue.core.windows.net", name: "jobs-done" };
const ENTRA = { tenant: "0B8B2ED6-6d3a-4a6b-9a55-3f2f2a4f6c01", audience: "api://paircast-events" };

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
    [{ transforms: [LADDER], notify: { url: "https://cms.example" } }, "notify\\.secret", "set a secret"],
    [{ transforms: [LADDER], notify: { queue: QUEUE, secret: SECRET } }, "notify\\.secret", "`url` only"],
    [{ transforms: [LADDER], notify: {} }, "notify\\.url", "set url, or queue, or both"],
    [{ transforms: [LADDER], notify: { queue: { ...QUEUE, name: "No" } } }, "notify\\.queue\\.name", "Storage queue"],
    [{ transforms: [LADDER], events: { webhook: {} } }, "events\\.webhook\\.secret", "secret, or entra"],
    [
      { transforms: [LADDER], events: { webhook: { entra: { ...ENTRA, tenant: "contoso.com" } } } },
      "events\\.webhook\\.entra\\.tenant",
      "GUID",
    ],
    [
      { transforms: [LADDER], events: { webhook: { entra: { ...ENTRA, login: "http://login.example" } } } },
      "events\\.webhook\\.entra\\.login",
      "https",
    ],
    [
      { transforms: [LADDER], events: { webhook: { entra: { ...ENTRA, audience: [] } } } },
      "events\\.webhook\\.entra\\.audience",
      "at least one",
    ],
    [{ transforms: [LADDER], preset: "x" }, "preset", "not a known setting"],
  ])("%o is refused", (encoding, path, words) => {
    expect(() => config(encoding)).toThrow(new RegExp(`encoding\\.${path}[^\\n]*${words}`));
  });

  it("tells an address, a queue, or both", () => {
    const told = (notify: object) => config({ transforms: [LADDER], notify }).encoding?.notify;
    const queue = { ...QUEUE, credential: { kind: "default" } };
    expect(told({ url: "https://cms.example", secret: SECRET, queue: QUEUE })).toMatchObject({ secret: SECRET, queue, format: "plain" });
    expect(told({ queue: QUEUE, format: "cloudevents" })).toEqual({ queue, format: "cloudevents" });
  });

  it("takes events by token in the place of a secret, as replication does", () => {
    const events = { webhook: { entra: ENTRA } };
    const { encoding, replication } = config({ transforms: [LADDER], events }, { replication: { events } });
    const entra = { tenant: ENTRA.tenant.toLowerCase(), audience: [ENTRA.audience], login: "https://login.microsoftonline.com" };
    expect([encoding?.events?.webhook, replication.events?.webhook]).toMatchObject([{ entra }, { entra }]);
    expect(encoding?.events?.webhook).not.toHaveProperty("secret");
  });

  it("publishes only what somebody carries", () => {
    const encoding = { transforms: [LADDER], publish: { streamingPolicy: "Predefined_ClearKey" } };
    expect(() => config(encoding, { replication: { enabled: false } })).toThrow(/encoding\.publish[^\n]*replication\.enabled/);
    expect(() => config(encoding, { state: { tables: { url: "https://a.table.core.windows.net" } } })).toThrow(
      /encoding\.publish[^\n]*queues/,
    );
  });
});
