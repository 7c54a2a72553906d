import { jwtVerify } from "jose";
import { beforeEach, describe, expect, it } from "vitest";
import type { Canary } from "../../src/core/contracts.ts";
import { silentLog } from "../../src/core/log.ts";
import { CatalogueCanaries } from "../../src/replicator/canaries.ts";
import { CachedCatalogueView, viewedStore } from "../../src/replicator/catalogueView.ts";
import { amsDriver, replicationPass } from "../../src/replicator/pass.ts";
import { withdrawCopy } from "../../src/replicator/publish.ts";
import type { AmsDeps } from "../../src/replicator/run.ts";
import { eventually } from "../harness/wait.ts";
import { KEY_ID, KEY_VALUE, LOCATOR_ID, SIGNING_KEY, tokenPolicy, unavailable, World } from "./world.ts";

let world: World;
let view: CachedCatalogueView;
let deps: AmsDeps;
let canaries: CatalogueCanaries;

beforeEach(() => {
  world = new World();
  view = new CachedCatalogueView({ store: world.catalogue, clock: world.clock, log: silentLog });
  deps = { ...world.deps, catalogue: viewedStore(world.catalogue, view) };
  canaries = new CatalogueCanaries({ view, accounts: world.accounts, clock: world.clock, log: silentLog, keyPrefix: "/keys" });
});

async function replicate(): Promise<void> {
  await replicationPass(deps, amsDriver(deps), { sources: ["west"], targets: ["west", "north"], full: false, assetName: null });
}

async function accepts(canary: Canary | null, at = world.clock.now()): Promise<boolean> {
  const token = (canary?.key?.authorization ?? "").replace("Bearer ", "");
  return jwtVerify(token, SIGNING_KEY, { issuer: "issuer", audience: "audience", currentDate: new Date(at) }).then(
    () => true,
    () => false,
  );
}

async function publishClear(name: string, id: string): Promise<void> {
  await world.publish("west", name, {
    name: `clear-${name}`,
    streamingLocatorId: id,
    streamingPolicyName: "Predefined_ClearStreamingOnly",
    defaultContentKeyPolicyName: null,
    contentKeys: [],
  });
}

describe("canaries", () => {
  it("are null for a region that holds nothing, and there from the first publication on", async () => {
    expect(await canaries.canary("north")).toBeNull();
    await world.publish();
    await replicate();
    expect(await canaries.canary("north")).toMatchObject({
      locatorId: LOCATOR_ID,
      manifestPath: expect.stringContaining(`/${LOCATOR_ID}/intro.ism/`) as string,
      key: { id: KEY_ID, path: `/?kid=${KEY_ID}`, fingerprint: world.deps.fingerprint(KEY_VALUE), tokenUnavailable: false },
    });
    expect(await accepts(await canaries.canary("north"))).toBe(true);
  });

  it("of clear videos have a manifest only, and protected ones are preferred", async () => {
    await publishClear("clear", "88888888-8888-4888-8888-888888888888");
    await replicate();
    expect(await canaries.canary("north")).toMatchObject({ locatorId: "88888888-8888-4888-8888-888888888888", key: null });
    await world.clock.advance(60_000);
    await world.publish();
    await replicate();
    const { value } = await eventually(20_000, "the protected canary, whose token is signed in a thread", async () => {
      const canary = await canaries.canary("north");
      return canary?.locatorId === LOCATOR_ID ? canary : null;
    });
    expect(value.key).toMatchObject({ id: KEY_ID });
  });

  it("say where no token can be made", async () => {
    await world.publish();
    const rsa = { odataType: "#Microsoft.Media.ContentKeyPolicyRsaTokenKey", exponent: new Uint8Array([1]), modulus: new Uint8Array([2]) };
    await world.account("west").putContentKeyPolicy({ name: "tokens", properties: tokenPolicy({ primaryVerificationKey: rsa }) });
    await replicate();
    expect((await canaries.canary("north"))?.key).toMatchObject({ authorization: null, tokenUnavailable: true });
  });

  it("ask the account at most every 30 s and renew their token before it ends", async () => {
    await world.publish();
    await replicate();
    await canaries.canary("north");
    world.reset();
    for (let at = 0; at < 20; at += 1) await canaries.canary("north");
    expect(world.account("west").calls.all).toEqual([]);
    for (let minute = 0; minute < 90; minute += 1) {
      await world.clock.advance(60_000);
      await canaries.canary("north");
      await world.clock.advance(0);
      expect(await accepts(await canaries.canary("north"))).toBe(true);
    }
    expect(world.account("west").calls.count("contentKeyPolicy")).toBeLessThanOrEqual(3);
  });

  it("stay the last good ones while the accounts do not answer, without a token that has run out", async () => {
    await world.publish();
    await replicate();
    const first = await canaries.canary("north");
    for (const account of world.accounts.values()) account.calls.failAll("*", unavailable());
    await world.clock.advance(31_000);
    expect(await canaries.canary("north")).toEqual(first);
    await world.clock.advance(70 * 60_000);
    expect((await canaries.canary("north"))?.key).toMatchObject({ authorization: null, tokenUnavailable: true });
  });

  it("come from the region's own account while the source's does not answer", async () => {
    await world.publish();
    await replicate();
    world.account("west").calls.failAll("*", unavailable());
    expect(await accepts(await canaries.canary("north"))).toBe(true);
  });

  it("are never of a copy that was withdrawn", async () => {
    await world.publish();
    await replicate();
    await canaries.canary("north");
    await withdrawCopy(deps.catalogue, LOCATOR_ID, "north", world.clock.now(), "gone");
    expect(await canaries.canary("north")).toBeNull();
  });
});
