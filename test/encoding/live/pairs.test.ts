/** Pairs of live events over accounts in memory: what is made where, in which order, and what a second run finds. */
import { describe, expect, it } from "vitest";
import type { CatalogueEntry } from "../../../src/core/contracts.ts";
import { PaircastError } from "../../../src/core/errors.ts";
import { keyedFingerprint } from "../../../src/core/fingerprint.ts";
import { LivePairs, type PairReport } from "../../../src/encoding/live/livePair.ts";
import type { LivePairSpec } from "../../../src/encoding/live/pairing.ts";
import { carryLocator } from "../../../src/replicator/carryLocator.ts";
import { changeEntry } from "../../../src/replicator/publish.ts";
import { ManualClock, seededRandom } from "../../fakes/clock.ts";
import { MemoryCatalogue } from "../../fakes/memoryCatalogue.ts";
import { MemoryLiveAccount } from "../../fakes/memoryLiveAccount.ts";
import { MemoryMediaAccount } from "../../fakes/memoryMediaAccount.ts";

const REGIONS = ["west", "north"] as const;
type Name = (typeof REGIONS)[number];
const OWN = "paircast-live-Show";
const UNREACHABLE = new PaircastError("account_unreachable", "nobody answers", { retry: "retry" });

const SPEC: LivePairSpec = {
  name: "Show",
  protocol: "rtmp",
  encoding: "passthrough",
  keyFrameMs: 2_000,
  accessToken: null,
  archiveMs: 3_600_000,
  streamingPolicyName: "Predefined_ClearKey",
  contentKeyPolicyName: "tokens",
};
const KEY_POLICY = {
  name: "tokens",
  properties: {
    options: [
      {
        configuration: { odataType: "#Microsoft.Media.ContentKeyPolicyClearKeyConfiguration" },
        restriction: { odataType: "#Microsoft.Media.ContentKeyPolicyOpenRestriction" },
      },
    ],
  },
};

class Stage {
  readonly clock = new ManualClock();
  readonly catalogue = new MemoryCatalogue();
  readonly live = { west: new MemoryLiveAccount("west"), north: new MemoryLiveAccount("north") };
  readonly media: Record<Name, MemoryMediaAccount>;
  readonly pairs: LivePairs;
  readonly stop = new AbortController().signal;

  constructor() {
    const { clock, catalogue } = this;
    const account = (region: Name, seed: number) => new MemoryMediaAccount({ region, clock, random: seededRandom(seed) });
    this.media = { west: account("west", 1), north: account("north", 2) };
    const fingerprint = keyedFingerprint(new Uint8Array(32).fill(7));
    this.pairs = new LivePairs({
      regions: new Map(REGIONS.map((name) => [name, { live: this.live[name], media: this.media[name] }])),
      catalogue,
      change: async (locatorId, change) => changeEntry(catalogue, locatorId, change),
      carry: async (source, target, name, signal) => carryLocator(name, { source, target, keyUrls: [], fingerprint, signal }),
      fingerprint,
      clock,
      random: seededRandom(3),
    });
  }

  async create(change: Partial<LivePairSpec> = {}, regions: readonly string[] = REGIONS): Promise<PairReport> {
    return this.pairs.create({ ...SPEC, ...change }, regions, this.stop);
  }

  async entry(): Promise<CatalogueEntry | null> {
    const [stored] = await Array.fromAsync(this.catalogue.list());
    return stored?.entry ?? null;
  }

  /** What the watch of `serve` does. */
  async seenOnAir(): Promise<void> {
    const entry = await this.entry();
    if (entry === null) throw new Error("nothing is catalogued");
    const on = { state: "verified", at: this.clock.now(), detail: "seen on air" } as const;
    const regions = Object.fromEntries(Object.keys(entry.regions).map((region) => [region, on]));
    await changeEntry(this.catalogue, entry.locatorId, (stored) => (stored === null ? null : { ...stored, regions }));
  }

  lose(region: Name): void {
    this.live[region].calls.failAll("*", UNREACHABLE);
    this.media[region].calls.failAll("*", UNREACHABLE);
  }

  heal(region: Name): void {
    this.live[region].calls.heal();
    this.media[region].calls.heal();
  }

  get writes(): number {
    return REGIONS.reduce((sum, name) => sum + this.live[name].calls.mutations.length + this.media[name].calls.mutations.length, 0);
  }

  forgetCalls(): void {
    for (const name of REGIONS) {
      this.live[name].calls.reset();
      this.media[name].calls.reset();
    }
  }

  async keys(region: Name): Promise<unknown> {
    return (await this.media[region].locator(OWN))?.contentKeys;
  }
}

async function stageWithPolicy(...regions: readonly Name[]): Promise<Stage> {
  const stage = new Stage();
  for (const region of regions) await stage.media[region].putContentKeyPolicy(KEY_POLICY);
  return stage;
}

const codes = ({ regions }: PairReport) => Object.fromEntries(regions.map(({ region, failure }) => [region, failure?.code ?? null]));

describe("a pair of live events", () => {
  it("has the same names, locator, keys and policy in both regions, and serves nowhere before it is seen", async () => {
    const stage = await stageWithPolicy("west");
    const report = await stage.create();
    expect(codes(report)).toEqual({ west: null, north: null });
    const keys = await stage.keys("west");
    expect(keys).toHaveLength(1);
    expect(await stage.keys("north")).toEqual(keys);
    for (const name of REGIONS) {
      expect(await stage.media[name].locator(OWN)).toMatchObject({ streamingLocatorId: report.locatorId, assetName: OWN });
      expect(await stage.media[name].contentKeyPolicy("tokens")).not.toBeNull();
      expect(await stage.live[name].outputs("Show", stage.stop)).toEqual([
        { name: OWN, assetName: OWN, manifestName: "Show", archiveMs: 3_600_000 },
      ]);
    }
    const [west, north] = report.regions.map(({ event }) => event?.accessToken);
    expect(west).toMatch(/^[0-9a-f-]{36}$/);
    expect(north).toBe(west);
    const entry = await stage.entry();
    expect(entry).toMatchObject({
      locatorId: report.locatorId,
      source: "west",
      regions: { west: { state: "withdrawn" }, north: { state: "withdrawn" } },
    });
    expect(entry?.manifests.hls).toBe(`/${report.locatorId}/Show.ism/manifest(format=m3u8-cmaf,encryption=cbc)`);
    // No value of a key, and no token.
    expect(JSON.stringify(entry)).not.toContain((keys as readonly { readonly value: string }[])[0]?.value);
  });

  it("is left as it is by a second run", async () => {
    const stage = await stageWithPolicy("west");
    const first = await stage.create();
    await stage.seenOnAir();
    const before = await stage.entry();
    stage.forgetCalls();
    const second = await stage.create();
    expect(stage.writes).toBe(REGIONS.length);
    expect(second.regions.map(({ changed }) => changed)).toEqual([[], []]);
    expect(second.locatorId).toBe(first.locatorId);
    expect(await stage.entry()).toEqual(before);
  });

  it("takes the policy from where it is, also where that is not the first region", async () => {
    const stage = await stageWithPolicy("north");
    expect(codes(await stage.create())).toEqual({ west: null, north: null });
    expect(await stage.keys("west")).toEqual(await stage.keys("north"));
    expect(codes(await (await stageWithPolicy()).create())).toEqual({ west: "live_policy", north: "live_policy" });
  });

  it.each(REGIONS)("is completed by a second run where %s was away, with the keys that there are", async (away) => {
    const stage = await stageWithPolicy("west", "north");
    stage.lose(away);
    const half = await stage.create();
    expect(codes(half)[away]).toBe("account_unreachable");
    expect(Object.keys((await stage.entry())?.regions ?? {})).toEqual(REGIONS.filter((name) => name !== away));
    stage.heal(away);
    const whole = await stage.create();
    expect(codes(whole)).toEqual({ west: null, north: null });
    expect(whole.locatorId).toBe(half.locatorId);
    expect(await stage.keys("west")).toEqual(await stage.keys("north"));
  });

  it("waits for its keys: a second region gets no others while the first cannot be asked", async () => {
    const stage = await stageWithPolicy("west", "north");
    await stage.create({}, ["west"]);
    stage.lose("west");
    const report = await stage.create();
    expect(codes(report)).toEqual({ west: "account_unreachable", north: "live_keys_unreachable" });
    expect(await stage.keys("north")).toBeUndefined();
    expect(await stage.live.north.event("Show", stage.stop)).toBeNull();
  });

  it.each([
    ["createAsset", "media"],
    ["createLocator", "media"],
    ["createEvent", "live"],
    ["createOutput", "live"],
  ] as const)("goes on after %s has failed in either region", async (operation, where) => {
    for (const region of REGIONS) {
      const stage = await stageWithPolicy("west", "north");
      stage[where][region].calls.failNth(operation, 1, UNREACHABLE);
      const half = await stage.create();
      expect(codes(half)[region], region).toBe("account_unreachable");
      const whole = await stage.create();
      expect(codes(whole)).toEqual({ west: null, north: null });
      expect(await stage.keys("west")).toEqual(await stage.keys("north"));
    }
  });

  it("refuses what is there and differs, names the fields, and writes nothing there", async () => {
    const stage = await stageWithPolicy("west");
    await stage.create();
    stage.forgetCalls();
    const report = await stage.create({ protocol: "fmp4", archiveMs: 60_000, accessToken: "ffffffff-6f0e-4d3c-9d57-0d8f6a1f2b3c" });
    expect(codes(report)).toEqual({ west: "live_differs", north: "live_differs" });
    const message = report.regions[0]?.failure?.message ?? "";
    for (const part of ["protocol rtmp (asked for: fmp4)", "archive window PT1H (asked for: PT1M)", "another access token"])
      expect(message).toContain(part);
    expect(message).not.toContain("ffffffff");
    expect(stage.writes).toBe(0);
    stage.live.west.become("Show", { isOurs: false });
    expect(codes(await stage.create())).toMatchObject({ west: "live_differs", north: null });
  });

  it("does not record over what an earlier event has left", async () => {
    const stage = await stageWithPolicy("west", "north");
    await stage.create();
    stage.media.west.blobs("paircast-live-show").put("Show.ism", new TextEncoder().encode("a recording"));
    await stage.pairs.remove("Show", { force: false, keepRecordings: true }, stage.stop);
    expect(await stage.media.west.asset(OWN)).not.toBeNull();
    expect(codes(await stage.create())).toEqual({ west: "live_recording", north: null });
  });

  it("starts and stops in both, and is out of service where it was stopped only", async () => {
    const stage = await stageWithPolicy("west");
    await stage.create();
    const started = await stage.pairs.start("Show", stage.stop);
    expect(started.regions.map(({ event }) => event?.state)).toEqual(["running", "running"]);
    expect((await stage.pairs.start("Show", stage.stop)).regions.map(({ changed }) => changed)).toEqual([[], []]);
    await stage.seenOnAir();
    stage.live.north.calls.failAll("stop", UNREACHABLE);
    expect(codes(await stage.pairs.stop("Show", stage.stop))).toEqual({ west: null, north: "account_unreachable" });
    expect(await stage.entry()).toMatchObject({ regions: { west: { state: "withdrawn" }, north: { state: "verified" } } });
    for (const act of ["start", "stop", "status"] as const)
      await expect(stage.pairs[act]("None", stage.stop)).rejects.toMatchObject({ code: "live_unknown" });
  });

  it("is not removed while it runs, unless that is asked for", async () => {
    const stage = await stageWithPolicy("west");
    await stage.create();
    await stage.pairs.start("Show", stage.stop);
    stage.forgetCalls();
    const kept = { force: false, keepRecordings: false };
    await expect(stage.pairs.remove("Show", kept, stage.stop)).rejects.toMatchObject({ code: "live_running" });
    expect(stage.writes).toBe(0);
    expect(codes(await stage.pairs.remove("Show", { ...kept, force: true }, stage.stop))).toEqual({ west: null, north: null });
    for (const name of REGIONS) {
      expect(await stage.live[name].event("Show", stage.stop)).toBeNull();
      expect(await stage.media[name].locator(OWN)).toBeNull();
      expect(await stage.media[name].asset(OWN)).toBeNull();
    }
    expect(await stage.entry()).toBeNull();
    expect(codes(await stage.pairs.remove("Show", kept, stage.stop))).toEqual({ west: null, north: null });
  });

  it("is removed by a second run from a region that was away, and is out of service there at once", async () => {
    const stage = await stageWithPolicy("west");
    await stage.create();
    await stage.seenOnAir();
    stage.lose("west");
    const kept = { force: true, keepRecordings: false };
    expect(codes(await stage.pairs.remove("Show", kept, stage.stop))).toEqual({ west: "account_unreachable", north: null });
    expect(await stage.entry()).toMatchObject({ source: "west", regions: { west: { state: "withdrawn" } } });
    stage.heal("west");
    expect(codes(await stage.pairs.remove("Show", kept, stage.stop))).toEqual({ west: null, north: null });
    expect(await stage.entry()).toBeNull();
  });

  it("leaves an event alone that others have made", async () => {
    const stage = await stageWithPolicy("west");
    await stage.create();
    stage.live.west.become("Show", { isOurs: false });
    const report = await stage.pairs.remove("Show", { force: true, keepRecordings: false }, stage.stop);
    expect(codes(report)).toEqual({ west: "live_foreign", north: null });
    expect(await stage.live.west.event("Show", stage.stop)).not.toBeNull();
  });

  it("is listed with what is only half made, and with regions that cannot be asked", async () => {
    const stage = await stageWithPolicy("west", "north");
    await stage.create();
    await stage.create({ name: "Other", streamingPolicyName: "Predefined_ClearStreamingOnly", contentKeyPolicyName: null }, ["north"]);
    stage.live.west.calls.failAll("events", UNREACHABLE);
    const { pairs, failures } = await stage.pairs.list(stage.stop);
    expect(pairs.map(({ name, states }) => [name, states])).toEqual([
      ["Other", { north: "stopped" }],
      ["Show", { north: "stopped" }],
    ]);
    expect(failures.map(({ region, code }) => [region, code])).toEqual([["west", "account_unreachable"]]);
  });
});
