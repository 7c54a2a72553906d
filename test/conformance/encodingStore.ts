/** What every `EncodingStore` does: the contract in `src/core/ports`, sentence by sentence. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EncodingJob, EncodingMessage } from "../../src/core/encoding.ts";
import type { EncodingStore, JobWrite, VersionedJob } from "../../src/core/ports/encodingStore.ts";
import { newAccount } from "../../src/encoding/account.ts";
import { jobId } from "../../src/encoding/names.ts";
import { newJob } from "../../src/encoding/newAttempt.ts";

export interface EncodingStoreHarness extends AsyncDisposable {
  readonly store: EncodingStore;
  /** The same records as another process sees them. */
  readonly second: EncodingStore;
}

const NOW = Date.UTC(2026, 0, 1);
const LEASE = 60_000;
const URL = { kind: "url", url: "https://in.example/video.mp4?ü=\"'😀" } as const;

let count = 0;

function job(changes: Partial<EncodingJob> = {}): EncodingJob {
  count += 1;
  const id = jobId(NOW + count, String(count).padStart(12, "0"));
  return { ...newJob({ id, clientId: `client ${count}/ü`, transform: "ladder", input: URL, priority: "normal" }, NOW + count), ...changes };
}

function write(subject: EncodingJob, changes: Partial<JobWrite> = {}): JobWrite {
  return { job: subject, expected: null, timers: { place: null, follow: null }, places: [], capacity: {}, messages: [], ...changes };
}

function message(id: string, at = NOW): EncodingMessage {
  return { id, kind: "finished", jobId: "job", clientId: "client", at, account: "west", assets: ["asset"], detail: "done" };
}

export function encodingStoreConformance(name: string, make: () => Promise<EncodingStoreHarness>): void {
  describe(`encoding store: ${name}`, () => {
    let harness: EncodingStoreHarness;
    beforeEach(async () => {
      harness = await make();
    });
    afterEach(async () => {
      await harness[Symbol.asyncDispose]();
    });

    const add = async (subject: EncodingJob, changes: Partial<JobWrite> = {}): Promise<string> => {
      const [result] = await harness.store.write([write(subject, changes)]);
      if (result?.ok !== true) throw new Error(`not written: ${result?.why ?? "nothing"}`);
      return result.version;
    };
    const ids = (taken: readonly VersionedJob[]): string[] => taken.map((each) => each.job.id);

    it("gives back what was written, by id and by client id, also to another process", async () => {
      const { store, second } = harness;
      const [one, other] = [job(), job()];
      const version = await add(one);
      await add(other);
      expect(await store.get(one.id)).toEqual({ job: one, version });
      expect(await second.byClientId(one.clientId)).toEqual({ job: one, version });
      expect(await second.get("nothing")).toBeNull();
      expect(await second.byClientId("nothing")).toBeNull();
      expect(await store.write([])).toEqual([]);
    });

    it("takes a client id once, and an id once", async () => {
      const { store, second } = harness;
      const one = job();
      await add(one);
      const results = await second.write([write(job({ clientId: one.clientId })), write({ ...one, clientId: "another" }), write(job())]);
      expect(results.map((result) => (result.ok ? "ok" : result.why))).toEqual(["conflict", "conflict", "ok"]);
      expect((await store.byClientId(one.clientId))?.job).toEqual(one);
      expect(await store.byClientId("another")).toBeNull();
    });

    it("writes if and only if the version is the expected one; one refused write does not spoil the others", async () => {
      const { store, second } = harness;
      const [one, other] = [job(), job()];
      const version = await add(one);
      await add(other);
      const changed: EncodingJob = { ...one, state: "canceled" };
      const [written] = await second.write([write(changed, { expected: version })]);
      expect(written).toMatchObject({ ok: true });
      const late = { ...one, state: "failed" } as const;
      const spoilt = await store.write([write(late, { expected: version, messages: [message("late")] }), write(job())]);
      expect(spoilt).toMatchObject([{ ok: false, why: "conflict" }, { ok: true }]);
      expect((await store.get(one.id))?.job).toEqual(changed);
      expect(await store.outbox(NOW, LEASE, 10)).toEqual([]);
    });

    it("gives jobs to place by priority and then by age, each to one caller", async () => {
      const { store, second } = harness;
      const [old, low, high, later] = [job(), job({ priority: "low" }), job({ priority: "high" }), job()];
      for (const each of [old, low, high]) await add(each, { timers: { place: NOW, follow: null } });
      await add(later, { timers: { place: NOW + 10_000, follow: null } });
      expect(ids(await store.take("place", NOW - 1, LEASE, 10))).toEqual([]);
      expect(ids(await store.take("place", NOW, LEASE, 2))).toEqual([high.id, old.id]);
      expect(ids(await second.take("place", NOW, LEASE, 10))).toEqual([low.id]);
      expect(ids(await second.take("place", NOW + 10_000, LEASE, 10))).toEqual([later.id]);
      expect(ids(await second.take("follow", NOW + 10_000, LEASE, 10))).toEqual([]);
    });

    it("gives jobs to follow by time; who died loses what it had in hand when the lease runs out", async () => {
      const { store, second } = harness;
      const [one, two] = [job(), job()];
      await add(one, { timers: { place: null, follow: NOW + 2_000 } });
      await add(two, { timers: { place: null, follow: NOW + 1_000 } });
      expect(ids(await store.take("follow", NOW + 1_500, LEASE, 10))).toEqual([two.id]);
      expect(ids(await store.take("follow", NOW + 2_000, LEASE, 10))).toEqual([one.id]);
      expect(ids(await second.take("follow", NOW + 1_500 + LEASE - 1, LEASE, 10))).toEqual([]);
      expect(ids(await second.take("follow", NOW + 1_500 + LEASE, LEASE, 10))).toEqual([two.id]);
    });

    it("stops who was slow by the version: a job that was taken again cannot be written on", async () => {
      const { store, second } = harness;
      const one = job();
      await add(one, { timers: { place: NOW, follow: null } });
      const [slow] = await store.take("place", NOW, LEASE, 1);
      const [quick] = await second.take("place", NOW + LEASE, LEASE, 1);
      expect(quick?.version).not.toBe(slow?.version);
      const results = await store.write([write({ ...one, state: "failed" }, { expected: slow?.version ?? "" })]);
      expect(results).toMatchObject([{ ok: false, why: "conflict" }]);
      const [taken] = await second.write([write({ ...one, state: "canceled" }, { expected: quick?.version ?? "" })]);
      expect(taken).toMatchObject({ ok: true });
      expect(await store.take("place", NOW + 10 * LEASE, LEASE, 1)).toEqual([]);
    });

    it("keeps the places of an account within its capacity, whoever writes", async () => {
      const { store, second } = harness;
      const capacity = { west: 2, east: 1 };
      const one = job();
      const version = await add(one, { places: ["west"], capacity });
      const results = await second.write([
        write(job(), { places: ["west"], capacity }),
        write(job(), { places: ["west"], capacity, timers: { place: NOW, follow: null } }),
        write(job(), { places: ["east", "east"], capacity }),
        write(job(), { places: ["north"], capacity }),
      ]);
      expect(results.map((result) => (result.ok ? "ok" : result.why))).toEqual(["ok", "full", "full", "ok"]);
      const places = await store.places();
      expect([places.get("west"), places.get("east") ?? 0, places.get("north")]).toEqual([2, 0, 1]);
      expect(await store.take("place", NOW, LEASE, 10)).toEqual([]);
      // It takes up no more than before, and may be written although there is no room at all now.
      const [same] = await store.write([write(one, { expected: version, places: ["west"], capacity: { west: 0 } })]);
      expect(same).toMatchObject({ ok: true });
      const [moved] = await store.write([write(one, { expected: same?.ok === true ? same.version : "", places: ["east"], capacity })]);
      expect(moved).toMatchObject({ ok: true });
      expect((await second.places()).get("west")).toBe(1);
      expect((await second.places()).get("east")).toBe(1);
    });

    it("hastens the jobs of an account, and no others", async () => {
      const { store, second } = harness;
      const [here, there, sooner] = [job(), job(), job()];
      await add(here, { places: ["west", "west-2"], timers: { place: null, follow: NOW + 900_000 } });
      await add(there, { places: ["west-2"], timers: { place: null, follow: NOW + 900_000 } });
      await add(sooner, { places: ["west"], timers: { place: null, follow: NOW } });
      await second.hasten("west", NOW + 10);
      expect(ids(await store.take("follow", NOW + 9, LEASE, 10))).toEqual([sooner.id]);
      expect(ids(await store.take("follow", NOW + 10, LEASE, 10))).toEqual([here.id]);
    });

    it("gives messages until they are settled, oldest first, not twice within a lease", async () => {
      const { store, second } = harness;
      const one = job();
      expect(await store.oldestMessageAt()).toBeNull();
      const version = await add(one, { messages: [message("a"), message("b", NOW + 1)] });
      await store.write([write(one, { expected: version, messages: [message("c", NOW + 2)] })]);
      expect((await store.outbox(NOW + 5, LEASE, 2)).map(({ id }) => id)).toEqual(["a", "b"]);
      expect(await second.outbox(NOW + 5, LEASE, 10)).toEqual([message("c", NOW + 2)]);
      await second.settle(["b", "c", "never there"]);
      expect(await second.oldestMessageAt()).toBe(NOW);
      expect(await second.outbox(NOW + 5 + LEASE - 1, LEASE, 10)).toEqual([]);
      expect(await second.outbox(NOW + 5 + LEASE, LEASE, 10)).toEqual([message("a")]);
      await store.settle(["a"]);
      expect(await second.outbox(NOW + 10 * LEASE, LEASE, 10)).toEqual([]);
      expect(await store.oldestMessageAt()).toBeNull();
    });

    it("lists the newest first, by state and page by page, and counts", async () => {
      const { store, second } = harness;
      const jobs = [job(), job({ state: "finished" }), job(), job({ state: "finished" }), job()];
      for (const each of jobs) await add(each);
      const newest = jobs.map(({ id }) => id).reverse();
      const first = await second.list({ limit: 2 });
      expect(first.map(({ id }) => id)).toEqual(newest.slice(0, 2));
      expect((await second.list({ limit: 10, after: first[1]?.id ?? "" })).map(({ id }) => id)).toEqual(newest.slice(2));
      expect((await second.list({ limit: 10, state: "finished" })).map(({ id }) => id)).toEqual([newest[1], newest[3]]);
      expect((await second.list({ limit: 10, state: "finished", after: newest[1] ?? "" })).map(({ id }) => id)).toEqual([newest[3]]);
      expect(await store.count()).toEqual({ waiting: 3, running: 0, finished: 2, failed: 0, canceled: 0 });
    });

    it("removes a job whose version is the expected one, its places and timers, not its messages; its client id is free again", async () => {
      const { store, second } = harness;
      const one = job();
      const version = await add(one, { places: ["west"], timers: { place: NOW, follow: NOW }, messages: [message("told")] });
      expect(await second.remove(one.id, `${version}x`)).toBe(false);
      expect(await second.remove(one.id, version)).toBe(true);
      expect(await store.remove(one.id, version)).toBe(false);
      expect(await store.get(one.id)).toBeNull();
      expect((await store.places()).get("west") ?? 0).toBe(0);
      expect(await store.take("place", NOW, LEASE, 10)).toEqual([]);
      expect(await store.take("follow", NOW, LEASE, 10)).toEqual([]);
      expect(await store.count()).toMatchObject({ waiting: 0 });
      expect((await store.outbox(NOW, LEASE, 10)).map(({ id }) => id)).toEqual(["told"]);
      await add(job({ clientId: one.clientId }));
    });

    it("keeps what is known of accounts, one write at a time", async () => {
      const { store, second } = harness;
      const west = newAccount("west", NOW);
      const version = await store.saveAccount(west, null);
      expect(version).not.toBeNull();
      expect(await second.saveAccount(west, null)).toBeNull();
      const out = { ...west, status: "out", reason: "unreachable", detail: "no answer" } as const;
      const next = await second.saveAccount(out, version);
      expect(next).not.toBe(version);
      expect(await store.saveAccount(west, version)).toBeNull();
      await store.saveAccount(newAccount("east", NOW), null);
      const known = (await store.accounts()).toSorted((one, other) => (one.state.account < other.state.account ? -1 : 1));
      expect(known[1]).toEqual({ state: out, version: next });
      expect(known.map(({ state }) => state.account)).toEqual(["east", "west"]);
    });

    it("gives each due job to one of many takers, and counts places right under all of them", async () => {
      const { store, second } = harness;
      const jobs = Array.from({ length: 30 }, () => job());
      for (const each of jobs) await add(each, { timers: { place: NOW, follow: null } });
      const takers = Array.from({ length: 6 }, async (_, index) => (index % 2 === 0 ? store : second).take("place", NOW, LEASE, 10));
      const taken = (await Promise.all(takers)).flat();
      expect(new Set(ids(taken)).size).toBe(taken.length);
      const capacity = { west: 7 };
      const results = await Promise.all(
        taken.map(async (held, index) =>
          (index % 2 === 0 ? store : second).write([write(held.job, { expected: held.version, places: ["west"], capacity })]),
        ),
      );
      expect(results.flat().filter(({ ok }) => ok).length).toBe(Math.min(7, taken.length));
      expect((await store.places()).get("west")).toBe(Math.min(7, taken.length));
    });
  });
}
