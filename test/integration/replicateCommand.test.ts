/** `paircast replicate` against two real regions: identity, repeatability, conflicts, a kill in the middle. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ContainerClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { ArmClient, type ArmAddress } from "../../src/sandbox/arm.ts";
import { SandboxProcess, type SandboxVideo } from "../harness/sandbox.ts";
import { eventually, within } from "../harness/wait.ts";

interface Settings {
  regions: {
    name: string;
    account: { endpoint: string; subscriptionId: string; resourceGroup: string; accountName: string; credential: { apiKey: string } };
  }[];
  state: { path: string };
}

interface Summary {
  readonly assets: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly conflicts: number;
  readonly bytes: number;
  readonly results: readonly {
    readonly target: string;
    readonly result: string;
    readonly error: { readonly message: string } | null;
    readonly counts: { readonly blobsCopied: number };
  }[];
}

const root = new URL("../../", import.meta.url);
let sandbox: SandboxProcess;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "paircast-replicate-"));
  sandbox = await SandboxProcess.start();
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** The sandbox's configuration with a state file of its own: a replicator that knows nothing of what the running one did. */
function configWithOwnState(name: string): { file: string; settings: Settings } {
  const settings = parse(readFileSync(sandbox.ready.config, "utf8")) as Settings;
  settings.state.path = join(folder, `${name}.db`);
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, stringify(settings));
  return { file, settings };
}

function paircast(...options: string[]): ChildProcess {
  return spawn(process.execPath, ["src/main.ts", ...options], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
}

async function run(...options: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = paircast(...options);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
  const [code] = await within(45_000, `paircast ${options.join(" ")}`, once(child, "close"));
  return { code: code as number | null, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

async function replicate(file: string, ...options: string[]): Promise<{ code: number | null; summary: Summary; err: string }> {
  const { code, out, err } = await run("replicate", "--config", file, "--json", ...options);
  return { code, summary: JSON.parse(out) as Summary, err };
}

function arm({ regions }: Settings, name: string): ArmClient {
  const region = regions.find((candidate) => candidate.name === name);
  if (region === undefined) throw new Error(`no region ${name}`);
  const { account } = region;
  const address: ArmAddress = { ...account, apiKey: account.credential.apiKey };
  return new ArmClient(address);
}

async function containerOf(settings: Settings, region: string, asset: string): Promise<ContainerClient> {
  const answer = await arm(settings, region).post(`assets/${asset}/listContainerSas`, {
    permissions: "ReadWriteDelete",
    expiryTime: new Date(Date.now() + 600_000).toISOString(),
  });
  const [sas] = answer["assetContainerSasUrls"] as readonly string[];
  return new ContainerClient(String(sas));
}

async function publishedVerified(): Promise<SandboxVideo> {
  const video = (await sandbox.control("POST", "/videos", { region: "westeurope", protection: "clear" })) as SandboxVideo;
  await eventually(20_000, `${video.name} in both regions`, async () => {
    const { out } = await run("status", "--admin", sandbox.ready.admin, "--json");
    const { videos } = JSON.parse(out) as { videos: { locatorId: string; regions: Record<string, { state: string }> }[] };
    return Object.values(videos.find(({ locatorId }) => locatorId === video.locatorId)?.regions ?? {}).filter(
      ({ state }) => state === "verified",
    ).length === 2
      ? true
      : null;
  });
  return video;
}

describe("paircast replicate", () => {
  it("adopts what is there already without copying a byte, and the second run changes nothing and says so", async () => {
    const { file } = configWithOwnState("again");
    const first = await replicate(file);
    expect(first.code).toBe(0);
    expect(first.summary).toMatchObject({ conflicts: 0, bytes: 0 });
    expect(first.summary.changed).toBeGreaterThan(0);
    const second = await replicate(file);
    expect(second.summary).toMatchObject({ changed: 0, conflicts: 0, failed: 0, bytes: 0 });
    const text = await run("replicate", "--config", file);
    expect(text.code).toBe(0);
    expect(text.out).toMatch(/nothing to do: \d+ assets? (is|are) the same everywhere/);
  });

  it("keeps locator id, key ids, key values, policies, times and filters", async () => {
    const { settings } = configWithOwnState("identity");
    const [west, north] = [arm(settings, "westeurope"), arm(settings, "northeurope")];
    for (const { name } of sandbox.ready.videos) {
      const [there, here] = [await north.get(`streamingLocators/${name}`), await west.get(`streamingLocators/${name}`)];
      const fields = (locator: typeof there): object => ({ ...(locator?.["properties"] as object | undefined), created: null });
      expect(fields(here)).toHaveProperty("streamingLocatorId");
      expect(fields(there)).toEqual(fields(here));
      expect(await north.post(`streamingLocators/${name}/listContentKeys`, {})).toEqual(
        await west.post(`streamingLocators/${name}/listContentKeys`, {}),
      );
    }
    const policy = "contentKeyPolicies/sandbox-token/getPolicyPropertiesWithSecrets";
    const options = async (client: ArmClient): Promise<unknown> => {
      const text = JSON.stringify((await client.post(policy, {}))["options"]);
      return JSON.parse(text, (key, value: unknown) => (key === "policyOptionId" ? undefined : value));
    };
    expect(await options(north)).toEqual(await options(west));
  });

  it("never overwrites what it did not write: the conflict names both sides, and the region serves that video no more", async () => {
    const video = await publishedVerified();
    const { file, settings } = configWithOwnState("conflict");
    const container = await containerOf(settings, "northeurope", video.name);
    const other = "somebody else's file";
    await container.getBlockBlobClient("paircast-sample.ismc").upload(other, other.length);
    const { code, summary, err } = await replicate(file, "--asset", video.name);
    expect(code).toBe(1);
    expect(summary.conflicts).toBe(1);
    const message = summary.results.find(({ result }) => result === "conflict")?.error?.message ?? "";
    expect(message).toContain("paircast-sample.ismc");
    expect(message).toContain("westeurope");
    expect(message).toContain("northeurope");
    expect((await container.getBlobClient("paircast-sample.ismc").downloadToBuffer()).toString()).toBe(other);
    expect(message + err).not.toMatch(/sig=(?!\[redacted\])/);
  });

  it("names an asset that does not exist", async () => {
    const { file } = configWithOwnState("missing");
    const { code, err } = await run("replicate", "--config", file, "--asset", "no-such-asset");
    expect(code).toBe(1);
    expect(err).toContain("no source region publishes an asset named no-such-asset");
  });

  it("killed in the middle and started again: nothing is copied twice, nothing half-done is catalogued", async () => {
    const { file, settings } = configWithOwnState("killed");
    await sandbox.breakRegion("northeurope", { service: "streaming", kind: "blackhole" });
    const video = (await sandbox.control("POST", "/videos", { region: "westeurope", protection: "clear" })) as SandboxVideo;
    const child = paircast("replicate", "--config", file, "--asset", video.name);
    await eventually(20_000, "the copied files at the target", async () => {
      const names: string[] = [];
      for await (const blob of (await containerOf(settings, "northeurope", video.name)).listBlobsFlat()) names.push(blob.name);
      return names.length === 6 ? true : null;
    });
    child.kill("SIGKILL");
    await within(5000, "the killed replicator to be gone", once(child, "exit"));
    const before = await modified(settings, video.name);
    await sandbox.mendRegion("northeurope");
    const again = await eventually(40_000, "the job's lease to run out", async () => {
      const result = await replicate(file, "--asset", video.name);
      return result.code === 0 ? result : null;
    });
    expect(again.value.summary.results.map(({ counts }) => counts.blobsCopied)).toEqual([0, 0]);
    expect(await modified(settings, video.name)).toEqual(before);
  });

  it("takes a login page in the place of the management API for no answer: nothing is withdrawn", async () => {
    await sandbox.breakRegion("westeurope", { service: "management", kind: "html" });
    const refusals = (): string[] =>
      sandbox.log.filter((line) => line.includes("replication.region_unreachable") && line.includes("account_unavailable"));
    await eventually(20_000, "three passes that met the login page", () => Promise.resolve(refusals().length >= 3 ? true : null));
    await sandbox.mendRegion("westeurope");
    const { out } = await run("status", "--admin", sandbox.ready.admin, "--json");
    const { videos } = JSON.parse(out) as { videos: { locatorId: string; regions: Record<string, { state: string }> }[] };
    for (const { locatorId } of sandbox.ready.videos)
      expect(videos.find((video) => video.locatorId === locatorId)?.regions).toMatchObject({
        westeurope: { state: "verified" },
        northeurope: { state: "verified" },
      });
  });

  async function modified(settings: Settings, asset: string): Promise<Record<string, string>> {
    const etags: Record<string, string> = {};
    for await (const blob of (await containerOf(settings, "northeurope", asset)).listBlobsFlat()) etags[blob.name] = blob.properties.etag;
    return etags;
  }
});
