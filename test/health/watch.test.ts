import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { WatchVerdict } from "../../src/core/metrics.ts";
import { ServiceWatch, type HeldConnection } from "../../src/health/watch.ts";
import { ManualClock, seededRandom } from "../fakes/clock.ts";
import { begin, endStages, status } from "./stage.ts";

/** A service to connect to; `listening` says how it takes that. */
class FakeService {
  listening: "accepts" | "refuses" | "resets" | "never answers" = "accepts";
  /** Milliseconds after which it closes what is idle. */
  idleMs = Number.POSITIVE_INFINITY;
  /** Times at which somebody connected. */
  readonly asked: number[] = [];
  readonly #clock: ManualClock;
  readonly #open = new Set<() => void>();

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  get open(): number {
    return this.#open.size;
  }

  readonly connect = async (signal: AbortSignal): Promise<HeldConnection> => {
    this.asked.push(this.#clock.monotonic());
    if (this.listening === "refuses") throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
    if (this.listening === "resets") throw Object.assign(new Error("reset"), { code: "ECONNRESET" });
    if (this.listening === "never answers") await this.#clock.sleep(1000, signal).then(() => Promise.reject(new Error("late")));
    const { promise: lost, resolve } = Promise.withResolvers<void>();
    const close = (): void => {
      this.#open.delete(close);
      resolve();
    };
    this.#open.add(close);
    if (Number.isFinite(this.idleMs)) void this.#clock.sleep(this.idleMs).then(close);
    return { lost, [Symbol.dispose]: close };
  };

  /** Closes what is open, as a process that dies does. */
  close(): void {
    this.#open.forEach((close) => {
      close();
    });
  }
}

let clock: ManualClock;
let service: FakeService;
let told: string[];
let watch: ServiceWatch;

beforeEach(() => {
  clock = new ManualClock();
  service = new FakeService(clock);
  told = [];
  watch = new ServiceWatch({
    connect: service.connect,
    clock,
    random: seededRandom(3),
    events: {
      lost: () => void told.push(`${clock.monotonic()} lost`),
      judged: (verdict: WatchVerdict) => void told.push(`${clock.monotonic()} ${verdict}`),
    },
  });
});
afterEach(async () => {
  await watch.stop();
  await endStages();
});

describe("a watch", () => {
  it("holds one connection, and says nothing while it stands", async () => {
    watch.start();
    await clock.advance(3_600_000);
    expect([service.asked.length, service.open, told]).toEqual([1, 1, []]);
  });

  it("tells at once that a service has gone", async () => {
    watch.start();
    await clock.advance(60_000);
    service.listening = "refuses";
    service.close();
    await clock.advance(0);
    expect(told).toEqual(["60000 lost", "60000 refused"]);
  });

  it("tells it too of a service that accepts once more while it dies", async () => {
    watch.start();
    await clock.advance(10_000);
    service.idleMs = 5;
    service.close();
    await clock.advance(4);
    service.listening = "refuses";
    await clock.advance(1);
    expect(told).toEqual(["10000 lost", "10005 refused"]);
  });

  it("makes no verdict of a reconnection that fails in another way", async () => {
    watch.start();
    await clock.advance(60_000);
    service.listening = "resets";
    service.close();
    await clock.advance(0);
    expect(told).toEqual(["60000 lost", "60000 failed"]);
  });

  it("only notes a connection that is closed for being idle, and holds the next one", async () => {
    service.idleMs = 60_000;
    watch.start();
    await clock.advance(600_000);
    expect(told.filter((line) => line.endsWith("kept"))).toHaveLength(9);
    expect(told.some((line) => line.endsWith("refused"))).toBe(false);
    expect([service.asked.length, service.open]).toEqual([10, 1]);
  });

  it.each([0, 5, 1000, 20_000])("asks less and less of a server that closes after %i ms", async (idleMs) => {
    service.idleMs = idleMs;
    watch.start();
    await clock.advance(3_600_000);
    expect(service.asked.length).toBeGreaterThan(10);
    expect(service.asked.length).toBeLessThan(3 * (12 + 3600 / 150));
    const waits = service.asked.slice(1).map((at, index) => at - (service.asked[index] ?? 0));
    expect(Math.max(...waits.slice(-9))).toBeGreaterThan(150_000);
    expect(told.some((line) => line.endsWith("refused"))).toBe(false);
  });

  it("waits longer and longer for a service that is not there, and not at all when it is back", async () => {
    service.listening = "refuses";
    watch.start();
    await clock.advance(3_600_000);
    expect(service.asked.length).toBeLessThan(12 + 3600 / 150);
    expect(told).toEqual([]);
    service.listening = "accepts";
    watch.recovered();
    await clock.advance(0);
    expect(service.open).toBe(1);
  });

  it("spreads the watches of many services", async () => {
    const firsts = await Promise.all(
      Array.from({ length: 50 }, async (_, seed) => {
        const one = new FakeService(clock);
        const events = { lost: () => undefined, judged: () => undefined };
        const other = new ServiceWatch({ connect: one.connect, clock, random: seededRandom(seed), events });
        other.start();
        return { one, other };
      }),
    );
    await clock.advance(500);
    const times = firsts.map(({ one }) => one.asked[0] ?? Number.NaN);
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(400);
    await Promise.all(firsts.map(async ({ other }) => other.stop()));
  });

  it.each(["accepts", "refuses", "never answers"] as const)(
    "leaves nothing behind when it stops, where the service %s",
    async (listening) => {
      service.listening = listening;
      watch.start();
      await clock.advance(600);
      await watch.stop();
      await watch.stop();
      watch.recovered();
      await clock.advance(0);
      expect([service.open, clock.pendingTimers, told]).toEqual([0, 0, []]);
    },
  );

  it("may be stopped before it has begun", async () => {
    await watch.stop();
    watch.start();
    await clock.advance(1000);
    expect(service.asked).toEqual([]);
  });
});

describe("a watch beside probes", () => {
  async function watched(config = {}) {
    const holding: FakeService[] = [];
    const stage = begin({ interval: 60_000, fastInterval: 1000, ...config }, { hold: async (_, { signal }) => at(0).connect(signal) });
    const at = (index: number): FakeService => (holding[index] ??= new FakeService(stage.clock));
    await stage.clock.advance(10_000);
    return { stage, west: at(0) };
  }

  it("makes a service unhealthy that refuses, without a probe", async () => {
    const { stage, west } = await watched();
    west.listening = "refuses";
    stage.west.behaviour = "silent";
    west.close();
    await stage.clock.advance(0);
    expect(stage.transitions.slice(2)).toEqual(["10000 we healthy>unhealthy refused"]);
    expect(stage.monitor.history("we", "streaming").at(-1)).toMatchObject({ ok: false, reason: "refused" });
    expect(await stage.metrics.registry.metrics()).toContain(
      'paircast_watch_losses_total{origin="we",service="streaming",result="refused"} 1',
    );
  });

  it("lets a probe find out when the reconnection is accepted, and confirms soon what it finds", async () => {
    const { stage, west } = await watched();
    stage.west.behaviour = "status";
    west.close();
    await stage.clock.advance(1500);
    expect(stage.west.times).toEqual([1, 10_000, 11_000]);
    expect(stage.transitions.slice(2)).toEqual(["11000 we healthy>unhealthy status"]);
  });

  it("does no harm where nothing is wrong", async () => {
    const { stage, west } = await watched();
    west.idleMs = 20;
    west.close();
    await stage.clock.advance(50_000);
    expect(status(stage)).toBe("healthy");
    expect(stage.transitions).toHaveLength(2);
    expect(stage.west.times.length).toBeLessThan(12);
  });

  it("is held again when the service has recovered", async () => {
    const { stage, west } = await watched();
    west.listening = "refuses";
    stage.west.behaviour = "refused";
    west.close();
    await stage.clock.advance(600_000);
    west.listening = "accepts";
    stage.west.behaviour = "ok";
    await stage.clock.advance(62_000);
    expect([status(stage), west.open]).toEqual(["healthy", 1]);
  });

  it("can be switched off", async () => {
    const { west } = await watched({ watch: false });
    expect(west.asked).toEqual([]);
  });

  it("ends with the monitor", async () => {
    const { stage, west } = await watched();
    expect(west.open).toBe(1);
    await stage.monitor.stop();
    expect([west.open, stage.clock.pendingTimers]).toEqual([0, 0]);
  });
});
