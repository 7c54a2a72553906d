/** Deletions over two regions in memory: what replication has made, and nothing else, goes with its source. */
import { describe, expect, it } from "vitest";
import { LOCATOR_ID, unavailable, World } from "../world.ts";
import type { Deletion } from "../../../src/core/ports/deletions.ts";
import type { DeletionDeps } from "../../../src/replicator/deletion/deps.ts";
import { listDeletions } from "../../../src/replicator/deletion/list.ts";
import { reviewDeletions, type ReviewSummary } from "../../../src/replicator/deletion/review.ts";
import { say } from "../../../src/replicator/deletion/say.ts";
import { amsDriver, replicationPass } from "../../../src/replicator/pass.ts";
import { MemoryDeletions } from "../../fakes/memoryDeletions.ts";

const DAY = 86_400_000;
const ID = `north/${LOCATOR_ID}`;
const SECOND_ID = "33333333-3333-4333-8333-333333333333";
const never = new AbortController().signal;

class Stage {
  readonly world = new World();
  readonly deletions = new MemoryDeletions();
  readonly deps: DeletionDeps = {
    ...this.world.deps,
    deletions: this.deletions,
    sources: ["west"],
    targets: ["west", "north"],
    policy: { graceMs: 7 * DAY, limit: { share: 0.01 }, windowMs: DAY, needsApproval: false },
    assets: true,
  };

  async pass(acceptWithdrawals = false): Promise<void> {
    const options = { sources: ["west"], targets: ["west", "north"], full: false, assetName: null, acceptWithdrawals };
    await this.world.clock.advance(1);
    await this.#onClock(replicationPass(this.world.deps, amsDriver(this.world.deps), options));
  }

  async review(change: Partial<DeletionDeps> = {}, stop = never): Promise<ReviewSummary> {
    return this.#onClock(reviewDeletions({ ...this.deps, ...change }, stop));
  }

  /** The source takes its publication back, a pass sees it, a round notes it, and the grace period goes by. */
  async unpublish(name = "locator-intro"): Promise<void> {
    this.world.account("west").removeLocator(name);
    await this.pass();
  }

  async due(): Promise<void> {
    await this.unpublish();
    await this.review();
    await this.world.clock.advance(7 * DAY);
    this.world.reset();
  }

  async stored(id = ID): Promise<Deletion | undefined> {
    return (await this.deletions.get(id))?.deletion;
  }

  get north() {
    return this.world.account("north");
  }

  async #onClock<T>(work: Promise<T>): Promise<T> {
    let ended = false;
    const running = work.finally(() => {
      ended = true;
    });
    running.catch(() => undefined);
    while (!ended) await this.world.clock.advance(100);
    return running;
  }
}

async function replicated(): Promise<Stage> {
  const stage = new Stage();
  await stage.world.publish();
  await stage.pass();
  return stage;
}

const writesOf = (stage: Stage, region: string): readonly string[] =>
  stage.world.account(region).calls.mutations.map(({ operation }) => operation);
const counted = (summary: ReviewSummary) => Object.fromEntries(summary.standing.map(({ status, count }) => [status, count]));

describe("a copy whose source is gone", () => {
  it("is noted, waits for the grace period, and is deleted after it: catalogue, locator, policy, asset", async () => {
    const stage = await replicated();
    await stage.unpublish();
    expect(counted(await stage.review())).toEqual({ pending: 1 });
    await stage.world.clock.advance(7 * DAY - 60_000);
    expect(counted(await stage.review())).toEqual({ pending: 1 });
    expect((await listDeletions(stage.deps, never)).map(({ status, assetName }) => [status, assetName])).toEqual([["pending", "intro"]]);
    await stage.world.clock.advance(60_000);
    stage.world.reset();
    const order: string[] = [];
    stage.north.calls.onCall = async ({ operation, mutating }) => {
      const entry = await stage.world.catalogue.get(LOCATOR_ID);
      if (mutating) order.push(`${operation} while ${entry?.entry.regions["north"]?.state}`);
    };
    expect(await stage.review()).toMatchObject({ deleted: 1, failed: 0, standing: [{ target: "north", status: "done", count: 1 }] });
    expect(order).toEqual(["deleteLocator while withdrawn", "deleteStreamingPolicy while withdrawn", "deleteAsset while withdrawn"]);
    expect(await stage.north.asset("intro")).toBeNull();
    expect(await stage.north.streamingPolicy("envelope")).toBeNull();
    expect(writesOf(stage, "west")).toEqual([]);
    const done = await stage.stored();
    expect(done).toMatchObject({ state: "done", detail: expect.stringContaining("asset intro with container asset-intro") });
    expect(done?.bytes).toBeGreaterThan(0);
    stage.world.reset();
    expect(await stage.review()).toMatchObject({ deleted: 0, failed: 0 });
    expect(writesOf(stage, "north")).toEqual([]);
  });

  it("comes back: published again within the grace period, it is forgotten and serves as before", async () => {
    const stage = await replicated();
    await stage.unpublish();
    await stage.review();
    await stage.world.clock.advance(DAY);
    await stage.world.locate("west", "intro");
    await stage.pass();
    expect(await stage.review()).toMatchObject({ restored: 1, deleted: 0, standing: [] });
    await stage.world.clock.advance(30 * DAY);
    expect(await stage.review()).toMatchObject({ deleted: 0, standing: [] });
    expect((await stage.world.catalogue.get(LOCATOR_ID))?.entry.regions["north"]?.state).toBe("verified");
  });

  it("comes back in the last moment, before a pass has seen it: the source is asked", async () => {
    const stage = await replicated();
    await stage.due();
    await stage.world.locate("west", "intro");
    expect(await stage.review()).toMatchObject({ restored: 1, deleted: 0 });
    expect(writesOf(stage, "north")).toEqual([]);
  });

  it("is published in another region since: it stays", async () => {
    const stage = await replicated();
    await stage.due();
    const copy = await stage.north.locator("locator-intro");
    stage.north.removeLocator("locator-intro");
    await stage.world.locate("north", "intro", { ...copy });
    expect(await stage.review({ sources: ["west", "north"] })).toMatchObject({ restored: 1, deleted: 0 });
    stage.world.reset();
    // Where the target is no source, it is not asked as one: its locator is younger than the loss all the same.
    expect(counted(await stage.review())).toEqual({ pending: 1 });
    await stage.world.clock.advance(7 * DAY);
    expect(counted(await stage.review())).toEqual({ foreign: 1 });
    expect(writesOf(stage, "north")).toEqual([]);
    expect((await stage.stored())?.detail).toContain("was published there after");
  });

  it("stays while its source cannot be asked, and while its target cannot", async () => {
    const stage = await replicated();
    await stage.due();
    stage.world.account("west").calls.failAll("*", unavailable());
    expect(counted(await stage.review())).toEqual({ unconfirmed: 1 });
    expect(writesOf(stage, "north")).toEqual([]);
    stage.world.account("west").calls.heal();
    stage.north.calls.failAll("*", unavailable());
    expect(await stage.review()).toMatchObject({ deleted: 0, failed: 1 });
    stage.north.calls.heal();
    expect(await stage.review()).toMatchObject({ deleted: 1 });
  });
});

describe("what replication has not made", () => {
  it("a locator that was there before is reported, and nothing is deleted", async () => {
    const stage = new Stage();
    await stage.world.publish("west");
    await stage.world.publish("north");
    await stage.pass();
    await stage.due();
    expect(counted(await stage.review())).toEqual({ foreign: 1 });
    expect(writesOf(stage, "north")).toEqual([]);
    expect((await stage.stored())?.detail).toContain("nothing shows that replication made");
  });

  it("a file that somebody put into the copy, or has written over, keeps all of it", async () => {
    for (const name of ["extra.txt", "video.mp4"]) {
      const stage = await replicated();
      stage.north.blobs("asset-intro").put(name, Buffer.from("somebody's"));
      await stage.due();
      expect(counted(await stage.review())).toEqual({ foreign: 1 });
      expect(writesOf(stage, "north")).toEqual([]);
      expect((await stage.stored())?.detail).toContain(name);
    }
  });

  it("a streaming policy that was there before stays, and so does one that another locator uses", async () => {
    const stage = new Stage();
    await stage.world.publish();
    const { properties } = (await stage.world.account("west").streamingPolicy("envelope")) ?? { properties: {} };
    await stage.north.createStreamingPolicy({ name: "envelope", properties });
    await stage.pass();
    await stage.due();
    expect(await stage.review()).toMatchObject({ deleted: 1 });
    expect(await stage.north.streamingPolicy("envelope")).not.toBeNull();
  });

  it("files stay where only locators are to go", async () => {
    const stage = await replicated();
    await stage.due();
    expect(await stage.review({ assets: false })).toMatchObject({ deleted: 1 });
    expect(await stage.north.asset("intro")).not.toBeNull();
    expect(await stage.north.locator("locator-intro")).toBeNull();
  });
});

describe("an asset with two locators", () => {
  const second = { name: "second", streamingLocatorId: SECOND_ID, streamingPolicyName: "Predefined_ClearStreamingOnly" };
  async function twice(): Promise<Stage> {
    const stage = new Stage();
    await stage.world.publish();
    await stage.world.locate("west", "intro", { ...second, contentKeys: [], defaultContentKeyPolicyName: null });
    await stage.pass();
    return stage;
  }

  it("stays for the other one, and goes with the last", async () => {
    const stage = await twice();
    const limit = { policy: { ...stage.deps.policy, limit: { count: 5 } } };
    await stage.due();
    expect(await stage.review(limit)).toMatchObject({ deleted: 1 });
    expect((await stage.stored())?.detail).toContain("its asset stays: locator second streams it");
    expect(await stage.north.asset("intro")).not.toBeNull();
    await stage.unpublish("second");
    await stage.review(limit);
    await stage.world.clock.advance(7 * DAY);
    expect(await stage.review(limit)).toMatchObject({ deleted: 1, failed: 0 });
    expect(await stage.north.asset("intro")).toBeNull();
  });

  it("goes whole in one round where both are gone", async () => {
    const stage = await twice();
    stage.world.account("west").removeLocator("second");
    await stage.due();
    const limit = { policy: { ...stage.deps.policy, limit: { count: 5 } } };
    expect(await stage.review(limit)).toMatchObject({ deleted: 2, failed: 0 });
    expect(await stage.north.asset("intro")).toBeNull();
  });
});

describe("an operator", () => {
  it("keeps what is named, and takes the word back; what is done is past it", async () => {
    const stage = await replicated();
    await stage.due();
    const words = { deletions: stage.deletions, log: stage.deps.log };
    expect(await say(words, ["intro", "other"], "keep")).toMatchObject({ said: [{ id: ID, word: "keep" }], unknown: ["other"] });
    expect(counted(await stage.review())).toEqual({ kept: 1 });
    expect((await say(words, [LOCATOR_ID.toUpperCase()], null)).unknown).toEqual([]);
    expect(await stage.review()).toMatchObject({ deleted: 1 });
    expect(await say(words, [ID], "keep")).toEqual({ said: [], unknown: [ID] });
  });
});

describe("interrupted at any call of the target", () => {
  it("goes on to the same end", async () => {
    for (let at = 1; ; at += 1) {
      const stage = await replicated();
      await stage.due();
      const killed = new AbortController();
      let calls = 0;
      stage.north.calls.onCall = ({ operation }) => {
        calls += 1;
        if (calls === at) killed.abort(new Error(`killed at ${operation}`));
      };
      await stage.review({}, killed.signal).catch(() => undefined);
      stage.north.calls.onCall = null;
      if (!killed.signal.aborted) {
        expect(at).toBeGreaterThan(8);
        return;
      }
      await stage.review({ owner: "the next process" });
      expect(await stage.stored(), `killed at call ${at}`).toMatchObject({ state: "done" });
      expect(await stage.north.asset("intro")).toBeNull();
      expect(await stage.north.locator("locator-intro")).toBeNull();
      expect(await stage.north.streamingPolicy("envelope")).toBeNull();
    }
  });
});

describe("much at once", () => {
  it("is refused until an operator approves it, and then goes within the limit", async () => {
    const stage = new Stage();
    const ids = Array.from({ length: 6 }, (_, at) => `1111111${at}-1111-4111-8111-111111111111`);
    for (const [at, id] of ids.entries()) {
      const name = `video-${at}`;
      const keys = [{ ...KEY, id: `2222222${at}-2222-4222-8222-222222222222` }];
      await stage.world.publish("west", name, { streamingLocatorId: id, contentKeys: keys });
    }
    await stage.pass();
    for (const at of [0, 1, 2]) stage.world.account("west").removeLocator(`locator-video-${at}`);
    await stage.pass();
    await stage.review();
    await stage.world.clock.advance(7 * DAY);
    const limit = { policy: { ...stage.deps.policy, limit: { count: 2 } } };
    expect(counted(await stage.review(limit))).toEqual({ refused: 3 });
    for (const id of ids.slice(0, 3)) {
      const stored = await stage.deletions.get(`north/${id}`);
      if (stored !== null) await stage.deletions.put({ ...stored.deletion, word: "approve" }, stored.version);
    }
    expect(counted(await stage.review(limit))).toEqual({ done: 2, waits: 1 });
    expect(counted(await stage.review(limit))).toEqual({ done: 2, waits: 1 });
    await stage.world.clock.advance(DAY);
    expect(counted(await stage.review(limit))).toEqual({ done: 3 });
  });
});

const KEY = {
  type: null,
  labelReferenceInStreamingPolicy: "main",
  value: Buffer.alloc(16, 3).toString("base64"),
  policyName: null,
};
