/** What every `WorkQueue` does: the contract in `src/core/ports`, sentence by sentence. */
import { describe, expect, it } from "vitest";
import type { WorkItem, WorkQueue } from "../../src/core/ports/work.ts";
import { eachTest } from "./eachTest.ts";

export interface WorkQueueHarness extends AsyncDisposable {
  readonly queue: WorkQueue;
  /** The same queue as another process sees it. */
  readonly second: WorkQueue;
  /** Lets so much time pass; where the clock is the service's own, waits until the queue shows what is hidden. */
  elapse(ms: number): Promise<void>;
}

/** How often a piece of work may be taken in the queues of a harness. */
export const MAX_TAKES = 2;
const LEASE_LOST = { code: "lease_lost", retry: "retry" };
const LONG = 3_600_000;
/** What a service that counts whole seconds can keep, too. */
const SHORT = 1_000;

export function workQueueConformance(name: string, make: () => Promise<WorkQueueHarness>): void {
  describe(`work queue: ${name}`, () => {
    const harness = eachTest(make);

    const taken = async (queue: WorkQueue, leaseMs = LONG): Promise<WorkItem> => {
      const item = await queue.take(leaseMs);
      if (item === null) throw new Error("nothing to take");
      return item;
    };

    it("gives each piece of work to one worker, and nothing where there is none", async () => {
      const { queue, second } = harness();
      expect(await queue.take(LONG)).toBeNull();
      await queue.put("one");
      await second.put("two");
      const items = [await taken(queue), await taken(second)];
      expect(items.map(({ body }) => body).sort()).toEqual(["one", "two"]);
      expect(items.map(({ takes }) => takes)).toEqual([1, 1]);
      expect(new Set(items.map(({ id }) => id)).size).toBe(2);
      expect(await queue.take(LONG)).toBeNull();
    });

    it("keeps any text byte for byte, up to 48 KiB, and refuses more", async () => {
      const { queue, second } = harness();
      const bodies = ["", "ü 'q' \"q\" <tag> & ]]> \n\t😀", "é".repeat(24_576)];
      for (const body of bodies) {
        await queue.put(body);
        expect((await taken(second)).body).toBe(body);
      }
      await expect(queue.put(`${"é".repeat(24_576)}x`)).rejects.toMatchObject({ code: "work_too_large", retry: "never" });
      await expect(queue.put("late", 8 * 86_400_000)).rejects.toMatchObject({ code: "work_too_late", retry: "never" });
    });

    it("hides what is put with a delay until that has passed", async () => {
      const { queue, second } = harness();
      await queue.put("much later", LONG);
      expect(await second.take(LONG)).toBeNull();
      await queue.put("later", SHORT);
      await harness().elapse(SHORT);
      expect((await taken(second)).body).toBe("later");
      expect(await second.take(LONG)).toBeNull();
    });

    it("gives work whose lease has run out to another, with a greater number of takes; the first can do nothing with it any more", async () => {
      const { queue, second } = harness();
      await queue.put("work");
      const lost = await taken(queue, SHORT);
      await harness().elapse(SHORT);
      const held = await taken(second);
      expect(held).toMatchObject({ id: lost.id, body: "work", takes: 2 });
      await expect(queue.renew(lost, LONG)).rejects.toMatchObject(LEASE_LOST);
      await expect(queue.complete(lost)).rejects.toMatchObject(LEASE_LOST);
      await expect(queue.release(lost)).rejects.toMatchObject(LEASE_LOST);
      await expect(queue.bury(lost, "mine")).rejects.toMatchObject(LEASE_LOST);
      expect(await queue.deadLetters(10)).toEqual([]);
      await second.complete(await second.renew(held, LONG));
    });

    it("leaves a lease that merely ran out to its worker", async () => {
      const { queue } = harness();
      await queue.put("work");
      const item = await taken(queue, SHORT);
      await harness().elapse(SHORT);
      await queue.complete(await queue.renew(item, LONG));
      expect(await queue.take(LONG)).toBeNull();
    });

    it("keeps renewed work hidden, and goes on with what renewal gave", async () => {
      const { queue, second } = harness();
      await queue.put("work");
      let item = await taken(queue, SHORT);
      item = await queue.renew(item, LONG);
      item = await queue.renew(item, LONG);
      expect(item).toMatchObject({ body: "work", takes: 1 });
      expect(await second.take(LONG)).toBeNull();
      await queue.complete(item);
      await expect(queue.complete(item)).rejects.toMatchObject(LEASE_LOST);
    });

    it("takes work back that is released: at once, or after a delay", async () => {
      const { queue, second } = harness();
      await queue.put("work");
      await queue.release(await taken(queue));
      const again = await taken(second);
      expect(again.takes).toBe(2);
      await queue.put("much later");
      await queue.release(await taken(queue), LONG);
      expect(await second.take(LONG)).toBeNull();
      await queue.put("other");
      await queue.release(await taken(queue), SHORT);
      await harness().elapse(SHORT);
      expect((await taken(second)).body).toBe("other");
      expect(await second.take(LONG)).toBeNull();
    });

    it("counts what is neither completed nor buried, hidden work too", async () => {
      const { queue, second } = harness();
      expect(await queue.pending()).toBe(0);
      for (const body of ["one", "two", "three"]) await queue.put(body);
      await queue.put("later", LONG);
      const held = await taken(queue);
      expect(await second.pending()).toBe(4);
      await queue.complete(held);
      await queue.bury(await taken(queue), "hopeless");
      expect(await second.pending()).toBe(2);
    });

    it("buries what nobody completes, and replays it as new, once", async () => {
      const { queue, second } = harness();
      await queue.put("poison");
      for (let take = 1; take <= MAX_TAKES; take += 1) await queue.release(await taken(queue));
      expect(await second.take(LONG)).toBeNull();
      const [letter, ...others] = await queue.deadLetters(10);
      expect(others).toEqual([]);
      expect(letter).toMatchObject({ body: "poison", takes: MAX_TAKES });
      expect(letter?.reason).toContain(`taken ${MAX_TAKES} times`);
      expect(await second.replay(letter?.id ?? "")).toBe(true);
      expect(await queue.replay(letter?.id ?? "")).toBe(false);
      expect(await queue.deadLetters(10)).toEqual([]);
      expect(await taken(second)).toMatchObject({ body: "poison", takes: 1 });
      expect(await second.take(LONG)).toBeNull();
    });

    it("gives healthy work past a poisonous one", async () => {
      const { queue } = harness();
      await queue.put("poison");
      for (let take = 1; take <= MAX_TAKES; take += 1) await queue.release(await taken(queue));
      await queue.put("healthy");
      expect((await taken(queue)).body).toBe("healthy");
    });

    it("buries at once what its worker says is hopeless, and lists the last that were put first", async () => {
      const { queue, second } = harness();
      for (const body of ["first", "second", "third"]) {
        await queue.put(body);
        await queue.bury(await taken(queue), `${body}: no such asset`);
        await harness().elapse(SHORT);
      }
      const letters = await second.deadLetters(2);
      expect(letters.map(({ body, reason, takes }) => ({ body, reason, takes }))).toEqual([
        { body: "third", reason: "third: no such asset", takes: 1 },
        { body: "second", reason: "second: no such asset", takes: 1 },
      ]);
      expect(letters[0]?.putAt).toBeGreaterThanOrEqual(letters[1]?.putAt ?? Number.NaN);
      expect(await queue.replay("no such letter")).toBe(false);
    });
  });
}
