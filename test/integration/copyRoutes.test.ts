/** The ways of a copy that Azurite itself does not know: through the fronts of two regions, which play a whole blob service. */
import type { ContainerClient } from "@azure/storage-blob";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { systemClock, type Clock } from "../../src/core/clock.ts";
import type { AzureBlobContainerOptions, CopyMethod } from "../../src/replicator/adapters/azureBlobOptions.ts";
import { AzureBlobContainer } from "../../src/replicator/adapters/azureBlobs.ts";
import { openBlobService } from "../../src/replicator/adapters/storageClients.ts";
import type { StorageFront } from "../../src/sandbox/storageFront.ts";
import { ManualClock } from "../fakes/clock.ts";
import { StorageStage } from "../harness/storageStage.ts";
import { eventually, within } from "../harness/wait.ts";

let stage: StorageStage;
let west: StorageFront;
let north: StorageFront;
let last = 0;

/** Of the fronts: a copy that they hold stays pending as long as the test wants it to. */
const frontClock = new ManualClock(systemClock.now());

beforeAll(async () => {
  stage = await StorageStage.start({ west: "127.0.0.1", north: "127.0.0.1" }, frontClock);
  [west, north] = [stage.front("west"), stage.front("north")];
});
afterEach(async () => {
  await stage.clear();
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

type Tuning = Partial<AzureBlobContainerOptions>;

interface Regions {
  readonly source: AzureBlobContainer;
  readonly target: AzureBlobContainer;
  readonly past: ContainerClient;
  readonly pastTarget: ContainerClient;
  readonly methods: CopyMethod[];
  readonly tags: string[];
}

async function regions(tuning: Tuning = {}, clock: Clock = systemClock): Promise<Regions> {
  last += 1;
  const name = `video-${last}`;
  const methods: CopyMethod[] = [];
  const tags: string[] = [];
  const open = async (front: StorageFront, more: Tuning) => {
    const { url, accountName, accountKey } = front.address;
    const service = openBlobService({ url, login: { kind: "account-key", accountName, accountKey }, clock });
    await service.client.createContainer(name);
    return {
      service,
      container: new AzureBlobContainer({ label: `${accountName}/${name}`, clock, ...service.access(name), ...more }),
    };
  };
  const from = await open(west, {});
  const onCopy: AzureBlobContainerOptions["onCopy"] = (copy) => {
    methods.push(copy.method);
    tags.push(copy.tags);
  };
  const to = await open(north, { onCopy, ...tuning });
  const past = from.service.client.getContainerClient(name);
  const pastTarget = to.service.client.getContainerClient(name);
  return { source: from.container, target: to.container, past, pastTarget, methods, tags };
}

const CONTENT = Buffer.alloc(1000, "content");

async function seed({ past, source }: Regions, name: string) {
  await past.getBlockBlobClient(name).upload(CONTENT, CONTENT.length, {
    blobHTTPHeaders: { blobContentType: "video/mp4", blobCacheControl: "max-age=60" },
    metadata: { job: "42" },
    tier: "Cool",
    tags: { customer: "7 + more" },
  });
  const [blob] = await Array.fromAsync(source.list());
  if (blob === undefined) throw new Error("nothing was seeded");
  return blob;
}

describe("the ways of a copy", () => {
  it.each<[CopyMethod, Tuning]>([
    ["url", {}],
    ["put", { singleCopyLimit: 0 }],
    ["blocks", { singleCopyLimit: 0, singlePutLimit: 0, blockSize: 300 }],
  ])("%s carries content, properties, metadata, tier and tags, and takes all bytes from the bandwidth", async (method, tuning) => {
    const { source, target, ...made } = await regions(tuning);
    const blob = await seed({ source, target, ...made }, "a +%.mp4");
    let taken = 0;
    const pace = async (bytes: number): Promise<void> => {
      taken += bytes;
    };
    const copied = await target.copyFrom(source, blob, "absent", undefined, pace);
    expect(made.methods).toEqual([method]);
    expect(made.tags).toEqual(["kept"]);
    expect(taken).toBe(CONTENT.length);
    const [listed] = await Array.fromAsync(target.list());
    const { etag: _etag, copyStatus: _status, ...same } = blob;
    expect(listed).toMatchObject({ ...same, etag: copied.etag });
    expect(Buffer.from(await target.read(copied, 0, 2000)).equals(CONTENT)).toBe(true);
  });

  it("adopts an asynchronous copy that somebody has started, instead of starting another", async () => {
    const waits = Promise.withResolvers<void>();
    const sleep: Clock["sleep"] = async (ms, signal) => {
      waits.resolve();
      return systemClock.sleep(ms, signal);
    };
    const made = await regions({}, { ...systemClock, sleep });
    const blob = await seed(made, "a");
    north.holdCopies({ next: 1, forMs: 60_000, outcome: "success" });
    await made.pastTarget.getBlobClient("a").beginCopyFromURL(await made.source.readUrl("a"));
    expect(await made.target.head("a")).toMatchObject({ copyStatus: "pending" });
    const copying = made.target.copyFrom(made.source, blob, "absent");
    await within(20_000, "the copy to be waited for", waits.promise);
    await frontClock.advance(60_000);
    const copied = await copying;
    expect(made.methods).toEqual([]);
    expect(await made.target.head("a")).toMatchObject({ copyStatus: "success", etag: copied.etag, contentMd5: blob.contentMd5 });
  });

  it("waits as long as a busy account asks, and asks another one meanwhile", async () => {
    const clock = new ManualClock(systemClock.now());
    const made = await regions({}, clock);
    const blob = await seed(made, "a");
    north.serverBusy(2, 1);
    const began = clock.monotonic();
    let ended = 0;
    const copying = made.target.copyFrom(made.source, blob, "absent").finally(() => (ended = clock.monotonic()));
    // Time stands still: the busy account has to be waited for, the other one answers.
    expect(await made.source.head("a")).toMatchObject({ length: CONTENT.length });
    await eventually(20_000, "the copy to be done", async () => {
      await clock.advance(100);
      return ended > 0 ? true : null;
    });
    await copying;
    expect(ended - began).toBeGreaterThanOrEqual(2_000);
    expect(made.methods).toEqual(["url"]);
  });

  it("refuses names that no URL can hold, instead of asking for another blob", async () => {
    const { source } = await regions();
    for (const name of ["..", "a/../b", "a/.", "./a"])
      await expect(source.head(name)).rejects.toMatchObject({ code: "storage_rejected", retry: "never" });
    expect(await source.head("a/..b/c...")).toBeNull();
  });
});
