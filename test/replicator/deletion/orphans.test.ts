import { describe, expect, it } from "vitest";
import { findOrphans } from "../../../src/replicator/deletion/orphans.ts";
import { replicateAsset } from "../../../src/replicator/run.ts";
import { unavailable, World } from "../world.ts";

const JOB = { source: "west", target: "north", assetName: "intro" } as const;
const never = new AbortController().signal;

async function replicated(): Promise<World> {
  const world = new World();
  await world.publish();
  await replicateAsset(world.deps, { ...JOB, target: "west" });
  await replicateAsset(world.deps, JOB);
  return world;
}

async function orphansOf(world: World, sources = ["west"]): Promise<readonly string[]> {
  const found = await Array.fromAsync(findOrphans({ ...world.deps, sources, targets: ["north"] }, never));
  return found.map(({ kind, name }) => `${kind} ${name}`);
}

const stray = { name: "stray", container: "asset-stray", alternateId: null, description: null };

describe("orphans", () => {
  it("are not among what was replicated, nor what the catalogue knows to be gone", async () => {
    const world = await replicated();
    expect(await orphansOf(world)).toEqual([]);
    world.account("west").removeLocator("locator-intro");
    expect(await orphansOf(world)).toEqual([]);
  });

  it("are locators and assets of a target that nobody has published or has", async () => {
    const world = await replicated();
    const north = world.account("north");
    await north.createAsset(stray);
    await north.createAsset({ ...stray, name: "bare", container: "asset-bare" });
    await world.locate("north", "stray", {
      streamingLocatorId: "99999999-9999-4999-8999-999999999999",
      streamingPolicyName: "Predefined_ClearStreamingOnly",
      contentKeys: [],
      defaultContentKeyPolicyName: null,
      filters: [],
    });
    expect(await orphansOf(world)).toEqual(["locator locator-stray", "asset bare"]);
    await world.account("west").createAsset({ ...stray, name: "bare", container: "asset-bare" });
    expect(await orphansOf(world)).toEqual(["locator locator-stray"]);
  });

  it("in a target that is a source too are only what replication has made there", async () => {
    const world = await replicated();
    const north = world.account("north");
    await north.createAsset(stray);
    expect(await orphansOf(world, ["west", "north"])).toEqual([]);
    const entry = (await Array.fromAsync(world.catalogue.list()))[0];
    if (entry !== undefined) await world.catalogue.remove(entry.entry.locatorId, entry.version);
    north.removeLocator("locator-intro");
    world.account("west").removeLocator("locator-intro");
    await world.account("west").deleteAsset("intro");
    expect(await orphansOf(world, ["west", "north"])).toEqual(["asset intro"]);
  });

  it("are not guessed at while a region cannot be asked", async () => {
    const world = await replicated();
    await world.account("north").createAsset(stray);
    world.account("west").calls.failAll("*", unavailable());
    await expect(orphansOf(world)).rejects.toMatchObject({ code: "account_unavailable" });
  });
});
