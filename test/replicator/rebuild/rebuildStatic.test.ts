/** A region of packaged videos that has lost its storage. */
import { describe, expect, it } from "vitest";
import type { Region } from "../../../src/core/contracts.ts";
import { staticRebuildDriver } from "../../../src/replicator/rebuild/drivers.ts";
import { rebuildRegion, type RebuildOptions } from "../../../src/replicator/rebuild/rebuild.ts";
import { replicateVideo, type StaticDeps } from "../../../src/replicator/runStatic.ts";
import { MemoryStaticLibrary } from "../../fakes/memoryStaticLibrary.ts";
import { World } from "../world.ts";

const OPTIONS: RebuildOptions = {
  region: "west",
  from: null,
  others: ["north"],
  isTarget: true,
  filesInPlace: false,
  force: false,
  dryRun: false,
};

async function film(library: MemoryStaticLibrary, name: string): Promise<void> {
  await library.createContainer(name, "blob");
  const blobs = library.container(name);
  blobs.put("master.m3u8", Buffer.from("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8"), { contentType: "application/vnd.apple.mpegurl" });
  blobs.put("v.m3u8", Buffer.from("#EXTM3U"));
  blobs.put("seg-1.m4s", Buffer.from(`segment of ${name}`));
}

describe("rebuild of packaged videos", () => {
  it("brings the containers back, verified, and keeps the publisher", async () => {
    const world = new World();
    const libraries = new Map(["west", "north"].map((name) => [name, new MemoryStaticLibrary(name)]));
    const west = libraries.get("west") as MemoryStaticLibrary;
    const regions = new Map(
      [...libraries.keys()].map((name): [string, Region] => [name, { name, streaming: `http://${name}.test`, keys: null }]),
    );
    const playback = async () => ({ segment: { evidence: "media" as const } });
    const deps: StaticDeps = { ...world.deps, libraries, regions, playback };
    for (const name of ["one", "two"]) {
      await film(west, name);
      for (const target of ["west", "north"]) await replicateVideo(deps, { source: "west", target, assetName: name });
    }
    const empty = new MemoryStaticLibrary("west");
    libraries.set("west", empty);
    await world.clock.advance(1000);
    const summary = await rebuildRegion(deps, staticRebuildDriver(deps), OPTIONS);
    expect(summary).toMatchObject({ rebuilt: 2, withdrawn: 2, failed: 0, lost: [], waiting: [] });
    expect(empty.container("two").names()).toEqual(["master.m3u8", "seg-1.m4s", "v.m3u8"]);
    for await (const { entry } of world.catalogue.list())
      expect(entry).toMatchObject({ source: "west", regions: { west: { state: "verified" }, north: { state: "verified" } } });
    await expect(rebuildRegion(deps, staticRebuildDriver(deps), { ...OPTIONS, filesInPlace: true })).rejects.toMatchObject({
      code: "no_key_record",
    });
  });
});
