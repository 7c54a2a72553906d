/** What every `BlobContainer` does: the contract in `src/core/ports`, sentence by sentence. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PaircastError } from "../../src/core/errors.ts";
import type { BlobContainer, BlobInfo } from "../../src/core/ports/storage.ts";

export interface SeedProperties {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly contentLanguage?: string;
  readonly contentDisposition?: string;
  readonly cacheControl?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly tier?: "Hot" | "Cool" | "Archive";
}

export interface BlobContainerHarness extends AsyncDisposable {
  /** Two empty containers, of two accounts where there are accounts. */
  readonly source: BlobContainer;
  readonly target: BlobContainer;
  /** The target, opened for reading only. */
  readonly readOnly: BlobContainer;
  /** A container that is not there. */
  readonly missing: BlobContainer;
  /** A container of a service at which nobody answers. */
  readonly unreachable: BlobContainer;
  /** Puts a blob into the source past the port, with properties that the port cannot set. */
  seed(name: string, content: Uint8Array, properties: SeedProperties): Promise<void>;
  /** Takes a blob out of the source past the port. */
  remove(name: string): Promise<void>;
  /** Names that the service would keep under another: they are refused, with a message that says so. */
  readonly refused?: readonly string[];
  /** The parameter of a read URL that is its secret. Default `sig`. */
  readonly signatureParameter?: string;
  /** Where the implementation can be made to: a copy under way at the target that somebody else started, and its end. */
  readonly pending?: {
    start(name: string, content: Uint8Array): Promise<void>;
    /** The copy ends once somebody has seen it pending. */
    settle(name: string, status: "success" | "failed"): void;
  };
}

export const BACKSLASH = "back\\slash.mp4";
const NAMES = [
  "plain.mp4",
  "with space.mp4",
  " leading and trailing ",
  "a+b.mp4",
  "100%.mp4",
  "a%20b.mp4",
  "a&b=c#d?e.ts",
  "über/日本語.m3u8",
  "emoji 🎬.mp4",
  "dir/sub/seg-1.m4s",
  "trailing dot.",
  BACKSLASH,
  "/slash at the beginning.mp4",
  "slash at the end/",
  "two//slashes.mp4",
  "dots...in/.hidden/name..",
  "semi;colon,comma'quote\"(1)[2]{3}~!@$^.ts",
];
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const create = { contentType: "video/mp4", condition: "absent" } as const;

export function describeBlobContainer(name: string, make: () => Promise<BlobContainerHarness>): void {
  describe(`${name} keeps the contract of BlobContainer`, () => {
    let harness: BlobContainerHarness;
    beforeEach(async () => {
      harness = await make();
    });
    afterEach(async () => {
      await harness[Symbol.asyncDispose]();
    });
    const subject = (): BlobContainerHarness => harness;
    describe("list and head", () => {
      listAndHead(subject);
    });
    describe("read", () => {
      reading(subject);
    });
    describe("copyFrom", () => {
      copying(subject);
    });
    describe("write", () => {
      writing(subject);
    });
    describe("upload", () => {
      uploading(subject);
    });
    describe("errors and secrets", () => {
      errors(subject);
    });
  });
}

function listAndHead(subject: () => BlobContainerHarness): void {
  it("an empty container lists nothing", async () => {
    expect(await collect(subject().source)).toEqual([]);
  });

  it("list yields every blob once, whatever its name, as head shows it", async () => {
    const { source, refused = [] } = subject();
    const names = NAMES.filter((blob) => !refused.includes(blob));
    for (const blob of names) await source.write(blob, bytes(blob), create);
    const listed = await collect(source);
    expect(listed.map((blob) => blob.name).sort()).toEqual(names.sort());
    for (const blob of listed) expect(await source.head(blob.name)).toEqual(blob);
  });

  it("list is in the order of names", async () => {
    const { source } = subject();
    const names = ["b", "a/2", "a-1", "a/10", "A", "a", "a.ts", "10", "9"];
    for (const blob of names) await source.write(blob, bytes(blob), create);
    expect((await collect(source)).map((blob) => blob.name)).toEqual(names.toSorted());
  });

  it("head is null for a blob that is not there", async () => {
    expect(await subject().source.head("nobody.mp4")).toBeNull();
  });

  it("length, type, MD5 and content type are those of the content", async () => {
    const { source } = subject();
    await source.write("a.mp4", bytes("content"), create);
    expect(await source.head("a.mp4")).toMatchObject({
      name: "a.mp4",
      length: 7,
      type: "BlockBlob",
      contentType: "video/mp4",
      contentMd5: createHash("md5").update("content").digest("base64"),
    });
  });

  it("the ETag changes with the content", async () => {
    const { source } = subject();
    const first = await source.write("a", bytes("1"), create);
    const second = await source.write("a", bytes("2"), { contentType: "video/mp4", condition: { etag: first.etag } });
    expect(second.etag).not.toBe(first.etag);
    expect((await source.head("a"))?.etag).toBe(second.etag);
  });

  it("an aborted list ends", async () => {
    const { source } = subject();
    await source.write("a", bytes("1"), create);
    await expect(collect(source, AbortSignal.abort())).rejects.toThrow();
  });
}

function reading(subject: () => BlobContainerHarness): void {
  it("returns exactly the range that was asked for, fewer bytes only at the end", async () => {
    const { source } = subject();
    const content = new Uint8Array(1000).map((_, index) => index % 251);
    const blob = await source.write("range", content, create);
    const range = fc.tuple(fc.nat({ max: 1100 }), fc.integer({ min: 1, max: 1100 }));
    await fc.assert(
      fc.asyncProperty(range, async ([offset, count]) => {
        expect(await source.read(blob, offset, count)).toEqual(content.slice(offset, offset + count));
      }),
      { numRuns: 25 },
    );
  });

  it("reads nothing from a blob of zero bytes", async () => {
    const { source } = subject();
    const blob = await source.write("zero", new Uint8Array(), create);
    expect(await source.read(blob, 0, 10)).toHaveLength(0);
  });

  it("throws blob_changed when the blob has another version, or is gone", async () => {
    const { source, remove } = subject();
    const blob = await source.write("a", bytes("old"), create);
    await source.write("a", bytes("new"), { contentType: "video/mp4", condition: { etag: blob.etag } });
    await expectCode(source.read(blob, 0, 3), "blob_changed");
    await remove("a");
    await expectCode(source.read(blob, 0, 3), "blob_changed");
  });

  it("throws blob_archived, never to be retried, for a blob in the archive tier", async () => {
    const { source, seed } = subject();
    await seed("cold", bytes("cold"), { tier: "Archive" });
    const error = await expectCode(source.read(await found(source, "cold"), 0, 4), "blob_archived");
    expect(error.retry).toBe("never");
  });
}

function copying(subject: () => BlobContainerHarness): void {
  copyingWell(subject);
  copyingUnderConditions(subject);
  copyingBadly(subject);
  copyingWhatIsPending(subject);
}

function copyingWell(subject: () => BlobContainerHarness): void {
  it.each([...NAMES, "zero"])("copies %s under its own name, or refuses it", async (blobName) => {
    const { source, target, refused = [] } = subject();
    if (refused.includes(blobName)) {
      const blob = { ...(await source.write("a", bytes("1"), create)), name: blobName };
      await expectCode(source.write(blobName, bytes("1"), create), "storage_rejected");
      await expectCode(target.copyFrom(source, blob, "absent"), "storage_rejected");
      expect(await collect(target)).toEqual([]);
      return;
    }
    const content = blobName === "zero" ? new Uint8Array() : bytes(`content of ${blobName}`);
    const blob = await source.write(blobName, content, create);
    const copied = await target.copyFrom(source, blob, "absent");
    expect(await target.head(blobName)).toMatchObject(copied);
    expect(copied).toMatchObject({ name: blobName, length: content.length, contentMd5: blob.contentMd5 });
    expect(await target.read(copied, 0, content.length + 1)).toEqual(content);
  });

  it("carries content type, encoding, language, disposition, cache control, metadata and tier", async () => {
    const { source, target, seed } = subject();
    const properties = {
      contentType: "application/vnd.apple.mpegurl",
      contentEncoding: "gzip",
      contentLanguage: "de",
      contentDisposition: "inline",
      cacheControl: "max-age=3600",
      metadata: { origin: "encoder", job: "42" },
      tier: "Cool",
    } as const;
    await seed("master.m3u8", bytes("#EXTM3U"), properties);
    await target.copyFrom(source, await found(source, "master.m3u8"), "absent");
    expect(await target.head("master.m3u8")).toMatchObject(properties);
  });

  it("is complete when it resolves", async () => {
    const { source, target } = subject();
    const copied = await target.copyFrom(source, await source.write("a", bytes("1"), create), "absent");
    const present = await target.head("a");
    expect([null, "success"]).toContain(present?.copyStatus);
    expect(present?.etag).toBe(copied.etag);
  });
}

function copyingUnderConditions(subject: () => BlobContainerHarness): void {
  it("throws blob_conflict and changes nothing when a blob is there that must be absent", async () => {
    const { source, target } = subject();
    const blob = await source.write("a", bytes("source"), create);
    const present = await target.write("a", bytes("somebody else's"), create);
    const error = await expectCode(target.copyFrom(source, blob, "absent"), "blob_conflict");
    expect(error.retry).toBe("conflict");
    expect(await target.head("a")).toEqual(present);
  });

  it("throws blob_conflict and changes nothing when another version is there", async () => {
    const { source, target } = subject();
    const blob = await source.write("a", bytes("source"), create);
    const before = await target.write("a", bytes("1"), create);
    const present = await target.write("a", bytes("2"), { contentType: "video/mp4", condition: { etag: before.etag } });
    await expectCode(target.copyFrom(source, blob, { etag: before.etag }), "blob_conflict");
    expect(await target.head("a")).toEqual(present);
  });

  it("throws blob_conflict when the version to replace is gone", async () => {
    const { source, target } = subject();
    const blob = await source.write("a", bytes("source"), create);
    await expectCode(target.copyFrom(source, blob, { etag: blob.etag }), "blob_conflict");
    expect(await target.head("a")).toBeNull();
  });

  it("replaces exactly the version that it was told to", async () => {
    const { source, target } = subject();
    const blob = await source.write("a", bytes("source"), create);
    const present = await target.write("a", bytes("old"), create);
    const copied = await target.copyFrom(source, blob, { etag: present.etag });
    expect(await target.read(copied, 0, 99)).toEqual(bytes("source"));
  });

  it("lets one of two copies win", async () => {
    const { source, target } = subject();
    const blob = await source.write("a", bytes("source"), create);
    const both = await Promise.allSettled([target.copyFrom(source, blob, "absent"), target.copyFrom(source, blob, "absent")]);
    const failures = both.filter((one) => one.status === "rejected");
    expect(failures).toHaveLength(1);
    expect(failures[0]?.reason).toMatchObject({ code: "blob_conflict" });
  });
}

function copyingBadly(subject: () => BlobContainerHarness): void {
  it("throws blob_changed and leaves nothing when the source has another version, or is gone", async () => {
    const { source, target, remove } = subject();
    const blob = await source.write("a", bytes("old"), create);
    await source.write("a", bytes("new"), { contentType: "video/mp4", condition: { etag: blob.etag } });
    await expectCode(target.copyFrom(source, blob, "absent"), "blob_changed");
    await remove("a");
    await expectCode(target.copyFrom(source, blob, "absent"), "blob_changed");
    expect(await target.head("a")).toBeNull();
  });

  it("throws blob_archived and leaves nothing for an archived source", async () => {
    const { source, target, seed } = subject();
    await seed("cold", bytes("cold"), { tier: "Archive" });
    await expectCode(target.copyFrom(source, await found(source, "cold"), "absent"), "blob_archived");
    expect(await target.head("cold")).toBeNull();
  });

  it("leaves nothing when it is aborted", async () => {
    const { source, target } = subject();
    const blob = await source.write("a", bytes("source"), create);
    await expect(target.copyFrom(source, blob, "absent", AbortSignal.abort())).rejects.toThrow();
    expect(await target.head("a")).toBeNull();
  });

  it("throws storage_unavailable and leaves nothing when the source does not answer", async () => {
    const { source, target, unreachable } = subject();
    const blob = await source.write("a", bytes("source"), create);
    await expectCode(target.copyFrom(unreachable, blob, "absent"), "storage_unavailable");
    expect(await target.head("a")).toBeNull();
  });
}

function copyingWhatIsPending(subject: () => BlobContainerHarness): void {
  it("waits for a pending copy of the same content and does not start another", async ({ skip }) => {
    const { source, target, pending } = subject();
    if (pending === undefined) return skip("no pending copy can be made here");
    const blob = await source.write("a", bytes("source"), create);
    await pending.start("a", bytes("source"));
    const copying = target.copyFrom(source, blob, "absent");
    pending.settle("a", "success");
    expect(await copying).toMatchObject({ name: "a", contentMd5: blob.contentMd5 });
    expect(await target.head("a")).toMatchObject({ copyStatus: "success" });
  });

  it("throws blob_conflict when the pending copy turns out to be something else", async ({ skip }) => {
    const { source, target, pending } = subject();
    if (pending === undefined) return skip("no pending copy can be made here");
    const blob = await source.write("a", bytes("source"), create);
    await pending.start("a", bytes("something else"));
    const copying = target.copyFrom(source, blob, "absent");
    pending.settle("a", "success");
    await expectCode(copying, "blob_conflict");
  });

  it("a pending copy that fails is not taken for a result", async ({ skip }) => {
    const { source, target, pending } = subject();
    if (pending === undefined) return skip("no pending copy can be made here");
    const blob = await source.write("a", bytes("source"), create);
    await pending.start("a", bytes("source"));
    const copying = target.copyFrom(source, blob, "absent");
    pending.settle("a", "failed");
    await expectCode(copying, "blob_conflict");
    const broken = await found(target, "a");
    const copied = await target.copyFrom(source, blob, { etag: broken.etag });
    expect(await target.read(copied, 0, 99)).toEqual(bytes("source"));
  });
}

function writing(subject: () => BlobContainerHarness): void {
  it("creates only where nothing is, replaces only the version named", async () => {
    const { target } = subject();
    const first = await target.write("a", bytes("1"), create);
    const conflict = await expectCode(target.write("a", bytes("2"), create), "blob_conflict");
    expect(conflict.retry).toBe("conflict");
    const second = await target.write("a", bytes("2"), { contentType: "text/plain", condition: { etag: first.etag } });
    await expectCode(target.write("a", bytes("3"), { contentType: "text/plain", condition: { etag: first.etag } }), "blob_conflict");
    expect(await target.head("a")).toEqual(second);
    expect(await target.read(second, 0, 9)).toEqual(bytes("2"));
  });

  it("throws blob_conflict when the version to replace is gone", async () => {
    const { target } = subject();
    const condition = { etag: '"0x8D0000000000001"' };
    await expectCode(target.write("a", bytes("1"), { contentType: "text/plain", condition }), "blob_conflict");
  });
}

function uploading(subject: () => BlobContainerHarness): void {
  it("has the parts in the order in which they were put, once they are committed and not before", async ({ skip }) => {
    const { target } = subject();
    const upload = target.upload?.("a b.mp4", "video/mp4") ?? skip();
    await Promise.all([bytes("one,"), bytes("two,"), bytes("three")].map(async (part) => upload.put(part)));
    expect(await target.head("a b.mp4")).toBeNull();
    const blob = await upload.commit();
    expect(blob).toMatchObject({ name: "a b.mp4", length: 13, contentType: "video/mp4" });
    expect(await target.read(blob, 0, 99)).toEqual(bytes("one,two,three"));
    expect(await target.head("a b.mp4")).toEqual(blob);
  });

  it("replaces what is there, and leaves it where it is not committed", async ({ skip }) => {
    const { target } = subject();
    const before = await target.write("a", bytes("before"), create);
    const lying = target.upload?.("a", "video/mp4") ?? skip();
    await lying.put(bytes("after"));
    expect(await target.head("a")).toEqual(before);
    const blob = await lying.commit();
    expect(await target.read(blob, 0, 99)).toEqual(bytes("after"));
  });

  it("says what goes wrong as other calls do", async ({ skip }) => {
    const { missing, unreachable, readOnly } = subject();
    const put = async (container: BlobContainer): Promise<void> => (container.upload?.("a", "video/mp4") ?? skip()).put(bytes("1"));
    await expectCode(put(missing), "container_missing");
    await expectCode(put(unreachable), "storage_unavailable");
    await expectCode(put(readOnly), "storage_denied");
  });
}

function errors(subject: () => BlobContainerHarness): void {
  it("a container that is not there is container_missing, never to be retried, for every call", async () => {
    const { source, missing } = subject();
    const blob = await source.write("a", bytes("1"), create);
    const calls = everyCall(missing, source, blob);
    for (const call of calls) expect((await expectCode(call(), "container_missing")).retry).toBe("never");
  });

  it("a service that does not answer is storage_unavailable, to be retried, for every call", async () => {
    const { source, unreachable } = subject();
    const blob = await source.write("a", bytes("1"), create);
    const calls = everyCall(unreachable, source, blob);
    for (const call of calls) expect((await expectCode(call(), "storage_unavailable")).retry).toBe("retry");
  });

  it("writing to a container opened for reading is storage_denied, never to be retried", async () => {
    const { source, target, readOnly } = subject();
    const blob = await source.write("a", bytes("1"), create);
    expect((await expectCode(readOnly.write("a", bytes("1"), create), "storage_denied")).retry).toBe("never");
    await expectCode(readOnly.copyFrom(source, blob, "absent"), "storage_denied");
    const upload = readOnly.upload?.("a", "video/mp4");
    if (upload !== undefined)
      await expectCode(
        upload.put(bytes("1")).then(async () => upload.commit()),
        "storage_denied",
      );
    expect(await target.head("a")).toBeNull();
    expect(await collect(readOnly)).toEqual([]);
  });

  it("readUrl names the blob; neither the label nor an error holds its signature", async () => {
    const { source, target, unreachable, missing, signatureParameter = "sig" } = subject();
    const blob = await source.write("a b.mp4", bytes("1"), create);
    const url = new URL(await source.readUrl(blob.name));
    const signature = url.searchParams.get(signatureParameter) ?? "";
    expect(url.pathname).toContain("a%20b.mp4");
    expect(signature).not.toBe("");
    await target.write(blob.name, bytes("2"), create);
    const failures = [
      await expectCode(target.copyFrom(source, blob, "absent"), "blob_conflict"),
      await expectCode(unreachable.copyFrom(source, blob, "absent"), "storage_unavailable"),
      await expectCode(missing.copyFrom(source, blob, "absent"), "container_missing"),
    ];
    const said = [source.label, target.label, ...failures.map(everythingSaid)].join("\n");
    expect(said).not.toContain(signature);
    expect(said).not.toMatch(/[?&](sig|X-Amz-Signature)=/);
  });
}

function everyCall(container: BlobContainer, source: BlobContainer, blob: BlobInfo): readonly (() => Promise<unknown>)[] {
  return [
    () => collect(container),
    () => container.head("a"),
    () => container.read(blob, 0, 1),
    () => container.copyFrom(source, blob, "absent"),
    () => container.write("b", bytes("1"), create),
  ];
}

async function collect(container: BlobContainer, signal?: AbortSignal): Promise<BlobInfo[]> {
  return Array.fromAsync(container.list(signal));
}

async function found(container: BlobContainer, name: string): Promise<BlobInfo> {
  const blob = await container.head(name);
  if (blob === null) throw new Error(`there is no ${name} in ${container.label}`);
  return blob;
}

/** The error with which a call fails, checked to be ours and of this code. */
async function expectCode(call: Promise<unknown>, code: string): Promise<PaircastError> {
  const [result] = await Promise.allSettled([call]);
  const error: unknown = result.status === "rejected" ? result.reason : undefined;
  if (!(error instanceof PaircastError)) throw new Error(`expected ${code}, got ${result.status} ${String(error)}`, { cause: error });
  expect(error.code, error.message).toBe(code);
  return error;
}

/** All that an error could put into a log: its messages, and its causes with their fields. */
function everythingSaid(error: unknown): string {
  const parts: string[] = [];
  for (let current: unknown = error; current instanceof Error && parts.length < 6; current = current.cause)
    parts.push(current.message, current.stack ?? "", JSON.stringify(current));
  return parts.join("\n");
}
