/** The blob container over the real S3 SDK and a stand-in for the service (test/harness/s3Server); no S3 of anybody's is asked. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { S3Conditions } from "../../src/replicator/adapters/s3Conditions.ts";
import { S3BlobContainer } from "../../src/replicator/adapters/s3Objects.ts";
import type { S3CopyMethod, S3Tuning } from "../../src/replicator/adapters/s3Options.ts";
import { S3Service, type S3ServiceOptions } from "../../src/replicator/adapters/s3Service.ts";
import { describeBlobContainer, type BlobContainerHarness, type SeedProperties } from "../conformance/blobContainer.ts";
import { MemoryBlobContainer } from "../fakes/memoryBlobContainer.ts";
import { S3Server } from "../harness/s3Server/server.ts";
import { etagOf, type StoredObject } from "../harness/s3Server/store.ts";
import { S3Error } from "../harness/s3Server/xml.ts";

const WRITER = { accessKeyId: "AKIAWRITER", secretAccessKey: "the secret of the writer" };
const READER = { accessKeyId: "AKIAREADER", secretAccessKey: "the secret of the reader", readOnly: true };
const CLASSES = { Hot: "STANDARD", Cool: "STANDARD_IA", Archive: "GLACIER" } as const;

let server: S3Server;
let elsewhere: S3Server;
let last = 0;

beforeAll(async () => {
  server = await S3Server.start([WRITER, READER], { leastPart: 1, pageSize: 3 });
  elsewhere = await S3Server.start([WRITER], { leastPart: 1 });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await elsewhere[Symbol.asyncDispose]();
});

function service(endpoint: string, key: typeof WRITER = WRITER, more: Partial<S3ServiceOptions> = {}): S3Service {
  const { accessKeyId, secretAccessKey } = key;
  const credential = { kind: "access-key", accessKeyId, secretAccessKey } as const;
  return new S3Service({ endpoint, region: "eu-west-1", pathStyle: true, credential, clock: systemClock, maxAttempts: 1, ...more });
}

function open(on: S3Service, bucket: string, prefix: string, tuning: S3Tuning = {}): S3BlobContainer {
  const conditions = new S3Conditions(on, true);
  return new S3BlobContainer({ label: `${bucket}/${prefix}`, service: on, conditions, bucket, prefix, ...tuning });
}

function stored(content: Uint8Array, { metadata, tier, ...properties }: SeedProperties): StoredObject {
  const names = {
    contentType: "content-type",
    contentEncoding: "content-encoding",
    contentLanguage: "content-language",
    contentDisposition: "content-disposition",
    cacheControl: "cache-control",
  } as const;
  const headers = Object.entries(properties).map(([name, value]) => [names[name as keyof typeof names], value] as const);
  return {
    content: Buffer.from(content),
    etag: etagOf(Buffer.from(content), false),
    headers: Object.fromEntries(headers),
    metadata: metadata ?? {},
    storageClass: CLASSES[tier ?? "Hot"],
    modified: new Date(),
    tags: "",
  };
}

interface Layout {
  readonly source?: S3Server;
  readonly prefix?: string;
  readonly tuning?: S3Tuning;
  readonly service?: Partial<S3ServiceOptions>;
}

function harness({ source: from = server, prefix = "", tuning = {}, service: more = {} }: Layout = {}): BlobContainerHarness {
  last += 1;
  const [here, there] = [`source-${last}`, `target-${last}`];
  const bucket = from.createBucket(here);
  const target = server.createBucket(there);
  for (const each of [bucket, target]) if (prefix !== "") each.objects.set(prefix, stored(new Uint8Array(), {}));
  return {
    source: open(service(from.url, WRITER, more), here, prefix),
    target: open(service(server.url, WRITER, more), there, prefix, tuning),
    readOnly: open(service(server.url, READER), there, prefix, tuning),
    missing: prefix === "" ? open(service(server.url), "not-there", "") : open(service(server.url), there, "nobody/"),
    // Port 1 of loopback: reserved, and nothing listens there.
    unreachable: open(service("http://127.0.0.1:1"), "nobody", prefix),
    signatureParameter: "X-Amz-Signature",
    seed: async (name, content, properties) => {
      bucket.objects.set(`${prefix}${name}`, stored(content, properties));
    },
    remove: async (name) => {
      bucket.objects.delete(`${prefix}${name}`);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

describeBlobContainer("S3, a bucket, copied in one request,", async () => harness());
describeBlobContainer("S3, a prefix of a bucket, copied in parts,", async () =>
  harness({ prefix: "vod/a video/", tuning: { singleCopyLimit: -1, partSize: 5 } }),
);
describeBlobContainer("S3, a bucket, copied through this process,", async () => harness({ source: elsewhere, tuning: { partSize: 5 } }));
describeBlobContainer("S3, a prefix, through this process, with checksums of whole objects,", async () =>
  harness({ source: elsewhere, prefix: "vod/", tuning: { partSize: 5 }, service: { checksums: true } }),
);

const CONTENT = new Uint8Array(1000).map((_, index) => index % 251);
const write = { contentType: "video/mp4", condition: "absent" } as const;

/** A source that is not S3, and an S3 target that tells how it copied. */
function fromMemory(tuning: S3Tuning = {}, more: Partial<S3ServiceOptions> = {}) {
  const copies: { method: S3CopyMethod; reused: number }[] = [];
  const { target, ...rest } = harness({ tuning: { partSize: 100, onCopy: (copy) => copies.push(copy), ...tuning }, service: more });
  return { ...rest, target, copies, source: new MemoryBlobContainer("memory/source") };
}

const bucketOf = (container: { readonly label: string }) => server.bucket(container.label.split("/")[0] ?? "");

describe("the way a blob is copied into S3", () => {
  it("is one request up to the limit, parts above it, and a stream from another service", async () => {
    const methods = async (tuning: S3Tuning, source: S3Server): Promise<readonly S3CopyMethod[]> => {
      const seen: S3CopyMethod[] = [];
      const { source: from, target } = harness({ source, tuning: { ...tuning, onCopy: ({ method }) => seen.push(method) } });
      const copied = await target.copyFrom(from, await from.write("a", CONTENT, write), "absent");
      expect(await target.read(copied, 0, 2000)).toEqual(CONTENT);
      return seen;
    };
    expect(await methods({ singleCopyLimit: 1000 }, server)).toEqual(["service"]);
    expect(await methods({ singleCopyLimit: 999, partSize: 100 }, server)).toEqual(["parts"]);
    expect(await methods({ partSize: 100 }, elsewhere)).toEqual(["stream"]);
  });

  it("is a stream where the service may not read the source, and then always", async () => {
    const seen: S3CopyMethod[] = [];
    const { source, target } = harness({ tuning: { onCopy: ({ method }) => seen.push(method) } });
    const blobs = [await source.write("a", CONTENT, write), await source.write("b", CONTENT, write)];
    let refused = 0;
    server.behaviour.fault = ({ headers }) => {
      if (headers["x-amz-copy-source"] === undefined) return null;
      refused += 1;
      return new S3Error(403, "AccessDenied", "Access Denied");
    };
    try {
      for (const blob of blobs) await target.copyFrom(source, blob, "absent");
    } finally {
      server.behaviour.fault = undefined;
    }
    expect([seen, refused]).toEqual([["stream", "stream"], 1]);
  });

  it("uses the parts again that an interrupted copy has sent, whatever process sent them", async () => {
    const { source, target, copies } = fromMemory();
    const blob = source.put("a", CONTENT, { contentType: "video/mp4", metadata: { job: "1" } });
    const sent = (): number => server.requests.filter((line) => line.startsWith("PUT") && line.includes(`${target.label}a?`)).length;
    server.behaviour.fault = ({ query }) => (query.get("partNumber") === "7" ? new S3Error(500, "InternalError", "gone") : null);
    await expect(target.copyFrom(source, blob, "absent")).rejects.toMatchObject({ code: "storage_unavailable" });
    server.behaviour.fault = undefined;
    expect(await target.head("a")).toBeNull();
    const before = sent();
    expect(bucketOf(target).uploads.size).toBe(1);
    const copied = await target.copyFrom(source, blob, "absent");
    expect(copied).toMatchObject({ length: 1000, contentMd5: blob.contentMd5, metadata: { job: "1" } });
    expect(await target.read(copied, 0, 2000)).toEqual(CONTENT);
    const reused = copies.at(-1)?.reused ?? 0;
    expect(reused).toBeGreaterThanOrEqual(4);
    expect(sent() - before).toBe(10 - reused);
    expect(bucketOf(target).uploads.size).toBe(0);
  });

  it("takes no part of another content for its own, and no properties of an older version", async () => {
    const { source, target, copies } = fromMemory();
    const old = source.put(
      "a",
      CONTENT.map((byte, at) => (at < 300 ? byte : byte + 1)),
      { contentType: "text/plain" },
    );
    server.behaviour.fault = ({ method, query }) =>
      method === "POST" && query.has("uploadId") ? new S3Error(500, "InternalError", "gone") : null;
    await expect(target.copyFrom(source, old, "absent")).rejects.toMatchObject({ code: "storage_unavailable" });
    server.behaviour.fault = undefined;
    const blob = source.put("a", CONTENT, { contentType: "video/mp4", metadata: { job: "2" }, cacheControl: "no-store" });
    const copied = await target.copyFrom(source, blob, "absent");
    expect(copies.at(-1)).toMatchObject({ reused: 3 });
    expect(copied).toMatchObject({
      contentType: "video/mp4",
      metadata: { job: "2" },
      cacheControl: "no-store",
      contentMd5: blob.contentMd5,
    });
    expect(await target.read(copied, 0, 2000)).toEqual(CONTENT);
  });

  it("takes up parts that the service copied itself, unless the source is younger than they are", async () => {
    const { source, target, copies } = (() => {
      const seen: { method: S3CopyMethod; reused: number }[] = [];
      return { ...harness({ tuning: { singleCopyLimit: -1, partSize: 100, onCopy: (copy) => seen.push(copy) } }), copies: seen };
    })();
    const blob = await source.write("a", CONTENT, write);
    const object = bucketOf(source).object("a");
    const interrupt = async (): Promise<void> => {
      server.behaviour.fault = ({ query }) => (query.get("partNumber") === "7" ? new S3Error(500, "InternalError", "gone") : null);
      await expect(target.copyFrom(source, blob, "absent")).rejects.toMatchObject({ code: "storage_unavailable" });
      server.behaviour.fault = undefined;
    };
    bucketOf(source).objects.set("a", { ...object, modified: new Date(Date.now() - 60_000) });
    await interrupt();
    await target.copyFrom(source, blob, "absent");
    expect(copies.at(-1)?.reused).toBeGreaterThanOrEqual(4);
    bucketOf(target).objects.clear();
    await interrupt();
    bucketOf(source).objects.set("a", { ...object, modified: new Date(Date.now() + 60_000) });
    await target.copyFrom(source, blob, "absent");
    expect(copies.at(-1)?.reused).toBe(0);
  });

  it("begins anew where uploads may not be listed", async () => {
    const { source, target } = fromMemory();
    const blob = source.put("a", CONTENT);
    server.behaviour.hideUploads = true;
    try {
      expect(await target.copyFrom(source, blob, "absent")).toMatchObject({ length: 1000 });
    } finally {
      server.behaviour.hideUploads = false;
    }
  });

  it("leaves no upload behind that nobody could use", async () => {
    const { source, target } = fromMemory();
    const blob = source.put("a", CONTENT);
    let written = false;
    server.behaviour.fault = ({ query }) => {
      if (query.get("partNumber") !== "10" || written) return null;
      written = true;
      // Somebody else is faster: at the last part there is a blob.
      bucketOf(target).objects.set("a", stored(new Uint8Array([1]), {}));
      return null;
    };
    await expect(target.copyFrom(source, blob, "absent")).rejects.toMatchObject({ code: "blob_conflict" });
    server.behaviour.fault = undefined;
    expect(bucketOf(target).uploads.size).toBe(0);
    expect(bucketOf(target).object("a").content).toEqual(Buffer.from([1]));
  });

  it("refuses a source whose bytes are not what its own MD5 says, in one request and in parts", async () => {
    for (const partSize of [100, 2000]) {
      const { source, target } = fromMemory({ partSize });
      const blob = source.put("a", CONTENT, { contentMd5: Buffer.alloc(16).toString("base64") });
      await expect(target.copyFrom(source, blob, "absent")).rejects.toMatchObject({ code: "copy_mismatch" });
      expect(await target.head("a")).toBeNull();
      expect(bucketOf(target).uploads.size).toBe(0);
    }
  });
});

describe("the MD5 of an object", () => {
  it("is not its ETag where it came in parts or is encrypted with KMS; then it is what the writer noted", async () => {
    const { source, target } = fromMemory();
    const copied = await target.copyFrom(source, source.put("a", CONTENT), "absent");
    expect(bucketOf(target).object("a").etag).toMatch(/-10"$/);
    expect(copied.contentMd5).toBe(source.put("b", CONTENT).contentMd5);
    const unknown = await target.copyFrom(source, source.put("c", CONTENT, { contentMd5: null }), "absent");
    expect(unknown.contentMd5).toBeNull();

    server.behaviour.kms = true;
    try {
      const { metadata, ...blob } = await target.write("d", CONTENT, write);
      expect(blob.contentMd5).toBe(copied.contentMd5);
      expect(metadata).toEqual({});
      bucketOf(target).objects.set("e", { ...bucketOf(target).object("d"), metadata: {} });
      expect((await target.head("e"))?.contentMd5).toBeNull();
    } finally {
      server.behaviour.kms = false;
    }
  });
});

describe("a service that", () => {
  it("ignores the conditions of writes is refused, and nothing is left there", async () => {
    const { source, target } = fromMemory();
    server.behaviour.conditions = false;
    try {
      const error = await target.copyFrom(source, source.put("a", CONTENT), "absent").catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: "storage_rejected",
        retry: "never",
        message: expect.stringContaining("conditionalWrites") as string,
      });
      expect([...bucketOf(target).objects.keys()]).toEqual([]);
    } finally {
      server.behaviour.conditions = true;
    }
  });

  it("ignores those of copies only copies in parts instead", async () => {
    const seen: S3CopyMethod[] = [];
    const { source, target } = harness({ tuning: { onCopy: ({ method }) => seen.push(method) } });
    server.behaviour.conditions = "not-copies";
    try {
      await target.copyFrom(source, await source.write("a", CONTENT, write), "absent");
    } finally {
      server.behaviour.conditions = true;
    }
    expect(seen).toEqual(["parts"]);
    expect([...bucketOf(target).objects.keys()]).toEqual(["a"]);
  });

  it("says SlowDown is asked again, later; one that goes on saying so is storage_unavailable", async () => {
    const { target } = fromMemory({}, { maxAttempts: 3 });
    let left = 1;
    server.behaviour.fault = ({ method, key }) => {
      if (method !== "PUT" || key !== "a" || left === 0) return null;
      left -= 1;
      return new S3Error(503, "SlowDown", "Please reduce your request rate.");
    };
    try {
      expect(await target.write("a", CONTENT, write)).toMatchObject({ length: 1000 });
      left = 3;
      const more = target.write("a", CONTENT, { ...write, condition: { etag: (await target.head("a"))?.etag ?? "" } });
      await expect(more).rejects.toMatchObject({ code: "storage_unavailable", retry: "retry" });
    } finally {
      server.behaviour.fault = undefined;
    }
  });

  it("breaks off an answer in the middle is storage_unavailable", async () => {
    const { target } = fromMemory();
    server.behaviour.fault = ({ key }) => (key === "a" ? "drop" : null);
    try {
      await expect(target.head("a")).rejects.toMatchObject({ code: "storage_unavailable", retry: "retry" });
    } finally {
      server.behaviour.fault = undefined;
    }
  });

  it("does not know the key is storage_denied, and the secret is in no message", async () => {
    const { target } = fromMemory();
    const wrong = open(service(server.url, { ...WRITER, secretAccessKey: "another secret" }), target.label.split("/")[0] ?? "", "");
    const error: unknown = await wrong.head("a").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "storage_denied", retry: "never" });
    expect(JSON.stringify(error) + String(error)).not.toContain("another secret");
  });
});

describe("a presigned URL", () => {
  it("lets anybody read the object, and nothing else, in a bucket that is closed", async () => {
    const { source } = harness({ prefix: "vod/100% a+b/" });
    await source.write("it's (one)!.mp4", CONTENT, write);
    const url = await source.readUrl("it's (one)!.mp4");
    const answer = await fetch(url);
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(CONTENT);
    expect((await fetch(url.replace("one", "two"))).status).toBe(403);
    expect((await fetch(url.split("?")[0] ?? "")).status).toBe(403);
  });
});
