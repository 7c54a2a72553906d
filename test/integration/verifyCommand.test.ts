/** `paircast verify` against two real regions: finds what is missing or changed, takes it out of service, has it made good. */
import type { ContainerClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callCommand, runCommand, type Ended } from "../harness/command.ts";
import { CommandLab, printed } from "../harness/commandLab.ts";

interface Summary {
  readonly copies: number;
  readonly results: Readonly<Record<string, number>>;
  readonly reports: readonly {
    readonly target: string;
    readonly result: string;
    readonly withdrawn: readonly string[];
    readonly problems: readonly { readonly kind: string; readonly what: string }[];
  }[];
}

let lab: CommandLab;
let file: string;
let video: string;
let north: ContainerClient;

beforeAll(async () => {
  lab = await CommandLab.start();
  file = lab.configure("verify");
  video = lab.videos[0]?.name ?? "";
  expect((await runCommand(["replicate", "--config", file])).code).toBe(0);
  north = await lab.container("northeurope", video);
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

async function verify(options: readonly string[] = [], how = callCommand): Promise<Ended & { readonly json: Summary }> {
  return printed(["verify", "--config", file, "--asset", video, ...options], how);
}

async function someBlob(): Promise<string> {
  for await (const { name, properties } of north.listBlobsFlat()) if ((properties.contentLength ?? 0) > 1000) return name;
  throw new Error("the copy has no blob");
}

describe("paircast verify", () => {
  it("finds every copy sound, at every level, and says so", async () => {
    for (const level of [[], ["--level", "full,playback"], ["--level", "properties"]]) {
      const { code, json } = await verify(level);
      expect(json).toMatchObject({ copies: 2, results: { sound: 2, broken: 0 }, reports: [] });
      expect(code).toBe(0);
    }
    const { code, out } = await callCommand(["verify", "--config", file, "--sample", "50%"]);
    expect(out).toMatch(/^\d+ of \d+ copies: \d+ sound; \d+ bytes read$/m);
    expect(code).toBe(0);
  });

  it("takes a copy that lacks a blob out of service, and with --repair has it copied again", async () => {
    const name = await someBlob();
    await north.deleteBlob(name);
    const found = await verify([], runCommand);
    expect(found.code).toBe(1);
    expect(found.json.reports).toMatchObject([{ target: "northeurope", result: "broken", withdrawn: ["northeurope"] }]);
    expect(found.json.reports[0]?.problems).toContainEqual(expect.objectContaining({ kind: "target_missing", what: `blob ${name}` }));
    const repaired = await verify(["--repair"], runCommand);
    expect(repaired.json.results).toMatchObject({ sound: 1, repaired: 1 });
    expect(repaired.code).toBe(0);
    expect(await north.getBlobClient(name).exists()).toBe(true);
    expect((await verify(["--level", "full,playback"])).json.results["sound"]).toBe(2);
  });

  it("puts a changed content type right, and overwrites nothing that somebody else has written", async () => {
    const name = await someBlob();
    const blob = north.getBlockBlobClient(name);
    const { contentType } = await blob.getProperties();
    await blob.setHTTPHeaders({ blobContentType: "text/html" });
    expect((await verify(["--repair"])).json.results).toMatchObject({ repaired: 1 });
    expect((await blob.getProperties()).contentType).toBe(contentType);
    const content = await blob.downloadToBuffer();
    content[20] = (content[20] ?? 0) ^ 1;
    await blob.uploadData(content, { blobHTTPHeaders: { blobContentType: contentType ?? "application/octet-stream" } });
    const { code, json } = await verify(["--repair"]);
    expect(code).toBe(1);
    expect(json.reports[0]?.problems).toContainEqual(expect.objectContaining({ kind: "target_rewritten" }));
    expect(await blob.downloadToBuffer()).toEqual(content);
    await blob.delete();
    expect((await verify(["--repair"])).code).toBe(0);
  });

  it("refuses what it does not understand", async () => {
    const refused = async (...options: string[]): Promise<Ended> => callCommand(["verify", "--config", file, ...options]);
    expect((await refused("--sample", "2")).err).toContain("write a share above 0%");
    expect((await refused("--level", "deep")).err).toContain("write some of properties, content, full, playback");
    expect(await refused("--asset", "none")).toMatchObject({ code: 1, err: expect.stringContaining("no copy of an asset named none") });
  });
});
