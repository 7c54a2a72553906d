/** A monitor over probes that do what they are told, under a clock that stands still until it is told to move. */
import { healthSection, type HealthConfig } from "../../src/core/config/health.ts";
import type { FailureReason } from "../../src/core/contracts.ts";
import { silentLog, type Log, type LogFields } from "../../src/core/log.ts";
import { Metrics } from "../../src/core/metrics.ts";
import type { Check } from "../../src/health/checks.ts";
import { startMonitor, type HealthMonitor, type HealthTransition, type MonitorDeps } from "../../src/health/monitor.ts";
import type { Finding } from "../../src/health/probes/probe.ts";
import { ManualClock, seededRandom } from "../fakes/clock.ts";

export const CONFIG: HealthConfig = healthSection.parse({
  interval: "1s",
  fastInterval: "200ms",
  timeout: "1s",
  fall: 2,
  rise: 2,
  jitter: 0,
  ramp: "0s",
  damping: { base: "0s" },
});

export type Behaviour = FailureReason | "ok" | "slow" | "silent" | "bug";

/** A probe that does what it is told, with the times at which it was asked. */
export class ScriptedProbe {
  readonly times: number[] = [];
  behaviour: Behaviour = "ok";
  underway = 0;
  mostUnderway = 0;
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  readonly probe = async (signal: AbortSignal): Promise<Finding> => {
    this.times.push(this.#clock.monotonic());
    this.underway += 1;
    this.mostUnderway = Math.max(this.mostUnderway, this.underway);
    try {
      return await this.#answer(signal);
    } finally {
      this.underway -= 1;
    }
  };

  async #answer(signal: AbortSignal): Promise<Finding> {
    const { behaviour } = this;
    if (behaviour === "ok") return { ok: true, detail: "played" };
    if (behaviour === "slow") return { ok: true, detail: "played", signals: [{ kind: "first_byte", detail: "first byte after 3 s" }] };
    if (behaviour === "bug") throw new TypeError("planted bug");
    if (behaviour !== "silent") return { ok: false, reason: behaviour, detail: `planted ${behaviour}` };
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        reject(new Error("aborted"));
      });
    });
  }
}

export interface Stage {
  readonly clock: ManualClock;
  readonly west: ScriptedProbe;
  readonly north: ScriptedProbe;
  readonly monitor: HealthMonitor;
  readonly metrics: Metrics;
  readonly transitions: string[];
  readonly lines: { event: string; fields: LogFields | undefined }[];
}

const running: HealthMonitor[] = [];

/** Stops everything that was begun: for `afterEach`. */
export async function endStages(): Promise<void> {
  await Promise.all(running.splice(0).map(async (monitor) => monitor.stop()));
}

/** Regions `we` and `ne`, with streaming only; `first` is what `we` does from the start; `clock` is that of an earlier stage, where one goes on. */
export function begin(
  config: Partial<HealthConfig> = {},
  more: Partial<MonitorDeps> = {},
  first: Behaviour = "ok",
  clock = new ManualClock(),
): Stage {
  const [west, north] = [new ScriptedProbe(clock), new ScriptedProbe(clock)];
  west.behaviour = first;
  const metrics = new Metrics({
    version: "0",
    regions: [west, north].map((_, index) => ({ name: ["we", "ne"][index] ?? "", keys: false })),
  });
  const lines: Stage["lines"] = [];
  const write = (event: string, fields?: LogFields): void => void lines.push({ event, fields });
  const log: Log = { ...silentLog, debug: write, info: write, warn: write, error: write };
  const checks: Check[] = [
    { region: "we", service: "streaming", probe: west.probe, target: { url: "http://we.example", ca: null } },
    { region: "ne", service: "streaming", probe: north.probe },
  ];
  const started = startMonitor(checks, { config: { ...CONFIG, ...config }, clock, random: seededRandom(1), log, metrics, ...more });
  running.push(started);
  const transitions: string[] = [];
  started.onTransition(({ region, from, to, reason }: HealthTransition) => {
    transitions.push(`${clock.monotonic()} ${region} ${from}>${to} ${reason ?? "-"}`);
  });
  return { clock, west, north, monitor: started, metrics, transitions, lines };
}

/** Status of a region's streaming. */
export function status(stage: Stage, region = "we"): string | undefined {
  return stage.monitor.snapshot().regions[region]?.streaming?.status;
}
