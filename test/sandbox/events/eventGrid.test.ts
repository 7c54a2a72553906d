import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "../../../src/core/log.ts";
import { drawsOf, delaysOf, UNDISTURBED, type Disturbance } from "../../../src/sandbox/events/disturbance.ts";
import { EventGrid } from "../../../src/sandbox/events/eventGrid.ts";
import type { GridEvent } from "../../../src/sandbox/events/jobEvents.ts";
import { ManualClock, seededRandom } from "../../fakes/clock.ts";
import { EventReceiver } from "../../harness/eventReceiver.ts";
import { eventually } from "../../harness/wait.ts";

const MINUTE_MS = 60_000;

let clock: ManualClock;
let grid: EventGrid;
let receiver: EventReceiver;

beforeEach(async () => {
  clock = new ManualClock();
  grid = new EventGrid({ topic: "/accounts/one", clock, random: seededRandom(3), log: silentLog });
  receiver = await EventReceiver.start();
});
afterEach(async () => {
  await grid[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

function event(id: string, eventType = "Microsoft.Media.JobStateChange"): GridEvent {
  const times = { eventTime: "2026-01-01T00:00:00.0000000", dataVersion: "1.0", metadataVersion: "1" } as const;
  return { id, eventType, topic: "/accounts/one", subject: "transforms/t/jobs/j", data: {}, ...times };
}

async function subscribe(eventTypes: readonly string[] = []): Promise<void> {
  await grid.subscribe({ name: "one", destination: { kind: "webhook", url: receiver.url, headers: {} }, eventTypes });
}

const counts = () => grid.subscriptions()[0]?.counts;
const delivered = async (count: number): Promise<void> => {
  await eventually(20_000, `${count} deliveries`, async () => Promise.resolve(receiver.events.length === count ? true : null));
};

describe("subscriptions", () => {
  it("are of some types, and end", async () => {
    await subscribe(["Microsoft.Media.JobFinished"]);
    grid.publish(event("other"));
    grid.publish(event("wanted", "Microsoft.Media.JobFinished"));
    await delivered(1);
    expect(receiver.events.map(({ id }) => id)).toEqual(["wanted"]);
    expect(grid.unsubscribe("one")).toBe(true);
    grid.publish(event("late", "Microsoft.Media.JobFinished"));
    expect(grid.unsubscribe("one")).toBe(false);
    expect(grid.subscriptions()).toEqual([]);
  });

  it("are tried again, later and later, until they are taken", async () => {
    await subscribe();
    receiver.status = 503;
    grid.publish(event("first"));
    for (const [tries, wait] of [10_000, 30_000, MINUTE_MS].entries()) {
      await eventually(20_000, "a refusal", async () =>
        Promise.resolve(counts()?.refused === tries + 1 && clock.pendingTimers === 1 ? true : null),
      );
      if (wait === MINUTE_MS) receiver.status = 200;
      await clock.advance(wait - 1);
      expect(counts()).toMatchObject({ refused: tries + 1, pending: 1 });
      await clock.advance(1);
    }
    await delivered(1);
    await eventually(20_000, "the count", async () => Promise.resolve(counts()?.pending === 0 ? true : null));
    expect(counts()).toEqual({ delivered: 1, refused: 3, lost: 0, givenUp: 0, pending: 0 });
  });

  it("are delivered late where they are delayed, and twice where they are doubled", async () => {
    await subscribe();
    grid.disturb({ minDelayMs: MINUTE_MS, maxDelayMs: MINUTE_MS, doubled: 1, overtakenMs: MINUTE_MS, seed: 1 });
    grid.publish(event("first"));
    await clock.advance(MINUTE_MS - 1);
    expect([receiver.events, counts()?.pending]).toEqual([[], 2]);
    await clock.advance(1);
    await delivered(1);
    await clock.advance(MINUTE_MS);
    await delivered(2);
    expect(receiver.events.map(({ id }) => id)).toEqual(["first", "first"]);
  });

  it("lose what is to be lost", async () => {
    await subscribe();
    grid.disturb({ lost: 1 });
    grid.publish(event("gone"));
    grid.calm();
    grid.publish(event("here"));
    await delivered(1);
    expect(receiver.events.map(({ id }) => id)).toEqual(["here"]);
    expect(counts()).toMatchObject({ lost: 1 });
  });
});

describe("disturbances", () => {
  const MANY = 20_000;
  const drawn = (wanted: Partial<Disturbance>, seed: number): number[][] => {
    const draws = drawsOf(seed);
    return Array.from({ length: MANY }, () => delaysOf({ ...UNDISTURBED, ...wanted }, draws));
  };
  const share = (all: number[][], has: (delays: number[]) => boolean): number => all.filter(has).length / MANY;

  it("are none without settings", () => {
    expect(new Set(drawn({}, 1).map(String))).toEqual(new Set(["0"]));
  });

  it("have the shares and the bounds that they are given", () => {
    const all = drawn({ lost: 0.05, doubled: 0.1, reordered: 0.2, minDelayMs: 100, maxDelayMs: 200, overtakenMs: 5000 }, 5);
    expect(share(all, (delays) => delays.length === 0)).toBeCloseTo(0.05, 1);
    expect(share(all, (delays) => delays.length === 2)).toBeCloseTo(0.095, 1);
    expect(share(all, ([first = 0]) => first > 200)).toBeCloseTo(0.18, 1);
    for (const [first = 100, second = first] of all) {
      expect(first).toBeGreaterThanOrEqual(100);
      expect(first).toBeLessThanOrEqual(5200);
      expect(second).toBeGreaterThanOrEqual(first);
    }
  });

  it("are the same for the same seed, and one setting does not change the luck of another", () => {
    const settings = { lost: 0.3, minDelayMs: 0, maxDelayMs: 1000 };
    expect(drawn(settings, 9)).toEqual(drawn(settings, 9));
    expect(drawn(settings, 9)).not.toEqual(drawn(settings, 10));
    const lost = (all: number[][]): boolean[] => all.map((delays) => delays.length === 0);
    expect(lost(drawn({ ...settings, doubled: 0.5, reordered: 0.5 }, 9))).toEqual(lost(drawn(settings, 9)));
  });
});
