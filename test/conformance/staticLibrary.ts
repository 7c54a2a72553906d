/** What every `StaticLibrary` does: the contract in `src/core/ports`, sentence by sentence. */
import { describe, expect, it } from "vitest";
import type { PublicAccess, StaticLibrary } from "../../src/core/ports/storage.ts";
import { eachTest } from "./eachTest.ts";

export interface StaticLibraryHarness extends AsyncDisposable {
  /** An empty storage, seen through this container pattern. */
  open(containers: string): StaticLibrary;
  /** What the storage says of every container, where access is not set through the port. Default: it is set. */
  readonly declaredAccess?: PublicAccess;
  /** The same behind an address at which nobody answers. */
  readonly unreachable: StaticLibrary;
}

const MULTIVARIANT = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=500000\nv0.m3u8\n";
const MEDIA = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nseg-0.m4s\n#EXT-X-ENDLIST\n";

export function describeStaticLibrary(name: string, make: () => Promise<StaticLibraryHarness>): void {
  describe(`${name} keeps the contract of StaticLibrary`, () => {
    const harness = eachTest(make);
    const library = (containers = "*"): StaticLibrary => harness().open(containers);
    containers(library, () => harness().declaredAccess);
    manifests(library);

    it("a service that does not answer is storage_unavailable", async () => {
      const { unreachable } = harness();
      const calls = [
        () => Array.fromAsync(unreachable.videos()),
        () => unreachable.publicAccess("a"),
        () => unreachable.createContainer("a", "none"),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "storage_unavailable", retry: "retry" });
    });
  });
}

function containers(library: (containers?: string) => StaticLibrary, declared: () => PublicAccess | undefined): void {
  it("yields the containers that match a name, a prefix, or everything", async () => {
    for (const name of ["video-a", "video-b", "other"]) await library().createContainer(name, "none");
    expect((await Array.fromAsync(library("*").videos())).sort()).toEqual(["other", "video-a", "video-b"]);
    expect((await Array.fromAsync(library("video-*").videos())).sort()).toEqual(["video-a", "video-b"]);
    expect(await Array.fromAsync(library("video-a").videos())).toEqual(["video-a"]);
    expect(await Array.fromAsync(library("nobody").videos())).toEqual([]);
  });

  it("lists in pages too, which can be taken up", async ({ skip }) => {
    const names = ["video-a", "video-b", "video-c", "video-d"];
    for (const name of names) await library().createContainer(name, "none");
    const pagesFrom = async (from: string | null) =>
      Array.fromAsync(library("video-*").videoPages?.(from) ?? skip("its lists cannot be taken up"));
    const pages = await pagesFrom(null);
    expect(pages.flatMap(({ items }) => items).sort()).toEqual(names);
    expect(pages.at(-1)?.next).toBeNull();
    for (const [at, { next }] of pages.entries()) if (next !== null) expect(await pagesFrom(next)).toEqual(pages.slice(at + 1));
  });

  it("creates a container with its public access, and leaves one that exists as it is", async () => {
    expect(await library().publicAccess("video")).toBeNull();
    for (const access of ["none", "blob", "container"] as const) {
      await library().createContainer(`video-${access}`, access);
      expect(await library().publicAccess(`video-${access}`)).toBe(declared() ?? access);
    }
    await library().createContainer("video-blob", "none");
    expect(await library().publicAccess("video-blob")).toBe(declared() ?? "blob");
  });

  it("opens a container whether or not it is there", async () => {
    await expect(library().container("nobody").head("a")).rejects.toMatchObject({ code: "container_missing" });
    await library().createContainer("video", "none");
    await put(library(), "video", "a.txt", "x");
    expect(await Array.fromAsync(library().container("video").list())).toHaveLength(1);
  });
}

function manifests(library: (containers?: string) => StaticLibrary): void {
  it("finds the multivariant playlist among others, and the MPD, at the top level only", async () => {
    await library().createContainer("video", "blob");
    await put(library(), "video", "audio.m3u8", MEDIA);
    await put(library(), "video", "the movie.m3u8", MULTIVARIANT);
    await put(library(), "video", "v0.m3u8", MEDIA);
    await put(library(), "video", "deep/master.m3u8", MULTIVARIANT);
    await put(library(), "video", "manifest.mpd", "<MPD/>");
    expect(await library().manifests("video")).toEqual({ hls: "/video/the%20movie.m3u8", dash: "/video/manifest.mpd" });
  });

  it("takes a lone playlist, and prefers the usual names", async () => {
    await library().createContainer("single", "blob");
    await put(library(), "single", "only.m3u8", MEDIA);
    expect(await library().manifests("single")).toEqual({ hls: "/single/only.m3u8", dash: null });
    await library().createContainer("many", "blob");
    await put(library(), "many", "a-backup.m3u8", MULTIVARIANT);
    await put(library(), "many", "master.m3u8", MULTIVARIANT);
    expect((await library().manifests("many")).hls).toBe("/many/master.m3u8");
  });

  it("a container without manifests has none", async () => {
    await library().createContainer("empty", "none");
    expect(await library().manifests("empty")).toEqual({ hls: null, dash: null });
  });
}

async function put(library: StaticLibrary, container: string, name: string, text: string): Promise<void> {
  const options = { contentType: "text/plain", condition: "absent" } as const;
  await library.container(container).write(name, new TextEncoder().encode(text), options);
}
