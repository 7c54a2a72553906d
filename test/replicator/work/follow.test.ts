/** The loop with a queue: one process looks, all of them work. */
import { describe, expect, it } from "vitest";
import type { JobDeps } from "../../../src/replicator/jobDeps.ts";
import { replicationLoop, type LoopOptions } from "../../../src/replicator/loop.ts";
import { amsDriver, type PassSummary } from "../../../src/replicator/pass.ts";
import { lookPiece, pieceText } from "../../../src/replicator/work/piece.ts";
import { MemoryCursors } from "../../fakes/memoryCursors.ts";
import { MemoryWorkQueue } from "../../fakes/memoryWorkQueue.ts";
import { eventually } from "../../harness/wait.ts";
import { LOCATOR_ID, unavailable, World } from "../world.ts";

const MAX_TAKES = 3;

interface Following {
  readonly passes: PassSummary[];
  stop(): Promise<void>;
}

function follow(
  world: World,
  queue: MemoryWorkQueue,
  change: Partial<LoopOptions> & { readonly owner?: string; readonly concurrency?: number } = {},
): Following {
  const passes: PassSummary[] = [];
  const stop = new AbortController();
  const { owner = "tester", concurrency = world.deps.options.concurrency, ...options } = change;
  const regions = [...world.accounts.keys()];
  const deps = { ...world.deps, owner, options: { ...world.deps.options, concurrency } } satisfies JobDeps;
  const running = replicationLoop(
    deps,
    amsDriver(deps),
    {
      sources: regions,
      targets: regions,
      intervalMs: 60_000,
      fullIntervalMs: 3_600_000,
      work: { queue, maxTakes: MAX_TAKES },
      onPass: (summary) => void passes.push(summary),
      ...options,
    },
    stop.signal,
  );
  return {
    passes,
    stop: async () => {
      stop.abort();
      let over = false;
      void running.finally(() => {
        over = true;
      });
      while (!over) await world.clock.advance(100);
    },
  };
}

/** Lets the clock's time pass until it is so. Tokens are signed in threads, which the clock does not wait for: they get real time between. */
async function until(world: World, what: string, check: () => Promise<boolean> | boolean): Promise<void> {
  const step = async (): Promise<true | null> => {
    if (await check()) return true;
    await world.clock.advance(1_000);
    return null;
  };
  await eventually(20_000, what, step, 1);
}

async function verifiedIn(world: World, region: string): Promise<number> {
  const entries = await Array.fromAsync(world.catalogue.list());
  return entries.filter(({ entry }) => entry.regions[region]?.state === "verified").length;
}

function key(at: number) {
  const id = `${String(at).repeat(8)}-7777-4777-8777-777777777777`;
  const value = Buffer.alloc(16, at).toString("base64");
  return {
    streamingLocatorId: `${String(at).repeat(8)}-6666-4666-8666-666666666666`,
    contentKeys: [{ id, type: null, labelReferenceInStreamingPolicy: "main", value, policyName: null }],
  };
}

async function publishSix(world: World): Promise<void> {
  for (const at of [1, 2, 3, 4, 5, 6]) await world.publish("west", `film-${at}`, { name: `locator-${at}`, ...key(at) });
}

function queueOf(world: World): MemoryWorkQueue {
  return new MemoryWorkQueue(world.clock, MAX_TAKES);
}

describe("replication through a queue", () => {
  it("carries everything, and puts nothing once all is as it should be", async () => {
    const world = new World();
    await publishSix(world);
    const queue = queueOf(world);
    const following = follow(world, queue);
    await until(world, "the copies", async () => (await verifiedIn(world, "north")) === 6);
    await until(world, "an empty queue", async () => (await queue.pending()) === 0);
    await until(world, "another pass", () => following.passes.length >= 3);
    expect(following.passes[0]).toMatchObject({ assets: 6, queued: 6 });
    expect(following.passes.at(-1)).toMatchObject({ assets: 6, queued: 0 });
    expect(await queue.deadLetters(10)).toEqual([]);
    await following.stop();
    expect(world.clock.pendingTimers).toBe(0);
  });

  it("is done faster by more processes: one of them looks, each job is done once", async () => {
    const world = new World();
    await publishSix(world);
    await world.clock.advance(1_000);
    for (const region of ["west", "north"]) world.account(region).calls.onCall = async () => world.clock.sleep(20);
    const queue = queueOf(world);
    const followers = ["one", "two"].map((owner) => follow(world, queue, { owner }));
    await until(world, "the copies", async () => (await verifiedIn(world, "north")) === 6);
    await until(world, "an empty queue", async () => (await queue.pending()) === 0);
    const looked = followers.filter(({ passes }) => passes.some(({ queued }) => queued > 0));
    expect(looked).toHaveLength(1);
    const created = world.account("north").calls.all.filter(({ operation }) => operation === "createLocator");
    expect(created).toHaveLength(6);
    await Promise.all(followers.map(async (each) => each.stop()));
  });

  it("carries every locator that an asset is given soon after another, and does not wait until the asset may be looked at again", async () => {
    const world = new World();
    await world.publish("west", "film-1", { name: "locator-1", ...key(1) });
    const following = follow(world, queueOf(world));
    await until(world, "the copy", async () => (await verifiedIn(world, "north")) === 1);
    for (const at of [2, 3, 4]) {
      const began = world.clock.now();
      await world.locate("west", "film-1", { name: `locator-${at}`, created: began, ...key(at) });
      await until(world, `the copy of locator ${at}`, async () => (await verifiedIn(world, "north")) === at);
      expect(world.clock.now() - began).toBeLessThan(180_000);
    }
    await following.stop();
  });

  it("begins the next job when one ends, however long the queue of a busy target is", async () => {
    const world = new World();
    await publishSix(world);
    await world.clock.advance(1_000);
    for (const region of ["west", "north"]) world.account(region).calls.onCall = async () => world.clock.sleep(20);
    const began = world.clock.now();
    const following = follow(world, queueOf(world), { concurrency: 1 });
    await until(world, "the copies", async () => (await verifiedIn(world, "north")) === 6);
    expect(world.clock.now() - began).toBeLessThan(30_000);
    await following.stop();
  });

  it("carries to the other targets while one is dead, and to that one when it is back", async () => {
    const world = new World(["west", "dead", "north"]);
    await publishSix(world);
    world.account("dead").calls.failAll("*", unavailable());
    const queue = queueOf(world);
    const following = follow(world, queue, { sources: ["west"] });
    await until(world, "the copies in north", async () => (await verifiedIn(world, "north")) === 6);
    expect(await verifiedIn(world, "dead")).toBe(0);
    world.account("dead").calls.heal();
    let minutes = 0;
    for (; (await verifiedIn(world, "dead")) < 6 && minutes < 60; minutes += 1) await world.clock.advance(60_000);
    expect(await verifiedIn(world, "dead")).toBe(6);
    await following.stop();
  });

  it("carries to the other targets while one takes what it is given and never answers", async () => {
    const world = new World(["west", "silent", "north"]);
    await publishSix(world);
    const silence = Promise.withResolvers<void>();
    world.account("silent").calls.onCall = async ({ operation }) => (operation === "createAsset" ? silence.promise : undefined);
    const following = follow(world, queueOf(world), { sources: ["west"] });
    await until(world, "the copies in north", async () => (await verifiedIn(world, "north")) === 6);
    const tried = world.account("silent").calls.all.filter(({ operation }) => operation === "createAsset");
    expect(tried).toHaveLength(world.deps.options.concurrency);
    silence.reject(unavailable());
    await following.stop();
  });

  it("buries what conflicts, with what conflicts, and does not begin it anew with every pass", async () => {
    const world = new World();
    await world.publish();
    await world.account("north").createAsset({ name: "intro", container: "elsewhere", alternateId: null, description: null });
    const queue = queueOf(world);
    const following = follow(world, queue);
    await until(world, "a dead letter", async () => (await queue.deadLetters(10)).length > 0);
    await until(world, "an hour of passes", () => following.passes.length > 8);
    const letters = await queue.deadLetters(10);
    expect(letters).toHaveLength(1);
    expect(letters[0]?.reason).toMatch(/^replica_conflict: .*asset intro/);
    expect(await verifiedIn(world, "west")).toBe(1);
    await following.stop();
  });

  it("buries work that nobody understands, or for a region that is not configured, and goes on", async () => {
    const world = new World();
    await world.publish();
    const queue = queueOf(world);
    await queue.put("{}");
    await queue.put(pieceText(lookPiece({ region: "nowhere", asset: "intro", at: 0 })));
    const following = follow(world, queue);
    await until(world, "the copy", async () => (await verifiedIn(world, "north")) === 1);
    await until(world, "the dead letters", async () => (await queue.deadLetters(10)).length === 2);
    const codes = (await queue.deadLetters(10)).map(({ reason }) => reason.split(":")[0]);
    expect(new Set(codes)).toEqual(new Set(["not_configured", "work_malformed"]));
    await following.stop();
  });

  it("tries again what may pass, and buries it with its last error when it does not", async () => {
    const world = new World();
    await world.publish();
    world.account("north").calls.failAll("createAsset", unavailable("no room at the inn"));
    const queue = queueOf(world);
    const following = follow(world, queue);
    await until(world, "a dead letter", async () => (await queue.deadLetters(10)).length > 0);
    const [letter] = await queue.deadLetters(1);
    expect(letter).toMatchObject({ takes: MAX_TAKES, reason: expect.stringContaining("no room at the inn") as string });
    world.account("north").calls.heal();
    expect(await queue.replay(letter?.id ?? "")).toBe(true);
    await until(world, "the copy", async () => (await verifiedIn(world, "north")) === 1);
    await following.stop();
  });

  it("looks again at an asset that is there and not published yet, as an event asks for it", async () => {
    const world = new World();
    const queue = queueOf(world);
    const following = follow(world, queue, { intervalMs: 3_600_000 });
    await until(world, "the first pass", () => following.passes.length === 1);
    await queue.put(pieceText(lookPiece({ region: "west", asset: "intro", at: world.clock.now(), full: true, again: 5 })));
    await world.clock.advance(40_000);
    expect(await queue.pending()).toBe(1);
    await world.publish();
    await until(world, "the copy", async () => (await verifiedIn(world, "north")) === 1);
    expect(following.passes).toHaveLength(1);
    expect((await world.catalogue.get(LOCATOR_ID))?.entry.source).toBe("west");
    await following.stop();
  });

  it("gives back what it is at when it is stopped: another goes on at once", async () => {
    const world = new World();
    await world.publish();
    const queue = queueOf(world);
    const gate = Promise.withResolvers<void>();
    world.account("north").calls.onCall = async ({ operation }) => (operation === "createAsset" ? gate.promise : undefined);
    const first = follow(world, queue, { owner: "first" });
    await until(world, "the job", () => world.account("north").calls.all.some(({ operation }) => operation === "createAsset"));
    const stopped = first.stop();
    gate.resolve();
    await stopped;
    world.account("north").calls.onCall = null;
    expect(await verifiedIn(world, "north")).toBe(0);
    expect(await queue.pending()).toBeGreaterThanOrEqual(1);
    const second = follow(world, queue, { owner: "second" });
    await until(world, "the copy", async () => (await verifiedIn(world, "north")) === 1);
    await second.stop();
  });

  it("finds what is new while it is still looking at everything", async () => {
    const world = new World();
    await publishSix(world);
    const cursors = new MemoryCursors();
    const queue = queueOf(world);
    // Somebody else's work, and nobody who does it: there is room for what is new only.
    for (let count = 0; count < 600; count += 1) await queue.put("waits", 6 * 86_400_000);
    const following = follow(world, queue, { cursors });
    await until(world, "what is new", async () => (await verifiedIn(world, "north")) === 6);
    expect(following.passes.filter(({ queued }) => queued > 0)).toMatchObject([{ queued: 6 }]);
    expect(await cursors.load("everything", "*")).toBeNull();
    await following.stop();
  });

  it("does not look at everything again because it was started again", async () => {
    const world = new World();
    await publishSix(world);
    const cursors = new MemoryCursors();
    const queue = queueOf(world);
    const before = follow(world, queue, { cursors });
    await until(world, "the copies", async () => (await verifiedIn(world, "north")) === 6);
    await until(world, "an empty queue", async () => (await queue.pending()) === 0);
    await before.stop();
    const after = follow(world, queue, { cursors });
    await until(world, "a pass", () => after.passes.length > 0);
    expect(after.passes[0]).toMatchObject({ queued: 0 });
    await world.clock.advance(3_600_000);
    await until(world, "a look at everything", () => after.passes.some(({ queued }) => queued === 6));
    await after.stop();
  });
});
