import { afterEach, describe, expect, it } from "vitest";
import { OwnDelay } from "../../src/health/delay.ts";
import { ManualClock } from "../fakes/clock.ts";
import { begin, endStages, status } from "./stage.ts";

afterEach(endStages);

describe("delays of the process itself", () => {
  it("are the sum of what timers were late, also before they have fired", async () => {
    const clock = new ManualClock();
    const delay = new OwnDelay(clock);
    expect(delay.total).toBe(0);
    delay.start();
    await clock.advance(1234);
    expect(delay.total).toBe(0);
    clock.stall(500);
    expect(delay.total).toBe(1734 - 1300);
    await clock.advance(0);
    expect(delay.total).toBe(434);
    await clock.advance(5000);
    expect(delay.total).toBe(434);
    clock.stall(150);
    await clock.advance(100);
    expect(delay.total).toBe(434 + 50);
    await delay.stop();
    const end = delay.total;
    clock.stall(10_000);
    expect([delay.total, clock.pendingTimers]).toEqual([end, 0]);
  });

  it("are not blamed on a region", async () => {
    const stage = begin();
    await stage.clock.advance(500);
    stage.west.behaviour = "silent";
    for (let count = 0; count < 20; count += 1) {
      await stage.clock.advance(200);
      stage.clock.stall(400);
    }
    expect(stage.monitor.history("we", "streaming").filter(({ reason }) => reason === "timeout").length).toBeGreaterThan(2);
    expect(status(stage)).toBe("healthy");
    await stage.clock.advance(3000);
    expect(status(stage)).toBe("unhealthy");
  });

  it("do not hide what is no question of time", async () => {
    const stage = begin();
    await stage.clock.advance(500);
    stage.west.behaviour = "status";
    for (let count = 0; count < 5; count += 1) {
      await stage.clock.advance(200);
      stage.clock.stall(400);
    }
    expect(status(stage)).toBe("unhealthy");
  });
});
