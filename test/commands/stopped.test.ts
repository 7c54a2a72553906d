import { describe, expect, it } from "vitest";
import { untilStopped } from "../../src/commands/stopped.ts";
import { ManualClock } from "../fakes/clock.ts";

async function isDone(promise: Promise<void>): Promise<boolean> {
  const pending = Symbol("pending");
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

describe("untilStopped", () => {
  it("waits for the signal, and for nothing else, in a program that npm did not start", async () => {
    const stop = new AbortController();
    const clock = new ManualClock();
    let parent = 100;
    const done = untilStopped(stop.signal, clock, { script: undefined, parent: () => parent });
    parent = 1;
    await clock.advance(10_000);
    expect(await isDone(done)).toBe(false);
    stop.abort();
    await done;
  });

  it("ends when the shell that npm started it by is gone", async () => {
    const clock = new ManualClock();
    let parent = 100;
    const done = untilStopped(new AbortController().signal, clock, { script: "sandbox", parent: () => parent });
    await clock.advance(10_000);
    expect(await isDone(done)).toBe(false);
    parent = 1;
    await clock.advance(1000);
    await done;
    expect(clock.pendingTimers).toBe(0);
  });

  it("ends at once by a signal under npm too, also when that came before", async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    const done = untilStopped(stop.signal, clock, { script: "sandbox", parent: () => 100 });
    stop.abort();
    await done;
    expect(clock.pendingTimers).toBe(0);
    await untilStopped(stop.signal, clock, { script: "sandbox", parent: () => 100 });
  });
});
