import { describe, expect, it } from "vitest";
import type { Region } from "../../../src/core/contracts.ts";
import { PlaybackFailure } from "../../../src/core/playback/failure.ts";
import { replicateVideo, type StaticDeps } from "../../../src/replicator/runStatic.ts";
import { staticInspector } from "../../../src/replicator/verification/inspectStatic.ts";
import { DEFAULT_VERIFICATION } from "../../../src/replicator/verification/policy.ts";
import { verifyCopy, type CopyReport } from "../../../src/replicator/verification/verifyCopy.ts";
import { MemoryStaticLibrary } from "../../fakes/memoryStaticLibrary.ts";
import { World } from "../world.ts";

const COPY = { source: "west", target: "north", assetName: "film" } as const;
const ORIGINAL = { ...COPY, target: "west" } as const;

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
    const playback: StaticDeps["playback"] = async ({ manifestUrl }) => {
      const { hostname, pathname } = new URL(manifestUrl);
      const [, container = "", blob = ""] = pathname.split("/");
      const library = libraries.get(hostname.split(".")[0] ?? "");
      if (library === undefined || (await library.container(container).head(blob)) === null)
        throw new PlaybackFailure("not_found", "manifest", `manifest ${manifestUrl} answered 404`);
      return { segment: { evidence: "media" } };
    };
    this.deps = { ...this.world.deps, libraries, regions, playback };
  }

  static async replicated(): Promise<Shelves> {
    const shelves = new Shelves();
    await shelves.west.createContainer("film", "blob");
    const blobs = shelves.west.container("film");
    blobs.put("master.m3u8", Buffer.from("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8"), {
      contentType: "application/vnd.apple.mpegurl",
    });
    blobs.put("v.m3u8", Buffer.from("#EXTM3U"), { contentType: "application/vnd.apple.mpegurl" });
    for (let at = 0; at < 40; at += 1) blobs.put(`seg-${at}.m4s`, Buffer.from(`segment ${at}`));
    for (const identity of [ORIGINAL, COPY]) {
      const { error } = await replicateVideo(shelves.deps, identity);
      if (error !== null) throw new Error(error.message);
    }
    return shelves;
  }

  async verify(identity: typeof COPY | typeof ORIGINAL, repair = true): Promise<CopyReport> {
    return verifyCopy(this.deps, staticInspector(this.deps), identity, { policy: DEFAULT_VERIFICATION, repair });
  }

  async state(region: string): Promise<string | undefined> {
    return (await this.world.catalogue.get("film"))?.entry.regions[region]?.state;
  }
}

describe("verification of a packaged video", () => {
  it("finds both sides sound, and reads another part of them each time", async () => {
    const shelves = await Shelves.replicated();
    const read = new Set<string>();
    shelves.north.blobCalls.onCall = ({ operation, subject }) => {
      if (operation === "read") read.add(subject);
    };
    for (const seen of [16, 32, 42]) {
      expect(await shelves.verify(COPY)).toMatchObject({ result: "sound" });
      expect(read.size).toBeGreaterThanOrEqual(seen - 16);
    }
    expect(await shelves.verify(ORIGINAL)).toMatchObject({ result: "sound" });
    expect(read.size).toBe(42);
  });

  it("finds a bad segment within as many looks as it takes, and has it copied again", async () => {
    const shelves = await Shelves.replicated();
    const good = shelves.north.container("film").content("seg-17.m4s");
    shelves.north.container("film").rot("seg-17.m4s", (bytes) => bytes.toReversed());
    const results = [];
    for (let look = 0; look < 3; look += 1) results.push((await shelves.verify(COPY)).result);
    expect(results.filter((result) => result === "repaired").length).toBe(1);
    expect(shelves.north.container("film").content("seg-17.m4s")).toEqual(good);
    expect(await shelves.state("north")).toBe("verified");
  });

  it("finds a lost manifest, and a content type by which no player would take it", async () => {
    const shelves = await Shelves.replicated();
    shelves.north.container("film").remove("master.m3u8");
    expect(await shelves.verify(COPY, false)).toMatchObject({ result: "broken", withdrawn: ["north"] });
    expect(await shelves.verify(COPY)).toMatchObject({ result: "repaired" });
    shelves.north.container("film").put("v.m3u8", Buffer.from("#EXTM3U"), { contentType: "text/plain" });
    expect(await shelves.verify(COPY)).toMatchObject({ result: "repaired", problems: [{ kind: "target_properties" }] });
    expect((await shelves.north.container("film").head("v.m3u8"))?.contentType).toBe("application/vnd.apple.mpegurl");
    expect(await shelves.state("north")).toBe("verified");
  });

  it("reports a source that has lost its container, and leaves the copy", async () => {
    const shelves = await Shelves.replicated();
    const deps = { ...shelves.deps, libraries: new Map([...shelves.deps.libraries, ["west", new MemoryStaticLibrary("west")]]) };
    const report = await verifyCopy(deps, staticInspector(deps), COPY, { policy: DEFAULT_VERIFICATION, repair: true });
    expect(report).toMatchObject({ result: "broken", withdrawn: [], problems: [{ kind: "source_entity" }] });
    expect(await shelves.state("north")).toBe("verified");
  });

  it("never carries a damaged source to its good copy", async () => {
    const shelves = await Shelves.replicated();
    for (let at = 0; at < 40; at += 1) shelves.west.container("film").rot(`seg-${at}.m4s`, (bytes) => bytes.toReversed());
    expect(await shelves.verify(ORIGINAL)).toMatchObject({ result: "broken", withdrawn: ["west"] });
    for (const identity of [ORIGINAL, COPY]) await replicateVideo(shelves.deps, identity);
    expect([await shelves.state("west"), await shelves.state("north")]).toEqual(["withdrawn", "verified"]);
    expect(Buffer.from(shelves.north.container("film").content("seg-1.m4s") ?? []).toString()).toBe("segment 1");
  });
});
