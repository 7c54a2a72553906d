import { expect, it } from "vitest";
import { silentLog, type LogFields } from "../../../src/core/log.ts";
import { Metrics } from "../../../src/core/metrics.ts";
import { probeAlerts } from "../../../src/health/probes/alerts.ts";

it("counts every time, and logs once when it begins and once when it is over", async () => {
  const metrics = new Metrics({ version: "0", regions: [{ name: "we", keys: true }] });
  const lines: string[] = [];
  const write = (event: string, fields?: LogFields): void => {
    lines.push(`${event} ${String(fields?.["region"])} ${String(fields?.["detail"] ?? "-")}`);
  };
  const events = probeAlerts({ log: { ...silentLog, info: write, warn: write }, metrics });
  for (const detail of [null, "refused", "refused", null, null]) {
    events.unauthorized("we", "keys", detail);
    events.keyDisputed("we", detail);
  }
  expect(lines).toEqual([
    "health.probe_unauthorized we refused",
    "health.key_disputed we refused",
    "health.probe_unauthorized_over we -",
    "health.key_disputed_over we -",
  ]);
  const shown = async (): Promise<string> => metrics.registry.metrics();
  expect(await shown()).toContain('paircast_probe_unauthorized_total{origin="we",service="keys"} 2');
  expect(await shown()).toContain('paircast_key_disputed{origin="we",service="keys"} 0');
  events.keyDisputed("we", "again");
  expect(await shown()).toContain('paircast_key_disputed{origin="we",service="keys"} 1');
});
