/** The commands as a person or a script meets them: plans, conflicts, dead letters, status without a gateway, interruption, exit codes. */
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { EXIT_CODES_HELP } from "../../src/commands/exitCodes.ts";
import { SqliteWorkQueue } from "../../src/replicator/sqlite/workQueue.ts";
import { lookPiece, pieceText } from "../../src/replicator/work/piece.ts";
import { systemClock } from "../../src/core/clock.ts";
import { callCommand, runCommand, startCommand, stopRunning } from "../harness/command.ts";
import { CommandLab, printed } from "../harness/commandLab.ts";
import { inLanes } from "../bench/process.ts";
import { ServeFolder, ServeProcess } from "../harness/serve.ts";
import { within } from "../harness/wait.ts";

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

/** Longer than any pause of the machine: what is taken is not taken again. */
const LEASE_MS = 60_000;

let lab: CommandLab;
let file: string;

beforeAll(async () => {
  lab = await CommandLab.start();
  file = lab.configure("paircast");
});
afterAll(async () => {
  await lab[Symbol.asyncDispose]();
});

describe("plan, and what comes of it", () => {
  it("says what replicate then does, and changes nothing itself", async () => {
    const first = await printed<Plan>(["plan", "--config", file]);
    const again = await printed<Plan>(["plan", "--config", file], callCommand);
    expect(again.json).toEqual(first.json);
    const { code, out, err } = await runCommand(["replicate", "--config", file, "--json"]);
    expect(code).toBe(0);
    const done = JSON.parse(out) as { changed: number; bytes: number };
    expect(first.json.summary).toMatchObject({ changed: done.changed, bytes: done.bytes });
    const events = err.split("\n").flatMap((line) => (line.includes('"event":"progress.') ? [JSON.parse(line) as { event: string }] : []));
    expect(events.at(-1)?.event).toBe("progress.end");
    const after = await printed<Plan>(["plan", "--config", file], callCommand);
    expect(after).toMatchObject({ code: 0, json: { jobs: [], summary: { changed: 0, bytes: 0, conflicts: 0 } } });
    const text = await callCommand(["plan", "--config", file]);
    expect(text.out).toMatch(/^nothing to do: \d+ assets? (is|are) the same everywhere\n$/);
  });

  it("conflicts are told by plan, kept by replicate, and listed with both sides and what to do", async () => {
    expect((await callCommand(["conflicts", "--config", file])).out).toBe("no conflicts\n");
    const name = lab.videos[0]?.name ?? "";
    const container = await lab.container("northeurope", name);
    const other = "somebody else's file";
    await container.getBlockBlobClient("paircast-sample.ismc").upload(other, other.length);
    const plan = await printed<Plan>(["plan", "--config", file, "--asset", name], callCommand);
    expect(plan.code).toBe(1);
    const names = plan.json.jobs.flatMap(({ conflicts }) => conflicts.map(({ what }) => what));
    expect(names).toContain("blob paircast-sample.ismc");
    expect((await runCommand(["replicate", "--config", file, "--asset", name])).code).toBe(1);
    const listed = await runCommand(["conflicts", "--config", file]);
    expect(listed.code).toBe(1);
    expect(listed.out).toContain("blob paircast-sample.ismc");
    for (const side of ["    westeurope has ", "    northeurope has ", "    what to do: "]) expect(listed.out).toContain(side);
    const { json } = await printed<Pick<Plan, "jobs">>(["conflicts", "--config", file], callCommand);
    expect(json.jobs.flatMap(({ conflicts }) => conflicts.map(({ what }) => what))).toEqual(names);
  });

  it("status tells how far replication is where no gateway runs", async () => {
    const { code, out, err } = await runCommand(["status", "--config", file]);
    expect(code).toBe(0);
    expect(out).toMatch(/northeurope: \d+ videos? verified, \d+ pending.*, \d+ failed, 1 conflict; \d+ jobs? done in the last hour/);
    expect(out).toContain("queue: about 0 pieces of work, 0 dead letters");
    expect(err).toContain("no gateway answers at http://127.0.0.1:9");
    await using folder = await ServeFolder.create();
    await folder.write(
      stringify({ ...lab.settings, gateway: { listen: "127.0.0.1:0" }, admin: { listen: "127.0.0.1:0" }, state: { path: "live.db" } }),
    );
    await using gateway = await ServeProcess.start(folder);
    const live = await printed(["status", "--admin", gateway.admin]);
    expect(live.json).toMatchObject({ replication: { targets: [{ target: "westeurope" }, { target: "northeurope" }] } });
  });
});

describe("dead letters", () => {
  it("are listed with why, and put back one by one or all", async () => {
    await using queue = new SqliteWorkQueue({ path: lab.state("paircast"), name: "jobs", maxTakes: 5, clock: systemClock });
    for (const asset of ["one", "two", "three"]) await queue.put(pieceText(lookPiece({ region: "westeurope", asset, at: 0 })));
    for (let item = await queue.take(LEASE_MS); item !== null; item = await queue.take(LEASE_MS)) await queue.bury(item, "it would not do");
    const listed = await runCommand(["dead-letters", "--config", file]);
    expect(listed.code).toBe(1);
    expect(listed.out).toMatch(/look at one of westeurope, \d+ s old, taken 1 time: it would not do/);
    const { json } = await printed<{ deadLetters: { id: string }[] }>(["dead-letters", "list", "--config", file], callCommand);
    expect(json.deadLetters).toHaveLength(3);
    const replay = ["dead-letters", "replay", "--config", file];
    expect((await callCommand([...replay, json.deadLetters[0]?.id ?? ""])).out).toMatch(/^1 piece of work put back/);
    expect(await queue.pending()).toBe(1);
    expect((await printed([...replay, "--all"], callCommand)).json).toEqual({ replayed: 2 });
    expect([await queue.pending(), await queue.deadLetters(10)]).toEqual([3, []]);
    expect(await callCommand(["dead-letters", "--config", file])).toMatchObject({ code: 0, out: "no dead letters\n" });
  });
});

/** Commands that are called: that their processes end is seen above. */
const CALLED: ReadonlySet<string> = new Set(["plan", "conflicts", "dead-letters", "import", "verify", "rebuild", "keys"]);

describe("exit codes", () => {
  it("130 and 143 for what was interrupted, with how to go on; 0 for what runs until it is stopped", async () => {
    const video = await lab.publish();
    await lab.break("northeurope", "streaming", "blackhole");
    for (const [signal, code] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      const child = startCommand(["replicate", "--config", file, "--asset", video.name, "--json"]);
      const err: string[] = [];
      const lines = createInterface({ input: child.stderr });
      lines.on("line", (line) => err.push(line));
      await within(60_000, "the replication to be under way", once(lines, "line"));
      const closed = once(child, "close");
      child.kill(signal);
      const [ended] = await within(45_000, `the end after ${signal}`, closed);
      expect([signal, ended]).toEqual([signal, code]);
      expect(err.at(-1)).toContain("the same command goes on from there");
    }
    const following = startCommand(["replicate", "--config", file, "--follow"]);
    await within(60_000, "the first line of the log", once(createInterface({ input: following.stderr }), "line"));
    expect(await stopRunning(following)).toBe(0);
    await lab.mend("northeurope");
  });

  it("are one table for all commands, which --help and README have", async () => {
    const missing = lab.path("missing.yaml");
    const bad = lab.path("bad.yaml");
    const fresh = lab.configure("fresh");
    writeFileSync(bad, "regoins: []\n");
    const CASES: readonly (readonly [number, ...string[]])[] = [
      [0, "--help"],
      [0, "--version"],
      [0, "plan", "--help"],
      [0, "check-config", "--config", file],
      [1, "plan", "--config", file, "--asset", "no-such-asset"],
      [1, "replicate", "--config", file, "--asset", "no-such-asset"],
      [1, "dead-letters", "replay", "no-such-letter", "--config", file],
      [1, "status", "--admin", "127.0.0.1:9"],
      [1, "import", lab.path("no-such-file"), "--config", file],
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
    await inLanes(CASES, 2, async ([code, ...options]) => {
      // What is main.ts's own is asked of its process.
      const ended = await (CALLED.has(options[0] ?? "") ? callCommand : runCommand)(options);
      if (ended.code !== code) wrong.push({ options, code, ended });
      // Whatever went wrong, something is said of it.
      if (ended.out + ended.err === "") wrong.push({ options, ended });
    });
    expect(wrong).toEqual([]);
    expect((await runCommand(["--help"])).out).toContain(EXIT_CODES_HELP.trim());
    const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
    for (const code of ["0", "1", "2", "3", "130", "143"]) expect(readme).toMatch(new RegExp(`^\\| ${code}\\b.*\\|$`, "m"));
  });
});
