import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import type { CatalogueEntry } from "../../src/core/contracts.ts";
import type { InputCopy } from "../../src/core/encoding.ts";
import { PaircastError } from "../../src/core/errors.ts";
import type { Clock } from "../../src/core/clock.ts";
import { MediaAccountInputs } from "../../src/encoding/accountInputs.ts";
import { catalogueEntry } from "../fakes/catalogueEntry.ts";
import { ManualClock } from "../fakes/clock.ts";
import { MemoryMediaAccount } from "../fakes/memoryMediaAccount.ts";
import { NOW } from "./samples.ts";

const signal = new AbortController().signal;
const UNAVAILABLE = new PaircastError("account_unavailable", "no answer", { retry: "retry" });

const input = (assetName: string, files: readonly string[] = [], region = "west") => ({
  input: { kind: "asset", region, assetName, files } as const,
  copies: [],
});

const copyIn = (region: string, change: Partial<InputCopy> = {}): InputCopy => {
  return { region, upload: 1, assetName: "job-i1", state: "kept", dueAt: NOW, tries: 0, ...change };
};
const uploaded = (...copies: readonly InputCopy[]) => ({ input: { kind: "upload", fileName: "a.mp4", bytes: 1 } as const, copies });

async function filled(account: MemoryMediaAccount, name: string, ...files: readonly string[]): Promise<void> {
  const asset = await account.createAsset({ name, container: `c-${name}`, alternateId: null, description: null });
  const container = account.container(asset, "write");
  for (const file of files) await container.write(file, new Uint8Array([1]), { contentType: "video/mp4", condition: "absent" });
}

async function stage(entries: readonly CatalogueEntry[] = [], clock: Clock = systemClock) {
  const [west, east, north] = ["west", "east", "north"].map((region) => new MemoryMediaAccount({ region })) as [
    MemoryMediaAccount,
    MemoryMediaAccount,
    MemoryMediaAccount,
  ];
  await filled(west, "one", "a.mp4");
  await filled(west, "two", "a.mp4", "b.mp4");
  const regions = new Map([west, east, north].map((account) => [account.region, account]));
  return { west, east, north, inputs: new MediaAccountInputs({ regions, catalogue: { entries: () => entries }, clock }) };
}

/** The asset `one` of west, verified in these regions. */
function replicated(...regions: readonly string[]): CatalogueEntry {
  const copies = regions.map((region) => [region, { state: "verified", at: 1, detail: "verified" }] as const);
  return catalogueEntry("00000000-0000-4000-8000-000000000001", { assetName: "one", source: "west", regions: Object.fromEntries(copies) });
}

it("gives addresses as they are, and an account its own assets without a question", async () => {
  const { west, inputs } = await stage();
  const address = { input: { kind: "url", url: "https://in.example/a" } as const, copies: [] };
  expect(await inputs.open(address, "east", signal)).toEqual({ kind: "urls", urls: ["https://in.example/a"] });
  west.calls.failAll("*", UNAVAILABLE);
  expect(await inputs.open(input("two", ["b.mp4"]), "west", signal)).toEqual({ kind: "asset", assetName: "two", files: ["b.mp4"] });
});

it("gives another region addresses of the files", async () => {
  const { inputs } = await stage();
  const named = await inputs.open(input("two", ["b.mp4", "a.mp4"]), "east", signal);
  expect(named).toMatchObject({ kind: "urls", urls: [expect.stringContaining("b.mp4"), expect.stringContaining("a.mp4")] });
  expect(await inputs.open(input("one"), "east", signal)).toMatchObject({ kind: "urls", urls: [expect.stringContaining("a.mp4")] });
});

it("tells what is missing from what does not answer now", async () => {
  const { west, inputs } = await stage();
  const wrong = [input("none"), input("two"), input("two", ["c.mp4"]), input("one", [], "south"), uploaded()];
  for (const each of wrong)
    await expect(inputs.open(each, "east", signal)).rejects.toMatchObject({ code: "input_missing", retry: "never" });
  west.calls.failAll("*", UNAVAILABLE);
  await expect(inputs.open(input("one"), "east", signal)).rejects.toMatchObject({ code: "input_unavailable", retry: "retry" });
});

it("has an account read the verified copy in its own region, if that is really there", async () => {
  const { west, east, inputs } = await stage([replicated("west", "east")]);
  await filled(east, "one", "a.mp4");
  west.calls.failAll("*", UNAVAILABLE);
  expect(await inputs.open(input("one", ["a.mp4"]), "east", signal)).toEqual({ kind: "asset", assetName: "one", files: ["a.mp4"] });
  west.calls.heal();
  await east.deleteAsset("one");
  expect(await inputs.open(input("one"), "east", signal)).toMatchObject({ kind: "urls", urls: [expect.stringContaining("west")] });
});

it("reads from the asset's own region first, and where that does not answer from another verified copy", async () => {
  const { west, north, inputs } = await stage([replicated("west", "north")]);
  await filled(north, "one", "a.mp4");
  const from = async () => inputs.open(input("one"), "east", signal);
  expect(await from()).toMatchObject({ kind: "urls", urls: [expect.stringContaining("west")] });
  west.calls.failAll("*", UNAVAILABLE);
  expect(await from()).toMatchObject({ kind: "urls", urls: [expect.stringContaining("north")] });
  north.calls.failAll("*", UNAVAILABLE);
  await expect(from()).rejects.toMatchObject({ code: "input_unavailable" });
});

it("reads neither a copy that is not verified nor another asset of the same name", async () => {
  const other = { ...replicated("north", "east"), source: "north" };
  const suspect = replicated("west");
  const { west, east, north, inputs } = await stage([
    { ...suspect, regions: { ...suspect.regions, east: { state: "pending", at: 1, detail: "" } as never } },
    other,
  ]);
  for (const account of [east, north]) await filled(account, "one", "a.mp4");
  west.calls.failAll("*", UNAVAILABLE);
  await expect(inputs.open(input("one"), "east", signal)).rejects.toMatchObject({ code: "input_unavailable" });
});

it("gives an account the copy of an uploaded file in its region, else the address of one that answers", async () => {
  const { west, east, inputs } = await stage();
  await filled(west, "job-i1", "a.mp4");
  await filled(east, "job-i1", "a.mp4");
  const job = uploaded(copyIn("west"), copyIn("east"), copyIn("north", { state: "coming" }));
  expect(await inputs.open(job, "east", signal)).toEqual({ kind: "asset", assetName: "job-i1", files: ["a.mp4"] });
  expect(await inputs.open(job, "north", signal)).toMatchObject({ kind: "urls", urls: [expect.stringContaining("west")] });
  west.calls.failAll("*", UNAVAILABLE);
  expect(await inputs.open(job, "north", signal)).toMatchObject({ kind: "urls", urls: [expect.stringContaining("east")] });
});

it("does not wait long for a region that says nothing", async () => {
  const clock = new ManualClock();
  const { west, north, inputs } = await stage([replicated("west", "north")], clock);
  await filled(north, "one", "a.mp4");
  west.calls.onCall = async () => new Promise(() => undefined);
  const asset = west.asset.bind(west);
  west.asset = async (name, within) => {
    const ended = Promise.withResolvers<never>();
    within?.addEventListener("abort", () => {
      ended.reject(within.reason as Error);
    });
    return Promise.race([asset(name, within), ended.promise]);
  };
  const opened = inputs.open(input("one"), "east", signal);
  await clock.advance(20_000);
  expect(await opened).toMatchObject({ kind: "urls", urls: [expect.stringContaining("north")] });
});

it("takes a copy away once and again, but nothing that was published", async () => {
  const { west, inputs } = await stage();
  await filled(west, "job-i1", "a.mp4");
  await inputs.discard(copyIn("west"), signal);
  expect(await west.asset("job-i1")).toBeNull();
  await inputs.discard(copyIn("west"), signal);
  await west.createStreamingPolicy({ name: "clear", properties: {} });
  const unset = { alternativeMediaId: null, startTime: null, endTime: null, filters: [], contentKeys: [], created: 0 };
  const locator = { name: "l", assetName: "one", streamingLocatorId: "00000000-0000-4000-8000-000000000002", streamingPolicyName: "clear" };
  await west.createLocator({ ...locator, defaultContentKeyPolicyName: null, ...unset });
  await expect(inputs.discard(copyIn("west", { assetName: "one" }), signal)).rejects.toMatchObject({ code: "media_in_use" });
  expect(await west.asset("one")).not.toBeNull();
  await expect(inputs.discard(copyIn("south"), signal)).rejects.toMatchObject({ code: "input_missing" });
});

describe("a copy of an uploaded file", () => {
  const fileOf = (account: MemoryMediaAccount, name: string) => account.blobs(name).content("a.mp4");
  const to = copyIn("east", { upload: 2, assetName: "job-i2", state: "coming" });

  it("is made from the first region that has it whole, and comes to the same when it is made again", async () => {
    const { west, east, north, inputs } = await stage();
    await filled(west, "job-i1", "other.mp4");
    await filled(north, "job-i1", "a.mp4");
    const job = uploaded(copyIn("west"), copyIn("north"), to);
    await Promise.all([inputs.copy(job, to, signal), inputs.copy(job, to, signal)]);
    expect(fileOf(east, "job-i2")).toEqual(new Uint8Array([1]));
    expect(await east.asset("job-i2")).toMatchObject({ container: "job-i2" });
    const before = east.mutations;
    await inputs.copy(job, to, signal);
    // Making the asset is tried, and finds it there.
    expect(east.mutations - before).toBe(1);
    expect(await inputs.open(uploaded({ ...to, state: "kept" }), "east", signal)).toMatchObject({ kind: "asset", assetName: "job-i2" });
  });

  it("is finished where another try broke off", async () => {
    const { west, east, inputs } = await stage();
    await filled(west, "job-i1", "a.mp4");
    const job = uploaded(copyIn("west"), to);
    east.blobCalls.failAll("copyFrom", UNAVAILABLE);
    await expect(inputs.copy(job, to, signal)).rejects.toMatchObject({ code: "account_unavailable" });
    expect(fileOf(east, "job-i2")).toBeUndefined();
    east.blobCalls.heal();
    await inputs.copy(job, to, signal);
    expect(fileOf(east, "job-i2")).toEqual(new Uint8Array([1]));
  });

  it("is refused where no region has the file, or has it with another length", async () => {
    const { west, east, inputs } = await stage();
    const gone = { code: "input_missing", retry: "never" };
    await expect(inputs.copy(uploaded(to), to, signal)).rejects.toMatchObject(gone);
    await expect(inputs.copy(uploaded(copyIn("west"), to), to, signal)).rejects.toMatchObject(gone);
    await filled(west, "job-i1", "a.mp4");
    const longer = { ...uploaded(copyIn("west"), to), input: { kind: "upload", fileName: "a.mp4", bytes: 2 } as const };
    await expect(inputs.copy(longer, to, signal)).rejects.toMatchObject(gone);
    await expect(inputs.copy(uploaded(copyIn("west")), copyIn("south"), signal)).rejects.toMatchObject(gone);
    expect(await east.asset("job-i2")).toBeNull();
    west.calls.failAll("*", UNAVAILABLE);
    await expect(inputs.copy(uploaded(copyIn("west"), to), to, signal)).rejects.toMatchObject({ code: "account_unavailable" });
  });
});
