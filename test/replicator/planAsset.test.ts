import { describe, expect, it } from "vitest";
import type { AssetPlan } from "../../src/replicator/planAsset.ts";
import { planAssetReplication, replicateAsset } from "../../src/replicator/run.ts";
import { envelopePolicy, KEY_VALUE, SIGNING_KEY, tokenPolicy, World } from "./world.ts";

const JOB = { source: "west", target: "north", assetName: "intro" } as const;
const SECOND_ID = "44444444-4444-4444-8444-444444444444";
const TRACK = {
  name: "subtitles",
  properties: { odataType: "#Microsoft.Media.TextTrack", fileName: "subtitles.ttml", displayName: "English", playerVisibility: "Visible" },
};

type Change = (world: World) => unknown;

async function withTrack(world: World): Promise<void> {
  world.account("west").blobs("asset-intro").put("subtitles.ttml", Buffer.from("<tt/>"));
  await world.account("west").putTrack("intro", TRACK);
}

const copied: Change = (world) => replicateAsset(world.deps, JOB);

/** What is done to the two regions before the plan is made. */
const CASES: Readonly<Record<string, readonly Change[]>> = {
  "an empty target": [withTrack],
  "a finished copy": [withTrack, copied],
  "a track that came later": [copied, withTrack],
  "a changed track": [
    withTrack,
    copied,
    (world) => world.account("west").putTrack("intro", { ...TRACK, properties: { ...TRACK.properties, displayName: "Deutsch" } }),
  ],
  "a changed filter of the asset": [
    copied,
    (world) => world.account("west").putAssetFilter("intro", { name: "own", properties: { firstQuality: { bitrate: 64_000 } } }),
  ],
  "a changed account filter": [
    copied,
    (world) => world.account("west").putAccountFilter({ name: "shared", properties: { firstQuality: { bitrate: 64_000 } } }),
  ],
  "an account filter that no locator names": [
    copied,
    (world) => world.account("west").putAccountFilter({ name: "by-url", properties: {} }),
  ],
  "one that no locator names, and that differs": [
    (world) => world.account("west").putAccountFilter({ name: "by-url", properties: { firstQuality: { bitrate: 1 } } }),
    (world) => world.account("north").putAccountFilter({ name: "by-url", properties: { firstQuality: { bitrate: 2 } } }),
  ],
  "a changed content key policy": [
    copied,
    (world) => world.account("west").putContentKeyPolicy({ name: "tokens", properties: tokenPolicy({ issuer: "another" }) }),
  ],
  "a changed blob, and a new one": [
    copied,
    (world) => {
      world.account("west").blobs("asset-intro").put("video.mp4", Buffer.from("a better cut"));
      world.account("west").blobs("asset-intro").put("more.mp4", Buffer.from("more"));
    },
  ],
  "a blob that the source lacks": [copied, (world) => world.account("north").blobs("asset-intro").put("extra.mp4", Buffer.from("x"))],
  "another container": [
    (world) => world.account("north").createAsset({ name: "intro", container: "elsewhere", alternateId: null, description: null }),
  ],
  "a content key policy of somebody else": [
    (world) => world.account("north").putContentKeyPolicy({ name: "tokens", properties: tokenPolicy({ issuer: "somebody" }) }),
  ],
  "a streaming policy of somebody else": [
    (world) =>
      world.account("north").createStreamingPolicy({
        name: "envelope",
        properties: { noEncryption: { enabledProtocols: { download: false, dash: true, hls: true, smoothStreaming: false } } },
      }),
  ],
  "a locator that stands under its name in another asset": [
    (world) =>
      world.locate("west", "intro", {
        name: "second",
        streamingLocatorId: SECOND_ID,
        streamingPolicyName: "Predefined_ClearStreamingOnly",
        contentKeys: [],
      }),
    (world) =>
      world.publish("north", "unrelated", {
        name: "second",
        streamingLocatorId: "55555555-5555-4555-8555-555555555555",
        contentKeys: [],
      }),
  ],
};

/** Everything that a job says it has written, against what the plan says it would write. */
function told({ writes, blobs }: AssetPlan): unknown {
  return { written: writes.map(({ what }) => what).sort(), copied: blobs?.copy, bytes: blobs?.bytes, adopted: blobs?.adopt };
}

describe("a plan", () => {
  it.each(Object.keys(CASES))("of %s is what replicating then does, and changes nothing itself", async (name) => {
    const world = new World();
    await world.publish();
    for (const change of CASES[name] ?? []) await change(world);
    world.reset();
    const plan = await planAssetReplication(world.deps, JOB, new AbortController().signal);
    expect([world.mutations("west"), world.mutations("north"), world.catalogue.calls.mutations.length]).toEqual([0, 0, 0]);
    expect(world.journal.calls.mutations).toEqual([]);
    const result = await replicateAsset(world.deps, JOB);
    if (plan.refused.length > 0) {
      expect(result.error?.conflicts).toEqual(plan.refused);
      expect(world.mutations("north")).toBe(0);
      return;
    }
    expect(result.error?.conflicts ?? []).toEqual(plan.setAside);
    const { written, blobsCopied, bytesCopied, blobsAdopted, notes } = result.counts;
    expect(told(plan)).toEqual({ written: [...written].sort(), copied: blobsCopied, bytes: bytesCopied, adopted: blobsAdopted });
    expect(notes).toEqual(plan.notes);
    const again = await planAssetReplication(world.deps, JOB, new AbortController().signal);
    expect(told(again)).toEqual({ written: [], copied: 0, bytes: 0, adopted: 0 });
  });

  it("says what would be recreated, and only with the flag", async () => {
    const world = new World();
    await world.publish();
    await world.account("north").createStreamingPolicy({ name: "envelope", properties: { ...envelopePolicy(), noEncryption: {} } });
    const signal = new AbortController().signal;
    expect((await planAssetReplication(world.deps, JOB, signal)).refused.map(({ what }) => what)).toEqual(["streaming policy envelope"]);
    const deps = { ...world.deps, options: { ...world.deps.options, recreate: true } };
    const plan = await planAssetReplication(deps, JOB, signal);
    expect(plan).toMatchObject({ refused: [], removals: [{ kind: "streaming policy", name: "envelope" }], withdrawn: [] });
    expect(plan.writes.map(({ what, action }) => `${action} ${what}`)).toEqual([
      "create asset intro",
      "create filter own of asset intro",
      "create account filter shared",
      "create content key policy tokens",
      "recreate streaming policy envelope",
      "create locator locator-intro",
    ]);
    expect(plan.blobs).toMatchObject({ copy: 3 });
  });

  it("holds no secret", async () => {
    const world = new World();
    await world.publish();
    await world.account("north").putContentKeyPolicy({ name: "tokens", properties: tokenPolicy({ issuer: "somebody" }) });
    const text = JSON.stringify(await planAssetReplication(world.deps, JOB, new AbortController().signal));
    for (const secret of [KEY_VALUE, SIGNING_KEY])
      for (const encoding of ["base64", "hex"] as const) expect(text).not.toContain(secret.toString(encoding));
  });
});
