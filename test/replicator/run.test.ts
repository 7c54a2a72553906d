import { describe, expect, it } from "vitest";
import { replicateAsset } from "../../src/replicator/run.ts";
import { KEY_ID, KEY_VALUE, LOCATOR_ID, SIGNING_KEY, tokenPolicy, unavailable, World } from "./world.ts";

const JOB = { source: "west", target: "north", assetName: "intro" } as const;

async function published(): Promise<World> {
  const world = new World();
  await world.publish();
  world.reset();
  return world;
}

describe("replicating an asset", () => {
  it("carries everything with its identity, verifies it and publishes it", async () => {
    const world = await published();
    const result = await replicateAsset(world.deps, JOB);
    expect(result).toMatchObject({ result: "changed", error: null, counts: { blobsCopied: 3, published: 1 } });
    expect(result.steps).toEqual(["planned", "copied", "policed", "located", "verified", "published"]);
    const [west, north] = [world.account("west"), world.account("north")];
    const [source, copy] = [await west.locator("locator-intro"), await north.locator("locator-intro")];
    expect(copy).toEqual({ ...source, created: copy?.created });
    expect(await north.contentKeyPolicy("tokens")).toEqual(await west.contentKeyPolicy("tokens"));
    expect(await north.streamingPolicy("envelope")).toEqual(await west.streamingPolicy("envelope"));
    expect(await Array.fromAsync(north.assetFilters("intro"))).toEqual(await Array.fromAsync(west.assetFilters("intro")));
    expect(await north.accountFilter("shared")).toEqual(await west.accountFilter("shared"));
    expect(await north.asset("intro")).toMatchObject({ container: "asset-intro", alternateId: "alt-intro", description: "a film" });
    for (const name of west.blobs("asset-intro").names())
      expect(north.blobs("asset-intro").content(name)).toEqual(west.blobs("asset-intro").content(name));
    const entry = (await world.catalogue.get(LOCATOR_ID))?.entry;
    expect(entry).toMatchObject({ source: "west", contentKeyPolicyName: "tokens", regions: { north: { state: "verified" } } });
    expect(entry?.keys).toEqual([{ id: KEY_ID, fingerprint: world.deps.fingerprint(KEY_VALUE) }]);
    expect(world.played).toEqual([`north ${entry?.manifests.hls}`, `north ${entry?.manifests.dash}`]);
    expect(west.mutations).toBe(0);
  });

  it("changes nothing the second time", async () => {
    const world = await published();
    await replicateAsset(world.deps, JOB);
    world.reset();
    const again = await replicateAsset(world.deps, JOB);
    expect(again).toMatchObject({ result: "unchanged", error: null });
    expect([world.mutations("west"), world.mutations("north"), world.catalogue.calls.mutations.length]).toEqual([0, 0, 0]);
    const written = world.journal.calls.mutations.map(({ operation }) => operation);
    expect(written).not.toContain("recordBlob");
    expect(written).not.toContain("recordProof");
  });

  it("verifies and publishes the original as its own target", async () => {
    const world = await published();
    const result = await replicateAsset(world.deps, { ...JOB, target: "west" });
    expect(result).toMatchObject({ result: "changed", steps: ["planned", "verified", "published"], error: null });
    expect((await world.catalogue.get(LOCATOR_ID))?.entry.regions).toMatchObject({ west: { state: "verified" } });
    expect(world.mutations("west")).toBe(0);
  });

  it("merges the regions of jobs that publish at the same time", async () => {
    const world = new World(["west", "north", "south"]);
    await world.publish();
    await Promise.all(["west", "north", "south"].map((target) => replicateAsset(world.deps, { ...JOB, target })));
    const regions = (await world.catalogue.get(LOCATOR_ID))?.entry.regions ?? {};
    expect(Object.keys(regions).sort()).toEqual(["north", "south", "west"]);
  });

  it("says in the catalogue what it could not prove, and publishes all the same", async () => {
    const world = await published();
    const key = { odataType: "#Microsoft.Media.ContentKeyPolicyRsaTokenKey", exponent: new Uint8Array(3), modulus: new Uint8Array(9) };
    await world.account("west").putContentKeyPolicy({ name: "tokens", properties: tokenPolicy({ primaryVerificationKey: key }) });
    expect((await replicateAsset(world.deps, JOB)).result).toBe("changed");
    const copy = (await world.catalogue.get(LOCATOR_ID))?.entry.regions["north"];
    expect(copy?.detail).toContain("not proven");
  });
});

describe("a run that breaks off", () => {
  const PLACES = [
    "createAsset",
    "putAssetFilter",
    "putAccountFilter",
    "putContentKeyPolicy",
    "createStreamingPolicy",
    "createLocator",
    "paths",
  ];

  it.each(PLACES)("at %s is continued by the next, which copies nothing twice", async (operation) => {
    const world = await published();
    world.account("north").calls.failNth(operation, 1, unavailable());
    const broken = await replicateAsset(world.deps, JOB);
    expect(broken).toMatchObject({ result: "failed", error: { code: "account_unavailable" } });
    expect(await world.catalogue.get(LOCATOR_ID)).toBeNull();
    expect(await world.journal.load(broken.id)).toMatchObject({ state: "failed", attempts: 1 });
    expect((await replicateAsset(world.deps, JOB)).result).toBe("changed");
    expect(world.account("north").blobCalls.count("copyFrom")).toBe(3);
    expect(world.account("north").calls.mutations.filter(({ operation: done }) => done === "createLocator").length).toBe(
      operation === "createLocator" ? 2 : 1,
    );
    expect((await world.catalogue.get(LOCATOR_ID))?.entry.regions["north"]?.state).toBe("verified");
    expect(await world.journal.load(broken.id)).toMatchObject({ state: "done", step: "published", attempts: 2 });
  });

  it.each([1, 2, 3])("after %i journal records of a blob loses no more than a record", async (nth) => {
    const world = await published();
    world.journal.calls.failNth("recordBlob", nth, new Error("killed"));
    await replicateAsset(world.deps, JOB);
    expect(await world.catalogue.get(LOCATOR_ID)).toBeNull();
    expect((await replicateAsset(world.deps, JOB)).result).toBe("changed");
    // What was copied and not recorded is found on the target, compared and adopted.
    expect(world.account("north").blobCalls.count("copyFrom")).toBe(3);
  });

  it("while the catalogue is written leaves it unwritten, and the next run writes it", async () => {
    const world = await published();
    world.catalogue.calls.failNth("put", 1, new Error("disk full"));
    expect((await replicateAsset(world.deps, JOB)).result).toBe("failed");
    expect(await world.catalogue.get(LOCATOR_ID)).toBeNull();
    world.account("north").calls.reset();
    expect((await replicateAsset(world.deps, JOB)).result).toBe("changed");
    expect(world.account("north").calls.mutations).toEqual([]);
  });

  it("between two blobs when it is asked to stop, and continues there", async () => {
    const world = await published();
    const stop = new AbortController();
    const { blobCalls } = world.account("north");
    blobCalls.onCall = ({ operation }) => {
      if (operation === "copyFrom") stop.abort();
    };
    const stopped = await replicateAsset({ ...world.deps, options: { ...world.deps.options, blobConcurrency: 1 } }, JOB, stop.signal);
    expect(stopped).toMatchObject({ result: "failed", error: { code: "stopped" }, counts: { blobsCopied: 1 } });
    blobCalls.onCall = null;
    expect((await replicateAsset(world.deps, JOB)).counts.blobsCopied).toBe(2);
  });

  it("under a lease is waited for by the next process, until the lease has run out", async () => {
    const world = await published();
    await world.journal.acquire("west/intro->north", "crashed", world.clock.now(), 15_000);
    const running = replicateAsset(world.deps, JOB);
    await world.clock.advance(14_000);
    expect(world.mutations("north")).toBe(0);
    await world.clock.advance(2_000);
    expect((await running).result).toBe("changed");
  });

  it("fails with job_busy while another process keeps its lease", async () => {
    const world = await published();
    const renew = () => world.journal.acquire("west/intro->north", "other", world.clock.now(), 60_000);
    await renew();
    const running = replicateAsset(world.deps, JOB);
    await world.clock.advance(20_000);
    expect(await running).toMatchObject({ result: "failed", error: { code: "job_busy" } });
    expect(world.mutations("north")).toBe(0);
  });

  it("because its lease was taken over stops writing", async () => {
    const world = await published();
    let taken = false;
    world.account("north").blobCalls.onCall = async ({ operation }) => {
      if (operation !== "copyFrom" || taken) return;
      taken = true;
      world.journal.seize("west/intro->north", "other", world.clock.now() + 60_000);
      await world.clock.advance(5_000);
    };
    expect(await replicateAsset(world.deps, JOB)).toMatchObject({ result: "failed", error: { code: "lease_lost" } });
    expect(world.account("north").calls.count("createLocator")).toBe(0);
    expect(await world.catalogue.get(LOCATOR_ID)).toBeNull();
  });
});

describe("a worker that is taken over at the last moment", () => {
  it("publishes nothing: the look at the lease and the write are one", async () => {
    const world = await published();
    world.catalogue.calls.onCall = ({ operation }) => {
      if (operation !== "put") return;
      world.catalogue.calls.onCall = null;
      world.journal.seize("west/intro->north", "heir", world.clock.now() + 60_000);
    };
    expect(await replicateAsset(world.deps, JOB)).toMatchObject({ result: "failed", error: { code: "lease_lost" } });
    expect(await world.catalogue.get(LOCATOR_ID)).toBeNull();
  });
});

describe("verification", () => {
  it("that fails keeps the copy out of the catalogue", async () => {
    const world = await published();
    world.wrongKeys.add("north");
    const result = await replicateAsset(world.deps, JOB);
    expect(result).toMatchObject({ result: "failed", error: { code: "verification_failed" } });
    expect(result.error?.message).not.toContain(KEY_VALUE.toString("base64"));
    expect(await world.catalogue.get(LOCATOR_ID)).toBeNull();
  });

  it("that finds another key later withdraws the region", async () => {
    const world = await published();
    await replicateAsset(world.deps, JOB);
    world.wrongKeys.add("north");
    await replicateAsset(world.deps, JOB);
    expect((await world.catalogue.get(LOCATOR_ID))?.entry.regions["north"]?.state).toBe("withdrawn");
    world.wrongKeys.clear();
    expect((await replicateAsset(world.deps, JOB)).result).toBe("changed");
    expect((await world.catalogue.get(LOCATOR_ID))?.entry.regions["north"]?.state).toBe("verified");
  });

  it("against a region that does not answer withdraws nothing: that is its health's business", async () => {
    const world = await published();
    await replicateAsset(world.deps, JOB);
    world.dark.add("north");
    expect((await replicateAsset(world.deps, JOB)).result).toBe("failed");
    expect((await world.catalogue.get(LOCATOR_ID))?.entry.regions["north"]?.state).toBe("verified");
  });

  it("goes on when a blob on the target changed behind its back, by refusing", async () => {
    const world = await published();
    await replicateAsset(world.deps, JOB);
    world.account("north").blobs("asset-intro").put("video.mp4", Buffer.from("somebody else's"));
    const result = await replicateAsset(world.deps, JOB);
    expect(result.result).toBe("conflict");
    expect((await world.catalogue.get(LOCATOR_ID))?.entry.regions["north"]).toMatchObject({ state: "withdrawn" });
  });
});

describe("a conflict", () => {
  type Plant = (world: World) => Promise<void> | void;
  const assetWith =
    (container: string): Plant =>
    async (world) => {
      await world.account("north").createAsset({ name: "intro", container, alternateId: null, description: null });
    };
  const KINDS: Record<string, { plant: Plant; what: RegExp }> = {
    "an asset in another container": { plant: assetWith("elsewhere"), what: /asset intro.*asset-intro.*elsewhere/ },
    "a blob with other content": {
      plant: async (world) => {
        await assetWith("asset-intro")(world);
        world.account("north").blobs("asset-intro").put("video.mp4", Buffer.from("video of OTHER"));
      },
      what: /blob video\.mp4.*which no run of ours wrote/,
    },
    "a blob of the same length without MD5 that differs": {
      plant: async (world) => {
        await assetWith("asset-intro")(world);
        world.account("north").blobs("asset-intro").put("audio.mp4", Buffer.from("AUDIO of intro"));
      },
      what: /blob audio\.mp4/,
    },
    "another content key policy": {
      plant: (world) => world.account("north").putContentKeyPolicy({ name: "tokens", properties: tokenPolicy({ issuer: "somebody" }) }),
      what: /content key policy tokens.*options\[0\]\.restriction\.issuer/,
    },
    "a content key policy with another signing key": {
      plant: (world) =>
        world.account("north").putContentKeyPolicy({
          name: "tokens",
          properties: tokenPolicy({
            primaryVerificationKey: { odataType: "#Microsoft.Media.ContentKeyPolicySymmetricTokenKey", keyValue: new Uint8Array(40) },
          }),
        }),
      what: /primaryVerificationKey\.keyValue/,
    },
    "another streaming policy": {
      plant: (world) => world.account("north").createStreamingPolicy({ name: "envelope", properties: { noEncryption: {} } }),
      what: /streaming policy envelope/,
    },
    "another account filter": {
      plant: (world) => world.account("north").putAccountFilter({ name: "shared", properties: { firstQuality: { bitrate: 1 } } }),
      what: /account filter shared/,
    },
    "a locator with another id": {
      plant: async (world) => {
        await world.publish("north");
        world.account("north").removeLocator("locator-intro");
        await world.locate("north", "intro", { streamingLocatorId: "33333333-3333-4333-8333-333333333333" });
      },
      what: /locator locator-intro.*11111111.*33333333/,
    },
    "a locator with another key value": {
      plant: async (world) => {
        await world.publish("north");
        world.account("north").removeLocator("locator-intro");
        const key = { id: KEY_ID, type: null, labelReferenceInStreamingPolicy: "main", policyName: null };
        await world.locate("north", "intro", { contentKeys: [{ ...key, value: Buffer.alloc(16).toString("base64") }] });
      },
      what: /fingerprint ([0-9a-f]{12})\).*fingerprint (?!\1)[0-9a-f]{12}\)/,
    },
    "the same locator id under another name": {
      plant: async (world) => {
        await world.publish("north");
        world.account("north").removeLocator("locator-intro");
        await world.locate("north", "intro", { name: "renamed" });
      },
      what: /the same id under the name renamed/,
    },
  };

  it.each(Object.keys(KINDS))("with %s is refused before anything is written, names both sides and no secret", async (name) => {
    const world = new World();
    await world.publish();
    const kind = KINDS[name];
    await kind?.plant(world);
    world.reset();
    const result = await replicateAsset(world.deps, JOB);
    expect(result).toMatchObject({ result: "conflict", error: { code: "replica_conflict" } });
    expect(result.error?.message).toMatch(kind?.what ?? /never/);
    expect(result.error?.conflicts[0]).toMatchObject({ advice: expect.stringMatching(/\w/) as string });
    for (const secret of [
      KEY_VALUE.toString("base64"),
      KEY_VALUE.toString("hex"),
      SIGNING_KEY.toString("base64"),
      SIGNING_KEY.toString("hex"),
    ])
      expect(JSON.stringify(result)).not.toContain(secret);
    expect(world.mutations("north")).toBe(0);
    expect(await world.catalogue.get(LOCATOR_ID)).toBeNull();
    expect((await world.journal.load(result.id))?.state).toBe("conflict");
  });

  it("of one locator does not keep the asset's others back", async () => {
    const world = await published();
    const other = "44444444-4444-4444-8444-444444444444";
    await world.locate("west", "intro", {
      name: "second",
      streamingLocatorId: other,
      streamingPolicyName: "Predefined_ClearStreamingOnly",
      contentKeys: [],
    });
    await world.publish("north", "unrelated", {
      name: "second",
      streamingLocatorId: "55555555-5555-4555-8555-555555555555",
      contentKeys: [],
    });
    const result = await replicateAsset(world.deps, JOB);
    expect(result).toMatchObject({ result: "conflict", counts: { published: 1 } });
    expect((await world.catalogue.get(LOCATOR_ID))?.entry.regions["north"]?.state).toBe("verified");
    expect(await world.catalogue.get(other)).toBeNull();
  });
});

describe("a change of the source", () => {
  it("replaces a blob and a policy that are still as we left them", async () => {
    const world = await published();
    await replicateAsset(world.deps, JOB);
    world.account("west").blobs("asset-intro").put("video.mp4", Buffer.from("a better cut"));
    await world.account("west").putContentKeyPolicy({ name: "tokens", properties: tokenPolicy({ alternateVerificationKeys: [rsaKey()] }) });
    const result = await replicateAsset(world.deps, JOB);
    expect(result).toMatchObject({ result: "changed", counts: { blobsCopied: 1, written: ["content key policy tokens"] } });
    expect(Buffer.from(world.account("north").blobs("asset-intro").content("video.mp4") ?? []).toString()).toBe("a better cut");
    expect(await world.account("north").contentKeyPolicy("tokens")).toEqual(await world.account("west").contentKeyPolicy("tokens"));
  });

  it("does not replace a policy that somebody changed on the target", async () => {
    const world = await published();
    await replicateAsset(world.deps, JOB);
    await world.account("north").putContentKeyPolicy({ name: "tokens", properties: tokenPolicy({ audience: "theirs" }) });
    await world.account("west").putContentKeyPolicy({ name: "tokens", properties: tokenPolicy({ alternateVerificationKeys: [rsaKey()] }) });
    expect((await replicateAsset(world.deps, JOB)).result).toBe("conflict");
  });

  it("adopts a copy that somebody else made, and works with its journal lost", async () => {
    const world = await published();
    await replicateAsset(world.deps, JOB);
    const fresh = new World();
    const deps = { ...world.deps, journal: fresh.journal };
    world.reset();
    expect(await replicateAsset(deps, JOB)).toMatchObject({ result: "unchanged", counts: { blobsAdopted: 3, blobsCopied: 0 } });
    expect(world.mutations("north")).toBe(0);
  });

  it("that is not finished is waited for", async () => {
    const world = await published();
    world.account("west").blobs("asset-intro").putPending("late.mp4", Buffer.from("late"));
    expect(await replicateAsset(world.deps, JOB)).toMatchObject({ result: "failed", error: { code: "source_unready" } });
  });

  it("leaves extra blobs of the target alone and says so", async () => {
    const world = await published();
    await replicateAsset(world.deps, JOB);
    world.account("north").blobs("asset-intro").put("extra.mp4", Buffer.from("x"));
    const result = await replicateAsset(world.deps, JOB);
    expect(result.result).toBe("unchanged");
    expect(result.counts.notes.join()).toContain("extra.mp4");
    expect(world.account("north").blobs("asset-intro").names()).toContain("extra.mp4");
  });
});

function rsaKey(): { readonly odataType: string; readonly exponent: Uint8Array; readonly modulus: Uint8Array } {
  return {
    odataType: "#Microsoft.Media.ContentKeyPolicyRsaTokenKey",
    exponent: new Uint8Array([1, 0, 1]),
    modulus: new Uint8Array(256).fill(7),
  };
}
