import { expect, test } from "vitest";
import { Deadlines } from "../../src/gateway/deadlines.ts";
import { ManualClock } from "./world.ts";

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
}

test("tells what is under way the time, and rests when nothing is", async () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const ticks: number[] = [];
  const start = clock.monotonic();
  const timed = { tick: (now: number) => void ticks.push(now - start) };
  deadlines.add(timed);
  for (let step = 0; step < 3; step += 1) {
    clock.advance(5);
    await settle();
  }
  expect(ticks).toEqual([5, 10, 15]);
  deadlines.delete(timed);
  clock.advance(5);
  await settle();
  clock.advance(5);
  await settle();
  expect(ticks).toEqual([5, 10, 15]);
  deadlines.add(timed);
  clock.advance(5);
  await settle();
  expect(ticks).toEqual([5, 10, 15, 30]);
});
