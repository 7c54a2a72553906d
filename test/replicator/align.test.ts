import { beforeEach, describe, expect, it } from "vitest";
import type { RegionCopy } from "../../src/core/contracts.ts";
import type { DescribedVideo } from "../../src/core/playback/alignment.ts";
import { PlaybackFailure } from "../../src/core/playback/failure.ts";
import { amsDriver, replicationPass } from "../../src/replicator/pass.ts";
import type { AmsDeps } from "../../src/replicator/run.ts";
import { LOCATOR_ID, World } from "./world.ts";

let world: World;
/** Codecs of the video, by host; null: nobody answers. */
let codecs: Record<string, string | null>;
let deps: AmsDeps;

async function describeVideo(manifestUrl: string): Promise<DescribedVideo> {
  const said = codecs[new URL(manifestUrl).hostname] ?? null;
  if (said === null) throw new PlaybackFailure("timeout", "manifest", "planted");
  const timeline = { protocol: "hls", ended: true, targetMs: 2, updateMs: null, publishedAt: null, listed: true, segments: [] } as const;
  return { protocol: "hls", keyIds: [], tracks: [{ name: "video", codecs: said, timeline, keys: [] }] };
}

async function copy(region: string): Promise<RegionCopy | undefined> {
  await replicationPass(deps, amsDriver(deps), { sources: ["west"], targets: ["west", "north"], full: true, assetName: null });
  return (await world.catalogue.get(LOCATOR_ID))?.entry.regions[region];
}

beforeEach(async () => {
  world = new World();
  deps = { ...world.deps, describe: async ({ manifestUrl }) => describeVideo(manifestUrl) };
  codecs = { "west.test": "avc1", "north.test": "avc1" };
  await world.publish();
});

describe("alignment of a replica", () => {
  it("is measured with the source and kept with the copy", async () => {
    expect(await copy("north")).toMatchObject({ state: "verified", aligned: true });
    expect(await copy("west")).toMatchObject({ aligned: true });
  });

  it("that has none is verified all the same, and says why", async () => {
    codecs["north.test"] = "hvc1";
    const seen = await copy("north");
    expect(seen).toMatchObject({ state: "verified", aligned: false });
    expect(seen?.detail).toMatch(/^verified .*; not aligned with west: video: codecs avc1 and hvc1/);
  });

  it("is not known while either region does not answer, and then stays what it was", async () => {
    codecs["west.test"] = null;
    expect(await copy("north")).not.toHaveProperty("aligned");
    codecs["west.test"] = "hvc1";
    expect(await copy("north")).toMatchObject({ aligned: false });
    codecs["north.test"] = null;
    expect(await copy("north")).toMatchObject({ aligned: false });
    codecs["north.test"] = "hvc1";
    expect(await copy("north")).toMatchObject({ aligned: true });
  });

  it("is left out where nothing measures it", async () => {
    deps = world.deps;
    expect(await copy("north")).not.toHaveProperty("aligned");
  });
});
