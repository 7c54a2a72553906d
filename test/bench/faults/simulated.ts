/**
 * Hours in seconds: the whole of health (loops, state, probes, parsers) over the origin's own answers, with a clock that is moved by hand.
 * Only sockets are missing.
 */
import type { HealthConfig } from "../../../src/core/config/health.ts";
import { configSchema } from "../../../src/core/config/schema.ts";
import { keyedFingerprint } from "../../../src/core/fingerprint.ts";
import { HttpFailure } from "../../../src/core/http.ts";
import { silentLog } from "../../../src/core/log.ts";
import { Metrics } from "../../../src/core/metrics.ts";
import type { HttpAnswer, HttpClient, HttpQuestion } from "../../../src/core/ports/http.ts";
import { startHealth, type HealthMonitor } from "../../../src/health/monitor.ts";
import type { Clock, Random } from "../../../src/core/clock.ts";
import { ManualClock, seededRandom } from "../../fakes/clock.ts";
import { keyAnswer, streamingAnswer } from "../origin/answers.ts";
import type { Video } from "../origin/faults.ts";
import { KEY_PATH, streamingCheck, type ProbePolicy } from "../routers/site.ts";

export interface Simulation {
  readonly video: Video;
  readonly probes: ProbePolicy;
  readonly seed: number;
  readonly durationMs: number;
  /** What befalls a request to region A or B at a time since the start: null for an answer. */
  readonly failure: (region: "a" | "b", elapsedMs: number, random: Random) => "refused" | "reset" | "status" | null;
  /** Milliseconds that a request takes. */
  readonly latency: (random: Random) => number;
}

export interface SimulationResult {
  /** Changes of status of the service that changed most often, those from `unknown` at the start left out. */
  readonly transitions: number;
  /** Changes to unhealthy, of all services. */
  readonly drains: number;
}

const STEP_MS = 10_000;
const SETTLED_MS = 5_000;
const HOSTS = { a: "http://127.0.0.21:1", b: "http://127.0.0.22:1" } as const;

export async function simulate(simulation: Simulation): Promise<SimulationResult> {
  const clock = new ManualClock();
  const random = seededRandom(simulation.seed);
  const http = new SimulatedHttp(simulation, clock, random);
  const transitions = new Map<string, number>();
  let drains = 0;
  await using health = startSimulated(simulation, { clock, random, http });
  health.onTransition(({ region, service, from, to }) => {
    if (from === "unknown") return;
    const name = `${region} ${service}`;
    transitions.set(name, (transitions.get(name) ?? 0) + 1);
    if (to === "unhealthy") drains += 1;
  });
  await clock.advance(SETTLED_MS);
  http.begin();
  for (let elapsed = 0; elapsed < simulation.durationMs; elapsed += STEP_MS) await clock.advance(STEP_MS);
  const stopped = health.stop();
  await clock.advance(STEP_MS);
  await stopped;
  return { transitions: Math.max(0, ...transitions.values()), drains };
}

interface Parts {
  readonly clock: Clock;
  readonly random: Random;
  readonly http: HttpClient;
}

function startSimulated({ video, probes }: Simulation, parts: Parts): HealthMonitor {
  const canary = { manifest: streamingCheck(video).path, ...(video.encrypted ? { key: KEY_PATH } : {}) };
  const regions = (["a", "b"] as const).map((name) => ({ name, streaming: HOSTS[name], keys: `${HOSTS[name]}/keys`, canary }));
  return startHealth({
    regions,
    config: healthConfig(probes),
    canaries: { canary: async () => null },
    fingerprint: keyedFingerprint(Buffer.alloc(32, 7)),
    metrics: new Metrics({ version: "0", regions: regions.map(({ name }) => ({ name, keys: true })) }),
    log: silentLog,
    ...parts,
  });
}

/** As a configuration file with these settings would be read: everything else by its default. */
function healthConfig({ intervalMs, fastIntervalMs, timeoutMs, fall, rise }: ProbePolicy): HealthConfig {
  const [interval, fastInterval, timeout] = [intervalMs, fastIntervalMs ?? intervalMs, timeoutMs].map((ms) => `${ms}ms`);
  const regions = [{ name: "a", streaming: HOSTS.a }];
  return configSchema.parse({ regions, health: { interval, fastInterval, timeout, fall, rise } }).health;
}

/** Answers as the bench's origin does, in simulated time. */
class SimulatedHttp implements HttpClient {
  readonly #simulation: Simulation;
  readonly #clock: ManualClock;
  readonly #random: Random;
  /** Nothing fails before. */
  #begin = Number.POSITIVE_INFINITY;

  constructor(simulation: Simulation, clock: ManualClock, random: Random) {
    this.#simulation = simulation;
    this.#clock = clock;
    this.#random = random;
  }

  begin(): void {
    this.#begin = this.#clock.monotonic();
  }

  async ask({ url, method, headers, timeoutMs, signal }: HttpQuestion): Promise<HttpAnswer> {
    const { latency, failure } = this.#simulation;
    const region = url.startsWith(HOSTS.a) ? "a" : "b";
    const elapsed = this.#clock.monotonic() - this.#begin;
    const failed = elapsed < 0 ? null : failure(region, elapsed, this.#random);
    const ms = latency(this.#random);
    await this.#clock.sleep(failed === "refused" ? 1 : Math.min(ms, timeoutMs), signal);
    if (failed === "refused" || failed === "reset") throw new HttpFailure(failed, `${failed} by the simulation`);
    if (ms > timeoutMs) throw new HttpFailure("timeout", "late by the simulation");
    if (failed === "status") return { status: 500, headers: {}, body: new Uint8Array() };
    return this.#answer(new URL(url).pathname, method, headers?.["range"]);
  }

  #answer(path: string, method: string, range: string | undefined): HttpAnswer {
    const now = this.#clock.now();
    const { status, type, body } = path.startsWith("/keys")
      ? keyAnswer(path, method, null)
      : streamingAnswer(path, { fault: null, since: 0, now });
    const headers = { "content-type": type, date: new Date(now).toUTCString() };
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
    if (status !== 200 || first === undefined) return { status, headers, body };
    const end = Math.min(Number(last), body.length - 1);
    return {
      status: 206,
      headers: { ...headers, "content-range": `bytes ${first}-${end}/${body.length}` },
      body: body.subarray(Number(first), end + 1),
    };
  }
}
