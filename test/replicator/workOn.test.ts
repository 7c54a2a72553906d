import { describe, expect, it } from "vitest";
import { PaircastError } from "../../src/core/errors.ts";
import type { WorkItem } from "../../src/core/ports/work.ts";
import { workOn } from "../../src/replicator/workOn.ts";
import { ManualClock } from "../fakes/clock.ts";
import { MemoryWorkQueue } from "../fakes/memoryWorkQueue.ts";

async function setup() {
  const clock = new ManualClock();
  const queue = new MemoryWorkQueue(clock, 5);
  const options = { queue, clock, leaseMs: 30_000, retryMs: 1_000 };
  await queue.put("work");
  return { clock, queue, options, item: await taken(queue) };
}

async function taken(queue: MemoryWorkQueue): Promise<WorkItem> {
  const item = await queue.take(30_000);
  if (item === null) throw new Error("nothing to take");
  return item;
}

describe("working on something taken from a queue", () => {
  it("keeps it while that lasts, and completes it", async () => {
    const { clock, queue, options, item } = await setup();
    const working = workOn(options, item, async () => clock.sleep(300_000));
    for (let minute = 1; minute <= 5; minute += 1) {
      await clock.advance(60_000);
      expect(await queue.take(30_000)).toBeNull();
    }
    expect(await working).toBe("completed");
    await clock.advance(60_000);
    expect(await queue.take(30_000)).toBeNull();
    expect(clock.pendingTimers).toBe(0);
  });

  it("stops when somebody else has it, and leaves it to him", async () => {
    const { clock, queue, options, item } = await setup();
    const aborted: unknown[] = [];
    const working = workOn(options, item, async (lost) => {
      lost.addEventListener("abort", () => aborted.push(lost.reason));
      await clock.sleep(300_000, lost);
    });
    await clock.advance(0);
    clock.stall(60_000);
    const heir = await taken(queue);
    await clock.advance(60_000);
    expect(await working).toBe("lost");
    expect(aborted).toMatchObject([{ code: "lease_lost" }]);
    await queue.complete(heir);
  });

  it("does not take for completed what was taken over at the end", async () => {
    const { clock, queue, options, item } = await setup();
    const end = await workOn(options, item, async () => {
      clock.stall(60_000);
      await taken(queue);
    });
    expect(end).toBe("lost");
  });

  it("gives back what may succeed later: later each time", async () => {
    const { clock, queue, options, item } = await setup();
    const fail = async (): Promise<void> => {
      throw new PaircastError("storage_unavailable", "no answer", { retry: "retry" });
    };
    expect(await workOn(options, item, fail)).toBe("released");
    await clock.advance(1_000);
    expect(await workOn(options, await taken(queue), async () => Promise.reject(new TypeError("a defect")))).toBe("released");
    await clock.advance(1_000);
    expect(await queue.take(30_000)).toBeNull();
    await clock.advance(1_000);
    expect((await taken(queue)).takes).toBe(3);
  });

  it("buries what will never succeed, with the reason and without its secrets", async () => {
    const { queue, options, item } = await setup();
    const end = await workOn(options, item, async () => {
      throw new PaircastError("storage_denied", "read https://a.example/c?sv=1&sig=c2VjcmV0");
    });
    expect(end).toBe("buried");
    const [letter] = await queue.deadLetters(1);
    expect(letter?.reason).toMatch(/^storage_denied: read /);
    expect(letter?.reason).not.toContain("c2VjcmV0");
  });
});
