import { describe, expect, it } from "vitest";
import type { CatalogueEntry } from "../../../src/core/contracts.ts";
import { amsDriver, replicationPass, type PassOptions, type PassSummary } from "../../../src/replicator/pass.ts";
import type { JobPlan } from "../../../src/replicator/planning/jobPlan.ts";
import { planningDeps, planPass } from "../../../src/replicator/planning/planPass.ts";
import { planAssetReplication, type AssetJob } from "../../../src/replicator/run.ts";
import { MemoryCursors } from "../../fakes/memoryCursors.ts";
import { LOCATOR_ID, unavailable, World } from "../world.ts";

const OPTIONS: PassOptions = { sources: ["west", "north"], targets: ["west", "north"], full: true, assetName: null };
const SECOND_ID = "66666666-6666-4666-8666-666666666666";

interface Plan {
  readonly summary: PassSummary;
  readonly jobs: readonly JobPlan[];
  readonly withdrawals: readonly string[];
}

async function planned(world: World, options: Partial<PassOptions> = {}, recreate = false): Promise<Plan> {
  const jobs: JobPlan[] = [];
  const withdrawals: string[] = [];
  const onWithdrawal = ({ locatorId }: CatalogueEntry): void => {
    withdrawals.push(locatorId);
  };
  const deps = planningDeps({ ...world.deps, options: { ...world.deps.options, recreate } }, { onWithdrawal });
  const ams = { ...deps, accounts: world.accounts };
  const source = {
    deps,
    driver: amsDriver(ams),
    plan: async (job: AssetJob, signal: AbortSignal) => planAssetReplication(ams, job, signal),
  };
  const summary = await planPass(source, { ...OPTIONS, ...options }, { onJob: (job) => jobs.push(job) });
  return { summary, jobs: jobs.toSorted((one, other) => (one.target < other.target ? -1 : 1)), withdrawals };
}

async function replicated(world: World, options: Partial<PassOptions> = {}): Promise<PassSummary> {
  // One at a time: two jobs at once may both write what their assets share.
  const deps = { ...world.deps, options: { ...world.deps.options, concurrency: 1 } };
  return replicationPass(deps, amsDriver(deps), { ...OPTIONS, ...options });
}

async function withSecond(world: World): Promise<void> {
  await world.publish();
  const keys = [
    {
      id: "77777777-7777-4777-8777-777777777777",
      type: null,
      labelReferenceInStreamingPolicy: "main",
      value: Buffer.alloc(16, 7).toString("base64"),
      policyName: null,
    },
  ];
  await world.publish("west", "second", { name: "locator-second", streamingLocatorId: SECOND_ID, contentKeys: keys });
}

/** Nothing was written anywhere since the last `reset`. */
function expectOnlyReads(world: World): void {
  expect([world.mutations("west"), world.mutations("north")]).toEqual([0, 0]);
  expect([world.catalogue.calls.mutations, world.journal.calls.mutations]).toEqual([[], []]);
  expect(world.account("west").calls.all.length).toBeGreaterThan(0);
}

type Change = (world: World) => unknown;

const CASES: Readonly<Record<string, readonly Change[]>> = {
  "an empty target": [],
  "a finished copy": [replicated],
  "a new blob, and a changed filter": [
    replicated,
    (world) => world.account("west").blobs("asset-intro").put("more.mp4", Buffer.from("more")),
    (world) => world.account("west").putAssetFilter("intro", { name: "own", properties: { firstQuality: { bitrate: 64_000 } } }),
  ],
  "somebody else's blob": [replicated, (world) => world.account("north").blobs("asset-intro").put("video.mp4", Buffer.from("other!"))],
  "a source that has unpublished a video": [replicated, (world) => world.account("west").deleteLocator("locator-second")],
  "blobs that are there already": [
    (world) =>
      world.account("north").createAsset({ name: "intro", container: "asset-intro", alternateId: "alt-intro", description: "a film" }),
    (world) => world.account("north").blobs("asset-intro").put("video.mp4", Buffer.from("video of intro")),
  ],
};

describe("a plan", () => {
  it.each(Object.entries(CASES))("of %s: only reads, and then exactly that is done", async (_, changes) => {
    const world = new World();
    await withSecond(world);
    for (const change of changes) {
      await world.clock.advance(1_000);
      await change(world);
    }
    await world.clock.advance(60_000);
    world.reset();
    const { summary, jobs, withdrawals } = await planned(world);
    expectOnlyReads(world);
    const done = await replicated(world);
    const { results: ofPlan, ...counts } = summary;
    const { results, ...doneCounts } = done;
    expect(counts).toEqual(doneCounts);
    expect(withdrawals.length).toBe(done.withdrawn);
    const told = (all: PassSummary["results"]) =>
      all
        .map(({ id, result, counts: { blobsCopied, bytesCopied, published } }) => ({ id, result, blobsCopied, bytesCopied, published }))
        .toSorted((one, other) => (one.id < other.id ? -1 : 1));
    // What is in conflict is withdrawn, which a job counts among what it publishes.
    const withoutWithdrawals = told(results).map((one) => (one.result === "conflict" ? { ...one, published: 0 } : one));
    expect(told(ofPlan)).toEqual(withoutWithdrawals);
    const written = (all: PassSummary["results"]) =>
      all.flatMap(({ target, counts: { written: what } }) => what.map((name) => `${target}: ${name}`)).toSorted();
    expect(written(ofPlan)).toEqual(written(results));
    for (const { target, withdraws } of jobs)
      for (const id of withdraws) expect((await world.catalogue.get(id))?.entry.regions[target]?.state).toBe("withdrawn");
  });

  it("names bytes, entities and locators, and what several assets share only once", async () => {
    const world = new World();
    await withSecond(world);
    const { jobs } = await planned(world);
    const north = jobs.filter(({ target }) => target === "north");
    expect(north.map(({ blobs: { copy, bytes } }) => [copy, bytes])).toEqual([
      [3, "<smil/>".length + 2 * "video of intro".length],
      [3, "<smil/>".length + 2 * "video of second".length],
    ]);
    const writes = north.flatMap((job) => job.writes.map(({ what, action }) => `${action} ${what}`));
    expect(writes.filter((what) => what === "create content key policy tokens")).toHaveLength(1);
    expect(writes).toContain("create locator locator-second");
    expect(north.map(({ publishes }) => publishes)).toEqual([[LOCATOR_ID], [SECOND_ID]]);
    expect(JSON.stringify(jobs)).not.toContain(Buffer.from("00112233445566778899aabbccddeeff", "hex").toString("base64"));
  });

  it("says what is in the way, that nothing of it is done, and what would be deleted for --recreate", async () => {
    const world = new World();
    await world.publish();
    await replicated(world);
    await world.account("north").deleteLocator("locator-intro");
    await world.locate("north", "intro", { alternativeMediaId: "other" });
    const { jobs } = await planned(world);
    const job = jobs.find(({ target }) => target === "north");
    expect(job).toMatchObject({ result: "conflict", writes: [], removals: [], publishes: [], withdraws: [LOCATOR_ID] });
    expect(job?.conflicts[0]).toMatchObject({ what: "locator locator-intro", locatorId: LOCATOR_ID });
    const again = (await planned(world, {}, true)).jobs.find(({ target }) => target === "north");
    expect(again).toMatchObject({
      result: "changed",
      conflicts: [],
      removals: ["locator locator-intro"],
      writes: [{ what: "locator locator-intro", action: "recreate" }],
      withdraws: [LOCATOR_ID],
      publishes: [LOCATOR_ID],
    });
  });

  it("says of a region that is down what a pass would say", async () => {
    const world = new World();
    await world.publish();
    world.account("north").calls.failAll("*", unavailable());
    const { summary, jobs } = await planned(world);
    expect(summary).toMatchObject({ unreachable: ["north"], failed: 1 });
    expect(jobs.map(({ target }) => target)).toEqual(["west"]);
  });

  it("begins where an interrupted pass would go on, and leaves that place alone", async () => {
    const world = new World();
    await world.publish();
    const cursors = new MemoryCursors();
    await cursors.save("oncewest,north->west,north", "west", { startedAt: world.clock.now(), place: "", pages: 0 });
    cursors.calls.reset();
    await planned(world, { cursors, look: "once" });
    expect(cursors.calls.count("load")).toBeGreaterThan(0);
    expect(cursors.calls.mutations).toEqual([]);
  });
});
