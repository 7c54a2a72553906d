/** A region's account loses everything: `paircast rebuild` from the other region and from the record of keys, by the real command on real accounts. */
import { readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callCommand, killRunning, runCommand, startCommand, type Ended } from "../harness/command.ts";
import { CommandLab, lapseLeases, printed } from "../harness/commandLab.ts";
import type { PublishedVideo } from "../../src/sandbox/publish.ts";
import { eventually } from "../harness/wait.ts";

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

const MASTER_KEY = Buffer.alloc(32, 0x5a).toString("base64");
const LOST = "westeurope";

let lab: CommandLab;
let config: string;
let state: string;
const videos: PublishedVideo[] = [];

beforeAll(async () => {
  lab = await CommandLab.start();
  writeFileSync(lab.path("master.key"), MASTER_KEY, { mode: 0o600 });
  state = lab.state("config");
  config = withKeys("config", ["file:master.key"]);
  for (const protection of ["gateway-keys", "region-keys", "clear"] as const) videos.push(await lab.publish(protection, LOST));
  const { code, err } = await runCommand(["replicate", "--config", config]);
  expect(code, err).toBe(0);
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

/** A configuration with these master keys, by default on the state of all. */
function withKeys(name: string, keys: readonly string[], path = state): string {
  return lab.configure(name, { replication: { ...lab.settings.replication, keyRecord: { keys } }, state: { path } });
}

async function rebuild(options: readonly string[], how?: typeof callCommand): Promise<Ended & { readonly json: Summary }> {
  return printed(["rebuild", LOST, "--config", config, ...options], how);
}

/** Deletes locators, assets with their containers, policies and filters: what is left is an account that is new. */
async function empty(name: string): Promise<void> {
  for (const kind of ["streamingLocators", "assets", "streamingPolicies", "contentKeyPolicies", "accountFilters"])
    for (const each of await lab.names(name, kind)) if (!each.startsWith("Predefined_")) await lab.remove(name, `${kind}/${each}`);
  expect(await lab.names(name, "streamingLocators")).toEqual([]);
}

/** What a region's key delivery gives a player. */
async function keyOf(region: string, { keyId, token }: PublishedVideo): Promise<string> {
  const { keys } = lab.region(region);
  const answer = await request(`${keys}/?kid=${keyId}`, { headers: token === null ? {} : { authorization: `Bearer ${token}` } });
  const body = Buffer.from(await answer.body.arrayBuffer());
  return `${answer.statusCode} ${body.toString("hex")}`;
}

async function keysOf(region: string): Promise<readonly string[]> {
  return Promise.all(videos.filter(({ keyId }) => keyId !== null).map((video) => keyOf(region, video)));
}

function states(): readonly string[] {
  const database = new DatabaseSync(state, { readOnly: true });
  try {
    const rows = database.prepare("SELECT entry FROM catalogue").all();
    return rows.map(
      (row) => (JSON.parse(String(row["entry"])) as { regions: Record<string, { state: string }> }).regions[LOST]?.state ?? "none",
    );
  } finally {
    database.close();
  }
}

async function plays(video: PublishedVideo): Promise<number> {
  const answer = await request(`${lab.region(LOST).streaming}${video.hls}`);
  await answer.body.dump();
  return answer.statusCode;
}

describe("paircast rebuild", () => {
  it("is refused while nothing is lost, and changes nothing then", async () => {
    const { code, err } = await callCommand(["rebuild", LOST, "--config", config]);
    expect(code).toBe(1);
    expect(err).toContain("nothing seems to be lost");
    expect(new Set(states())).toEqual(new Set(["verified"]));
  });

  it("brings an emptied account back from the other region: the same ids, and the same key from its key delivery", async () => {
    const before = await keysOf(LOST);
    expect(before.every((answer) => answer.startsWith("200 "))).toBe(true);
    await empty(LOST);
    expect((await keysOf(LOST)).some((answer) => answer.startsWith("200 "))).toBe(false);
    const dry = await rebuild(["--dry-run"], callCommand);
    expect(dry.code).toBe(0);
    expect(new Set(dry.json.jobs.map(({ from }) => from))).toEqual(new Set(["northeurope"]));
    expect(new Set(states())).toEqual(new Set(["verified"]));
    const { code, json: summary, err } = await rebuild([]);
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
    const { code, json: summary, err } = await rebuild(["--from", "record"], callCommand);
    expect(summary, err).toMatchObject({ failed: 0, lost: [], waiting: [] });
    expect(code).toBe(0);
    expect(await keysOf(LOST)).toEqual(before);
    for (const video of videos) expect(await plays(video)).toBe(200);
  });

  it("killed in the middle and started again, goes on and leaves nothing out", async () => {
    const before = await keysOf(LOST);
    await empty(LOST);
    // Its videos cannot be verified: it is not done before it is killed.
    await lab.break(LOST, "streaming", "blackhole");
    const child = startCommand(["rebuild", LOST, "--config", config]);
    await eventually(60_000, "the first locator to be there again", async () =>
      (await lab.names(LOST, "streamingLocators")).length > 0 ? true : null,
    );
    await killRunning(child);
    await lab.mend(LOST);
    lapseLeases(state);
    const again = await rebuild([], callCommand);
    expect(again.json, again.err).toMatchObject({ failed: 0, lost: [], waiting: [] });
    expect(again.json.resumedFrom).not.toBeNull();
    expect(new Set(states())).toEqual(new Set(["verified"]));
    expect(await keysOf(LOST)).toEqual(before);
  });

  it("says which master key is missing, refuses a changed record, and shows no secret", async () => {
    await empty(LOST);
    const wrong = withKeys("wrong-key", [Buffer.alloc(32, 1).toString("base64")]);
    const locked = await printed<Summary>(["rebuild", LOST, "--config", wrong, "--from", "record"]);
    expect(locked.code).toBe(1);
    expect(locked.json.results.map(({ error }) => error?.code)).toContain("key_record_locked");
    expect(locked.out).toMatch(/master key [0-9a-f]{16}, which is none of replication\.keyRecord\.keys/);
    const [victim] = videos;
    const database = new DatabaseSync(state);
    const id = `locator/${victim?.locatorId}`;
    const sealed = String(database.prepare("SELECT sealed FROM key_records WHERE id = ?").get(id)?.["sealed"]);
    const tampered = `${sealed.slice(0, 40)}${sealed[40] === "A" ? "B" : "A"}${sealed.slice(41)}`;
    database.prepare("UPDATE key_records SET sealed = ? WHERE id = ?").run(tampered, id);
    const damaged = await rebuild(["--from", "record"]);
    expect(damaged.code).toBe(1);
    expect(damaged.json.results.find(({ error }) => error !== null)).toMatchObject({
      assetName: victim?.name,
      error: { code: "key_record_damaged" },
    });
    expect(await lab.arm(LOST).get(`streamingLocators/${victim?.name}`)).toBeNull();
    const status = await printed(["keys", "status", "--config", config]);
    expect(status.code).toBe(1);
    expect(status.json).toMatchObject({ unreadable: { count: 1 }, missing: { count: 0 } });
    database.prepare("UPDATE key_records SET sealed = ? WHERE id = ?").run(sealed, id);
    database.close();
    const mended = await rebuild(["--from", "record"], callCommand);
    expect(mended.json).toMatchObject({ failed: 0 });
    const keyValues = (await keysOf(LOST)).map((answer) => answer.slice("200 ".length));
    for (const text of [locked, damaged, status].map(({ out, err }) => out + err))
      for (const secret of [MASTER_KEY, ...keyValues, ...keyValues.map((value) => Buffer.from(value, "hex").toString("base64"))])
        expect(text).not.toContain(secret);
    const stored = readFileSync(state).toString("latin1");
    for (const value of keyValues) {
      expect(stored).not.toContain(Buffer.from(value, "hex").toString("base64"));
      expect(stored).not.toContain(Buffer.from(value, "hex").toString("latin1"));
    }
  });

  it("rotates the master key: the new one reads everything, the old one is needed no more", async () => {
    const [first, second] = [MASTER_KEY, Buffer.alloc(32, 0x66).toString("base64")];
    const both = withKeys("both", [second, first]);
    const rotated = await printed(["keys", "rotate", "--config", both]);
    expect(rotated.code, rotated.err).toBe(0);
    expect(rotated.json).toMatchObject({ unreadable: 0, current: 0 });
    const status = await callCommand(["keys", "status", "--config", withKeys("new", [second])]);
    expect(status.code, status.out).toBe(0);
    expect((await callCommand(["keys", "status", "--config", config])).code).toBe(1);
    expect((await callCommand(["keys", "rotate", "--config", withKeys("back", [first, second])])).code).toBe(0);
  });

  it("is moved to another state with its keys, and a region can be rebuilt from there", async () => {
    const file = lab.path("library.jsonl");
    const exported = await runCommand(["export", file, "--config", config, "--with-keys", "--json"]);
    expect(exported.code, exported.err).toBe(0);
    expect(readFileSync(file, "utf8")).not.toContain(MASTER_KEY);
    const moved = withKeys("moved", ["file:master.key"], lab.state("moved"));
    const imported = await printed(["import", file, "--config", moved, "--trust"]);
    expect(imported.code, imported.err).toBe(0);
    expect(imported.json).toMatchObject({ lockedUnder: [], entries: { kept: 0 } });
    const before = await keysOf(LOST);
    await empty(LOST);
    const { code, out, err } = await callCommand(["rebuild", LOST, "--config", moved, "--from", "record", "--json"]);
    expect(code, out + err).toBe(0);
    expect(await keysOf(LOST)).toEqual(before);
  });
});
