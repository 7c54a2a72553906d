/** `paircast verify` against two real regions: finds what is missing or changed, takes it out of service, has it made good. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ContainerClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { ArmClient } from "../../src/sandbox/arm.ts";
import { SandboxProcess, type SandboxVideo } from "../harness/sandbox.ts";
import { within } from "../harness/wait.ts";

interface Settings {
  regions: {
    name: string;
    account: { endpoint: string; subscriptionId: string; resourceGroup: string; accountName: string; credential: { apiKey: string } };
  }[];
  state: { path: string };
}

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

const root = new URL("../../", import.meta.url);
let sandbox: SandboxProcess;
let folder: string;
let file: string;
let video: SandboxVideo;
let north: ContainerClient;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "paircast-verify-"));
  sandbox = await SandboxProcess.start();
  const settings = parse(readFileSync(sandbox.ready.config, "utf8")) as Settings;
  settings.state.path = join(folder, "verify.db");
  file = join(folder, "verify.yaml");
  writeFileSync(file, stringify(settings));
  const [first] = sandbox.ready.videos;
  if (first === undefined) throw new Error("the sandbox has no video");
  video = first;
  north = await containerOf(settings, "northeurope", video.name);
  expect((await run("replicate", "--config", file)).code).toBe(0);
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function run(...options: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ["src/main.ts", ...options], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  const [code] = await within(45_000, `paircast ${options.join(" ")}`, once(child, "close"));
  return { code: code as number | null, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

async function verify(...options: string[]): Promise<{ code: number | null; summary: Summary }> {
  const { code, out, err } = await run("verify", "--config", file, "--asset", video.name, "--json", ...options);
  if (out === "") throw new Error(err);
  return { code, summary: JSON.parse(out) as Summary };
}

async function containerOf({ regions }: Settings, region: string, asset: string): Promise<ContainerClient> {
  const account = regions.find(({ name }) => name === region)?.account;
  if (account === undefined) throw new Error(`no region ${region}`);
  const answer = await new ArmClient({ ...account, apiKey: account.credential.apiKey }).post(`assets/${asset}/listContainerSas`, {
    permissions: "ReadWriteDelete",
    expiryTime: new Date(Date.now() + 600_000).toISOString(),
  });
  const [sas] = answer["assetContainerSasUrls"] as readonly string[];
  return new ContainerClient(String(sas));
}

async function someBlob(): Promise<string> {
  for await (const { name, properties } of north.listBlobsFlat()) if ((properties.contentLength ?? 0) > 1000) return name;
  throw new Error("the copy has no blob");
}

describe("paircast verify", () => {
  it("finds every copy sound, at every level, and says so", async () => {
    for (const level of [[], ["--level", "full,playback"], ["--level", "properties"]]) {
      const { code, summary } = await verify(...level);
      expect(summary).toMatchObject({ copies: 2, results: { sound: 2, broken: 0 }, reports: [] });
      expect(code).toBe(0);
    }
    const { code, out } = await run("verify", "--config", file, "--sample", "50%");
    expect(out).toMatch(/^\d+ of \d+ copies: \d+ sound; \d+ bytes read$/m);
    expect(code).toBe(0);
  });

  it("takes a copy that lacks a blob out of service, and with --repair has it copied again", async () => {
    const name = await someBlob();
    await north.deleteBlob(name);
    const found = await verify();
    expect(found.code).toBe(1);
    expect(found.summary.reports).toMatchObject([{ target: "northeurope", result: "broken", withdrawn: ["northeurope"] }]);
    expect(found.summary.reports[0]?.problems).toContainEqual(expect.objectContaining({ kind: "target_missing", what: `blob ${name}` }));
    const repaired = await verify("--repair");
    expect(repaired.summary.results).toMatchObject({ sound: 1, repaired: 1 });
    expect(repaired.code).toBe(0);
    expect(await north.getBlobClient(name).exists()).toBe(true);
    expect((await verify("--level", "full,playback")).summary.results["sound"]).toBe(2);
  });

  it("puts a changed content type right, and overwrites nothing that somebody else has written", async () => {
    const name = await someBlob();
    const blob = north.getBlockBlobClient(name);
    const { contentType } = await blob.getProperties();
    await blob.setHTTPHeaders({ blobContentType: "text/html" });
    expect((await verify("--repair")).summary.results).toMatchObject({ repaired: 1 });
    expect((await blob.getProperties()).contentType).toBe(contentType);
    const content = await blob.downloadToBuffer();
    content[20] = (content[20] ?? 0) ^ 1;
    await blob.uploadData(content, { blobHTTPHeaders: { blobContentType: contentType ?? "application/octet-stream" } });
    const { code, summary } = await verify("--repair");
    expect(code).toBe(1);
    expect(summary.reports[0]?.problems).toContainEqual(expect.objectContaining({ kind: "target_rewritten" }));
    expect(await blob.downloadToBuffer()).toEqual(content);
    await blob.delete();
    expect((await verify("--repair")).code).toBe(0);
  });

  it("refuses what it does not understand", async () => {
    expect((await run("verify", "--config", file, "--sample", "2")).err).toContain("write a share above 0%");
    expect((await run("verify", "--config", file, "--level", "deep")).err).toContain("write some of properties, content, full, playback");
    expect(await run("verify", "--config", file, "--asset", "none")).toMatchObject({
      code: 1,
      err: expect.stringContaining("no copy of an asset named none"),
    });
  });
});
