/** The loop comes back when a live stream would be stale, and not before its short interval. */
import { expect, it } from "vitest";
import type { Finding } from "../../src/health/probes/probe.ts";
import { startMonitor } from "../../src/health/monitor.ts";
import { healthSection } from "../../src/core/config/health.ts";
import { silentLog } from "../../src/core/log.ts";
import { Metrics } from "../../src/core/metrics.ts";
import { ManualClock, seededRandom } from "../fakes/clock.ts";

async function timesOfProbes(finding: () => Finding): Promise<readonly number[]> {
  const clock = new ManualClock();
  const times: number[] = [];
  const probe = async (): Promise<Finding> => {
    times.push(clock.monotonic());
    return finding();
  };
  const config = healthSection.parse({ interval: "5s", fastInterval: "200ms", jitter: 0 });
  const metrics = new Metrics({ version: "0", regions: [{ name: "we", keys: false }] });
  const deps = { config, clock, random: seededRandom(1), log: silentLog, metrics };
  const monitor = startMonitor([{ region: "we", service: "streaming", probe }], deps);
  await clock.advance(10_500);
  await monitor.stop();
  return times;
}

it("looks again when the stream would be stale", async () => {
  let probes = 0;
  const times = await timesOfProbes(() => {
    probes += 1;
    return probes === 1 ? { ok: true, detail: "live", lookAgainMs: 3_000 } : { ok: true, detail: "live" };
  });
  expect(times).toEqual([1, 3_001, 8_001]);
});

it("keeps its interval where that comes first, and two probes apart", async () => {
  expect(await timesOfProbes(() => ({ ok: true, detail: "live", lookAgainMs: 60_000 }))).toEqual([1, 5_001, 10_001]);
  const hasty = await timesOfProbes(() => ({ ok: true, detail: "live", lookAgainMs: 0 }));
  expect(hasty.slice(0, 3)).toEqual([1, 201, 401]);
});
