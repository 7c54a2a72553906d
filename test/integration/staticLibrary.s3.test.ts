/** The storage of a `static` region over the real S3 SDK and a stand-in for the service (test/harness/s3Server). */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { S3StaticLibrary, type S3StaticLibraryOptions } from "../../src/replicator/adapters/s3Library.ts";
import { describeStaticLibrary } from "../conformance/staticLibrary.ts";
import { MemoryBlobContainer } from "../fakes/memoryBlobContainer.ts";
import { startLoginPage } from "../harness/httpServer.ts";
import { S3Server } from "../harness/s3Server/server.ts";

const KEY = { accessKeyId: "AKIAWRITER", secretAccessKey: "the secret of the writer" };

let server: S3Server;
let last = 0;

beforeAll(async () => {
  server = await S3Server.start([KEY], { pageSize: 2 });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

type Options = Partial<Omit<S3StaticLibraryOptions, "service">> & { readonly endpoint?: string };

function library({ endpoint = server.url, ...options }: Options = {}): S3StaticLibrary {
  return new S3StaticLibrary({
    region: "westeurope",
    service: {
      endpoint,
      region: "eu-west-1",
      pathStyle: true,
      credential: { kind: "access-key", ...KEY },
      clock: systemClock,
      maxAttempts: 1,
    },
    bucket: null,
    prefix: "",
    containers: "*",
    publicAccess: "blob",
    conditionalWrites: true,
    ...options,
  });
}

describeStaticLibrary("S3, a bucket per video,", () => {
  server.buckets.clear();
  return Promise.resolve({
    open: (containers: string) => library({ containers }),
    declaredAccess: "blob",
    // Port 1 of loopback: reserved, and nothing listens there.
    unreachable: library({ endpoint: "http://127.0.0.1:1" }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});

describeStaticLibrary("S3, a prefix of one bucket per video,", () => {
  last += 1;
  const layout = { bucket: `videos-${last}`, prefix: "vod/all of them/", publicAccess: "none" } as const;
  server.createBucket(layout.bucket);
  return Promise.resolve({
    open: (containers: string) => library({ ...layout, containers }),
    declaredAccess: "none",
    unreachable: library({ ...layout, endpoint: "http://127.0.0.1:1" }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
});

describe("a prefix of one bucket", () => {
  it("is a video also where nobody made it one: whatever lies under it", async () => {
    server.createBucket("published");
    const write = { contentType: "video/mp4", condition: "absent" } as const;
    const root = library({ bucket: "published" });
    await root.createContainer("made", "none");
    const elsewhere = library({ bucket: "published", prefix: "" }).container("made");
    await elsewhere.write("a.m3u8", new TextEncoder().encode("#EXTM3U\n"), write);
    const { objects } = server.bucket("published");
    const [key, object] = [...objects].find(([name]) => name.endsWith("a.m3u8")) ?? [];
    if (key === undefined || object === undefined) throw new Error("nothing was written");
    objects.set("packaged/a.m3u8", object);
    objects.set("packaged/deep/b.ts", object);
    objects.set("packaged/deep/", { ...object, content: Buffer.alloc(0) });
    expect(await Array.fromAsync(root.videos())).toEqual(["made", "packaged"]);
    const listed = await Array.fromAsync(root.container("packaged").list());
    expect(listed.map(({ name }) => name)).toEqual(["a.m3u8", "deep/b.ts"]);
    expect(await root.manifests("packaged")).toEqual({ hls: "/packaged/a.m3u8", dash: null });
  });

  it("looks for manifests without looking at every blob", async () => {
    server.createBucket("long");
    const root = library({ bucket: "long" });
    await root.createContainer("video", "none");
    const { objects } = server.bucket("long");
    const object = objects.get("video/");
    if (object === undefined) throw new Error("there is no video");
    for (let at = 0; at < 50; at += 1) objects.set(`video/seg/${at}.m4s`, { ...object, content: Buffer.from([at]) });
    objects.set("video/master.m3u8", { ...object, content: Buffer.from("#EXTM3U\n") });
    server.requests.length = 0;
    expect((await root.manifests("video")).hls).toBe("/video/master.m3u8");
    expect(server.requests.filter((line) => line.startsWith("HEAD"))).toEqual([]);
    expect(server.requests.length).toBeLessThan(4);
  });

  it("of a bucket that is not there is no container, for whoever wants to create one", async () => {
    const nowhere = library({ bucket: "nobodys" });
    await expect(nowhere.createContainer("video", "none")).rejects.toMatchObject({ code: "container_missing", retry: "never" });
    await expect(Array.fromAsync(nowhere.videos())).rejects.toMatchObject({ code: "container_missing" });
  });
});

describe("a name that the service does not take for a bucket", () => {
  it("is storage_rejected in the service's own words", async () => {
    await expect(library().createContainer("Not_A_Bucket", "none")).rejects.toMatchObject({
      code: "storage_rejected",
      message: expect.stringContaining("InvalidBucketName") as string,
    });
  });
});

describe("plain http", () => {
  it("is refused but on loopback addresses: secrets would be readable on the way", () => {
    expect(() => library({ endpoint: "http://s3.example.net" })).toThrow(expect.objectContaining({ code: "insecure_endpoint" }));
  });
});

describe("a login page in the place of an S3 service", () => {
  it.each([200, 404])("answered with %i is storage_unavailable, whatever was asked", async (status) => {
    await using login = await startLoginPage(status);
    const source = new MemoryBlobContainer("memory/source");
    const blob = source.put("a", new Uint8Array([1]));
    for (const layout of [{ bucket: "films" }, { bucket: null }]) {
      const open = (containers: string): S3StaticLibrary => library({ endpoint: login.url, containers, ...layout });
      const film = open("*").container("film");
      const asked: (() => Promise<unknown>)[] = [
        () => Array.fromAsync(open("*").videos()),
        () => Array.fromAsync(open("film").videos()),
        () => open("*").manifests("film"),
        () => open("*").publicAccess("film"),
        () => open("*").createContainer("film", "blob"),
        () => Array.fromAsync(film.list()),
        () => film.head("a.mpd"),
        () => film.read(blob, 0, 1),
        () => film.copyFrom(source, blob, "absent"),
        () => film.write("a", new Uint8Array([1]), { contentType: "video/mp4", condition: "absent" }),
      ];
      for (const ask of asked) await expect(ask()).rejects.toMatchObject({ code: "storage_unavailable", retry: "retry" });
    }
  });
});
