/** The commands as a person or a script meets them: plans, conflicts, dead letters, status without a gateway, interruption, exit codes. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ContainerClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { EXIT_CODES_HELP } from "../../src/commands/exitCodes.ts";
import { SqliteWorkQueue } from "../../src/replicator/sqlite/workQueue.ts";
import { lookPiece, pieceText } from "../../src/replicator/work/piece.ts";
import { ArmClient } from "../../src/sandbox/arm.ts";
import { systemClock } from "../../src/core/clock.ts";
import { SandboxProcess, type SandboxVideo } from "../harness/sandbox.ts";
import { within } from "../harness/wait.ts";

interface Settings {
  regions: {
    name: string;
    account: { endpoint: string; subscriptionId: string; resourceGroup: string; accountName: string; credential: { apiKey: string } };
  }[];
  state: { path: string };
  admin: { listen: string };
}

interface Plan {
  readonly jobs: readonly {
    readonly target: string;
    readonly result: string;
    readonly blobs: { readonly copy: number; readonly bytes: number };
    readonly writes: readonly { readonly what: string; readonly action: string }[];
    readonly conflicts: readonly { readonly what: string }[];
  }[];
  readonly summary: Readonly<Record<string, unknown>>;
}

const root = new URL("../../", import.meta.url);
let sandbox: SandboxProcess;
let folder: string;
let file: string;
let settings: Settings;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "paircast-commands-"));
  sandbox = await SandboxProcess.start();
  settings = parse(readFileSync(sandbox.ready.config, "utf8")) as Settings;
  // No gateway runs with this one.
  settings.admin.listen = "127.0.0.1:9";
  settings.state.path = join(folder, "state.db");
  file = join(folder, "paircast.yaml");
  writeFileSync(file, stringify(settings));
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function start(...options: string[]): ChildProcess {
  return spawn(process.execPath, ["src/main.ts", ...options], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
}

async function run(...options: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = start(...options);
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
  const [code] = await within(45_000, `paircast ${options.join(" ")}`, once(child, "close"));
  return { code: code as number | null, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

async function planned(...options: string[]): Promise<{ code: number | null; plan: Plan; out: string }> {
  const { code, out, err } = await run("plan", "--config", file, "--json", ...options);
  if (out === "") throw new Error(err);
  return { code, plan: JSON.parse(out) as Plan, out };
}

function arm(region: string): ArmClient {
  const account = settings.regions.find(({ name }) => name === region)?.account;
  if (account === undefined) throw new Error(`no region ${region}`);
  return new ArmClient({ ...account, apiKey: account.credential.apiKey });
}

describe("plan, and what comes of it", () => {
  it("says what replicate then does, and changes nothing itself", async () => {
    const first = await planned();
    const again = await planned();
    expect(again.plan).toEqual(first.plan);
    const { code, out, err } = await run("replicate", "--config", file, "--json");
    expect(code).toBe(0);
    const done = JSON.parse(out) as { changed: number; bytes: number };
    expect(first.plan.summary).toMatchObject({ changed: done.changed, bytes: done.bytes });
    const events = err.split("\n").flatMap((line) => (line.includes('"event":"progress.') ? [JSON.parse(line) as { event: string }] : []));
    expect(events.at(-1)?.event).toBe("progress.end");
    const after = await planned();
    expect(after).toMatchObject({ code: 0, plan: { jobs: [], summary: { changed: 0, bytes: 0, conflicts: 0 } } });
    const text = await run("plan", "--config", file);
    expect(text.out).toMatch(/^nothing to do: \d+ assets? (is|are) the same everywhere\n$/);
  });

  it("conflicts are told by plan, kept by replicate, and listed with both sides and what to do", async () => {
    expect((await run("conflicts", "--config", file)).out).toBe("no conflicts\n");
    const [video] = sandbox.ready.videos;
    const answer = await arm("northeurope").post(`assets/${video?.name}/listContainerSas`, {
      permissions: "ReadWriteDelete",
      expiryTime: new Date(Date.now() + 600_000).toISOString(),
    });
    const [sas] = answer["assetContainerSasUrls"] as readonly string[];
    const other = "somebody else's file";
    await new ContainerClient(String(sas)).getBlockBlobClient("paircast-sample.ismc").upload(other, other.length);
    const plan = await planned("--asset", video?.name ?? "");
    expect(plan.code).toBe(1);
    const names = plan.plan.jobs.flatMap(({ conflicts }) => conflicts.map(({ what }) => what));
    expect(names).toContain("blob paircast-sample.ismc");
    expect((await run("replicate", "--config", file, "--asset", video?.name ?? "")).code).toBe(1);
    const listed = await run("conflicts", "--config", file);
    expect(listed.code).toBe(1);
    expect(listed.out).toContain("blob paircast-sample.ismc");
    for (const side of ["    westeurope has ", "    northeurope has ", "    what to do: "]) expect(listed.out).toContain(side);
    const json = JSON.parse((await run("conflicts", "--config", file, "--json")).out) as { jobs: { conflicts: { what: string }[] }[] };
    expect(json.jobs.flatMap(({ conflicts }) => conflicts.map(({ what }) => what))).toEqual(names);
  });

  it("status tells how far replication is where no gateway runs", async () => {
    const { code, out, err } = await run("status", "--config", file);
    expect(code).toBe(0);
    expect(out).toMatch(/northeurope: \d+ videos? verified, \d+ pending.*, \d+ failed, 1 conflict; \d+ jobs? done in the last hour/);
    expect(out).toContain("queue: about 0 pieces of work, 0 dead letters");
    expect(err).toContain("no gateway answers at http://127.0.0.1:9");
    const live = JSON.parse((await run("status", "--admin", sandbox.ready.admin, "--json")).out) as Record<string, object>;
    expect(live["replication"]).toMatchObject({ targets: [{ target: "westeurope" }, { target: "northeurope" }] });
  });
});

describe("dead letters", () => {
  it("are listed with why, and put back one by one or all", async () => {
    await using queue = new SqliteWorkQueue({ path: settings.state.path, name: "jobs", maxTakes: 5, clock: systemClock });
    for (const asset of ["one", "two", "three"]) await queue.put(pieceText(lookPiece({ region: "westeurope", asset, at: 0 })));
    for (let item = await queue.take(1000); item !== null; item = await queue.take(1000)) await queue.bury(item, "it would not do");
    const listed = await run("dead-letters", "--config", file);
    expect(listed.code).toBe(1);
    expect(listed.out).toMatch(/look at one of westeurope, \d+ s old, taken 1 time: it would not do/);
    const { deadLetters } = JSON.parse((await run("dead-letters", "list", "--config", file, "--json")).out) as {
      deadLetters: { id: string }[];
    };
    expect(deadLetters).toHaveLength(3);
    expect((await run("dead-letters", "replay", deadLetters[0]?.id ?? "", "--config", file)).out).toMatch(/^1 piece of work put back/);
    expect(await queue.pending()).toBe(1);
    expect(JSON.parse((await run("dead-letters", "replay", "--all", "--config", file, "--json")).out)).toEqual({ replayed: 2 });
    expect([await queue.pending(), await queue.deadLetters(10)]).toEqual([3, []]);
    expect(await run("dead-letters", "--config", file)).toMatchObject({ code: 0, out: "no dead letters\n" });
  });
});

describe("exit codes", () => {
  it("130 and 143 for what was interrupted, with how to go on; 0 for what runs until it is stopped", async () => {
    const video = (await sandbox.control("POST", "/videos", { region: "westeurope", protection: "clear" })) as SandboxVideo;
    await sandbox.breakRegion("northeurope", { service: "streaming", kind: "blackhole" });
    for (const [signal, code] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      const child = start("replicate", "--config", file, "--asset", video.name, "--json");
      const err: string[] = [];
      const lines = createInterface({ input: child.stderr ?? process.stdin });
      lines.on("line", (line) => err.push(line));
      await within(30_000, "the replication to be under way", once(lines, "line"));
      const closed = once(child, "close");
      child.kill(signal);
      const [ended] = await within(20_000, `the end after ${signal}`, closed);
      expect([signal, ended]).toEqual([signal, code]);
      expect(err.at(-1)).toContain("the same command goes on from there");
    }
    const following = start("replicate", "--config", file, "--follow");
    await within(30_000, "the first line of the log", once(createInterface({ input: following.stderr ?? process.stdin }), "line"));
    const closed = once(following, "close");
    following.kill("SIGTERM");
    expect((await within(20_000, "the end of --follow", closed))[0]).toBe(0);
    await sandbox.mendRegion("northeurope");
  });

  it("are one table for all commands, which --help and README have", async () => {
    const missing = join(folder, "missing.yaml");
    const bad = join(folder, "bad.yaml");
    const fresh = join(folder, "fresh.yaml");
    writeFileSync(bad, "regoins: []\n");
    writeFileSync(fresh, stringify({ ...settings, state: { path: join(folder, "fresh.db") } }));
    const CASES: readonly (readonly [number, ...string[]])[] = [
      [0, "--help"],
      [0, "--version"],
      [0, "plan", "--help"],
      [0, "check-config", "--config", file],
      [0, "status", "--admin", sandbox.ready.admin],
      [1, "plan", "--config", file, "--asset", "no-such-asset"],
      [1, "replicate", "--config", file, "--asset", "no-such-asset"],
      [1, "dead-letters", "replay", "no-such-letter", "--config", file],
      [1, "status", "--admin", "127.0.0.1:9"],
      [1, "import", join(folder, "no-such-file"), "--config", file],
      [2],
      [2, "no-such-command"],
      [2, "replicate", "--no-such-option"],
      [2, "verify", "--sample", "0%"],
      [2, "conflicts", "--limit", "0"],
      [2, "dead-letters", "replay", "--config", file],
      [2, "check-config", "--config", bad],
      [2, "check-config", "--config", bad, "--json"],
      [2, "rebuild", "nowhere", "--config", file],
      [2, "keys", "status", "--config", file],
      [2, "conflicts", "--config", fresh],
      [2, "dead-letters", "--config", fresh],
      [2, "status", "--config", fresh],
      ...["serve", "replicate", "plan", "verify", "status", "conflicts", "dead-letters", "overrides"].map(
        (command) => [2, command, "--config", missing] as const,
      ),
    ];
    const wrong: unknown[] = [];
    const rest = [...CASES];
    const work = async (): Promise<void> => {
      for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
        const [code, ...options] = next;
        const ended = await run(...options);
        if (ended.code !== code) wrong.push({ options, code, ended });
        // Whatever went wrong, something is said of it.
        if (ended.out + ended.err === "") wrong.push({ options, ended });
      }
    };
    await Promise.all([work(), work()]);
    expect(wrong).toEqual([]);
    expect((await run("--help")).out).toContain(EXIT_CODES_HELP.trim());
    const readme = readFileSync(new URL("README.md", root), "utf8");
    for (const code of ["0", "1", "2", "3", "130", "143"]) expect(readme).toMatch(new RegExp(`^\\| ${code}\\b.*\\|$`, "m"));
  });
});
