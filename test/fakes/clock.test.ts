import { describe, expect, it } from "vitest";
import { ManualClock, seededRandom } from "./clock.ts";

describe("ManualClock", () => {
  it("fires sleepers in order of their time, and those that they start in turn", async () => {
    const clock = new ManualClock(1000);
    const woken: string[] = [];
    const chain = async (): Promise<void> => {
      await clock.sleep(10);
      woken.push(`first ${clock.now()}`);
      await clock.sleep(10);
      woken.push(`second ${clock.now()}`);
    };
    const late = clock.sleep(15).then(() => woken.push(`between ${clock.now()}`));
    const chained = chain();
    await clock.advance(20);
    await Promise.all([chained, late]);
    expect(woken).toEqual(["first 1010", "between 1015", "second 1020"]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("a sleep that is aborted rejects and leaves no timer", async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const sleeping = clock.sleep(10, controller.signal);
    controller.abort();
    await expect(sleeping).rejects.toMatchObject({ name: "AbortError" });
    await expect(clock.sleep(10, AbortSignal.abort())).rejects.toMatchObject({ name: "AbortError" });
    expect(clock.pendingTimers).toBe(0);
  });

  it("a deadline aborts with a TimeoutError, unless it was disposed of", async () => {
    const clock = new ManualClock();
    const kept = clock.deadline(10);
    const disposed = clock.deadline(10);
    disposed[Symbol.dispose]();
    await clock.advance(10);
    expect(kept.signal.reason).toMatchObject({ name: "TimeoutError" });
    expect(disposed.signal.aborted).toBe(false);
  });

  it("time does not pass while a thread computes what somebody waits for", async () => {
    const clock = new ManualClock();
    const content = new Uint8Array(32 * 1024 * 1024);
    const signed: number[] = [];
    const chain = async (): Promise<void> => {
      for (let count = 0; count < 3; count += 1) {
        await crypto.subtle.digest("SHA-256", content);
        signed.push(clock.monotonic());
      }
      await clock.sleep(10);
    };
    const chained = chain();
    await clock.advance(1_000);
    await chained;
    expect(signed).toEqual([0, 0, 0]);
  });

  it("a jump moves the wall clock only", () => {
    const clock = new ManualClock(1000);
    clock.jump(-500);
    expect([clock.now(), clock.monotonic()]).toEqual([500, 0]);
  });
});

describe("seededRandom", () => {
  it("gives the same for the same seed, GUIDs included", () => {
    const [a, b] = [seededRandom(7), seededRandom(7)];
    expect([a.next(), a.uuid()]).toEqual([b.next(), b.uuid()]);
    expect(a.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("is spread over [0, 1)", () => {
    const random = seededRandom(1);
    const values = Array.from({ length: 1000 }, () => random.next());
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThan(1);
    expect(values.filter((value) => value < 0.5).length).toBeGreaterThan(400);
  });
});
