import { describe, expect, it } from "vitest";
import { systemClock, systemRandom } from "../../src/core/clock.ts";
import { healthSection, type HealthConfig } from "../../src/core/config/health.ts";
import { SERVICES, type Canary, type FailureReason, type HealthStatus, type Service } from "../../src/core/contracts.ts";
import { keyedFingerprint } from "../../src/core/fingerprint.ts";
import { RegionHttpClient } from "../../src/core/http.ts";
import { silentLog } from "../../src/core/log.ts";
import { Metrics } from "../../src/core/metrics.ts";
import { startHealth, type HealthMonitor, type HealthTransition } from "../../src/health/monitor.ts";
import { startOrigin, type Origin, type OriginFault } from "../fakes/origin.ts";
import { packageVideo, testKey } from "../fakes/packagedVideo.ts";
import { within } from "../harness/wait.ts";

/** No answer that comes is too late, on the busiest of machines. */
const CONFIG: HealthConfig = healthSection.parse({ interval: "1s", fastInterval: "200ms", timeout: "20s", fall: 2, rise: 2 });
/** For regions that do not answer. */
const IMPATIENT: HealthConfig = { ...CONFIG, timeout: 3_000 };
/** For a change that is due after some probes, on the busiest of machines. How long it takes is asked of a clock that stands still (test/health). */
const DEADLINE_MS = 60_000;
/** Beside the probes that decide, one more may be under way. */
const UNDERWAY = 1;
const key = testKey("right");
const fingerprint = keyedFingerprint(testKey("secret"));

const CANARY: Canary = {
  locatorId: "aaaaaaaa-0000-4000-8000-000000000001",
  manifestPath: "/v/master.m3u8",
  key: { id: null, path: "/key?kid=1", fingerprint: fingerprint(key), authorization: null, tokenUnavailable: false },
};

/** A change of status, with the looks in a row that made it. */
interface Change {
  readonly reason: FailureReason | null;
  readonly looks: number;
}

/** Both regions hold the video; the first is the one that gets the faults. */
class Stage implements AsyncDisposable {
  readonly west: Origin;
  readonly transitions: (HealthTransition & Pick<Change, "looks">)[] = [];
  readonly health: HealthMonitor;
  readonly #stack: AsyncDisposableStack;
  readonly #waiting = new Set<() => void>();

  constructor(west: Origin, north: Origin, stack: AsyncDisposableStack, config: HealthConfig) {
    this.west = west;
    this.#stack = stack;
    const regions = [
      { name: "we", streaming: west.url, keys: west.url },
      { name: "ne", streaming: north.url, keys: north.url },
    ];
    this.health = startHealth({
      regions,
      config,
      http: stack.use(new RegionHttpClient({ origins: [west, north].map(({ url }) => ({ url, ca: null })) })),
      canaries: { canary: async () => CANARY },
      fingerprint,
      clock: systemClock,
      random: systemRandom,
      log: silentLog,
      metrics: new Metrics({ version: "0", regions: regions.map(({ name }) => ({ name, keys: true })) }),
    });
    stack.use(this.health);
    this.health.onTransition((transition) => {
      this.transitions.push({ ...transition, looks: this.#looks(transition) });
      for (const check of this.#waiting) check();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  /** The changes of one service of the first region so far. */
  changes(service: Service): string[] {
    return this.transitions.filter(({ region, service: of }) => region === "we" && of === service).map(({ to }) => to);
  }

  /** Resolves when the service has entered the status for the `nth` time. */
  async change(service: Service, to: HealthStatus, nth = 1): Promise<Change> {
    const { promise, resolve } = Promise.withResolvers<Change>();
    const check = (): void => {
      const entered = this.transitions.filter((seen) => seen.region === "we" && seen.service === service && seen.to === to)[nth - 1];
      if (entered !== undefined) resolve(entered);
    };
    this.#waiting.add(check);
    check();
    const change = await within(DEADLINE_MS, `we/${service} to become ${to}`, promise);
    this.#waiting.delete(check);
    return change;
  }

  /** The newest looks that all say the same. */
  #looks({ region, service, to }: HealthTransition): number {
    const newestFirst = this.health.history(region, service).toReversed();
    const other = newestFirst.findIndex(({ ok }) => ok !== (to === "healthy"));
    return other < 0 ? newestFirst.length : other;
  }
}

async function startStage(encrypted: boolean, config = CONFIG): Promise<Stage> {
  const files = packageVideo("/v/", encrypted ? { encryption: { key, keyUri: "https://keys.example/key?kid=1" } } : {});
  const stack = new AsyncDisposableStack();
  const west = stack.use(await startOrigin({ files, key }));
  const north = stack.use(await startOrigin({ files, key }));
  return new Stage(west, north, stack, config);
}

async function startReady(encrypted: boolean, config = CONFIG): Promise<Stage> {
  const stage = await startStage(encrypted, config);
  await within(DEADLINE_MS, "the first probes", stage.health.ready());
  expect(stage.transitions.map(({ to }) => to)).toEqual(["healthy", "healthy", "healthy", "healthy"]);
  return stage;
}

/** The fault is on: sees it noticed, and what it does not concern left alone; mends it and sees the recovery, without flapping. */
async function noticeAndRecover(
  stage: Stage,
  faulty: readonly Service[],
  looks: number,
  mend: () => Promise<void>,
): Promise<(FailureReason | null)[]> {
  const noticed = await Promise.all(faulty.map(async (service) => stage.change(service, "unhealthy")));
  for (const change of noticed) expectLooks(change, looks);
  await mend();
  const recovered = await Promise.all(faulty.map(async (service) => stage.change(service, "healthy", 2)));
  for (const change of recovered) expectLooks(change, CONFIG.rise);
  for (const service of SERVICES) {
    expect(stage.changes(service)).toEqual(faulty.includes(service) ? ["healthy", "unhealthy", "healthy"] : ["healthy"]);
  }
  expect(stage.transitions.filter(({ region }) => region === "ne")).toHaveLength(2);
  return noticed.map(({ reason }) => reason);
}

function expectLooks({ looks }: Change, needed: number): void {
  expect(looks).toBeGreaterThanOrEqual(needed);
  expect(looks).toBeLessThanOrEqual(needed + UNDERWAY);
}

// Concurrent: these tests wait for seconds and compute for milliseconds.
describe.concurrent.each([
  ["a clear video", false],
  ["an AES-128 video", true],
])("health over real sockets, %s", (_, encrypted) => {
  it("notices a closed port with one probe", async () => {
    await using stage = await startReady(encrypted);
    await stage.west.refuse();
    expect(await noticeAndRecover(stage, SERVICES, 1, async () => stage.west.accept())).toEqual(["refused", "refused"]);
  });

  const faults: readonly (readonly [OriginFault, readonly Service[], readonly FailureReason[]])[] = [
    ["blackhole", SERVICES, ["timeout", "timeout"]],
    ["reset", SERVICES, ["reset", "reset"]],
    ["half-body", SERVICES, ["truncated", "truncated"]],
    ["status", SERVICES, ["status", "status"]],
    ["html", SERVICES, ["body", "body"]],
    ["missing-segments", ["streaming"], ["segment"]],
    ["wrong-key", ["keys"], ["key_mismatch"]],
    ["short-key", ["keys"], ["key_length"]],
  ];

  it.each(faults)("notices %s", async (fault, services, reasons) => {
    await using stage = await startReady(encrypted, fault === "blackhole" ? IMPATIENT : CONFIG);
    stage.west.fault = fault;
    const seen = await noticeAndRecover(stage, services, CONFIG.fall, async () => {
      stage.west.fault = null;
    });
    expect(seen).toEqual(reasons);
  });
});

describe.concurrent("health from the start", () => {
  it("starts beside a region that is down, and takes it up when it comes", async () => {
    await using stage = await startStage(false);
    await stage.west.refuse();
    await within(DEADLINE_MS, "the first probes", stage.health.ready());
    await stage.change("streaming", "unhealthy");
    expect(stage.health.snapshot().regions["ne"]?.streaming?.status).toBe("healthy");
    await stage.west.accept();
    expectLooks(await stage.change("streaming", "healthy"), CONFIG.rise);
  });

  it("asks at once when traffic failed", async () => {
    // Left to the schedule it would come after the deadline.
    await using stage = await startReady(false, { ...CONFIG, interval: 4 * DEADLINE_MS, jitter: 0 });
    stage.west.fault = "status";
    const change = stage.change("streaming", "unhealthy");
    stage.health.observe("we", "streaming", { ok: false, durationMs: 4, reason: "status", detail: "503 to a viewer" });
    expectLooks(await change, CONFIG.fall);
  });
});
