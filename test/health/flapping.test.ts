/** How quickly a fault is believed, and how a region that comes and goes is kept away: over simulated minutes. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { healthSection, type HealthConfig } from "../../src/core/config/health.ts";
import type { FailureReason } from "../../src/core/contracts.ts";
import { begin, endStages, status, type Behaviour, type Stage } from "./stage.ts";

/** Simulated minutes are seconds on a busy machine. */
vi.setConfig({ testTimeout: 30_000 });
afterEach(endStages);

const DEFAULTS = healthSection.parse({});
const QUICK = healthSection.parse({ interval: "500ms", fastInterval: "100ms", timeout: "400ms", fall: 2, rise: 2 });

/** `we` is up and down in turns of these lengths, up first, for `minutes`. */
async function alternate(stage: Stage, [up, down]: readonly [number, number], minutes: number, fault: Behaviour): Promise<void> {
  for (let elapsed = 0; elapsed < minutes * 60_000; elapsed += up + down) {
    stage.west.behaviour = "ok";
    await stage.clock.advance(up);
    stage.west.behaviour = fault;
    await stage.clock.advance(down);
  }
}

/** Changes of `we` after it was first known. */
function changes(stage: Stage): string[] {
  return stage.transitions.filter((line) => line.includes(" we ")).slice(1);
}

function heldFor(stage: Stage): number {
  const heldUntil = stage.monitor.snapshot().regions["we"]?.streaming?.heldUntil ?? null;
  return heldUntil === null ? 0 : heldUntil - stage.clock.now();
}

describe("a region that flaps", () => {
  const configs: readonly (readonly [string, HealthConfig])[] = [
    ["by default", DEFAULTS],
    ["at 500 ms", QUICK],
  ];
  const faults: readonly FailureReason[] = ["refused", "status"];

  it.each(configs.flatMap(([name, config]) => faults.map((fault) => [name, fault, config] as const)))(
    "10 s up and 10 s down for 10 minutes changes at most 3 times, %s, %s",
    async (_, fault, config) => {
      const stage = begin(config);
      await alternate(stage, [10_000, 10_000], 10, fault);
      expect(changes(stage).map((line) => line.split(" ")[2])).toEqual(["healthy>unhealthy", "unhealthy>healthy", "healthy>unhealthy"]);
      expect(stage.transitions.filter((line) => line.includes(" ne "))).toHaveLength(1);
      expect(stage.west.times.length).toBeGreaterThan((10 * 60_000) / config.interval);
    },
  );

  it.each([
    [3000, 3000],
    [20_000, 5000],
    [25_000, 25_000],
    [45_000, 15_000],
  ])("%i ms up and %i ms down changes a bounded number of times in half an hour", async (up, down) => {
    const stage = begin(QUICK);
    await alternate(stage, [up, down], 30, "refused");
    expect(changes(stage).length).toBeLessThanOrEqual(5);
    expect(status(stage)).toBe("unhealthy");
  });

  it("comes back when it has been well for its hold, with its probes going on, and is told why it is away", async () => {
    const stage = begin(QUICK);
    await alternate(stage, [10_000, 10_000], 1, "refused");
    stage.west.behaviour = "ok";
    const mended = stage.clock.monotonic();
    await stage.clock.advance(10_000);
    expect(stage.monitor.snapshot().regions["we"]?.streaming).toMatchObject({ status: "unhealthy", reason: "refused", pending: 0 });
    expect(heldFor(stage)).toBeGreaterThan(0);
    const [probed] = [stage.west.times.length];
    await stage.clock.advance(10_000);
    expect(stage.west.times.length - probed).toBeGreaterThanOrEqual(20);
    await stage.clock.advance(60_000);
    expect(status(stage)).toBe("healthy");
    const returned = Number(changes(stage).at(-1)?.split(" ")[0]) - mended;
    expect(returned).toBeGreaterThan(55_000);
    expect(returned).toBeLessThanOrEqual(60_500);
  });

  it("does not wait longer for a single failure during its hold", async () => {
    const stage = begin(QUICK);
    await alternate(stage, [10_000, 10_000], 0.5, "refused");
    stage.west.behaviour = "ok";
    await stage.clock.advance(10_000);
    const before = heldFor(stage);
    stage.west.behaviour = "status";
    const probed = stage.west.times.length;
    while (stage.west.times.length === probed) await stage.clock.advance(10);
    stage.west.behaviour = "ok";
    await stage.clock.advance(1000);
    expect(heldFor(stage)).toBeLessThan(before - 1000);
    await stage.clock.advance(before);
    expect(status(stage)).toBe("healthy");
  });

  it("is told by metrics", async () => {
    const stage = begin(QUICK);
    const held = async () =>
      (await stage.metrics.registry.metrics()).match(/paircast_service_held\{origin="we",service="streaming"\} (\d)/)?.[1];
    await stage.clock.advance(10_000);
    stage.west.behaviour = "refused";
    await stage.clock.advance(10_000);
    expect(await held()).toBe("0");
    await alternate(stage, [10_000, 10_000], 0.3, "refused");
    expect(await held()).toBe("1");
  });

  it("is not confused by a wall clock that jumps", async () => {
    const stage = begin(QUICK);
    for (const hours of [-5, 3, -20, 11]) {
      await alternate(stage, [10_000, 10_000], 1, "refused");
      stage.clock.jump(hours * 3_600_000);
    }
    expect(changes(stage)).toHaveLength(3);
    stage.west.behaviour = "ok";
    await stage.clock.advance(300_000);
    stage.clock.jump(-1e9);
    await stage.clock.advance(60_000);
    expect(status(stage)).toBe("healthy");
  });
});

describe("a first outage", () => {
  it("is over as soon as probes succeed, however long it was", async () => {
    const stage = begin(QUICK);
    await stage.clock.advance(5000);
    stage.west.behaviour = "refused";
    await stage.clock.advance(900_000);
    stage.west.behaviour = "ok";
    const mended = stage.clock.monotonic();
    await stage.clock.advance(2000);
    expect(Number(changes(stage).at(-1)?.split(" ")[0]) - mended).toBeLessThanOrEqual(600);
  });

  it("is followed by a slow return, told in the snapshot and by metrics", async () => {
    const stage = begin(QUICK);
    await stage.clock.advance(5000);
    const share = () => stage.monitor.snapshot().regions["we"]?.streaming?.share ?? 1;
    expect(share()).toBe(1);
    stage.west.behaviour = "refused";
    await stage.clock.advance(5000);
    stage.west.behaviour = "ok";
    while (status(stage) !== "healthy") await stage.clock.advance(10);
    expect(share()).toBe(0.1);
    await stage.clock.advance(15_000);
    expect(share()).toBeGreaterThan(0.5);
    expect(share()).toBeLessThanOrEqual(0.55);
    const line = `paircast_service_share{origin="we",service="streaming"} ${share()}`;
    expect(await stage.metrics.registry.metrics()).toContain(line);
    await stage.clock.advance(15_600);
    expect(share()).toBe(1);
    expect(stage.monitor.snapshot().regions["ne"]?.streaming).not.toHaveProperty("share");
  });
});

describe("how long a fault goes unnoticed at an interval of 500 ms", () => {
  /** The longest over faults that begin at different moments between two probes. */
  async function longest(fault: Behaviour, config: HealthConfig): Promise<number> {
    let most = 0;
    for (let phase = 0; phase < 500; phase += 20) {
      const stage = begin(config);
      await stage.clock.advance(5000 + phase);
      stage.west.behaviour = fault;
      const began = stage.clock.monotonic();
      await stage.clock.advance(3000);
      const noticed = changes(stage)[0]?.split(" ");
      expect(noticed?.[2]).toBe("healthy>unhealthy");
      most = Math.max(most, Number(noticed?.[0]) - began);
      await stage.monitor.stop();
    }
    return most;
  }

  it.each([
    ["nothing listens", "refused", {}, 500],
    ["503", "status", {}, 600],
    ["a black hole", "silent", {}, 1000],
    ["a black hole, at the shortest useful time-out", "silent", { timeout: 250 }, 850],
  ] as const)("%s", async (_, fault, change, limit) => {
    expect(await longest(fault, { ...QUICK, ...change })).toBeLessThanOrEqual(limit);
  });
});
