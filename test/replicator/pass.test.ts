import { describe, expect, it } from "vitest";
import { newJob } from "../../src/replicator/job.ts";
import { replicationLoop } from "../../src/replicator/loop.ts";
import { amsDriver, replicationPass, type PassOptions, type PassSummary, type ReplicationDriver } from "../../src/replicator/pass.ts";
import { eventually } from "../harness/wait.ts";
import { LOCATOR_ID, unavailable, World } from "./world.ts";

const OPTIONS: PassOptions = { sources: ["west", "north"], targets: ["west", "north"], full: false, assetName: null };

async function pass(world: World, options: Partial<PassOptions> = {}, stop?: AbortSignal): Promise<PassSummary> {
  return replicationPass(world.deps, amsDriver(world.deps), { ...OPTIONS, ...options }, stop);
}

/** The work's result; time passes while it waits. */
async function ended<T>(world: World, work: Promise<T>): Promise<T> {
  let over = false;
  const watched = work.finally(() => {
    over = true;
  });
  while (!over) await world.clock.advance(100);
  return watched;
}

const SECOND = {
  name: "locator-second",
  streamingLocatorId: "66666666-6666-4666-8666-666666666666",
  contentKeys: [
    {
      id: "77777777-7777-4777-8777-777777777777",
      type: null,
      labelReferenceInStreamingPolicy: "main",
      value: Buffer.alloc(16, 7).toString("base64"),
      policyName: null,
    },
  ],
};

function keyFor(at: number): typeof SECOND.contentKeys {
  const id = `${String(at).repeat(8)}-7777-4777-8777-777777777777`;
  return SECOND.contentKeys.map((key) => ({ ...key, id, value: Buffer.alloc(16, at).toString("base64") }));
}

describe("a replication pass", () => {
  it("publishes the original and its copies, each from where it was made", async () => {
    const world = new World();
    await world.publish();
    await world.publish("north", "second", SECOND);
    const summary = await pass(world);
    expect(summary).toMatchObject({ assets: 2, changed: 4, conflicts: 0, failed: 0, unreachable: [] });
    expect(summary.bytes).toBeGreaterThan(0);
    expect((await world.catalogue.get(LOCATOR_ID))?.entry).toMatchObject({ source: "west" });
    expect((await world.catalogue.get(SECOND.streamingLocatorId))?.entry).toMatchObject({ source: "north" });
    for (const id of [LOCATOR_ID, SECOND.streamingLocatorId])
      expect(Object.keys((await world.catalogue.get(id))?.entry.regions ?? {}).sort()).toEqual(["north", "west"]);
  });

  it("has nothing to do the second time, also when it looks at everything again", async () => {
    const world = new World();
    await world.publish();
    await pass(world);
    world.reset();
    expect(await pass(world)).toMatchObject({ changed: 0, unchanged: 0, results: [] });
    expect(await pass(world, { full: true })).toMatchObject({ assets: 1, changed: 0, unchanged: 2, failed: 0 });
    expect([world.mutations("west"), world.mutations("north"), world.catalogue.calls.mutations.length]).toEqual([0, 0, 0]);
  });

  it("shares a library with another process: each job is done once, by one of them", async () => {
    const world = new World();
    const names = Array.from({ length: 6 }, (_, at) => `film-${at + 1}`);
    for (const [at, name] of names.entries()) {
      const streamingLocatorId = `${String(at + 1).repeat(8)}-6666-4666-8666-666666666666`;
      await world.publish("west", name, { name: `locator-${name}`, streamingLocatorId, contentKeys: keyFor(at + 1) });
    }
    await world.clock.advance(1_000);
    const other = { ...world.deps, owner: "other" };
    for (const region of ["west", "north"]) world.account(region).calls.onCall = async () => world.clock.sleep(10);
    const passes = [world.deps, other].map(async (deps) => replicationPass(deps, amsDriver(deps), { ...OPTIONS, full: true }));
    const [one, two] = await ended(world, Promise.all(passes));
    const done = [one, two].map((summary) => summary?.results.filter(({ elsewhere }) => elsewhere === undefined) ?? []);
    expect(
      done
        .flat()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(names.flatMap((name) => [`west/${name}->north`, `west/${name}->west`]).sort());
    for (const each of done) expect(each.length).toBeGreaterThan(0);
    expect(one).toMatchObject({ failed: 0, conflicts: 0, unchanged: 0, elsewhere: two?.changed });
    expect(two).toMatchObject({ failed: 0, conflicts: 0, unchanged: 0, elsewhere: one?.changed });
    expect(done.flat().reduce((sum, { counts }) => sum + counts.blobsCopied, 0)).toBe(3 * names.length);
  });

  it("leaves a job to the process that is still at it, and takes it up where that process has died", async () => {
    const world = new World();
    await world.publish();
    const job = "west/intro->north";
    await world.journal.acquire(job, "busy", world.clock.now(), 60_000);
    expect(await ended(world, pass(world))).toMatchObject({ failed: 0, changed: 1, elsewhere: 1 });
    await world.journal.release(job, "busy");
    await world.journal.acquire(job, "dead", world.clock.now(), 15_000);
    expect(await ended(world, pass(world))).toMatchObject({ failed: 0, changed: 1, elsewhere: 0 });
  });

  it("does a job again that was done elsewhere for another locator of the asset", async () => {
    const world = new World();
    await world.publish();
    const summary = await replicationPass(
      world.deps,
      {
        ...amsDriver(world.deps),
        replicate: async (job, stop) => {
          if (job.sharing !== undefined)
            await world.journal.save({ ...newJob(job, world.clock.now() + 1), step: "published", state: "done" });
          return amsDriver(world.deps).replicate(job, stop);
        },
      },
      OPTIONS,
    );
    expect(summary).toMatchObject({ changed: 2, elsewhere: 0 });
  });

  it("takes the region where a locator was created first for its source, when the catalogue is lost", async () => {
    const world = new World();
    await world.publish("north");
    await world.clock.advance(60_000);
    await pass(world);
    const other = new World();
    const deps = { ...world.deps, catalogue: other.catalogue, journal: other.journal };
    await replicationPass(deps, amsDriver(deps), OPTIONS);
    expect((await other.catalogue.get(LOCATOR_ID))?.entry.source).toBe("north");
  });

  it("does only the asset that is asked for", async () => {
    const world = new World();
    await world.publish();
    await world.publish("west", "second", SECOND);
    expect(await pass(world, { assetName: "second" })).toMatchObject({ assets: 1, changed: 2 });
    expect(await world.catalogue.get(LOCATOR_ID)).toBeNull();
  });

  it("makes again what went missing on a target", async () => {
    const world = new World();
    await world.publish();
    await pass(world);
    world.account("north").removeLocator("locator-intro");
    expect(await pass(world)).toMatchObject({ changed: 1 });
    expect(await world.account("north").locator("locator-intro")).not.toBeNull();
  });

  it("withdraws the source's copy of what the source publishes no more, and brings nothing back", async () => {
    const world = new World();
    await world.publish();
    await pass(world);
    world.account("west").removeLocator("locator-intro");
    expect(await pass(world)).toMatchObject({ withdrawn: 1, changed: 0 });
    const regions = (await world.catalogue.get(LOCATOR_ID))?.entry.regions;
    expect(regions).toMatchObject({ west: { state: "withdrawn" }, north: { state: "verified" } });
    expect(await world.account("west").locator("locator-intro")).toBeNull();
    expect(await pass(world)).toMatchObject({ withdrawn: 0, changed: 0 });
  });

  it("withdraws nothing on a listing alone: what is missing there is asked for by name", async () => {
    const world = new World();
    await world.publish();
    await pass(world);
    const west = world.account("west");
    const driver: ReplicationDriver = {
      ...amsDriver(world.deps),
      pages: async function* () {
        yield { items: [], next: null };
      },
    };
    expect(await replicationPass(world.deps, driver, OPTIONS)).toMatchObject({ withdrawn: 0, unreachable: [], withdrawalsRefused: [] });
    west.calls.failAll("locator", unavailable());
    expect(await replicationPass(world.deps, driver, OPTIONS)).toMatchObject({ withdrawn: 0, unreachable: ["west"] });
    expect((await world.catalogue.get(LOCATOR_ID))?.entry.regions["west"]?.state).toBe("verified");
  });

  it("withdraws what another locator has the name of by now", async () => {
    const world = new World();
    await world.publish();
    await pass(world);
    world.account("west").removeLocator("locator-intro");
    await world.locate("west", "intro", { ...SECOND, name: "locator-intro" });
    expect(await pass(world)).toMatchObject({ withdrawn: 1 });
  });

  it("does not believe a source that has lost more than three videos and more than half, unless it is told to", async () => {
    const world = new World();
    const ids = [1, 2, 3, 4, 5].map((n) => `${String(n).repeat(8)}-aaaa-4aaa-8aaa-aaaaaaaaaaaa`);
    for (const [at, streamingLocatorId] of ids.entries())
      await world.publish("west", `film-${at}`, { name: `locator-${at}`, streamingLocatorId, contentKeys: keyFor(at) });
    await pass(world);
    const west = world.account("west");
    for (const at of [0, 1, 2, 3]) west.removeLocator(`locator-${at}`);
    const summary = await pass(world);
    expect(summary).toMatchObject({ withdrawn: 0, withdrawalsRefused: [{ region: "west", gone: 4, of: 5 }] });
    expect(await pass(world, { assetName: "film-3" })).toMatchObject({ withdrawn: 1, withdrawalsRefused: [] });
    // Three are left, and three are believed.
    expect(await pass(world)).toMatchObject({ withdrawn: 3, withdrawalsRefused: [] });
  });

  it("believes a source that has lost most of its videos when it is told to", async () => {
    const world = new World();
    const ids = [1, 2, 3, 4].map((n) => `${String(n).repeat(8)}-aaaa-4aaa-8aaa-aaaaaaaaaaaa`);
    for (const [at, streamingLocatorId] of ids.entries())
      await world.publish("west", `film-${at}`, { name: `locator-${at}`, streamingLocatorId, contentKeys: keyFor(at) });
    await pass(world);
    for (const at of ids.keys()) world.account("west").removeLocator(`locator-${at}`);
    expect(await pass(world, { acceptWithdrawals: true })).toMatchObject({ withdrawn: 4, withdrawalsRefused: [] });
  });

  it("logs and skips a source that cannot be asked, and leaves its videos as they are", async () => {
    const world = new World(["west", "north", "south"]);
    await world.publish();
    const options = { sources: ["west", "north"], targets: ["west", "north", "south"] };
    await pass(world, options);
    world.account("west").calls.failAll("*", unavailable());
    const summary = await pass(world, { ...options, full: true });
    expect(summary).toMatchObject({ unreachable: ["west"], failed: 0, changed: 0, withdrawn: 0 });
    expect((await world.catalogue.get(LOCATOR_ID))?.entry).toMatchObject({ source: "west", regions: { west: { state: "verified" } } });
  });

  it("is not held up for one target by another that is dead, or that never answers", async () => {
    const world = new World(["west", "dead", "silent", "north"]);
    await world.publish();
    world.account("dead").calls.failAll("*", unavailable());
    const silence = Promise.withResolvers<void>();
    world.account("silent").calls.onCall = () => silence.promise;
    const running = pass(world, { sources: ["west"], targets: ["west", "dead", "silent", "north"] });
    await eventually(20_000, "the copy in north", async () => (await world.catalogue.get(LOCATOR_ID))?.entry.regions["north"] ?? null);
    silence.reject(unavailable());
    const summary = await running;
    expect(summary).toMatchObject({ changed: 2, failed: 2 });
    expect([...summary.unreachable].sort()).toEqual(["dead", "silent"]);
    expect(world.account("dead").calls.all.map(({ operation }) => operation)).toEqual(["locatorPages"]);
  });

  it("goes on with other assets when one is in conflict", async () => {
    const world = new World();
    await world.publish();
    await world.publish("west", "second", SECOND);
    await world.account("north").createAsset({ name: "intro", container: "elsewhere", alternateId: null, description: null });
    expect(await pass(world)).toMatchObject({ changed: 3, conflicts: 1, failed: 0 });
  });

  it("does not begin another asset once it is stopped", async () => {
    const world = new World();
    await world.publish();
    const stop = new AbortController();
    stop.abort();
    expect(await pass(world, {}, stop.signal)).toMatchObject({ changed: 0, failed: 0 });
    expect(world.mutations("north")).toBe(0);
  });
});

describe("the replication loop", () => {
  it("finds new publications at its interval, looks at everything again at the longer one, and stops", async () => {
    const world = new World();
    const stop = new AbortController();
    const passes: PassSummary[] = [];
    const options = {
      ...OPTIONS,
      intervalMs: 60_000,
      fullIntervalMs: 150_000,
      onPass: (summary: PassSummary) => void passes.push(summary),
    };
    const running = replicationLoop(world.deps, amsDriver(world.deps), options, stop.signal);
    const nth = async (at: number): Promise<PassSummary> =>
      (await eventually(20_000, `pass ${at}`, () => Promise.resolve(passes[at] ?? null))).value;
    await nth(0);
    await world.publish();
    await world.clock.advance(60_000);
    expect(await nth(1)).toMatchObject({ changed: 2 });
    await world.clock.advance(60_000);
    expect(await nth(2)).toMatchObject({ results: [] });
    await world.clock.advance(60_000);
    expect(await nth(3)).toMatchObject({ unchanged: 2 });
    stop.abort();
    await running;
    expect(passes).toHaveLength(4);
  });

  it("survives a pass that fails", async () => {
    const world = new World();
    const stop = new AbortController();
    let passes = 0;
    world.catalogue.calls.failNth("list", 1, new Error("locked"));
    const options = { ...OPTIONS, intervalMs: 1_000, fullIntervalMs: 1_000, onPass: () => (passes += 1) };
    const running = replicationLoop(world.deps, amsDriver(world.deps), options, stop.signal);
    await world.clock.advance(0);
    expect(passes).toBe(0);
    await world.clock.advance(1_000);
    expect(passes).toBe(1);
    stop.abort();
    await running;
  });
});
