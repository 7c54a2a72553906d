import { describe, expect, it } from "vitest";
import type { Region } from "../../src/core/contracts.ts";
import { PlaybackFailure } from "../../src/core/playback/failure.ts";
import { replicationPass } from "../../src/replicator/pass.ts";
import { planVideo, replicateVideo, staticDriver, type StaticDeps } from "../../src/replicator/runStatic.ts";
import { MemoryStaticLibrary } from "../fakes/memoryStaticLibrary.ts";
import { unavailable, World } from "./world.ts";

const JOB = { source: "west", target: "north", assetName: "film" } as const;

class Shelves {
  readonly world = new World();
  readonly west = new MemoryStaticLibrary("west");
  readonly north = new MemoryStaticLibrary("north");
  readonly deps: StaticDeps;

  constructor() {
    const libraries = new Map([
      ["west", this.west],
      ["north", this.north],
    ]);
    const regions = new Map(
      [...libraries.keys()].map((name): [string, Region] => [name, { name, streaming: `http://${name}.test`, keys: null }]),
    );
    this.deps = {
      ...this.world.deps,
      libraries,
      regions,
      playback: async ({ manifestUrl }) => {
        const { hostname, pathname } = new URL(manifestUrl);
        const [, container = "", blob = ""] = pathname.split("/");
        const library = libraries.get(hostname.split(".")[0] ?? "");
        if (library === undefined || (await library.container(container).head(blob)) === null)
          throw new PlaybackFailure("not_found", "manifest", `manifest ${manifestUrl} answered 404`);
        return { segment: { evidence: "media" } };
      },
    };
  }

  async fill(name = "film"): Promise<void> {
    await this.west.createContainer(name, "blob");
    const blobs = this.west.container(name);
    blobs.put("master.m3u8", Buffer.from("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8"), {
      contentType: "application/vnd.apple.mpegurl",
    });
    blobs.put("v.m3u8", Buffer.from("#EXTM3U"));
    blobs.put("seg-1.m4s", Buffer.from("segment"), { contentMd5: null });
    this.reset();
  }

  reset(): void {
    for (const library of [this.west, this.north]) {
      library.calls.reset();
      library.blobCalls.reset();
    }
    this.world.catalogue.calls.reset();
  }
}

describe("replicating a packaged video", () => {
  it("copies the container with its access, manifests last, and publishes it", async () => {
    const shelves = new Shelves();
    await shelves.fill();
    const result = await replicateVideo(shelves.deps, JOB);
    expect(result).toMatchObject({ result: "changed", error: null, counts: { blobsCopied: 3, published: 1 } });
    expect(await shelves.north.publicAccess("film")).toBe("blob");
    const copies = shelves.north.blobCalls.all.filter(({ operation }) => operation === "copyFrom").map(({ subject }) => subject);
    expect(copies[0]).toBe("seg-1.m4s");
    expect((await shelves.world.catalogue.get("film"))?.entry).toMatchObject({
      source: "west",
      keys: [],
      manifests: { hls: "/film/master.m3u8", dash: null },
      regions: { north: { state: "verified" } },
    });
  });

  it("changes nothing the second time", async () => {
    const shelves = new Shelves();
    await shelves.fill();
    await replicateVideo(shelves.deps, JOB);
    shelves.reset();
    expect((await replicateVideo(shelves.deps, JOB)).result).toBe("unchanged");
    expect([shelves.west.mutations, shelves.north.mutations, shelves.world.catalogue.calls.mutations.length]).toEqual([0, 0, 0]);
  });

  it("continues after a crash without copying twice", async () => {
    const shelves = new Shelves();
    await shelves.fill();
    shelves.north.blobCalls.failNth("copyFrom", 2, unavailable());
    const broken = await replicateVideo(shelves.deps, JOB);
    expect(broken.result).toBe("failed");
    expect(await shelves.world.catalogue.get("film")).toBeNull();
    const continued = await replicateVideo(shelves.deps, JOB);
    expect(continued).toMatchObject({ result: "changed", counts: { blobsAdopted: 0 } });
    expect(broken.counts.blobsCopied + continued.counts.blobsCopied).toBe(3);
  });

  it("refuses a blob that is somebody else's, and withdraws a copy that became one", async () => {
    const shelves = new Shelves();
    await shelves.fill();
    await replicateVideo(shelves.deps, JOB);
    shelves.north.container("film").put("v.m3u8", Buffer.from("other"));
    expect((await replicateVideo(shelves.deps, JOB)).error?.message).toMatch(/blob v\.m3u8/);
    expect((await shelves.world.catalogue.get("film"))?.entry.regions["north"]?.state).toBe("withdrawn");
  });

  it("goes over all containers in a pass and leaves alone what is no video", async () => {
    const shelves = new Shelves();
    await shelves.fill();
    await shelves.west.createContainer("papers", "none");
    shelves.west.container("papers").put("notes.txt", Buffer.from("x"));
    const options = { sources: ["west"], targets: ["west", "north"], full: true, assetName: null };
    const first = await replicationPass(shelves.deps, staticDriver(shelves.deps), options);
    expect(first).toMatchObject({ changed: 2, unchanged: 2, failed: 0 });
    expect(await shelves.north.publicAccess("papers")).toBeNull();
    expect(await replicationPass(shelves.deps, staticDriver(shelves.deps), options)).toMatchObject({ changed: 0, unchanged: 4, failed: 0 });
  });

  it("says what a pass would do, by reading alone, and of what is no video nothing", async () => {
    const shelves = new Shelves();
    await shelves.fill();
    await shelves.west.createContainer("papers", "none");
    shelves.reset();
    const planned = async (assetName: string, target: string) =>
      planVideo(shelves.deps, { source: "west", target, assetName }, new AbortController().signal);
    expect(await planned("film", "north")).toMatchObject({
      blobs: { copy: 3, adopt: 0, skip: 0 },
      writes: [{ what: "container film", action: "create" }],
      refused: [],
    });
    expect(await planned("film", "west")).toMatchObject({ blobs: { copy: 0 }, writes: [] });
    expect([await planned("papers", "north"), await planned("papers", "west")]).toEqual([null, null]);
    expect([shelves.west.mutations, shelves.north.mutations]).toEqual([0, 0]);
    await replicateVideo(shelves.deps, JOB);
    shelves.north.container("film").put("v.m3u8", Buffer.from("somebody's"));
    expect((await planned("film", "north"))?.refused.map(({ what }) => what)).toEqual(["blob v.m3u8"]);
  });
});
