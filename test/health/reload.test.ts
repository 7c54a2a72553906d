/** One monitor takes over from another of the same process, as at a reload: what has been counted goes on. */
import { afterEach, describe, expect, it } from "vitest";
import type { HealthConfig } from "../../src/core/config/health.ts";
import { carriedState, initialState, observe, type CheckState, type StatePolicy } from "../../src/health/state.ts";
import { begin, endStages, status, type Behaviour, type Stage } from "./stage.ts";

afterEach(endStages);

/** The next monitor, on the same clock. */
async function reloaded(former: Stage, config: Partial<HealthConfig>, first: Behaviour): Promise<Stage> {
  const { monitor, clock } = former;
  const stage = begin(config, { previous: monitor.snapshot(), records: monitor }, first, clock);
  await monitor.stop();
  return stage;
}

const we = (stage: Stage) => stage.monitor.snapshot().regions["we"]?.streaming;

const DAMPED: Partial<HealthConfig> = { rise: 1, damping: { window: 600_000, base: 10_000, cap: 60_000 } };

/** An outage of `ms`, then well again. */
async function outage(stage: Stage, ms: number): Promise<void> {
  stage.west.behaviour = "refused";
  await stage.clock.advance(ms);
  stage.west.behaviour = "ok";
}

describe("a hold", () => {
  it("goes on, ends when it would have, and the next one is twice as long", async () => {
    const first = begin(DAMPED);
    await first.clock.advance(1000);
    await outage(first, 1500);
    await first.clock.advance(2000);
    expect(status(first)).toBe("healthy");
    await outage(first, 1500);
    await first.clock.advance(2000);
    expect(status(first)).toBe("unhealthy");
    const heldUntil = we(first)?.heldUntil;
    expect(heldUntil).toBeGreaterThan(first.clock.now());

    const second = await reloaded(first, DAMPED, "ok");
    expect(we(second)).toMatchObject({ status: "unhealthy", heldUntil });
    await second.clock.advance((heldUntil ?? 0) - second.clock.now() - 1100);
    expect(status(second)).toBe("unhealthy");
    await second.clock.advance(3000);
    expect(status(second)).toBe("healthy");

    await outage(second, 1500);
    await second.clock.advance(1000);
    expect((we(second)?.heldUntil ?? 0) - second.clock.now()).toBeGreaterThan(15_000);
  });

  it("is counted from outages that ended before", async () => {
    const first = begin(DAMPED);
    await first.clock.advance(1000);
    await outage(first, 1500);
    await first.clock.advance(2000);
    const second = await reloaded(first, DAMPED, "ok");
    expect(we(second)).toMatchObject({ status: "healthy" });
    await outage(second, 1500);
    await second.clock.advance(1000);
    expect(we(second)).toMatchObject({ status: "unhealthy", heldUntil: expect.any(Number) });
  });
});

describe("a slow return", () => {
  const RAMPED: Partial<HealthConfig> = { rise: 1, ramp: 100_000, rampStart: 0.1 };

  it("goes on from where it was", async () => {
    const first = begin(RAMPED);
    await first.clock.advance(1000);
    await outage(first, 1500);
    await first.clock.advance(50_000);
    const share = we(first)?.share ?? 1;
    expect(share).toBeGreaterThan(0.4);
    expect(share).toBeLessThan(0.7);
    const second = await reloaded(first, RAMPED, "ok");
    expect(we(second)?.share).toBeGreaterThanOrEqual(share);
    expect(we(second)?.share).toBeLessThan(share + 0.02);
    await second.clock.advance(60_000);
    expect(we(second)).not.toHaveProperty("share");
  });

  it("is as long as the new configuration says", async () => {
    const first = begin(RAMPED);
    await first.clock.advance(1000);
    await outage(first, 1500);
    await first.clock.advance(20_000);
    expect(we(await reloaded(first, { ...RAMPED, ramp: 0 }, "ok"))).not.toHaveProperty("share");
  });
});

it("a failure that was one short of an outage is still one short of it", async () => {
  const first = begin({ fall: 2, fastInterval: 900 });
  await first.clock.advance(1500);
  first.west.behaviour = "reset";
  await first.clock.advance(700);
  expect(we(first)).toMatchObject({ status: "healthy", pending: 1 });
  const second = await reloaded(first, { fall: 2 }, "reset");
  await second.clock.advance(300);
  expect(status(second)).toBe("unhealthy");
  expect(second.west.times).toHaveLength(1);
});

describe("another configuration", () => {
  const POLICY: StatePolicy = { fall: 1, rise: 1, ramp: 0, rampStart: 0.1, damping: { window: 600_000, base: 10_000, cap: 60_000 } };
  const at = (monotonic: number) => ({ now: 1_000_000 + monotonic, monotonic });
  const failed = { outcome: { ok: false, durationMs: 1, reason: "refused", detail: "" }, source: "probe", quorum: false } as const;
  const well = { outcome: { ok: true, durationMs: 1 }, source: "probe", quorum: false } as const;
  /** Held from 3 s to 13 s. */
  const held = [well, failed, well, failed].reduce<CheckState>(
    (state, look, index) => observe(state, look, POLICY, at(index * 1000)).state,
    initialState(0),
  );

  it("with a lower cap ends a hold sooner, and without damping at once", () => {
    expect(held.damping.until).toBe(13_000);
    expect(carriedState(held, POLICY, at(4000)).health).toEqual(held.health);
    const capped = carriedState(held, { ...POLICY, damping: { ...POLICY.damping, cap: 2000 } }, at(4000));
    expect(capped.damping.until).toBe(6000);
    expect(capped.health.heldUntil).toBe(1_006_000);
    const free = carriedState(held, { ...POLICY, damping: { ...POLICY.damping, base: 0 } }, at(4000));
    expect(free.damping.until).toBeNull();
    expect(free.health).not.toHaveProperty("heldUntil");
    expect(free.health.status).toBe("unhealthy");
  });
});
