/** What a pass costs, how it is taken up again, and whose publication counts. */
import { describe, expect, it } from "vitest";
import { amsDriver, replicationPass, type PassOptions, type PassSummary } from "../../src/replicator/pass.ts";
import { MemoryCursors } from "../fakes/memoryCursors.ts";
import { eventually } from "../harness/wait.ts";
import { LOCATOR_ID, unavailable, World } from "./world.ts";

const OPTIONS: PassOptions = { sources: ["west", "north"], targets: ["west", "north"], full: false, assetName: null };

async function pass(world: World, options: Partial<PassOptions> = {}, stop?: AbortSignal): Promise<PassSummary> {
  return replicationPass(world.deps, amsDriver(world.deps), { ...OPTIONS, ...options }, stop);
}

async function publishMany(world: World, count: number, region = "west"): Promise<string[]> {
  const names = Array.from({ length: count }, (_, at) => `film-${String(at).padStart(3, "0")}`);
  for (const [at, name] of names.entries()) {
    const id = (kind: string): string => `${String(at).padStart(8, "0")}-${kind}-4000-8000-000000000000`;
    const key = {
      type: null,
      labelReferenceInStreamingPolicy: "main",
      value: Buffer.alloc(16, at + 1).toString("base64"),
      policyName: null,
    };
    const contentKeys = [{ id: id("7777"), ...key }];
    await world.publish(region, name, { name: `locator-${name}`, streamingLocatorId: id("6666"), contentKeys });
  }
  return names;
}

function operations(world: World, region: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { operation } of world.account(region).calls.all) counts[operation] = (counts[operation] ?? 0) + 1;
  return counts;
}

describe("what a pass costs", () => {
  it("is a page of a list per page where nothing has changed, and nothing per asset", async () => {
    const world = new World();
    await publishMany(world, 30);
    expect(await pass(world)).toMatchObject({ assets: 30, changed: 60, failed: 0 });
    world.reset();
    expect(await pass(world)).toMatchObject({ assets: 30, changed: 0, unchanged: 0, results: [] });
    expect(operations(world, "west")).toEqual({ locatorPages: 10 });
    expect(operations(world, "north")).toEqual({ locatorPages: 10 });
    expect(world.catalogue.calls.all.map(({ operation }) => operation)).toEqual(["revision", "list"]);
    expect(world.journal.calls.all).toEqual([]);
  });

  it("grows with what has changed: only that asset is looked at", async () => {
    const world = new World();
    await publishMany(world, 9);
    await pass(world);
    await world.publish("north", "news");
    world.reset();
    expect(await pass(world)).toMatchObject({ assets: 10, changed: 2 });
    const { locatorPages, assetLocators } = operations(world, "west");
    // Once to look: what a copy makes anew has no other locators.
    expect([locatorPages, assetLocators]).toEqual([3, 1]);
    // The world's own players read locators; nobody reads assets but the replicator.
    const read = world
      .account("west")
      .calls.all.filter(({ operation, subject }) => operation.startsWith("asset") && subject.includes("film"));
    expect(read).toEqual([]);
  });

  it("keeps few results and all counts", async () => {
    const world = new World();
    await publishMany(world, 60);
    await pass(world);
    const summary = await pass(world, { full: true });
    expect(summary).toMatchObject({ unchanged: 120, resultsLeftOut: 0 });
    expect(summary.results).toHaveLength(100);
  });
});

describe("a target that has more to do than may wait", () => {
  it("does everything all the same, and each job once", async () => {
    const world = new World();
    const names = await publishMany(world, 20);
    const summary = await pass(world, { laneCapacity: 2 });
    expect(summary).toMatchObject({ assets: 20, changed: 40, failed: 0 });
    const jobs = summary.results.map(({ id }) => id).sort();
    expect(jobs).toEqual(names.flatMap((name) => [`west/${name}->north`, `west/${name}->west`]).sort());
  });

  it("delays no other: what hangs in one region is done in the next", async () => {
    const world = new World(["west", "silent", "north"]);
    const names = await publishMany(world, 12);
    const options = { sources: ["west"], targets: ["west", "silent", "north"], laneCapacity: 2 };
    const silence = Promise.withResolvers<void>();
    world.account("silent").calls.onCall = async ({ operation }) => (operation === "locatorPages" ? undefined : silence.promise);
    const running = pass(world, options);
    await eventually(20_000, "all copies in north", async () => {
      const entries = await Array.fromAsync(world.catalogue.list());
      const copied = entries.filter(({ entry }) => entry.regions["north"]?.state === "verified");
      return copied.length === names.length ? true : null;
    });
    silence.reject(unavailable());
    expect(await running).toMatchObject({ changed: 24, failed: 12 });
  });

  it("does nothing for a region that is dead but say so", async () => {
    const world = new World(["west", "dead", "north"]);
    await publishMany(world, 12);
    world.account("dead").calls.failAll("*", unavailable());
    const summary = await pass(world, { sources: ["west"], targets: ["west", "dead", "north"], laneCapacity: 2 });
    expect(summary).toMatchObject({ changed: 24, failed: 12, unreachable: ["dead"] });
    expect(operations(world, "dead")).toEqual({ locatorPages: 1 });
  });
});

describe("a pass over everything that is ended in the middle", () => {
  it("is taken up by the next process where it was: what was done is not asked for again", async () => {
    const world = new World();
    const names = await publishMany(world, 30);
    await pass(world);
    const cursors = new MemoryCursors();
    const stop = new AbortController();
    let done = 0;
    world.journal.calls.onCall = ({ operation }) => {
      if (operation === "release") done += 1;
      if (done === 40) stop.abort();
    };
    await world.clock.advance(1_000);
    await pass(world, { full: true, cursors }, stop.signal);
    world.journal.calls.onCall = null;
    const left = await cursors.load("west,north->west,north", "west");
    expect(left?.pages).toBeGreaterThanOrEqual(3);
    world.reset();
    await world.clock.advance(1_000);
    const summary = await pass(world, { full: true, cursors });
    expect(summary).toMatchObject({ failed: 0, withdrawn: 0 });
    const { locatorPages, assetLocators } = operations(world, "west");
    const pages = names.length / 3 - (left?.pages ?? 0);
    expect(locatorPages).toBe(pages);
    // Once to look, once for each job.
    expect(assetLocators).toBeLessThanOrEqual(3 * 3 * pages);
    expect(summary.unchanged + summary.elsewhere).toBe(2 * 3 * pages);
    expect(await cursors.load("west,north->west,north", "west")).toBeNull();
  });

  it("withdraws nothing on what it has listed of the second half", async () => {
    const world = new World();
    await publishMany(world, 12);
    await pass(world);
    const cursors = new MemoryCursors();
    await cursors.save("west,north->west,north", "west", { startedAt: world.clock.now(), place: "locator-film-008", pages: 3 });
    world.reset();
    await world.clock.advance(1_000);
    expect(await pass(world, { full: true, cursors })).toMatchObject({ withdrawn: 0, withdrawalsRefused: [], unchanged: 6 });
    expect(operations(world, "west")["locatorPages"]).toBe(1);
    expect(await pass(world, { full: true, cursors })).toMatchObject({ unchanged: 24 });
  });

  it("begins anew where the cursors cannot be had, or are of last month", async () => {
    const world = new World();
    await publishMany(world, 6);
    await pass(world);
    const cursors = new MemoryCursors();
    cursors.calls.failAll("*", unavailable());
    await world.clock.advance(1_000);
    expect(await pass(world, { full: true, cursors })).toMatchObject({ unchanged: 12 });
    cursors.calls.heal();
    const startedAt = world.clock.now() - 30 * 86_400_000;
    await cursors.save("west,north->west,north", "west", { startedAt, place: "locator-film-002", pages: 1 });
    await world.clock.advance(1_000);
    expect(await pass(world, { full: true, cursors })).toMatchObject({ unchanged: 12 });
  });
});

describe("whose publication counts", () => {
  it("that of a region which publishes anew what its source has unpublished", async () => {
    const world = new World();
    await world.publish();
    await pass(world);
    world.account("west").removeLocator("locator-intro");
    await world.clock.advance(1_000);
    expect(await pass(world)).toMatchObject({ withdrawn: 1 });
    world.account("north").removeLocator("locator-intro");
    await world.clock.advance(1_000);
    await world.locate("north", "intro");
    expect(await pass(world)).toMatchObject({ changed: 2, conflicts: 0 });
    expect((await world.catalogue.get(LOCATOR_ID))?.entry).toMatchObject({
      source: "north",
      regions: { west: { state: "verified" }, north: { state: "verified" } },
    });
    expect(await pass(world)).toMatchObject({ changed: 0, withdrawn: 0, results: [] });
  });

  it("is looked at again when its source has published it anew since it was verified, and once only", async () => {
    const world = new World();
    await world.publish();
    await pass(world);
    await world.clock.advance(2_000);
    world.account("west").removeLocator("locator-intro");
    await world.locate("west", "intro", { endTime: world.clock.now() + 3_600_000 });
    await world.clock.advance(1);
    const summary = await pass(world);
    expect(summary.conflicts).toBe(1);
    expect(summary.results.map(({ target }) => target).sort()).toEqual(["north", "west"]);
  });

  it("two different publications under one locator id are reported, and neither is overwritten", async () => {
    const world = new World();
    await world.publish("west", "intro");
    await world.clock.advance(1_000);
    const value = Buffer.alloc(16, 9).toString("base64");
    const key = { type: null, labelReferenceInStreamingPolicy: "main", value, policyName: null };
    await world.publish("north", "intro", { contentKeys: [{ id: "99999999-2222-4222-8222-222222222222", ...key }] });
    const before = await world.account("north").locator("locator-intro");
    const summary = await pass(world);
    expect(summary).toMatchObject({ conflicts: 1 });
    expect(summary.results.find(({ result }) => result === "conflict")).toMatchObject({ source: "west", target: "north" });
    expect(await world.account("north").locator("locator-intro")).toEqual(before);
    expect((await world.catalogue.get(LOCATOR_ID))?.entry).toMatchObject({ source: "west", regions: { west: { state: "verified" } } });
    expect((await world.catalogue.get(LOCATOR_ID))?.entry.regions["north"]?.state).not.toBe("verified");
  });
});
