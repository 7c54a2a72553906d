/** A region's account loses everything: `paircast rebuild` from the other region and from the record of keys, by the real command on real accounts. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
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
  readonly regions: readonly { readonly name: string; readonly keys: string; readonly account: Account }[];
  replication: { keyRecord?: { keys: string[] } };
  state: { path: string };
}

interface Summary {
  readonly rebuilt: number;
  readonly failed: number;
  readonly withdrawn: number;
  readonly done: number;
  readonly lost: readonly { readonly assetName: string; readonly why: string }[];
  readonly waiting: readonly unknown[];
  readonly resumedFrom: number | null;
  readonly jobs: readonly { readonly from: string }[];
  readonly results: readonly { readonly assetName: string; readonly error: { readonly code: string; readonly message: string } | null }[];
}

const root = new URL("../../", import.meta.url);
const MASTER_KEY = Buffer.alloc(32, 0x5a).toString("base64");
const VIDEOS = 3;
const LOST = "westeurope";

let sandbox: SandboxProcess;
let folder: string;
let config: string;
let settings: Settings;
const videos: SandboxVideo[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "paircast-rebuild-"));
  sandbox = await SandboxProcess.start();
  settings = parse(readFileSync(sandbox.ready.config, "utf8")) as Settings;
  settings.state.path = join(folder, "state.db");
  writeFileSync(join(folder, "master.key"), MASTER_KEY, { mode: 0o600 });
  settings.replication = { ...settings.replication, keyRecord: { keys: ["file:master.key"] } };
  config = write("config", settings);
  for (const protection of ["gateway-keys", "region-keys", "clear"].slice(0, VIDEOS))
    videos.push((await sandbox.control("POST", "/videos", { region: LOST, protection })) as SandboxVideo);
  const { code, err } = await run("replicate", "--config", config);
  expect(code, err).toBe(0);
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, content: Settings): string {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, stringify(content));
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

async function rebuild(...options: string[]): Promise<{ code: number | null; summary: Summary; err: string }> {
  const { code, out, err } = await run("rebuild", LOST, "--config", config, "--json", ...options);
  expect(out, err).not.toBe("");
  return { code, summary: JSON.parse(out) as Summary, err };
}

function accountOf(name: string): Account {
  const region = settings.regions.find((candidate) => candidate.name === name);
  if (region === undefined) throw new Error(`no region ${name}`);
  return region.account;
}

function arm(name: string): ArmClient {
  const account = accountOf(name);
  return new ArmClient({ ...account, apiKey: account.credential.apiKey });
}

/** Deletes locators, assets with their containers, policies and filters: what is left is an account that is new. */
async function empty(name: string): Promise<void> {
  const { endpoint, subscriptionId, resourceGroup, accountName, credential } = accountOf(name);
  const base = `${endpoint}/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Media/mediaServices/${accountName}`;
  const token = await request(`${endpoint}/auth/token`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ subscriptionId, apiKey: credential.apiKey }),
  });
  const headers = { authorization: `Bearer ${await token.body.text()}` };
  const names = async (kind: string): Promise<string[]> => {
    const { value } = (await arm(name).get(kind)) as { value: { name: string }[] };
    return value.map((each) => each.name);
  };
  for (const kind of ["streamingLocators", "assets", "streamingPolicies", "contentKeyPolicies", "accountFilters"]) {
    for (const each of await names(kind)) {
      if (each.startsWith("Predefined_")) continue;
      const answer = await request(`${base}/${kind}/${each}?api-version=2022-08-01`, { method: "DELETE", headers });
      await answer.body.dump();
      expect(answer.statusCode, `DELETE ${kind}/${each}`).toBeLessThan(300);
    }
  }
  expect(await names("streamingLocators")).toEqual([]);
}

/** What a region's key delivery gives a player. */
async function keyOf(region: string, { keyId, token }: SandboxVideo): Promise<string> {
  const { keys } = sandbox.region(region);
  const answer = await request(`${keys}/?kid=${keyId}`, { headers: token === null ? {} : { authorization: `Bearer ${token}` } });
  const body = Buffer.from(await answer.body.arrayBuffer());
  return `${answer.statusCode} ${body.toString("hex")}`;
}

async function keysOf(region: string): Promise<readonly string[]> {
  return Promise.all(videos.filter(({ keyId }) => keyId !== null).map((video) => keyOf(region, video)));
}

function states(): readonly string[] {
  const database = new DatabaseSync(settings.state.path, { readOnly: true });
  try {
    const rows = database.prepare("SELECT entry FROM catalogue").all();
    return rows.map(
      (row) => (JSON.parse(String(row["entry"])) as { regions: Record<string, { state: string }> }).regions[LOST]?.state ?? "none",
    );
  } finally {
    database.close();
  }
}

async function plays(video: SandboxVideo): Promise<number> {
  const answer = await request(`${sandbox.region(LOST).streaming}${video.hls}`);
  await answer.body.dump();
  return answer.statusCode;
}

describe("paircast rebuild", () => {
  it("is refused while nothing is lost, and changes nothing then", async () => {
    const { code, err } = await run("rebuild", LOST, "--config", config);
    expect(code).toBe(1);
    expect(err).toContain("nothing seems to be lost");
    expect(new Set(states())).toEqual(new Set(["verified"]));
  });

  it("brings an emptied account back from the other region: the same ids, and the same key from its key delivery", async () => {
    const before = await keysOf(LOST);
    expect(before.every((answer) => answer.startsWith("200 "))).toBe(true);
    await empty(LOST);
    expect((await keysOf(LOST)).some((answer) => answer.startsWith("200 "))).toBe(false);
    const dry = await rebuild("--dry-run");
    expect(dry.code).toBe(0);
    expect(new Set(dry.summary.jobs.map(({ from }) => from))).toEqual(new Set(["northeurope"]));
    expect(new Set(states())).toEqual(new Set(["verified"]));
    const { code, summary, err } = await rebuild();
    expect(summary, err).toMatchObject({ failed: 0, lost: [], waiting: [] });
    expect(code).toBe(0);
    expect(summary.rebuilt).toBeGreaterThan(videos.length);
    expect(summary.withdrawn).toBe(states().length);
    expect(await keysOf(LOST)).toEqual(before);
    expect(new Set(states())).toEqual(new Set(["verified"]));
    for (const video of videos) expect(await plays(video)).toBe(200);
  });

  it("brings it back from the record, with nothing but the files from the other region", async () => {
    const before = await keysOf(LOST);
    await empty(LOST);
    const { code, summary, err } = await rebuild("--from", "record");
    expect(summary, err).toMatchObject({ failed: 0, lost: [], waiting: [] });
    expect(code).toBe(0);
    expect(await keysOf(LOST)).toEqual(before);
    for (const video of videos) expect(await plays(video)).toBe(200);
  });

  it("killed in the middle and started again, goes on and leaves nothing out", async () => {
    const before = await keysOf(LOST);
    await empty(LOST);
    const child = paircast("rebuild", LOST, "--config", config);
    await eventually(60_000, "the first locator to be there again", async () => {
      const { value } = (await arm(LOST).get("streamingLocators")) as { value: unknown[] };
      return value.length > 0 ? true : null;
    });
    child.kill("SIGKILL");
    await within(5000, "the killed rebuild to be gone", once(child, "exit"));
    const again = await rebuild();
    expect(again.summary, again.err).toMatchObject({ failed: 0, lost: [], waiting: [] });
    expect(again.summary.resumedFrom).not.toBeNull();
    expect(new Set(states())).toEqual(new Set(["verified"]));
    expect(await keysOf(LOST)).toEqual(before);
  });

  it("says which master key is missing, refuses a changed record, and shows no secret", async () => {
    await empty(LOST);
    const wrong = write("wrong-key", {
      ...settings,
      replication: { ...settings.replication, keyRecord: { keys: [Buffer.alloc(32, 1).toString("base64")] } },
    });
    const locked = await run("rebuild", LOST, "--config", wrong, "--json", "--from", "record");
    expect(locked.code).toBe(1);
    expect((JSON.parse(locked.out) as Summary).results.map(({ error }) => error?.code)).toContain("key_record_locked");
    expect(locked.out).toMatch(/master key [0-9a-f]{16}, which is none of replication\.keyRecord\.keys/);
    const [victim] = videos;
    const database = new DatabaseSync(settings.state.path);
    const id = `locator/${victim?.locatorId}`;
    const sealed = String(database.prepare("SELECT sealed FROM key_records WHERE id = ?").get(id)?.["sealed"]);
    const tampered = `${sealed.slice(0, 40)}${sealed[40] === "A" ? "B" : "A"}${sealed.slice(41)}`;
    database.prepare("UPDATE key_records SET sealed = ? WHERE id = ?").run(tampered, id);
    const { code, summary, err } = await rebuild("--from", "record");
    expect(code).toBe(1);
    expect(summary.results.find(({ error }) => error !== null)).toMatchObject({
      assetName: victim?.name,
      error: { code: "key_record_damaged" },
    });
    expect(await arm(LOST).get(`streamingLocators/${victim?.name}`)).toBeNull();
    const status = await run("keys", "status", "--config", config, "--json");
    expect(status.code).toBe(1);
    expect(JSON.parse(status.out)).toMatchObject({ unreadable: { count: 1 }, missing: { count: 0 } });
    database.prepare("UPDATE key_records SET sealed = ? WHERE id = ?").run(sealed, id);
    database.close();
    const mended = await rebuild("--from", "record");
    expect(mended.summary).toMatchObject({ failed: 0 });
    const keyValues = (await keysOf(LOST)).map((answer) => answer.slice("200 ".length));
    for (const text of [locked.out, locked.err, err, JSON.stringify(summary), status.out])
      for (const secret of [MASTER_KEY, ...keyValues, ...keyValues.map((value) => Buffer.from(value, "hex").toString("base64"))])
        expect(text).not.toContain(secret);
    const stored = readFileSync(settings.state.path).toString("latin1");
    for (const value of keyValues) {
      expect(stored).not.toContain(Buffer.from(value, "hex").toString("base64"));
      expect(stored).not.toContain(Buffer.from(value, "hex").toString("latin1"));
    }
  });

  it("rotates the master key: the new one reads everything, the old one is needed no more", async () => {
    const [first, second] = [MASTER_KEY, Buffer.alloc(32, 0x66).toString("base64")];
    const both = write("both", { ...settings, replication: { ...settings.replication, keyRecord: { keys: [second, first] } } });
    const rotated = await run("keys", "rotate", "--config", both, "--json");
    expect(rotated.code, rotated.err).toBe(0);
    expect(JSON.parse(rotated.out)).toMatchObject({ unreadable: 0, current: 0 });
    const onlyNew = write("new", { ...settings, replication: { ...settings.replication, keyRecord: { keys: [second] } } });
    const status = await run("keys", "status", "--config", onlyNew, "--json");
    expect(status.code, status.out).toBe(0);
    expect((await run("keys", "status", "--config", config)).code).toBe(1);
    expect(
      (await run("keys", "rotate", "--config", write("back", { ...settings, replication: { keyRecord: { keys: [first, second] } } }))).code,
    ).toBe(0);
  });

  it("is moved to another state with its keys, and a region can be rebuilt from there", async () => {
    const file = join(folder, "library.jsonl");
    const exported = await run("export", file, "--config", config, "--with-keys", "--json");
    expect(exported.code, exported.err).toBe(0);
    expect(readFileSync(file, "utf8")).not.toContain(MASTER_KEY);
    const moved = { ...settings, state: { path: join(folder, "moved.db") } };
    const movedConfig = write("moved", moved);
    const imported = await run("import", file, "--config", movedConfig, "--trust", "--json");
    expect(imported.code, imported.err).toBe(0);
    expect(JSON.parse(imported.out)).toMatchObject({ lockedUnder: [], entries: { kept: 0 } });
    const before = await keysOf(LOST);
    await empty(LOST);
    const { code, out, err } = await run("rebuild", LOST, "--config", movedConfig, "--from", "record", "--json");
    expect(code, out + err).toBe(0);
    expect(await keysOf(LOST)).toEqual(before);
  });
});
