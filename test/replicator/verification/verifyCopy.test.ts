/** Faults of every kind, on both sides: what is withdrawn, what is repaired, what is reported, and what is never touched. */
import { describe, expect, it } from "vitest";
import type { CatalogueEntry } from "../../../src/core/contracts.ts";
import { replicateAsset } from "../../../src/replicator/run.ts";
import { amsInspector } from "../../../src/replicator/verification/inspectAms.ts";
import { DEFAULT_VERIFICATION, type VerificationPolicy } from "../../../src/replicator/verification/policy.ts";
import { verifyCopy, type CopyReport } from "../../../src/replicator/verification/verifyCopy.ts";
import type { MemoryBlobContainer } from "../../fakes/memoryBlobContainer.ts";
import { LOCATOR_ID, tokenPolicy, unavailable, World } from "../world.ts";

const COPY = { source: "west", target: "north", assetName: "intro" } as const;
const ORIGINAL = { ...COPY, target: "west" } as const;

async function replicated(): Promise<World> {
  const world = new World();
  await world.publish();
  await replicateAsset(world.deps, ORIGINAL);
  await replicateAsset(world.deps, COPY);
  world.reset();
  return world;
}

interface Options {
  readonly repair?: boolean;
  readonly dryRun?: boolean;
  readonly policy?: Partial<VerificationPolicy>;
}

async function verify(world: World, identity: typeof COPY | typeof ORIGINAL, options: Options = {}): Promise<CopyReport> {
  const { repair = true, dryRun = false, policy = {} } = options;
  return verifyCopy(world.deps, amsInspector(world.deps), identity, { repair, dryRun, policy: { ...DEFAULT_VERIFICATION, ...policy } });
}

async function entry(world: World): Promise<CatalogueEntry> {
  const stored = await world.catalogue.get(LOCATOR_ID);
  if (stored === null) throw new Error("no entry");
  return stored.entry;
}

async function states(world: World): Promise<Record<string, string>> {
  return Object.fromEntries(Object.entries((await entry(world)).regions).map(([name, { state }]) => [name, state]));
}

function blobs(world: World, region: string): MemoryBlobContainer {
  return world.account(region).blobs("asset-intro");
}

function flip(content: Uint8Array): Uint8Array {
  return content.map((byte, at) => (at === 3 ? byte ^ 0x40 : byte));
}

const BOTH = { west: "verified", north: "verified" };

describe("a sound copy", () => {
  it("is said to be, writes nothing but what was looked at, and goes on where it ended", async () => {
    const world = await replicated();
    await world.clock.advance(5_000);
    const report = await verify(world, COPY);
    expect(report).toMatchObject({ result: "sound", problems: [], withdrawn: [], repair: null });
    expect([world.mutations("west"), world.mutations("north")]).toEqual([0, 0]);
    const kept = (await entry(world)).regions["north"]?.verification;
    expect(kept).toMatchObject({ at: world.clock.now(), blobs: 3, content: "sampled", readBlobs: 3, playback: "renditions" });
    // The first lap was that of replication.
    expect(kept?.next.lap).toBe(2);
    await verify(world, COPY);
    expect((await entry(world)).regions["north"]?.verification?.next.lap).toBe(3);
    expect(await verify(world, ORIGINAL)).toMatchObject({ result: "sound" });
  });

  it("is not remembered by a dry run", async () => {
    const world = await replicated();
    const before = await entry(world);
    expect((await verify(world, COPY, { dryRun: true })).result).toBe("sound");
    expect(await entry(world)).toEqual(before);
  });

  it("costs no read of the source where the journal knows what it should be", async () => {
    const world = await replicated();
    await verify(world, COPY);
    expect(world.account("west").blobCalls.count("read")).toBe(0);
    expect(world.account("north").blobCalls.count("read")).toBe(3);
  });

  it("is read in some of its blobs only, in others the next time, in all of them in the end", async () => {
    const world = await replicated();
    const read = new Set<string>();
    world.account("north").blobCalls.onCall = ({ operation, subject }) => {
      if (operation === "read") read.add(subject);
    };
    for (const seen of [1, 2, 3]) {
      await verify(world, COPY, { policy: { blobs: 1 } });
      expect(read.size).toBe(seen);
    }
  });
});

describe("a damaged target", () => {
  const DAMAGE: Readonly<Record<string, { readonly spoil: (world: World) => void | Promise<void>; readonly kind: string }>> = {
    "a flipped byte": { spoil: (world) => blobs(world, "north").rot("video.mp4", flip), kind: "target_damaged" },
    "a truncated blob": { spoil: (world) => blobs(world, "north").rot("video.mp4", (all) => all.slice(0, -2)), kind: "target_damaged" },
    "a flipped byte in a blob without MD5": { spoil: (world) => blobs(world, "north").rot("audio.mp4", flip), kind: "target_damaged" },
    "a missing blob": { spoil: (world) => blobs(world, "north").remove("audio.mp4"), kind: "target_missing" },
    "swapped blobs": {
      spoil: (world) => {
        const north = blobs(world, "north");
        const [video, audio] = [north.content("video.mp4") ?? new Uint8Array(), north.content("audio.mp4") ?? new Uint8Array()];
        north.rot("video.mp4", () => audio);
        north.rot("audio.mp4", () => video);
      },
      kind: "target_damaged",
    },
    "a changed content type": {
      spoil: (world) => void blobs(world, "north").put("video.mp4", Buffer.from("video of intro"), { contentType: "text/html" }),
      kind: "target_properties",
    },
  };

  it.each(Object.keys(DAMAGE))("%s is withdrawn first, then copied again, verified and published", async (name) => {
    const world = await replicated();
    await DAMAGE[name]?.spoil(world);
    const served: Record<string, string>[] = [];
    world.account("north").blobCalls.onCall = async ({ operation }) => {
      if (operation === "copyFrom") served.push(await states(world));
    };
    const report = await verify(world, COPY);
    expect(report).toMatchObject({ result: "repaired", withdrawn: ["north"], repair: { error: null } });
    expect(report.problems.map(({ kind }) => kind)).toContain(DAMAGE[name]?.kind);
    expect(served.length).toBeGreaterThan(0);
    for (const state of served) expect(state).toEqual({ west: "verified", north: "withdrawn" });
    expect(await states(world)).toEqual(BOTH);
    expect((await entry(world)).regions["north"]?.damage).toBeUndefined();
    for (const blob of blobs(world, "west").names())
      expect(blobs(world, "north").content(blob)).toEqual(blobs(world, "west").content(blob));
    expect((await blobs(world, "north").head("video.mp4"))?.contentType).toBe("application/octet-stream");
    expect(await verify(world, COPY)).toMatchObject({ result: "sound" });
    expect(world.mutations("west")).toBe(0);
  });

  it.each(Object.keys(DAMAGE))("%s is only withdrawn and reported where nobody asked for a repair", async (name) => {
    const world = await replicated();
    await DAMAGE[name]?.spoil(world);
    expect(await verify(world, COPY, { repair: false })).toMatchObject({ result: "broken", withdrawn: ["north"], repair: null });
    expect(await states(world)).toEqual({ west: "verified", north: "withdrawn" });
    expect(world.account("north").blobCalls.count("copyFrom")).toBe(0);
  });

  it.each(Object.keys(DAMAGE))("%s changes nothing at all in a dry run", async (name) => {
    const world = await replicated();
    await DAMAGE[name]?.spoil(world);
    const before = await entry(world);
    expect(await verify(world, COPY, { dryRun: true })).toMatchObject({ result: "broken", withdrawn: [], repair: null });
    expect(await entry(world)).toEqual(before);
    expect([world.mutations("north"), world.catalogue.calls.mutations.length]).toEqual([0, 0]);
  });

  it("is mended by the next ordinary run after a crash between withdrawal and repair, which the journal alone would not", async () => {
    const world = await replicated();
    blobs(world, "north").rot("video.mp4", flip);
    await verify(world, COPY, { repair: false });
    expect(await replicateAsset(world.deps, COPY)).toMatchObject({ result: "changed", error: null });
    expect(await states(world)).toEqual(BOTH);
    expect(blobs(world, "north").content("video.mp4")).toEqual(blobs(world, "west").content("video.mp4"));
  });

  it("that was withdrawn is taken up again by a repair, also where somebody has restored it", async () => {
    const world = await replicated();
    const good = blobs(world, "north").content("video.mp4") ?? new Uint8Array();
    blobs(world, "north").rot("video.mp4", flip);
    await verify(world, COPY, { repair: false });
    blobs(world, "north").rot("video.mp4", () => good);
    expect(await verify(world, COPY, { repair: false })).toMatchObject({ result: "behind", problems: [] });
    expect(await states(world)).toEqual({ west: "verified", north: "withdrawn" });
    expect(await verify(world, COPY)).toMatchObject({ result: "repaired", repair: { error: null } });
    expect(await states(world)).toEqual(BOTH);
  });

  it("stays withdrawn while the repair fails, and says why", async () => {
    const world = await replicated();
    blobs(world, "north").rot("video.mp4", flip);
    world.account("north").blobCalls.failAll("copyFrom", unavailable("the disk is full"));
    const report = await verify(world, COPY);
    expect(report.result).toBe("broken");
    expect(report.detail).toContain("the disk is full");
    expect(await states(world)).toEqual({ west: "verified", north: "withdrawn" });
  });

  it("with other metadata serves on while it is copied again", async () => {
    const world = await replicated();
    blobs(world, "north").put("video.mp4", Buffer.from("video of intro"), { metadata: { note: "x" } });
    expect(await verify(world, COPY)).toMatchObject({ result: "repaired", withdrawn: [], problems: [{ kind: "target_labels" }] });
    expect((await blobs(world, "north").head("video.mp4"))?.metadata).toEqual({});
    expect((await entry(world)).regions["north"]?.damage).toBeUndefined();
    expect(await verify(world, COPY)).toMatchObject({ result: "sound" });
  });

  it("that somebody else has written is withdrawn and never overwritten", async () => {
    const world = await replicated();
    blobs(world, "north").put("video.mp4", Buffer.from("video of other"));
    expect(await verify(world, COPY)).toMatchObject({
      result: "broken",
      problems: [{ kind: "target_rewritten" }],
      withdrawn: ["north"],
      repair: null,
    });
    expect(Buffer.from(blobs(world, "north").content("video.mp4") ?? []).toString()).toBe("video of other");
  });

  it("is not seen at the level md5, which believes what the service says of itself", async () => {
    const world = await replicated();
    blobs(world, "north").rot("video.mp4", flip);
    expect((await verify(world, COPY, { policy: { content: "md5" } })).result).toBe("sound");
    expect((await verify(world, COPY, { policy: { content: "full" } })).result).toBe("repaired");
  });

  it("that is the last to serve is reported and not taken away", async () => {
    const world = await replicated();
    await verify(world, ORIGINAL, { repair: false });
    blobs(world, "west").rot("video.mp4", flip);
    await verify(world, ORIGINAL);
    expect(await states(world)).toEqual({ west: "withdrawn", north: "verified" });
    blobs(world, "north").rot("audio.mp4", flip);
    expect(await verify(world, COPY, { repair: false })).toMatchObject({ result: "broken", withdrawn: [] });
    expect(await states(world)).toEqual({ west: "withdrawn", north: "verified" });
    expect(await verify(world, COPY)).toMatchObject({ result: "repaired", withdrawn: [] });
    expect(blobs(world, "north").content("audio.mp4")).toEqual(blobs(world, "west").content("audio.mp4"));
    expect((await entry(world)).regions["north"]?.damage).toBeUndefined();
  });
});

describe("a damaged source", () => {
  const DAMAGE: Readonly<Record<string, (world: World) => void>> = {
    "a flipped byte": (world) => blobs(world, "west").rot("video.mp4", flip),
    "a truncated blob": (world) => blobs(world, "west").rot("video.mp4", (all) => all.slice(0, -2)),
    "swapped blobs": (world) => {
      const west = blobs(world, "west");
      const [video, audio] = [west.content("video.mp4") ?? new Uint8Array(), west.content("audio.mp4") ?? new Uint8Array()];
      west.rot("video.mp4", () => audio);
      west.rot("audio.mp4", () => video);
    },
  };

  it.each(Object.keys(DAMAGE))("%s is reported, never copied over the good target, which keeps serving", async (name) => {
    const world = await replicated();
    DAMAGE[name]?.(world);
    const good = blobs(world, "north").content("video.mp4");
    expect(await verify(world, COPY)).toMatchObject({ result: "sound" });
    const report = await verify(world, ORIGINAL);
    expect(report).toMatchObject({ result: "broken", withdrawn: ["west"], repair: null });
    expect(report.problems[0]).toMatchObject({ kind: "source_damaged" });
    expect(await states(world)).toEqual({ west: "withdrawn", north: "verified" });
    for (const identity of [ORIGINAL, COPY]) await replicateAsset(world.deps, identity);
    expect(await states(world)).toEqual({ west: "withdrawn", north: "verified" });
    expect(blobs(world, "north").content("video.mp4")).toEqual(good);
    expect(world.account("north").blobCalls.count("copyFrom")).toBe(0);
  });

  it("is not carried where the target has lost its own either, and is published again once it is restored", async () => {
    const world = await replicated();
    const original = blobs(world, "west").content("video.mp4") ?? new Uint8Array();
    blobs(world, "west").rot("video.mp4", flip);
    await verify(world, ORIGINAL);
    blobs(world, "north").remove("video.mp4");
    expect((await replicateAsset(world.deps, COPY)).error).toMatchObject({ code: "source_damaged" });
    expect(await blobs(world, "north").head("video.mp4")).toBeNull();
    expect((await replicateAsset(world.deps, ORIGINAL)).error).toMatchObject({ code: "source_damaged" });
    blobs(world, "west").rot("video.mp4", () => original);
    for (const identity of [ORIGINAL, COPY]) expect((await replicateAsset(world.deps, identity)).error).toBeNull();
    expect(await states(world)).toEqual(BOTH);
  });

  it("is not blamed for an MD5 that was wrong from the beginning", async () => {
    const world = new World();
    await world.publish();
    blobs(world, "west").put("video.mp4", Buffer.from("a video"), { contentMd5: Buffer.alloc(16, 7).toString("base64") });
    for (const identity of [ORIGINAL, COPY]) expect((await replicateAsset(world.deps, identity)).error).toBeNull();
    for (const identity of [ORIGINAL, COPY]) expect(await verify(world, identity)).toMatchObject({ result: "sound" });
    blobs(world, "north").rot("video.mp4", flip);
    expect(await verify(world, COPY)).toMatchObject({ result: "repaired", problems: [{ kind: "target_damaged" }] });
  });

  it("that has lost a blob is reported, and the target keeps it", async () => {
    const world = await replicated();
    blobs(world, "west").remove("audio.mp4");
    expect(await verify(world, COPY)).toMatchObject({ result: "broken", problems: [{ kind: "source_missing" }], withdrawn: [] });
    expect(await states(world)).toEqual(BOTH);
    expect(blobs(world, "north").content("audio.mp4")).toBeDefined();
  });

  it("that has gone on is no damage: the copy is behind, and is brought up to date", async () => {
    const world = await replicated();
    blobs(world, "west").put("video.mp4", Buffer.from("a better video"));
    blobs(world, "west").put("extra.mp4", Buffer.from("more"));
    const report = await verify(world, COPY, { repair: false });
    expect(report).toMatchObject({ result: "behind", withdrawn: [] });
    expect(report.problems.map(({ kind }) => kind).sort()).toEqual(["source_added", "source_rewritten"]);
    expect(await states(world)).toEqual(BOTH);
    expect(await verify(world, COPY)).toMatchObject({ result: "repaired" });
    expect(Buffer.from(blobs(world, "north").content("video.mp4") ?? []).toString()).toBe("a better video");
  });
});

describe("entities and keys", () => {
  it.each(["content key policy", "locator"])("a lost %s takes the copy out of service until it is there again", async (what) => {
    const world = await replicated();
    const north = world.account("north");
    if (what === "locator") north.removeLocator("locator-intro");
    else north.removeContentKeyPolicy("tokens");
    const report = await verify(world, COPY);
    expect(report).toMatchObject({ result: "repaired", withdrawn: ["north"] });
    expect(report.problems.map((problem) => problem.what)).toContain(
      what === "locator" ? "locator locator-intro" : "content key policy tokens",
    );
    expect(await states(world)).toEqual(BOTH);
  });

  it("a policy that the source has changed is carried, and the copy serves meanwhile", async () => {
    const world = await replicated();
    await world.account("west").putContentKeyPolicy({ name: "tokens", properties: { ...tokenPolicy(), description: "newer" } });
    expect(await verify(world, COPY)).toMatchObject({ result: "repaired", withdrawn: [], problems: [{ kind: "entity_behind" }] });
    expect((await world.account("north").contentKeyPolicy("tokens"))?.properties["description"]).toBe("newer");
  });

  it("a policy that somebody changed on the target is withdrawn, reported and left alone", async () => {
    const world = await replicated();
    await world.account("north").putContentKeyPolicy({ name: "tokens", properties: { ...tokenPolicy(), description: "mine" } });
    expect(await verify(world, COPY)).toMatchObject({ result: "broken", withdrawn: ["north"], problems: [{ kind: "entity_conflict" }] });
    expect((await world.account("north").contentKeyPolicy("tokens"))?.properties["description"]).toBe("mine");
  });

  it("a key that the region's key delivery changed takes the copy out of service", async () => {
    const world = await replicated();
    world.wrongKeys.add("north");
    expect(await verify(world, COPY)).toMatchObject({ result: "broken", withdrawn: ["north"], problems: [{ kind: "playback" }] });
    expect(await states(world)).toEqual({ west: "verified", north: "withdrawn" });
    world.wrongKeys.clear();
    expect((await replicateAsset(world.deps, COPY)).error).toBeNull();
    expect(await states(world)).toEqual(BOTH);
  });

  it("a key that the source changed is reported, and the copy is not measured by it", async () => {
    const world = await replicated();
    world.account("west").removeLocator("locator-intro");
    await world.locate("west", "intro", {
      contentKeys: [
        {
          id: "22222222-2222-4222-8222-222222222222",
          type: null,
          labelReferenceInStreamingPolicy: "main",
          value: Buffer.alloc(16, 9).toString("base64"),
          policyName: null,
        },
      ],
    });
    expect(await verify(world, COPY)).toMatchObject({ result: "broken", withdrawn: [], problems: [{ kind: "source_keys" }] });
    expect(await states(world)).toEqual(BOTH);
  });

  it("a policy that the source lost is reported", async () => {
    const world = await replicated();
    world.account("west").removeContentKeyPolicy("tokens");
    expect(await verify(world, COPY)).toMatchObject({ result: "broken", withdrawn: [], problems: [{ kind: "source_entity" }] });
    expect(await states(world)).toEqual(BOTH);
  });
});

describe("what cannot be told", () => {
  it("of a region whose players get no answer is no verdict", async () => {
    const world = await replicated();
    world.dark.add("north");
    const before = await entry(world);
    expect(await verify(world, COPY)).toMatchObject({ result: "unanswered", withdrawn: [], repair: null });
    expect(await entry(world)).toEqual(before);
  });

  it.each(["west", "north"])("of storage in %s that is down is no verdict", async (region) => {
    const world = await replicated();
    world.account(region).blobCalls.failAll("list", unavailable());
    expect(await verify(world, COPY)).toMatchObject({ result: "unanswered" });
    expect(await states(world)).toEqual(BOTH);
  });

  it("while another process is at the copy is left to it", async () => {
    const world = await replicated();
    await world.journal.acquire("west/intro->north", "other", world.clock.now(), 60_000);
    expect(await verify(world, COPY)).toMatchObject({ result: "busy" });
  });

  it("with the journal lost, and both sides different and silent, is a conflict: the copy does not serve and nothing is overwritten", async () => {
    const world = await replicated();
    const fresh = new World();
    blobs(world, "north").rot("audio.mp4", flip);
    const deps = { ...world.deps, journal: fresh.journal, catalogue: world.catalogue };
    await world.journal.acquire("west/intro->north", "tester/none", world.clock.now(), 1);
    const report = await verifyCopy(deps, amsInspector(deps), COPY, { policy: DEFAULT_VERIFICATION, repair: true, dryRun: true });
    expect(report).toMatchObject({ result: "broken", problems: [{ kind: "undecided" }] });
  });
});
