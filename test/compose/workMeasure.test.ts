import { expect, it } from "vitest";
import type { Foundations } from "../../src/compose/foundations.ts";
import { measureWorkInLoop } from "../../src/compose/workMeasure.ts";
import { Metrics } from "../../src/core/metrics.ts";
import type { WorkQueue } from "../../src/core/ports/work.ts";
import { ManualClock } from "../fakes/clock.ts";
import { MemoryWorkQueue } from "../fakes/memoryWorkQueue.ts";

async function figures({ registry }: Metrics): Promise<readonly (number | undefined)[]> {
  const names = ["paircast_work_pending", "paircast_work_dead_letters"];
  return Promise.all(names.map(async (name) => (await registry.getSingleMetric(name)?.get())?.values[0]?.value));
}

it("counts what waits and what was given up, again and again, also after the queue was away", async () => {
  const clock = new ManualClock();
  const queue = new MemoryWorkQueue(clock, 1);
  const metrics = new Metrics({ version: "0", regions: [] });
  let away = true;
  const openWork = async (): Promise<WorkQueue> => {
    if (away) throw new Error("away");
    return queue;
  };
  const stop = new AbortController();
  const foundations = { config: { replication: { enabled: true } }, openWork, metrics, clock } as unknown as Foundations;
  const run = measureWorkInLoop(foundations, stop.signal);
  for (const body of ["one", "two", "three"]) await queue.put(body);
  await clock.advance(1_000);
  expect(await figures(metrics)).toEqual([0, 0]);
  away = false;
  await clock.advance(30_000);
  expect(await figures(metrics)).toEqual([3, 0]);
  const item = await queue.take(1_000);
  if (item !== null) await queue.bury(item, "nobody can");
  await clock.advance(30_000);
  expect(await figures(metrics)).toEqual([2, 1]);
  queue.calls.failAll("*", new Error("away"));
  await clock.advance(30_000);
  expect(await figures(metrics)).toEqual([2, 1]);
  stop.abort();
  await run;
});

it("is over at once where there is no queue", async () => {
  const clock = new ManualClock();
  const metrics = new Metrics({ version: "0", regions: [] });
  const foundations = { config: { replication: { enabled: true } }, openWork: null, metrics, clock } as unknown as Foundations;
  await measureWorkInLoop(foundations, new AbortController().signal);
});
