import { describe, expect, it } from "vitest";
import type { StreamingLocator } from "../../src/core/media.ts";
import { replicateAsset, type AmsDeps } from "../../src/replicator/run.ts";
import { envelopePolicy, KEY_ID, KEY_VALUE, LOCATOR_ID, unavailable, World } from "./world.ts";

const JOB = { source: "west", target: "north", assetName: "intro" } as const;
const OTHER_KEY = Buffer.alloc(16, 7);

/** The source is verified in itself, and the target has the same locator with another key value. */
async function atOdds(): Promise<World> {
  const world = new World();
  await world.publish();
  await replicateAsset(world.deps, { ...JOB, target: "west" });
  await replicateAsset(world.deps, JOB);
  await rekey(world);
  world.reset();
  return world;
}

async function rekey(world: World): Promise<void> {
  const north = world.account("north");
  const locator = await north.locator("locator-intro");
  north.removeLocator("locator-intro");
  const key = { id: KEY_ID, type: null, labelReferenceInStreamingPolicy: "main", policyName: null };
  await north.createLocator({ ...(locator as StreamingLocator), contentKeys: [{ ...key, value: OTHER_KEY.toString("base64") }] });
}

const recreating = (deps: AmsDeps): AmsDeps => ({ ...deps, options: { ...deps.options, recreate: true } });

/** Runs to the end on the world's clock: recreation waits for the gateways. */
async function run(world: World, deps = recreating(world.deps)) {
  let ended = false;
  const running = replicateAsset(deps, JOB).finally(() => {
    ended = true;
  });
  while (!ended) await world.clock.advance(100);
  return running;
}

const stateOf = async (world: World, region: string) => (await world.catalogue.get(LOCATOR_ID))?.entry.regions[region]?.state;

describe("without --recreate", () => {
  it("a locator with another key is a conflict that names both keys by fingerprint, and is kept in the journal", async () => {
    const world = await atOdds();
    const result = await replicateAsset(world.deps, JOB);
    expect(result.result).toBe("conflict");
    const [kept] = (await world.journal.conflicts(10))[0]?.conflicts ?? [];
    expect(kept).toMatchObject({ what: "locator locator-intro", locatorId: LOCATOR_ID });
    expect(kept?.source).toContain(world.deps.fingerprint(KEY_VALUE).slice(0, 12));
    expect(kept?.target).toContain(world.deps.fingerprint(OTHER_KEY).slice(0, 12));
    for (const value of [KEY_VALUE, OTHER_KEY])
      for (const encoding of ["base64", "hex"] as const) expect(JSON.stringify(kept)).not.toContain(value.toString(encoding));
    expect(world.account("north").calls.count("deleteLocator")).toBe(0);
    expect(await stateOf(world, "north")).toBe("withdrawn");
  });
});

describe("with --recreate", () => {
  it("the locator is made anew, equal to the source's, and served again", async () => {
    const world = await atOdds();
    const result = await run(world);
    expect(result).toMatchObject({ result: "changed", counts: { written: ["locator locator-intro"] } });
    expect((await world.account("north").locator("locator-intro"))?.contentKeys[0]?.value).toBe(KEY_VALUE.toString("base64"));
    expect([await stateOf(world, "west"), await stateOf(world, "north")]).toEqual(["verified", "verified"]);
    expect(world.mutations("west")).toBe(0);
    expect(await world.journal.conflicts(10)).toEqual([]);
    world.reset();
    expect((await run(world)).result).toBe("unchanged");
    expect(world.mutations("north")).toBe(0);
  });

  it("the gateway stops routing to the target, and has two seconds to notice, before anything is deleted", async () => {
    const world = await atOdds();
    const seen: { state: string | undefined; sinceWithdrawal: number }[] = [];
    let withdrawnAt = 0;
    world.catalogue.calls.onCall = ({ operation }) => {
      if (operation === "put" && withdrawnAt === 0) withdrawnAt = world.clock.now();
    };
    world.account("north").calls.onCall = async ({ operation }) => {
      if (operation === "deleteLocator" || operation === "createLocator")
        seen.push({ state: await stateOf(world, "north"), sinceWithdrawal: world.clock.now() - withdrawnAt });
    };
    await run(world);
    expect(seen.map(({ state }) => state)).toEqual(["withdrawn", "withdrawn"]);
    for (const { sinceWithdrawal } of seen) expect(sinceWithdrawal).toBeGreaterThanOrEqual(2_000);
  });

  it("nothing is deleted while the source does not play", async () => {
    const world = await atOdds();
    world.dark.add("west");
    expect(await run(world)).toMatchObject({ result: "failed", error: { code: "recreate_unsafe" } });
    expect(world.mutations("north")).toBe(0);
    expect(await stateOf(world, "north")).toBe("verified");
  });

  it("nothing is deleted while the catalogue has no other region for the video", async () => {
    const world = new World();
    await world.publish();
    await replicateAsset(world.deps, JOB);
    await rekey(world);
    world.reset();
    const result = await run(world);
    expect(result).toMatchObject({ result: "conflict" });
    expect(result.error?.message).toContain("does not have 11111111-1111-4111-8111-111111111111 as verified in west");
    expect(world.mutations("north")).toBe(0);
  });

  it("nothing is deleted while something else is in the way", async () => {
    const world = await atOdds();
    world.account("north").blobs("asset-intro").put("video.mp4", Buffer.from("somebody else's"));
    expect((await run(world)).result).toBe("conflict");
    expect(world.account("north").calls.mutations).toEqual([]);
  });

  it.each(["deleteLocator", "createLocator", "paths"])("a run that breaks off at %s is continued without the flag", async (operation) => {
    const world = await atOdds();
    world.account("north").calls.failNth(operation, 1, unavailable());
    expect((await run(world)).result).toBe("failed");
    expect([await stateOf(world, "west"), await stateOf(world, "north")]).toEqual(["verified", "withdrawn"]);
    // Where nothing was deleted yet, the flag is needed again.
    expect((await run(world, operation === "deleteLocator" ? recreating(world.deps) : world.deps)).result).toBe("changed");
    expect(await stateOf(world, "north")).toBe("verified");
  });

  it("a locator that another took the place of meanwhile is left alone", async () => {
    const world = await atOdds();
    const north = world.account("north");
    const change: Partial<StreamingLocator> = { streamingLocatorId: "99999999-9999-4999-8999-999999999999", contentKeys: [], filters: [] };
    world.catalogue.calls.onCall = async ({ operation }) => {
      if (operation !== "put") return;
      world.catalogue.calls.onCall = null;
      north.removeLocator("locator-intro");
      await world.locate("north", "intro", change);
    };
    expect(await run(world)).toMatchObject({ result: "failed", error: { code: "replica_changed" } });
    expect((await north.locator("locator-intro"))?.streamingLocatorId).toBe(change.streamingLocatorId);
  });

  it("a delete without effect is found out", async () => {
    const world = await atOdds();
    const north = world.account("north");
    const deps = recreating(world.deps);
    const deaf = new Proxy(north, {
      get: (account, name) => {
        if (name === "deleteLocator") return () => Promise.resolve();
        const value: unknown = Reflect.get(account, name, account);
        return typeof value === "function" ? (value as () => unknown).bind(account) : value;
      },
    });
    const accounts = new Map([...world.accounts, ["north", deaf]]);
    expect(await run(world, { ...deps, accounts })).toMatchObject({ result: "failed", error: { code: "delete_failed" } });
  });
});

describe("a streaming policy that is led to the gateway", () => {
  const keyUrls = [{ from: "https://keys.west.example", to: "https://play.example/keys" }];
  const atSource = { ...envelopePolicy(), defaultContentKeyPolicyName: "tokens" };
  const withTemplate = (template: string) => ({
    ...atSource,
    envelopeEncryption: { ...(envelopePolicy()["envelopeEncryption"] as object), customKeyAcquisitionUrlTemplate: template },
  });

  async function published(): Promise<World> {
    const world = new World();
    await world.account("west").putContentKeyPolicy({ name: "tokens", properties: {} });
    await world
      .account("west")
      .createStreamingPolicy({ name: "envelope", properties: withTemplate("https://keys.west.example/?kid={ContentKeyId}") });
    await world.publish();
    await replicateAsset(world.deps, { ...JOB, target: "west" });
    return world;
  }

  const led = (deps: AmsDeps): AmsDeps => ({ ...deps, options: { ...deps.options, keyUrls } });
  const templateIn = async (world: World, region: string) =>
    JSON.stringify((await world.account(region).streamingPolicy("envelope"))?.properties).match(/https:[^"]+/)?.[0];

  it("names the gateway on the target, and verifies by it; a second run changes nothing", async () => {
    const world = await published();
    expect(await replicateAsset(led(world.deps), JOB)).toMatchObject({ result: "changed", error: null });
    expect(await templateIn(world, "north")).toBe("https://play.example/keys/?kid={ContentKeyId}");
    expect(await templateIn(world, "west")).toBe("https://keys.west.example/?kid={ContentKeyId}");
    world.reset();
    expect((await replicateAsset(led(world.deps), JOB)).result).toBe("unchanged");
    expect(world.mutations("north")).toBe(0);
  });

  it("conflicts with one that was copied before, names both URLs and the fix, and keeps the copy serving", async () => {
    const world = await published();
    await replicateAsset(world.deps, JOB);
    const result = await replicateAsset(led(world.deps), JOB);
    expect(result.error?.conflicts).toEqual([
      {
        what: "streaming policy envelope",
        source: 'envelopeEncryption.customKeyAcquisitionUrlTemplate "https://play.example/keys/?kid={ContentKeyId}"',
        target: 'envelopeEncryption.customKeyAcquisitionUrlTemplate "https://keys.west.example/?kid={ContentKeyId}"',
        advice: expect.stringMatching(/--recreate.*replication\.keyUrls/) as string,
        keepsServing: true,
      },
    ]);
    expect(await stateOf(world, "north")).toBe("verified");
  });

  it("is recreated with the locators under it", async () => {
    const world = await published();
    await replicateAsset(world.deps, JOB);
    world.reset();
    const result = await run(world, led(recreating(world.deps)));
    expect(result).toMatchObject({ result: "changed", counts: { written: ["streaming policy envelope", "locator locator-intro"] } });
    expect(await templateIn(world, "north")).toBe("https://play.example/keys/?kid={ContentKeyId}");
    expect(world.account("north").calls.mutations.map(({ operation }) => operation)).toEqual([
      "deleteLocator",
      "deleteStreamingPolicy",
      "createStreamingPolicy",
      "createLocator",
    ]);
    expect(await stateOf(world, "north")).toBe("verified");
  });

  it("is not recreated while another asset uses it, which goes on playing", async () => {
    const world = await published();
    await replicateAsset(world.deps, JOB);
    await world.publish("north", "unrelated", {
      name: "locator-unrelated",
      streamingLocatorId: "44444444-4444-4444-8444-444444444444",
      contentKeys: [],
    });
    world.reset();
    const result = await run(world, led(recreating(world.deps)));
    expect(result.error?.message).toContain("locator locator-unrelated of asset unrelated would go with it: drain north, delete it");
    expect(world.mutations("north")).toBe(0);
    expect(await stateOf(world, "north")).toBe("verified");
  });
});
