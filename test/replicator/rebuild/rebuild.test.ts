/** A region that has lost its content, rebuilt over accounts in memory: from the other, from the record, in the middle of it again. */
import { beforeEach, describe, expect, it } from "vitest";
import { silentLog } from "../../../src/core/log.ts";
import type { StreamingLocator } from "../../../src/core/media.ts";
import { canonicalText, contentKeyPolicyTree } from "../../../src/replicator/normalise.ts";
import { RecordBook } from "../../../src/replicator/keyRecords/book.ts";
import { locatorRecordId } from "../../../src/replicator/keyRecords/content.ts";
import { Keyring } from "../../../src/replicator/keyRecords/keyring.ts";
import { amsRebuildDriver } from "../../../src/replicator/rebuild/drivers.ts";
import { RECORD } from "../../../src/replicator/rebuild/plan.ts";
import { rebuildRegion, type RebuildOptions, type RebuildSummary } from "../../../src/replicator/rebuild/rebuild.ts";
import { replicateAsset, type AmsDeps } from "../../../src/replicator/run.ts";
import { seededRandom } from "../../fakes/clock.ts";
import { MemoryKeyRecords } from "../../fakes/memoryKeyRecords.ts";
import { MemoryMediaAccount } from "../../fakes/memoryMediaAccount.ts";
import { KEY_VALUE, unavailable, World } from "../world.ts";

const VIDEOS = ["intro", "second", "third"] as const;

let world: World;
let records: MemoryKeyRecords;
beforeEach(async () => {
  world = new World();
  records = new MemoryKeyRecords((fence) => world.journal.holds(fence));
  for (const [at, name] of VIDEOS.entries()) await publish(name, at + 1);
});

function idOf(number: number): string {
  return `${String(number).repeat(8)}-1111-4111-8111-111111111111`;
}

function keysOf(number: number): StreamingLocator["contentKeys"] {
  const id = `${String(number).repeat(8)}-2222-4222-8222-222222222222`;
  return [
    {
      id,
      type: null,
      labelReferenceInStreamingPolicy: "main",
      value: Buffer.from(KEY_VALUE.map((byte) => byte ^ number)).toString("base64"),
      policyName: null,
    },
  ];
}

/** As a replicator does it: the original, then the copy. */
async function publish(name: string, number: number): Promise<void> {
  await world.publish("west", name, { streamingLocatorId: idOf(number), contentKeys: keysOf(number) });
  for (const target of ["west", "north"]) {
    const { result, error } = await replicateAsset(deps(), { source: "west", target, assetName: name });
    expect([result, error]).toEqual(["changed", null]);
  }
}

function deps(key = 1): AmsDeps {
  const keyring = new Keyring([async () => Buffer.alloc(32, key)]);
  const book = new RecordBook({ records, keyring, clock: world.clock, random: seededRandom(records.calls.all.length), log: silentLog });
  return { ...world.deps, records: book };
}

/** The account is deleted, and made again under the same name. */
function lose(region: string, empty = new MemoryMediaAccount({ region, clock: world.clock, random: seededRandom(9) })): MemoryMediaAccount {
  (world.accounts as Map<string, MemoryMediaAccount>).set(region, empty);
  return empty;
}

async function rebuild(
  change: Partial<RebuildOptions> = {},
  { key = 1, stop }: { key?: number; stop?: AbortSignal } = {},
): Promise<RebuildSummary> {
  const options = {
    region: "west",
    from: null,
    others: ["north"],
    isTarget: true,
    filesInPlace: false,
    force: false,
    dryRun: false,
    ...change,
  };
  await world.clock.advance(1000);
  return rebuildRegion(deps(key), amsRebuildDriver(deps(key), records), options, stop);
}

async function states(region: string): Promise<readonly (string | undefined)[]> {
  return (await Array.fromAsync(world.catalogue.list())).map(({ entry }) => entry.regions[region]?.state);
}

async function keyIn(region: string, name: string): Promise<unknown> {
  return (await world.account(region).locator(`locator-${name}`))?.contentKeys.map(({ id, value }) => [id, value]);
}

const verified = VIDEOS.map(() => "verified");

describe("rebuild from another region", () => {
  it("brings everything back under the same ids and key values, and keeps the publisher", async () => {
    const before = await Promise.all(VIDEOS.map((name) => keyIn("west", name)));
    lose("west");
    world.reset();
    const summary = await rebuild();
    expect(summary).toMatchObject({ withdrawn: 3, rebuilt: 3, failed: 0, conflicts: 0, lost: [], waiting: [], resumedFrom: null });
    expect(await states("west")).toEqual(verified);
    expect(await Promise.all(VIDEOS.map((name) => keyIn("west", name)))).toEqual(before);
    for await (const { entry } of world.catalogue.list()) expect(entry.source).toBe("west");
    expect(world.account("west").blobs("asset-intro").names()).toEqual(world.account("north").blobs("asset-intro").names());
    expect(world.mutations("north")).toBe(0);
  });

  it("routes nobody to the region before it is verified", async () => {
    lose("west").calls.failAll("createLocator", unavailable());
    const summary = await rebuild();
    expect(summary).toMatchObject({ rebuilt: 0, failed: 3 });
    expect(await states("west")).toEqual(VIDEOS.map(() => "withdrawn"));
    expect(await states("north")).toEqual(verified);
  });

  it("goes on where a run was stopped, without a second copy of anything", async () => {
    const account = lose("west");
    const stop = new AbortController();
    account.calls.onCall = ({ operation }) => {
      if (operation === "createLocator") stop.abort();
    };
    const first = await rebuild({}, { stop: stop.signal });
    expect(first.rebuilt).toBeLessThan(3);
    account.calls.onCall = null;
    const copied = account.blobCalls.count("copyFrom");
    expect(copied).toBeGreaterThan(0);
    const second = await rebuild();
    expect(second.resumedFrom).not.toBeNull();
    expect(second.failed + second.waiting.length).toBe(0);
    expect(await states("west")).toEqual(verified);
    expect(account.blobCalls.count("copyFrom")).toBe(9);
    const third = await rebuild({ force: true });
    expect(third.resumedFrom).toBeNull();
  });

  it("does once more what has failed, and leaves alone what is done", async () => {
    const account = lose("west");
    account.calls.failNth("createLocator", 2, unavailable());
    account.calls.onCall = ({ operation }) => {
      if (operation === "createLocator") world.clock.jump(5);
    };
    expect(await rebuild()).toMatchObject({ rebuilt: 2, failed: 1 });
    world.reset();
    const again = await rebuild();
    expect(again).toMatchObject({ rebuilt: 1, failed: 0, done: 2, withdrawn: 0 });
    expect(await states("west")).toEqual(verified);
  });

  it("with a dry run says what would be done, and does nothing", async () => {
    lose("west");
    world.reset();
    const summary = await rebuild({ dryRun: true });
    expect(summary).toMatchObject({ withdrawn: 3, rebuilt: 0, dryRun: true });
    expect(summary.jobs.map(({ from, assetName }) => `${from}/${assetName}`)).toEqual(VIDEOS.map((name) => `north/${name}`));
    expect(await states("west")).toEqual(verified);
    expect(world.mutations("west") + world.mutations("north")).toBe(0);
    expect((await rebuild()).resumedFrom).toBeNull();
  });

  it("is refused for a region that lists everything, unless it is insisted on", async () => {
    await expect(rebuild()).rejects.toMatchObject({ code: "nothing_lost" });
    expect(await states("west")).toEqual(verified);
    world.account("west").blobs("asset-intro").remove("video.mp4");
    expect(await rebuild({ force: true })).toMatchObject({ withdrawn: 3, failed: 0 });
    expect(await states("west")).toEqual(verified);
    expect(world.account("west").blobs("asset-intro").names()).toContain("video.mp4");
  });

  it("says what nobody has any more, and what waits for a region that does not answer", async () => {
    lose("west");
    await replaceCopy(idOf(3), "north", "withdrawn");
    const summary = await rebuild();
    expect(summary.lost).toEqual([{ locatorId: idOf(3), assetName: "third", why: "no region has a verified copy" }]);
    expect(summary.rebuilt).toBe(2);
    world.account("north").calls.failAll("*", unavailable());
    lose("west");
    const dark = await rebuild();
    expect(dark.waiting.map(({ assetName }) => assetName)).toEqual(["intro", "second"]);
    await expect(rebuild({ from: "north" })).rejects.toMatchObject({ code: "source_unreachable" });
  });

  it("is refused while the region itself does not answer", async () => {
    lose("west").calls.failAll("locators", unavailable());
    await expect(rebuild()).rejects.toMatchObject({ code: "target_unreachable", retry: "retry" });
    expect(await states("west")).toEqual(verified);
  });

  it("does not touch what is in the way: a conflict names both sides", async () => {
    const account = lose("west");
    await account.putContentKeyPolicy({ name: "tokens", properties: { description: "somebody else's", options: [] } });
    const summary = await rebuild();
    expect(summary).toMatchObject({ rebuilt: 0, conflicts: 3 });
    expect(summary.results[0]?.error?.message).toContain("content key policy tokens");
    expect((await account.contentKeyPolicy("tokens"))?.properties["description"]).toBe("somebody else's");
  });

  it("verifies in its place what only the region itself still has", async () => {
    await replaceCopy(idOf(1), "north", "withdrawn");
    const summary = await rebuild({ force: true });
    expect(summary.jobs.find(({ assetName }) => assetName === "intro")?.from).toBe("west");
    expect(summary.failed).toBe(0);
    expect(await states("west")).toEqual(verified);
  });
});

describe("rebuild from the record", () => {
  it("makes policies, filters and locators again with nothing but the files from elsewhere", async () => {
    const [before, policy] = [await keyIn("west", "intro"), await world.account("west").contentKeyPolicy("tokens")];
    lose("west");
    const north = world.account("north");
    for (const name of ["locator", "contentKeyPolicy", "streamingPolicy", "assetFilters"]) north.calls.failAll(name, unavailable());
    const summary = await rebuild({ from: RECORD });
    expect(summary).toMatchObject({ rebuilt: 3, failed: 0, lost: [], waiting: [] });
    expect(await keyIn("west", "intro")).toEqual(before);
    const here = world.account("west");
    const made = await here.contentKeyPolicy("tokens");
    expect(canonicalText(contentKeyPolicyTree(made?.properties ?? {}))).toBe(canonicalText(contentKeyPolicyTree(policy?.properties ?? {})));
    expect((await Array.fromAsync(here.assetFilters("intro"))).map(({ name }) => name)).toEqual(["own"]);
    expect((await here.accountFilter("shared"))?.name).toBe("shared");
    expect(await states("west")).toEqual(verified);
    for await (const { entry } of world.catalogue.list()) expect(entry.source).toBe("west");
  });

  it("takes it by itself where the other region has lost what publishes a video", async () => {
    lose("west");
    const before = await keyIn("north", "second");
    world.account("north").removeLocator("locator-second");
    const summary = await rebuild();
    expect(summary).toMatchObject({ rebuilt: 3, failed: 0 });
    expect(await keyIn("west", "second")).toEqual(before);
  });

  it("takes the files that lie in the region's own containers where that is said", async () => {
    const old = world.account("west");
    const empty = lose("west");
    for (const name of VIDEOS) {
      for (const blob of await Array.fromAsync(old.blobs(`asset-${name}`).list()))
        empty.blobs(`asset-${name}`).put(blob.name, await old.blobs(`asset-${name}`).read(blob, 0, blob.length));
    }
    world.account("north").calls.failAll("*", unavailable());
    expect((await rebuild({ from: RECORD })).waiting).toHaveLength(3);
    const summary = await rebuild({ from: RECORD, filesInPlace: true });
    expect(summary).toMatchObject({ rebuilt: 3, failed: 0, bytes: 0, waiting: [] });
    expect(await states("west")).toEqual(verified);
  });

  it("is refused without a record, and says so for each video whose master key is lost or whose record was changed", async () => {
    lose("west");
    await expect(
      rebuildRegion({ ...world.deps }, amsRebuildDriver(world.deps, records), {
        region: "west",
        from: RECORD,
        others: ["north"],
        isTarget: true,
        filesInPlace: false,
        force: false,
        dryRun: false,
      }),
    ).rejects.toMatchObject({ code: "no_key_record" });
    const wrong = await rebuild({ from: RECORD }, { key: 2 });
    expect(wrong.results.map(({ error }) => error?.code)).toEqual(VIDEOS.map(() => "key_record_locked"));
    records.tamper(locatorRecordId(idOf(2)), (record) => ({ ...record, sealed: `${record.sealed.slice(0, -8)}AAAAAAA=` }));
    const damaged = await rebuild({ from: RECORD });
    expect(damaged).toMatchObject({ rebuilt: 2, failed: 1 });
    expect(damaged.results.find(({ assetName }) => assetName === "second")?.error?.code).toBe("key_record_damaged");
    expect(await world.account("west").locator("locator-second")).toBeNull();
  });
});

describe("the record of what is published", () => {
  it("has each locator with what it names, once, and is not written again while nothing changes", async () => {
    const ids = (await Array.fromAsync(records.list())).map(({ id }) => id);
    expect(ids).toEqual([
      "accountFilters/west/all",
      "contentKeyPolicy/west/tokens",
      ...VIDEOS.map((_, at) => `locator/${idOf(at + 1)}`),
      "streamingPolicy/west/envelope",
    ]);
    records.calls.reset();
    for (const target of ["west", "north"]) await replicateAsset(deps(), { source: "west", target, assetName: "intro" });
    expect(records.calls.mutations).toEqual([]);
  });

  it("follows a changed policy", async () => {
    const before = await records.get("contentKeyPolicy/west/tokens");
    await world.account("west").putContentKeyPolicy({ name: "tokens", properties: { description: "new", options: [] } });
    await replicateAsset(deps(), { source: "west", target: "west", assetName: "intro" });
    expect((await records.get("contentKeyPolicy/west/tokens"))?.version).not.toBe(before?.version);
  });

  it("has nothing of what is not verified, and is not written by who has lost the lease", async () => {
    world.dark.add("west");
    await world.publish("west", "fourth", { streamingLocatorId: idOf(4), contentKeys: keysOf(4) });
    await replicateAsset(deps(), { source: "west", target: "west", assetName: "fourth" });
    expect(await records.get(locatorRecordId(idOf(4)))).toBeNull();
    world.dark.clear();
    records.calls.failAll("put", unavailable("the store went away"));
    const { result, error } = await replicateAsset(deps(), { source: "west", target: "west", assetName: "fourth" });
    expect([result, error?.message]).toEqual(["failed", expect.stringContaining("the store went away")]);
    records.calls.heal();
    await replicateAsset(deps(), { source: "west", target: "west", assetName: "fourth" });
    expect(await records.get(locatorRecordId(idOf(4)))).not.toBeNull();
  });
});

async function replaceCopy(id: string, region: string, state: "verified" | "withdrawn"): Promise<void> {
  const stored = await world.catalogue.get(id);
  if (stored === null) throw new Error(`no entry ${id}`);
  const { entry, version } = stored;
  await world.catalogue.put(
    { ...entry, regions: { ...entry.regions, [region]: { state, at: world.clock.now(), detail: "by a test" } } },
    version,
  );
}
