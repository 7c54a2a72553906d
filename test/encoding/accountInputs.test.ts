import { expect, it } from "vitest";
import { PaircastError } from "../../src/core/errors.ts";
import { MediaAccountInputs } from "../../src/encoding/accountInputs.ts";
import { MemoryMediaAccount } from "../fakes/memoryMediaAccount.ts";

const signal = new AbortController().signal;
const input = (assetName: string, files: readonly string[] = [], region = "west") => ({ kind: "asset", region, assetName, files }) as const;

async function stage() {
  const west = new MemoryMediaAccount({ region: "west" });
  for (const [name, files] of [
    ["one", ["a.mp4"]],
    ["two", ["a.mp4", "b.mp4"]],
  ] as const) {
    const asset = await west.createAsset({ name, container: `c-${name}`, alternateId: null, description: null });
    const container = west.container(asset, "write");
    for (const file of files) await container.write(file, new Uint8Array([1]), { contentType: "video/mp4", condition: "absent" });
  }
  return { west, inputs: new MediaAccountInputs(new Map([["west", west]])) };
}

it("gives addresses as they are, and an account its own assets", async () => {
  const { inputs } = await stage();
  expect(await inputs.open({ kind: "url", url: "https://in.example/a" }, "east", signal)).toEqual({
    kind: "urls",
    urls: ["https://in.example/a"],
  });
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
  const wrong = [input("none"), input("two"), input("two", ["c.mp4"]), input("one", [], "north")];
  for (const each of wrong)
    await expect(inputs.open(each, "east", signal)).rejects.toMatchObject({ code: "input_missing", retry: "never" });
  west.calls.failAll("*", new PaircastError("account_unavailable", "no answer", { retry: "retry" }));
  await expect(inputs.open(input("one"), "east", signal)).rejects.toMatchObject({ code: "input_unavailable", retry: "retry" });
});
