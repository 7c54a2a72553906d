import { describe, expect, it } from "vitest";
import { CommonReads, SharedReads } from "../../src/replicator/commonReads.ts";
import { ManualClock } from "../fakes/clock.ts";
import { MemoryMediaAccount } from "../fakes/memoryMediaAccount.ts";

const POLICY = { name: "tokens", properties: { description: "ours", options: [] } };
const OTHER = { name: "tokens", properties: { description: "of others", options: [] } };

async function scene() {
  const clock = new ManualClock();
  const account = new MemoryMediaAccount({ clock });
  await account.putContentKeyPolicy(POLICY);
  account.calls.reset();
  const shared = new SharedReads(clock);
  /** As a job that was asked for at `since` sees the account. */
  const job = (since: number): CommonReads => new CommonReads({ account, signal: new AbortController().signal, shared, since });
  const asked = (): number => account.calls.count("contentKeyPolicy");
  return { clock, account, job, asked };
}

describe("what assets have in common", () => {
  it("is read once for the jobs of a run", async () => {
    const { clock, account, job, asked } = await scene();
    const since = clock.now();
    await clock.advance(10);
    for (let at = 0; at < 3; at += 1) expect(await job(since).contentKeyPolicy("tokens")).toEqual(POLICY);
    expect(asked()).toBe(1);
    for (let at = 0; at < 3; at += 1) await job(since).accountFilters();
    expect(account.calls.count("accountFilters")).toBe(1);
  });

  it("is read again for a job that was asked for later: it may have been asked for because of a change", async () => {
    const { clock, account, job, asked } = await scene();
    await clock.advance(10);
    await job(clock.now() - 1).contentKeyPolicy("tokens");
    await account.putContentKeyPolicy(OTHER);
    expect(await job(clock.now()).contentKeyPolicy("tokens")).toEqual(OTHER);
    expect(asked()).toBe(2);
  });

  it("is read again after half a minute, and wherever it has to be read anew", async () => {
    const { clock, job, asked } = await scene();
    const since = clock.now() - 1;
    await job(since).contentKeyPolicy("tokens");
    await job(since).contentKeyPolicy("tokens", "anew");
    expect(asked()).toBe(2);
    await clock.advance(29_000);
    await job(since).contentKeyPolicy("tokens");
    expect(asked()).toBe(2);
    await clock.advance(2_000);
    await job(since).contentKeyPolicy("tokens");
    expect(asked()).toBe(3);
  });

  it("what is not there is asked for every time", async () => {
    const { clock, account, job } = await scene();
    const since = clock.now() - 1;
    expect(await job(since).streamingPolicy("none")).toBeNull();
    await account.createStreamingPolicy({ name: "none", properties: {} });
    expect(await job(since).streamingPolicy("none")).not.toBeNull();
  });

  it("a write of any job makes the others read again, also one that fails", async () => {
    const { clock, account, job, asked } = await scene();
    const since = clock.now() - 1;
    await job(since).contentKeyPolicy("tokens");
    await job(since).putContentKeyPolicy(OTHER);
    expect(await job(since).contentKeyPolicy("tokens")).toEqual(OTHER);
    account.calls.failNth("putContentKeyPolicy", 1, new Error("lost"));
    await expect(job(since).putContentKeyPolicy(POLICY)).rejects.toThrow("lost");
    await job(since).contentKeyPolicy("tokens");
    expect(asked()).toBe(3);
  });

  it("an answer that was under way during a write is not kept", async () => {
    const { clock, account, job } = await scene();
    const since = clock.now() - 1;
    const arrived = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const slow = Object.assign(Object.create(account) as MemoryMediaAccount, {
      region: account.region,
      contentKeyPolicy: async () => {
        arrived.resolve();
        await held.promise;
        return POLICY;
      },
    });
    const shared = new SharedReads(clock);
    const signal = new AbortController().signal;
    const reading = new CommonReads({ account: slow, signal, shared, since }).contentKeyPolicy("tokens");
    await arrived.promise;
    const writer = new CommonReads({ account, signal, shared, since });
    await writer.putContentKeyPolicy(OTHER);
    held.resolve();
    await reading;
    expect(await writer.contentKeyPolicy("tokens")).toEqual(OTHER);
    expect(await job(since).contentKeyPolicy("tokens")).toEqual(OTHER);
  });
});
