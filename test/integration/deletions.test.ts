/** A source takes a video back: `paircast deletions` on real accounts, killed in the middle too. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { SqliteCatalogue } from "../../src/replicator/sqlite/catalogue.ts";
import { ArmClient } from "../../src/sandbox/arm.ts";
import { SandboxProcess, type SandboxVideo } from "../harness/sandbox.ts";
import { eventually, within } from "../harness/wait.ts";

interface Account {
  readonly endpoint: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly accountName: string;
  readonly credential: { readonly apiKey: string };
}

interface Settings {
  readonly regions: readonly { readonly name: string; readonly account: Account }[];
  replication: Record<string, unknown>;
  state: { path: string };
}

interface ListedDeletion {
  readonly assetName: string;
  readonly target: string;
  readonly status: string;
  readonly detail: string | null;
  readonly bytes: number | null;
}

const root = new URL("../../", import.meta.url);
const [SOURCE, TARGET] = ["westeurope", "northeurope"];

let sandbox: SandboxProcess;
let folder: string;
let settings: Settings;
let config: string;
/** Notes what is gone, and deletes nothing that nobody has approved. */
let patient: string;
const videos: SandboxVideo[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "paircast-deletions-"));
  sandbox = await SandboxProcess.start();
  settings = parse(readFileSync(sandbox.ready.config, "utf8")) as Settings;
  config = configured("config", { maxShare: "100%" });
  patient = configured("patient", { approval: "required" });
  for (const protection of ["region-keys", "clear", "clear", "clear"])
    videos.push((await sandbox.control("POST", "/videos", { region: SOURCE, protection })) as SandboxVideo);
  for (const { locatorId } of videos) await eventually(60_000, `${locatorId} is verified in both regions`, () => replicated(locatorId));
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function configured(name: string, deletion: Record<string, unknown>): string {
  const file = join(folder, `${name}.yaml`);
  const all = { enabled: true, grace: "1s", assets: true, ...deletion };
  const replication = { ...settings.replication, deletion: all };
  writeFileSync(file, stringify({ ...settings, replication }));
  return file;
}

function paircast(...options: string[]): ChildProcess {
  return spawn(process.execPath, ["src/main.ts", ...options], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
}

async function run(...options: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = paircast(...options);
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
  const [code] = await within(90_000, `paircast ${options.join(" ")}`, once(child, "close"));
  return { code: code as number | null, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

/** The sandbox replicates by itself, and these commands share its state. */
async function replicated(locatorId: string): Promise<true | null> {
  await using catalogue = new SqliteCatalogue(settings.state.path);
  const copies = (await catalogue.get(locatorId))?.entry.regions ?? {};
  return [SOURCE, TARGET].every((region) => copies[region]?.state === "verified") ? true : null;
}

async function listed(...options: string[]): Promise<readonly ListedDeletion[]> {
  const { out, err } = await run("deletions", "list", "--config", config, "--json", ...options);
  expect(out, err).not.toBe("");
  return (JSON.parse(out) as { deletions: ListedDeletion[] }).deletions;
}

async function round(file = config): Promise<{ deleted: number; failed: number; standing: readonly { status: string; count: number }[] }> {
  const { out, err } = await run("deletions", "run", "--config", file, "--json");
  expect(out, err).not.toBe("");
  return JSON.parse(out) as Awaited<ReturnType<typeof round>>;
}

function accountOf(name: string): Account {
  const region = settings.regions.find((candidate) => candidate.name === name);
  if (region === undefined) throw new Error(`no region ${name}`);
  return region.account;
}

async function namesOf(region: string, kind: string): Promise<readonly string[]> {
  const account = accountOf(region);
  const { value } = (await new ArmClient({ ...account, apiKey: account.credential.apiKey }).get(kind)) as { value: { name: string }[] };
  return value.map(({ name }) => name);
}

/** As an operator does in the source's own account. */
async function unpublish({ name: assetName }: SandboxVideo): Promise<void> {
  const account = accountOf(SOURCE);
  const { endpoint, subscriptionId, resourceGroup, accountName, credential } = account;
  const arm = new ArmClient({ ...account, apiKey: credential.apiKey });
  const { value } = (await arm.get("streamingLocators")) as { value: { name: string; properties: { assetName: string } }[] };
  const base = `${endpoint}/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Media/mediaServices/${accountName}`;
  const token = await request(`${endpoint}/auth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ subscriptionId, apiKey: credential.apiKey }),
  });
  const headers = { authorization: `Bearer ${await token.body.text()}` };
  const names = value.filter(({ properties }) => properties.assetName === assetName).map(({ name }) => name);
  expect(names).toHaveLength(1);
  for (const name of names) {
    const answer = await request(`${base}/streamingLocators/${name}?api-version=2022-08-01`, { method: "DELETE", headers });
    await answer.body.dump();
    expect(answer.statusCode).toBeLessThan(300);
  }
}

function video(at: number): SandboxVideo {
  const found = videos[at];
  if (found === undefined) throw new Error(`no video ${at}`);
  return found;
}

async function due(assetName: string): Promise<void> {
  await eventually(60_000, `the loss of ${assetName} is noted, and its grace period over`, async () => {
    await run("deletions", "run", "--config", patient);
    const status = (await listed()).find((each) => each.assetName === assetName)?.status;
    expect(status).not.toBe("pending");
    expect(status).toBeDefined();
  });
}

describe("a video that its source has taken back", () => {
  it("is listed, and goes with locator, asset and files once its time has come; the others stay", async () => {
    const { name: assetName } = video(0);
    const before = {
      assets: (await namesOf(TARGET, "assets")).length,
      locators: (await namesOf(TARGET, "streamingLocators")).length,
    };
    await unpublish(video(0));
    await due(assetName);
    expect(await round()).toMatchObject({ deleted: 1, failed: 0 });
    expect(await namesOf(TARGET, "assets")).not.toContain(assetName);
    expect(await namesOf(TARGET, "assets")).toHaveLength(before.assets - 1);
    expect(await namesOf(TARGET, "streamingLocators")).toHaveLength(before.locators - 1);
    expect(await namesOf(SOURCE, "assets")).toContain(assetName);
    expect(await listed()).toEqual([]);
    const [done] = await listed("--all");
    expect(done).toMatchObject({ assetName, target: TARGET, status: "done", detail: expect.stringContaining(`asset ${assetName}`) });
    expect(done?.bytes).toBeGreaterThan(0);
  });

  it("is gone on with by the next process after a kill in the middle", async () => {
    const { name: assetName } = video(1);
    await unpublish(video(1));
    await due(assetName);
    const child = paircast("deletions", "run", "--config", config);
    await eventually(30_000, "the deletion is begun", async () => {
      const [begun] = (await listed("--all")).filter((each) => each.assetName === assetName);
      expect(begun?.status).not.toBe("delete");
    });
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    await eventually(60_000, "the leases have run out, and it is deleted", async () => {
      await run("deletions", "run", "--config", config);
      expect((await listed("--all")).find((each) => each.assetName === assetName)?.status).toBe("done");
    });
    expect(await namesOf(TARGET, "assets")).not.toContain(assetName);
  });

  it("is refused with others at once, until an operator has approved it", async () => {
    const strict = configured("strict", { maxShare: 1, window: "1s" });
    await unpublish(video(2));
    await unpublish(video(3));
    await due(video(2).name);
    await due(video(3).name);
    expect(await round(strict)).toMatchObject({ deleted: 0 });
    const list = await run("deletions", "--config", strict);
    expect(list.code).toBe(1);
    expect(list.out).toContain("2 refused");
    const approved = await run("deletions", "approve", video(2).name, "no-such", "--config", strict);
    expect(approved.code).toBe(1);
    expect(approved.out).toContain("no-such: nothing of that name waits");
    expect(await round(strict)).toMatchObject({ deleted: 1 });
    expect(await namesOf(TARGET, "assets")).not.toContain(video(2).name);
  });
});
