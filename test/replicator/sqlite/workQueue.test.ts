import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { SqliteWorkQueue } from "../../../src/replicator/sqlite/workQueue.ts";
import { MAX_TAKES, workQueueConformance } from "../../conformance/workQueue.ts";
import { ManualClock } from "../../fakes/clock.ts";
import { MemoryWorkQueue } from "../../fakes/memoryWorkQueue.ts";

const folders: string[] = [];

function statePath(): string {
  const folder = mkdtempSync(join(tmpdir(), "paircast-work-"));
  folders.push(folder);
  return join(folder, "state.db");
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

workQueueConformance("memory", async () => {
  const clock = new ManualClock();
  const queue = new MemoryWorkQueue(clock, MAX_TAKES);
  return { queue, second: queue, elapse: async (ms) => clock.advance(ms), [Symbol.asyncDispose]: async () => undefined };
});

workQueueConformance("SQLite, two connections", async () => {
  const clock = new ManualClock();
  const options = { path: statePath(), name: "jobs", maxTakes: MAX_TAKES, clock };
  const [queue, second] = [new SqliteWorkQueue(options), new SqliteWorkQueue(options)];
  return {
    queue,
    second,
    elapse: async (ms) => clock.advance(ms),
    [Symbol.asyncDispose]: async () => {
      await queue[Symbol.asyncDispose]();
      await second[Symbol.asyncDispose]();
    },
  };
});

it("keeps queues of one file apart, their dead letters too", async () => {
  const clock = new ManualClock();
  const path = statePath();
  await using jobs = new SqliteWorkQueue({ path, name: "jobs", maxTakes: 1, clock });
  await using events = new SqliteWorkQueue({ path, name: "events", maxTakes: 1, clock });
  await jobs.put("job");
  expect(await events.take(1_000)).toBeNull();
  const item = await jobs.take(1_000);
  if (item === null) throw new Error("nothing to take");
  await expect(events.complete(item)).rejects.toMatchObject({ code: "lease_lost" });
  await jobs.bury(item, "no use");
  expect(await events.deadLetters(10)).toEqual([]);
  expect(await events.replay(item.id)).toBe(false);
  expect(await jobs.replay(item.id)).toBe(true);
});
