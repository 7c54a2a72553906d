/** The streaming endpoint's blob reader over a real blob service, and an asset played through it. */
import { ContainerClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { silentLog } from "../../src/core/log.ts";
import { Azurite } from "../../src/sandbox/azurite.ts";
import type { StorageAddress } from "../../src/sandbox/contracts.ts";
import { streamingApp } from "../../src/sandbox/streaming/app.ts";
import { storageBlobReader } from "../../src/sandbox/streaming/blobReader.ts";
import type { BlobReader } from "../../src/sandbox/streaming/blobs.ts";
import { CLEAR_LOCATOR, FakeAccount, FakeFault, manifestPath, MemoryBlobs, sampleRegion } from "../sandbox/streaming/sampleRegion.ts";

const CONTAINER = "asset-sample";
const ACCOUNT = { name: "westeurope", key: Buffer.alloc(64, 7).toString("base64") };
const TEXT = { container: CONTAINER, name: "folder/text ä.txt" };

let azurite: Azurite;
let address: StorageAddress;
let blobs: BlobReader;

beforeAll(async () => {
  azurite = await Azurite.start({ accounts: [ACCOUNT], port: 0, clock: systemClock, log: silentLog });
  address = { accountName: ACCOUNT.name, accountKey: ACCOUNT.key, url: `${azurite.url}/${ACCOUNT.name}` };
  const container = new ContainerClient(`${address.url}/${CONTAINER}`, new StorageSharedKeyCredential(ACCOUNT.name, ACCOUNT.key));
  await container.create();
  for (const [name, bytes] of MemoryBlobs.sample(CONTAINER).files) await container.getBlockBlobClient(name).uploadData(bytes);
  await container.getBlockBlobClient(TEXT.name).uploadData(Buffer.from("0123456789"));
  blobs = storageBlobReader(address);
});

afterAll(async () => {
  await azurite[Symbol.asyncDispose]();
});

describe("storageBlobReader", () => {
  it("reads a range, and what there is of one that reaches past the end", async () => {
    expect(await text({ ...TEXT, offset: 2, count: 3 })).toBe("234");
    expect(await text({ ...TEXT, offset: 8, count: 100 })).toBe("89");
  });

  it("tells absent blobs and containers, unchanged and changed ones", async () => {
    const whole = { ...TEXT, offset: 0, count: 10 };
    const first = await blobs.read(whole);
    const etag = first.kind === "found" ? first.etag : "";
    expect(await blobs.read({ ...whole, ifNoneMatch: etag })).toEqual({ kind: "unchanged" });
    expect(await text({ ...whole, ifMatch: etag })).toBe("0123456789");
    expect(await blobs.read({ ...whole, ifMatch: '"0x8D000000000000"' })).toEqual({ kind: "changed" });
    expect(await blobs.read({ ...whole, name: "none" })).toEqual({ kind: "absent" });
    expect(await blobs.read({ ...whole, container: "none" })).toEqual({ kind: "absent" });
    expect(await blobs.read({ ...whole, offset: 100 })).toEqual({ kind: "absent" });
  });

  it("reports storage that refuses or is not there, without the account key", async () => {
    const wrongKey = storageBlobReader({ ...address, accountKey: Buffer.alloc(64, 8).toString("base64") });
    await expect(wrongKey.read({ ...TEXT, offset: 0, count: 1 })).rejects.toMatchObject({ code: "storage_unreadable" });
    // Port 1 of loopback: reserved, and nothing listens there.
    const nobody = storageBlobReader({ ...address, url: "http://127.0.0.1:1/westeurope" });
    await expect(nobody.read({ ...TEXT, offset: 0, count: 1 })).rejects.toSatisfy(
      (error: Error) => !`${error.message} ${String(error.cause)}`.includes(ACCOUNT.key),
    );
  });
});

describe("the streaming endpoint over it", () => {
  it("serves the same bytes as from memory", async () => {
    const deps = { account: new FakeAccount(), clock: systemClock, fault: new FakeFault(), keysUrl: "http://keys.test", log: silentLog };
    const app = streamingApp({ ...deps, blobs });
    const memory = sampleRegion();
    const base = `/${CLEAR_LOCATOR}/paircast-sample.ism`;
    const master = await memory.text(manifestPath(CLEAR_LOCATOR, "m3u8-cmaf"));
    const bitrate = /QualityLevels\((\d+)\)\/Manifest\(video/.exec(master)?.[1];
    for (const path of [
      manifestPath(CLEAR_LOCATOR, "m3u8-cmaf"),
      manifestPath(CLEAR_LOCATOR, "mpd-time-cmaf"),
      `${base}/QualityLevels(${bitrate})/Fragments(video=i,format=m3u8-cmaf)`,
      `${base}/QualityLevels(${bitrate})/Fragments(video=25600,format=m3u8-cmaf)`,
    ]) {
      const answer = await app.request(path);
      expect(answer.status, path).toBe(200);
      expect(new Uint8Array(await answer.arrayBuffer())).toEqual(await memory.bytes(path));
    }
  });
});

async function text(question: Parameters<BlobReader["read"]>[0]): Promise<string> {
  const answer = await blobs.read(question);
  return answer.kind === "found" ? new TextDecoder().decode(answer.bytes) : answer.kind;
}
