/** One locator and its policies, carried from account to account outside of any job: a live event's, which each region records by itself. */
import { beforeEach, describe, expect, it } from "vitest";
import { PaircastError } from "../../src/core/errors.ts";
import { carryLocator } from "../../src/replicator/carryLocator.ts";
import type { MemoryMediaAccount } from "../fakes/memoryMediaAccount.ts";
import { envelopePolicy, KEY_VALUE, SIGNING_KEY, tokenPolicy, World } from "./world.ts";

const NAME = "locator-show";
const ASSET = { name: "show", container: "asset-show", alternateId: null, description: "an event" };

let world: World;
let west: MemoryMediaAccount;
let north: MemoryMediaAccount;

beforeEach(async () => {
  world = new World();
  [west, north] = [world.account("west"), world.account("north")];
  for (const account of [west, north]) await account.createAsset(ASSET);
  await west.putContentKeyPolicy({ name: "tokens", properties: tokenPolicy() });
  await west.createStreamingPolicy({ name: "envelope", properties: envelopePolicy() });
  await world.locate("west", "show", { filters: [] });
  world.reset();
});

const carry = async (): Promise<void> =>
  carryLocator(NAME, {
    source: west,
    target: north,
    keyUrls: [{ from: "https://play.example/keys", to: "https://gateway.example/keys" }],
    fingerprint: world.deps.fingerprint,
    signal: new AbortController().signal,
  });

const written = (account: MemoryMediaAccount): readonly string[] => account.calls.mutations.map(({ operation }) => operation);

async function tokensDiffer(account: MemoryMediaAccount): Promise<void> {
  await account.putContentKeyPolicy({ name: "tokens", properties: tokenPolicy({ issuer: "somebody else" }) });
}

describe("a locator that is carried to another account", () => {
  it("has the same id and keys there, with its policies before it, and is left alone by a second run", async () => {
    await carry();
    expect(written(north)).toEqual(["putContentKeyPolicy", "createStreamingPolicy", "createLocator"]);
    const { created: _there, ...there } = (await north.locator(NAME)) ?? {};
    const { created: _here, ...here } = (await west.locator(NAME)) ?? {};
    expect(there).toEqual(here);
    expect((await north.contentKeyPolicy("tokens"))?.properties).toEqual((await west.contentKeyPolicy("tokens"))?.properties);
    // Keys of the region come through the gateway.
    expect(JSON.stringify(await north.streamingPolicy("envelope"))).toContain("https://gateway.example/keys/?kid=");
    world.reset();
    await carry();
    expect([written(west), written(north)]).toEqual([[], []]);
    // One look at each: the policies and the locator.
    expect([west.calls.all.length, north.calls.all.length]).toEqual([3, 3]);
  });

  const CLEAR = { filters: [], streamingPolicyName: "Predefined_ClearStreamingOnly", contentKeys: [] } as const;

  it.each([
    ["content key policy tokens", async () => tokensDiffer(north)],
    ["streaming policy envelope", async () => north.createStreamingPolicy({ name: "envelope", properties: { noEncryption: {} } })],
    [`locator ${NAME}`, async () => world.locate("north", "show", CLEAR)],
    [`locator ${NAME}`, async () => world.locate("north", "show", { ...CLEAR, name: "another" })],
  ] as const)("is refused where something else has the place of %s, before anything is written", async (what, put) => {
    await put();
    world.reset();
    const refused: unknown = await carry().catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "replica_conflict", conflicts: [{ what }] });
    for (const secret of [KEY_VALUE, SIGNING_KEY]) expect(String(refused)).not.toContain(secret.toString("base64"));
    expect(written(north)).toEqual([]);
  });

  it("is whose id another asset of the target has: the conflict names it", async () => {
    await north.createAsset({ ...ASSET, name: "other", container: "asset-other" });
    await world.locate("north", "other", CLEAR);
    await expect(carry()).rejects.toMatchObject({
      code: "replica_conflict",
      message: expect.stringContaining("in the locator locator-other of asset other"),
    });
  });

  it("is taken for carried where somebody else was quicker with the same", async () => {
    const own = north.createLocator.bind(north);
    north.createLocator = async (locator, signal) => {
      await own(locator, signal);
      throw new PaircastError("media_exists", "it exists already", { retry: "conflict" });
    };
    await carry();
    expect((await north.locator(NAME))?.contentKeys).toEqual((await west.locator(NAME))?.contentKeys);
  });

  it("replaces nothing, however the source has changed since", async () => {
    await carry();
    await tokensDiffer(west);
    world.reset();
    await expect(carry()).rejects.toMatchObject({
      code: "replica_conflict",
      message: expect.stringContaining("content key policy tokens"),
    });
    expect(written(north)).toEqual([]);
  });

  it("goes nowhere without all that it names, or with policies whose secrets the source keeps", async () => {
    const own = west.contentKeyPolicy.bind(west);
    west.contentKeyPolicy = async (name, signal) => {
      const policy = await own(name, signal);
      return policy === null ? null : { ...policy, secretsHidden: true };
    };
    await expect(carry()).rejects.toMatchObject({ code: "source_secrets_hidden" });
    west.contentKeyPolicy = own;
    west.removeContentKeyPolicy("tokens");
    await expect(carry()).rejects.toMatchObject({ code: "source_missing", message: expect.stringContaining("content key policy tokens") });
    west.removeLocator(NAME);
    await expect(carry()).rejects.toMatchObject({ code: "source_missing", message: expect.stringContaining(`locator ${NAME}`) });
    expect(written(north)).toEqual([]);
  });
});
