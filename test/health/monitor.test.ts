import { afterEach, describe, expect, it } from "vitest";
import type { Outcome } from "../../src/core/contracts.ts";
import { seededRandom } from "../fakes/clock.ts";
import { begin, endStages, status } from "./stage.ts";

const failure: Outcome = { ok: false, durationMs: 3, reason: "reset", detail: "seen by a viewer" };

afterEach(endStages);

describe("monitor", () => {
  it("probes at its interval and says nothing while nothing changes", async () => {
    const stage = begin();
    expect(status(stage)).toBe("unknown");
    await stage.clock.advance(5500);
    expect(stage.west.times).toEqual([1, 1001, 2001, 3001, 4001, 5001]);
    expect(stage.transitions).toEqual(["1 we unknown>healthy -", "1 ne unknown>healthy -"]);
    expect(stage.lines.map(({ event }) => event)).toEqual(["health.transition", "health.transition"]);
  });

  it("notices a refusal with the next probe", async () => {
    const stage = begin();
    await stage.clock.advance(10);
    stage.west.behaviour = "refused";
    await stage.clock.advance(1100);
    expect(stage.transitions.slice(2)).toEqual(["1001 we healthy>unhealthy refused"]);
    expect(status(stage, "ne")).toBe("healthy");
  });

  it("confirms a soft failure at the fast interval", async () => {
    const stage = begin();
    await stage.clock.advance(10);
    stage.west.behaviour = "status";
    await stage.clock.advance(2000);
    expect(stage.transitions.slice(2)).toEqual(["1201 we healthy>unhealthy status"]);
  });

  it("notices a black hole within interval, fast interval and time-out, with at most two probes under way", async () => {
    const stage = begin();
    await stage.clock.advance(10);
    stage.west.behaviour = "silent";
    await stage.clock.advance(10_000);
    expect(stage.transitions.slice(2)).toEqual(["2202 we healthy>unhealthy timeout"]);
    expect(stage.west.mostUnderway).toBe(2);
  });

  it("probes a black hole that it knows one after another, and sees it mended", async () => {
    const stage = begin();
    await stage.clock.advance(10);
    stage.west.behaviour = "silent";
    await stage.clock.advance(5000);
    stage.west.mostUnderway = stage.west.underway;
    await stage.clock.advance(5000);
    expect(stage.west.mostUnderway).toBe(1);
    stage.west.behaviour = "ok";
    const mended = stage.clock.monotonic();
    await stage.clock.advance(2000);
    expect(status(stage)).toBe("healthy");
    expect(Number(stage.transitions.at(-1)?.split(" ")[0]) - mended).toBeLessThanOrEqual(1300);
  });

  it("does not flap under a service that fails every second time", async () => {
    const stage = begin({ fall: 2, rise: 3 });
    for (let turn = 0; turn < 200; turn += 1) {
      stage.west.behaviour = stage.west.behaviour === "ok" ? "status" : "ok";
      const before = stage.west.times.length;
      while (stage.west.times.length === before) await stage.clock.advance(50);
    }
    expect(stage.transitions.filter((line) => line.includes(" we "))).toHaveLength(1);
  });

  it("is not confused by a wall clock that jumps back", async () => {
    const stage = begin();
    await stage.clock.advance(2500);
    stage.clock.jump(-3_600_000);
    stage.west.behaviour = "refused";
    await stage.clock.advance(1000);
    stage.west.behaviour = "ok";
    await stage.clock.advance(2000);
    expect(stage.transitions.slice(2)).toEqual(["3001 we healthy>unhealthy refused", "4201 we unhealthy>healthy -"]);
  });

  it("starts with a region that is down, and is ready when it has timed out", async () => {
    const stage = begin({}, {}, "silent");
    let ready = false;
    void stage.monitor.ready().then(() => (ready = true));
    await stage.clock.advance(1000);
    expect(ready).toBe(false);
    expect(status(stage, "ne")).toBe("healthy");
    await stage.clock.advance(1);
    expect(ready).toBe(true);
  });

  it("replaces the snapshot whole", async () => {
    const stage = begin();
    const before = stage.monitor.snapshot();
    const copy = structuredClone(before);
    await stage.clock.advance(1500);
    expect(before).toEqual(copy);
    expect(stage.monitor.snapshot()).not.toBe(before);
    expect(stage.monitor.snapshot()).toBe(stage.monitor.snapshot());
  });

  it("takes up what an earlier monitor knew", async () => {
    const health = { status: "unhealthy", since: 5, reason: "status", detail: "503", checkedAt: 6, pending: 0 } as const;
    const stage = begin({}, { previous: { takenAt: 7, regions: { we: { streaming: health }, gone: { streaming: health } } } });
    expect(stage.monitor.snapshot().regions).toMatchObject({ we: { streaming: health }, ne: { streaming: { status: "unknown" } } });
    expect(Object.keys(stage.monitor.snapshot().regions)).toEqual(["we", "ne"]);
    await stage.clock.advance(300);
    expect(stage.transitions).toContain("201 we unhealthy>healthy -");
  });
});

describe("what traffic saw", () => {
  it("brings the next probe forward", async () => {
    const stage = begin();
    await stage.clock.advance(500);
    stage.west.behaviour = "reset";
    stage.monitor.observe("we", "streaming", failure, "a viewer");
    await stage.clock.advance(205);
    expect(stage.transitions.slice(2)).toEqual(["701 we healthy>unhealthy reset"]);
    expect(stage.west.times).toEqual([1, 501, 701]);
  });

  it("changes nothing by one viewer, however often, and costs one probe per fast interval", async () => {
    const stage = begin();
    await stage.clock.advance(500);
    for (let count = 0; count < 100; count += 1) {
      stage.monitor.observe("we", "streaming", failure, "a viewer");
      await stage.clock.advance(20);
    }
    expect(status(stage)).toBe("healthy");
    expect(stage.west.times.length).toBeLessThanOrEqual(1 + 2000 / 200 + 1);
    expect(stage.transitions).toHaveLength(2);
  });

  it("takes the gateway itself for one viewer", async () => {
    const stage = begin();
    await stage.clock.advance(10);
    for (let count = 0; count < 10; count += 1) stage.monitor.observe("we", "streaming", failure);
    expect(status(stage)).toBe("healthy");
    for (const viewer of ["one", "two", "three"]) stage.monitor.observe("we", "streaming", failure, viewer);
    expect(status(stage)).toBe("unhealthy");
  });

  it("drains by a quorum of viewers what probes do not see, until it passes", async () => {
    const stage = begin();
    await stage.clock.advance(510);
    for (const viewer of ["one", "two", "three"]) stage.monitor.observe("we", "streaming", failure, viewer);
    expect(status(stage)).toBe("healthy");
    stage.monitor.observe("we", "streaming", failure, "four");
    expect(stage.transitions.slice(2)).toEqual(["510 we healthy>unhealthy reset"]);
    await stage.clock.advance(1500);
    expect(stage.transitions.slice(3)).toEqual(["711 we unhealthy>healthy -"]);
    stage.monitor.observe("we", "streaming", failure, "four");
    stage.monitor.observe("we", "streaming", failure, "five");
    expect(status(stage)).toBe("healthy");
  });

  it("does not drain for an error in a hundred", async () => {
    const stage = begin({}, {});
    const random = seededRandom(7);
    for (let count = 0; count < 5000; count += 1) {
      const viewer = `viewer ${Math.floor(random.next() * 50)}`;
      stage.monitor.observe("we", "streaming", random.next() < 0.01 ? failure : { ok: true, durationMs: 3 }, viewer);
      if (count % 50 === 0) await stage.clock.advance(100);
    }
    expect(stage.transitions.filter((line) => line.includes(" we "))).toHaveLength(1);
  });

  it("costs no new snapshot per request", async () => {
    const stage = begin();
    await stage.clock.advance(10);
    const before = stage.monitor.snapshot();
    for (let count = 0; count < 100; count += 1) stage.monitor.observe("we", "streaming", { ok: true, durationMs: 3 }, `viewer ${count}`);
    expect(stage.monitor.snapshot()).toBe(before);
  });

  it("is taken in without a throw for services that are not there, and after the stop", async () => {
    const stage = begin();
    stage.monitor.observe("nowhere", "streaming", failure);
    stage.monitor.observe("we", "keys", failure);
    await stage.monitor.stop();
    const before = stage.monitor.snapshot();
    stage.monitor.observe("we", "streaming", failure);
    expect(stage.monitor.snapshot()).toBe(before);
  });
});

describe("what it tells", () => {
  it("counts probes, failures, transitions and states", async () => {
    const stage = begin();
    await stage.clock.advance(10);
    stage.west.behaviour = "refused";
    await stage.clock.advance(1000);
    const text = await stage.metrics.registry.metrics();
    for (const line of [
      'paircast_probes_total{origin="we",service="streaming",result="success"} 1',
      'paircast_probes_total{origin="we",service="streaming",result="failure"} 1',
      'paircast_probe_failures_total{origin="we",service="streaming",reason="refused"} 1',
    ])
      expect(text).toContain(line);
    expect(text).toMatch(/service_state_changes_total\{origin="we",service="streaming",to="unhealthy"\} 1/);
    expect(text).toMatch(/\{origin="we",service="streaming",state="unhealthy"\} 1/);
    expect(text).toMatch(/\{origin="we",service="streaming",state="healthy"\} 0/);
    expect(stage.lines.at(-1)).toEqual({
      event: "health.transition",
      fields: { region: "we", service: "streaming", from: "healthy", to: "unhealthy", reason: "refused", detail: "planted refused" },
    });
  });

  it("tells what degrades a service, and when that is over", async () => {
    const stage = begin();
    await stage.clock.advance(10);
    stage.west.behaviour = "slow";
    await stage.clock.advance(1500);
    const signal = 'paircast_service_signal{origin="we",service="streaming",kind="first_byte"}';
    expect(stage.lines.at(-1)?.fields).toMatchObject({ from: "healthy", to: "degraded", reason: null, detail: "first byte after 3 s" });
    expect(await stage.metrics.registry.metrics()).toContain(`${signal} 1`);
    stage.west.behaviour = "ok";
    await stage.clock.advance(2000);
    expect(await stage.metrics.registry.metrics()).toContain(`${signal} 0`);
    expect(stage.transitions.slice(2)).toEqual(["1201 we healthy>degraded -", "2401 we degraded>healthy -"]);
  });

  it("keeps the last 64 probes", async () => {
    const stage = begin({ interval: 100 });
    await stage.clock.advance(10_000);
    const history = stage.monitor.history("we", "streaming");
    expect(history).toHaveLength(64);
    expect(history.map(({ at }) => at)).toEqual(history.map(({ at }) => at).toSorted((one, other) => one - other));
    expect(history.at(-1)).toEqual({ at: Date.UTC(2026, 0, 1) + 9901, ok: true, reason: null, durationMs: 0, detail: "played" });
    expect(stage.monitor.history("we", "keys")).toEqual([]);
  });

  it("survives a listener that throws, and stops telling one that has left", async () => {
    const stage = begin();
    let told = 0;
    const leave = stage.monitor.onTransition(() => {
      told += 1;
      throw new Error("planted");
    });
    await stage.clock.advance(10);
    expect(told).toBe(2);
    expect(stage.lines.filter(({ event }) => event === "health.listener_failed")).toHaveLength(2);
    leave();
    stage.west.behaviour = "refused";
    await stage.clock.advance(1000);
    expect(told).toBe(2);
  });

  it("reports its own bugs and blames no region for them", async () => {
    const stage = begin();
    await stage.clock.advance(10);
    stage.west.behaviour = "bug";
    await stage.clock.advance(3000);
    expect(status(stage)).toBe("healthy");
    expect(stage.lines.filter(({ event }) => event === "health.probe_broken")).toHaveLength(3);
  });
});

describe("control", () => {
  it("probes at once when asked to", async () => {
    const stage = begin();
    await stage.clock.advance(500);
    stage.west.behaviour = "refused";
    expect(await stage.monitor.probeNow("we", "streaming")).toMatchObject({ status: "unhealthy", reason: "refused" });
    expect(await stage.monitor.probeNow("we", "keys")).toBeUndefined();
  });

  it("takes an older probe that ends later for what it is", async () => {
    const stage = begin({ fall: 1 });
    await stage.clock.advance(500);
    stage.west.behaviour = "silent";
    const late = stage.monitor.probeNow("we", "streaming");
    stage.west.behaviour = "ok";
    await stage.monitor.probeNow("we", "streaming");
    await stage.clock.advance(1000);
    await late;
    expect(status(stage)).toBe("healthy");
    expect(stage.monitor.history("we", "streaming").some(({ reason }) => reason === "timeout")).toBe(true);
  });

  it("stops what is under way, leaves no timer behind and may be stopped again", async () => {
    const stage = begin({}, {}, "silent");
    await stage.clock.advance(700);
    await stage.monitor.stop();
    await stage.monitor[Symbol.asyncDispose]();
    await stage.monitor.ready();
    expect(stage.west.underway).toBe(0);
    expect(stage.clock.pendingTimers).toBe(0);
    const asked = stage.west.times.length;
    await stage.monitor.probeNow("we", "streaming");
    await stage.clock.advance(5000);
    expect(stage.west.times.length).toBe(asked);
    expect(status(stage)).toBe("unknown");
  });
});
