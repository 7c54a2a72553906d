import { describe, expect, it } from "vitest";
import { PaircastError } from "../../src/core/errors.ts";
import { silentLog as log } from "../../src/core/log.ts";
import { InputUploads } from "../../src/encoding/inputUploads.ts";
import { ManualClock } from "../fakes/clock.ts";
import { MemoryMediaAccount } from "../fakes/memoryMediaAccount.ts";

const MIB = 1024 * 1024;
const UNAVAILABLE = new PaircastError("storage_unavailable", "no answer", { retry: "retry" });
const signal = new AbortController().signal;
const ALL = ["west", "east", "north"];

function stage() {
  const clock = new ManualClock();
  const accounts = new Map(ALL.map((region) => [region, new MemoryMediaAccount({ region })]));
  const account = (region: string): MemoryMediaAccount => accounts.get(region) as MemoryMediaAccount;
  const there = (region: string): number | null => account(region).blobs("job-i1").content("a.mp4")?.length ?? null;
  return { clock, account, there, uploads: new InputUploads({ regions: accounts, clock, log }) };
}

async function* chunks(count: number, onChunk: (at: number) => void = () => undefined): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at += 1) {
    onChunk(at);
    yield await Promise.resolve(new Uint8Array(MIB).fill(at));
  }
}

const file = (count: number, content: AsyncIterable<Uint8Array> = chunks(count)) => ({
  assetName: "job-i1",
  fileName: "a.mp4",
  bytes: count * MIB,
  content,
});

describe("an upload", () => {
  it("is whole in as many regions as are wanted", async () => {
    const { uploads, account, there } = stage();
    expect(await uploads.receive(file(20), ALL, 2, signal)).toEqual(["west", "east"]);
    const expected = Buffer.concat(Array.from({ length: 20 }, (_, at) => new Uint8Array(MIB).fill(at)));
    for (const region of ["west", "east"])
      expect(Buffer.compare(account(region).blobs("job-i1").content("a.mp4") ?? new Uint8Array(), expected)).toBe(0);
    expect([there("north"), await account("north").asset("job-i1")]).toEqual([null, null]);
  });

  it("goes to another region in place of one that does not answer", async () => {
    const { uploads, account } = stage();
    account("west").calls.failAll("createAsset", UNAVAILABLE);
    expect(await uploads.receive(file(1), ALL, 2, signal)).toEqual(["east", "north"]);
  });

  it.each(["upload", "commit"])("goes on without a region that fails (%s), and fails where all do", async (operation) => {
    const { uploads, account, there } = stage();
    account("west").blobCalls.failAll(operation, UNAVAILABLE);
    expect(await uploads.receive(file(20), ["west", "east"], 2, signal)).toEqual(["east"]);
    expect(there("west")).toBeNull();
    const alone = stage();
    alone.account("west").blobCalls.failAll(operation, UNAVAILABLE);
    await expect(alone.uploads.receive(file(20), ["west"], 1, signal)).rejects.toMatchObject({
      code: "upload_unavailable",
      retry: "retry",
    });
  });

  it("reads no further than the slowest region takes it", async () => {
    const { uploads, account } = stage();
    let read = 0;
    const held = Promise.withResolvers<void>();
    account("east").blobCalls.onCall = async ({ operation }) => (operation === "upload" ? held.promise : undefined);
    const content = chunks(80, (at) => {
      read = at + 1;
    });
    const received = uploads.receive(file(80, content), ["west", "east"], 2, signal);
    for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    // Two parts of 8 MiB under way, and no more.
    expect(read).toBe(16);
    held.resolve();
    expect(await received).toEqual(["west", "east"]);
  });

  it.each([19, 21])("is refused with another length than was announced (%i of 20)", async (count) => {
    const { uploads, there } = stage();
    const wrong = { ...file(20), content: chunks(count) };
    await expect(uploads.receive(wrong, ALL, 2, signal)).rejects.toMatchObject({ code: "upload_incomplete", retry: "never" });
    expect(there("west")).toBeNull();
  });

  it("ends with its client, and where nothing comes any more", async () => {
    const { uploads, clock, there } = stage();
    const client = new AbortController();
    const content = chunks(20, (at) => {
      if (at === 12) client.abort(new Error("the client went away"));
    });
    await expect(uploads.receive(file(20, content), ALL, 2, client.signal)).rejects.toThrow("the client went away");
    async function* silent(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(MIB);
      await new Promise(() => undefined);
    }
    const stalled = uploads.receive(file(2, silent()), ALL, 2, signal);
    const told = expect(stalled).rejects.toMatchObject({ code: "upload_stalled" });
    await clock.advance(120_000);
    await told;
    expect([there("west"), clock.pendingTimers]).toEqual([null, 0]);
  });
});

it("lets only so many in at a time", () => {
  const { uploads } = stage();
  const places = Array.from({ length: 4 }, () => uploads.place());
  expect(() => uploads.place()).toThrow(expect.objectContaining({ code: "uploads_busy" }));
  places[0]?.[Symbol.dispose]();
  uploads.place();
});
