import { describe, expect, it } from "vitest";
import { silentLog } from "../../../src/core/log.ts";
import { Metrics } from "../../../src/core/metrics.ts";
import { CachedCatalogueView, viewedStore } from "../../../src/replicator/catalogueView.ts";
import { replicateAsset } from "../../../src/replicator/run.ts";
import { ProgressBoard } from "../../../src/replicator/progress.ts";
import { amsInspector } from "../../../src/replicator/verification/inspectAms.ts";
import { verifyLibrary, type LibraryOptions, type LibrarySummary } from "../../../src/replicator/verification/library.ts";
import { DEFAULT_VERIFICATION } from "../../../src/replicator/verification/policy.ts";
import { recheckLoop } from "../../../src/replicator/verification/recheck.ts";
import { LOCATOR_ID, World } from "../world.ts";

const DAY = 86_400_000;
const HOUR = 3_600_000;

async function library(names: readonly string[] = ["intro"]): Promise<World> {
  const world = new World();
  for (const [at, name] of names.entries()) {
    const change =
      at === 0
        ? {}
        : {
            streamingLocatorId: `${at + 2}1111111-1111-4111-8111-111111111111`,
            streamingPolicyName: "Predefined_ClearStreamingOnly",
            contentKeys: [],
            defaultContentKeyPolicyName: null,
          };
    await world.publish("west", name, change);
    for (const target of ["west", "north"]) {
      const { error } = await replicateAsset(world.deps, { source: "west", target, assetName: name });
      if (error !== null) throw new Error(error.message);
    }
  }
  world.reset();
  return world;
}

interface Running extends AsyncDisposable {
  readonly metrics: Metrics;
}

/** Runs the loop until disposed. */
async function running(world: World): Promise<Running> {
  const regions = ["west", "north"].map((name) => ({ name, keys: true }));
  const metrics = new Metrics({ version: "0", regions });
  const stop = new AbortController();
  const view = new CachedCatalogueView({ store: world.catalogue, clock: world.clock, log: silentLog });
  await view.refresh();
  const options = {
    policy: DEFAULT_VERIFICATION,
    repair: true,
    everyMs: 30 * DAY,
    concurrency: 2,
    entries: () => view.entries(),
    metrics: metrics.verification,
  };
  const deps = { ...world.deps, catalogue: viewedStore(world.catalogue, view) };
  const ended = recheckLoop(deps, amsInspector(deps), options, stop.signal);
  return {
    metrics,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await ended;
    },
  };
}

async function value(metrics: Metrics, name: string, labels: Readonly<Record<string, string>>): Promise<number> {
  const metric = (await metrics.registry.getMetricsAsJSON()).find((each) => each.name === name);
  const found = metric?.values.find((each) => Object.entries(labels).every(([label, wanted]) => each.labels[label] === wanted));
  return found?.value ?? Number.NaN;
}

async function advanceTo(world: World, days: number): Promise<void> {
  for (let hours = 0; hours < days * 24; hours += 1) await world.clock.advance(HOUR);
}

describe("verification in service", () => {
  it("looks at every copy once within the stated time, and not before half of it", async () => {
    const world = await library();
    await using loop = await running(world);
    await advanceTo(world, 14);
    expect(await value(loop.metrics, "paircast_verification_checks_total", { target: "north", result: "sound" })).toBe(0);
    await advanceTo(world, 17);
    expect(await value(loop.metrics, "paircast_verification_checks_total", { target: "north", result: "sound" })).toBe(1);
    expect(await value(loop.metrics, "paircast_verification_checks_total", { target: "west", result: "sound" })).toBe(1);
    const at = (await world.catalogue.get(LOCATOR_ID))?.entry.regions["north"]?.verification?.at ?? 0;
    expect(await value(loop.metrics, "paircast_verification_oldest_timestamp_seconds", { target: "north" })).toBe(at / 1000);
    expect(await value(loop.metrics, "paircast_verification_interval_seconds", {})).toBe((30 * DAY) / 1000);
  });

  it("finds what has rotted and makes it good, without being asked", async () => {
    const world = await library();
    const good = world.account("north").blobs("asset-intro").content("video.mp4");
    world
      .account("north")
      .blobs("asset-intro")
      .rot("video.mp4", (bytes) => bytes.map((byte) => byte ^ 1));
    await using loop = await running(world);
    await advanceTo(world, 31);
    expect(world.account("north").blobs("asset-intro").content("video.mp4")).toEqual(good);
    expect(await value(loop.metrics, "paircast_verification_checks_total", { target: "north", result: "repaired" })).toBe(1);
    expect(await value(loop.metrics, "paircast_verification_problems_total", { origin: "north", kind: "content" })).toBe(1);
    expect((await world.catalogue.get(LOCATOR_ID))?.entry.regions["north"]?.state).toBe("verified");
  });

  it("asks a region that does not answer again, at intervals, and goes on with the others", async () => {
    const world = await library();
    world.dark.add("north");
    await using loop = await running(world);
    await advanceTo(world, 31);
    const unanswered = await value(loop.metrics, "paircast_verification_checks_total", { target: "north", result: "unanswered" });
    expect(unanswered).toBeGreaterThan(1);
    expect(unanswered).toBeLessThan(100);
    expect(await value(loop.metrics, "paircast_verification_checks_total", { target: "west", result: "sound" })).toBe(1);
    world.dark.clear();
    await advanceTo(world, 1);
    expect(await value(loop.metrics, "paircast_verification_checks_total", { target: "north", result: "sound" })).toBe(1);
  });
});

describe("verification of a library", () => {
  const OPTIONS: LibraryOptions = { policy: DEFAULT_VERIFICATION, repair: false, assetName: null, share: 1, concurrency: 2 };

  async function verify(world: World, change: Partial<LibraryOptions> = {}): Promise<LibrarySummary> {
    return verifyLibrary(world.deps, amsInspector(world.deps), { ...OPTIONS, ...change });
  }

  it("looks at all copies, or at one asset's", async () => {
    const world = await library(["intro", "second", "third"]);
    expect(await verify(world)).toMatchObject({ copies: 6, results: { sound: 6 }, reports: [] });
    expect(await verify(world, { assetName: "second" })).toMatchObject({ copies: 2, results: { sound: 2 } });
    expect(await verify(world, { assetName: "none" })).toMatchObject({ copies: 0, results: { sound: 0 } });
  });

  it("goes through all of them by shares, as each takes those that have waited longest", async () => {
    const world = await library(["intro", "second", "third"]);
    const seen = new Set<string>();
    for (let run = 0; run < 3; run += 1) {
      await world.clock.advance(1000);
      await verify(world, { share: 0.33, onReport: ({ assetName, target }) => seen.add(`${assetName} ${target}`) });
    }
    // The originals are remembered, too.
    expect(seen.size).toBe(6);
  });

  it("tells how far it is, by target", async () => {
    const world = await library(["intro", "second"]);
    world.account("north").blobs("asset-second").remove("video.mp4");
    const board = new ProgressBoard();
    const { readBytes } = await verify(world, { progress: (event) => board.add(event, world.clock.monotonic()) });
    const told = board.targets(world.clock.monotonic());
    expect(told).toMatchObject([
      { target: "west", found: 2, done: 2, wrong: 0 },
      { target: "north", found: 2, done: 2, wrong: 1 },
    ]);
    expect(told.reduce((sum, { copiedBytes }) => sum + copiedBytes, 0)).toBe(readBytes);
  });

  it("reports what is wrong, and is ended by a stop", async () => {
    const world = await library(["intro", "second"]);
    world.account("north").blobs("asset-second").remove("video.mp4");
    const { results, reports } = await verify(world);
    expect(results).toMatchObject({ sound: 3, broken: 1 });
    expect(reports).toMatchObject([{ assetName: "second", target: "north", result: "broken", withdrawn: ["north"] }]);
    const stop = AbortSignal.abort(new Error("enough"));
    await expect(verifyLibrary(world.deps, amsInspector(world.deps), OPTIONS, stop)).rejects.toThrow("enough");
  });
});
