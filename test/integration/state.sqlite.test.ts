/** The state file shared by processes of their own, one of which dies in the middle. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SqliteCatalogue } from "../../src/replicator/sqlite/catalogue.ts";
import { SqliteJournal } from "../../src/replicator/sqlite/journal.ts";
import { killRunning } from "../harness/command.ts";
import { within } from "../harness/wait.ts";

const WRITER = new URL("stateWriter.ts", import.meta.url);

let folder = "";
let path = "";
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "paircast-state-"));
  path = join(folder, "state.db");
});

afterEach(async () => {
  // A process that still writes would make files anew in a folder that goes.
  for (const child of children.splice(0)) await killRunning(child);
  rmSync(folder, { recursive: true, force: true });
});

function writer(mode: "count" | "endless", name: string): ChildProcess {
  const child = fork(WRITER, [path, mode, name], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  children.push(child);
  return child;
}

async function message(child: ChildProcess, what: string): Promise<unknown> {
  const [value] = (await within(20_000, what, once(child, "message"))) as unknown[];
  return value;
}

describe("the state file and several processes", () => {
  it("is made once by processes that start together, and loses no update of either", async () => {
    const names = ["one", "two", "three"];
    const finished = names.map((name) => message(writer("count", name), `the counting of ${name}`));
    expect(await Promise.all(finished)).toEqual(["done", "done", "done"]);
    await using catalogue = new SqliteCatalogue(path);
    const stored = await catalogue.get("shared");
    expect(Object.keys(stored?.entry.regions ?? {}).sort()).toEqual([...names].sort());
    expect(stored?.entry.publishedAt).toBe(names.length * 20);
  });

  it("keeps what was written before a process was killed, and its lease until that runs out", async () => {
    const child = writer("endless", "victim");
    let last: unknown = null;
    for (let at = 0; at < 20; at += 1) last = await message(child, `write ${at} of the process to be killed`);
    child.kill("SIGKILL");
    await within(10_000, "the end of the killed process", once(child, "exit"));
    await using catalogue = new SqliteCatalogue(path);
    await using journal = new SqliteJournal(path);
    expect((await catalogue.get("victim"))?.entry.publishedAt).toBeGreaterThanOrEqual(Number(last));
    expect((await journal.blobs("victim")).size).toBeGreaterThanOrEqual(Number(last));
    expect(await journal.acquire("victim", "heir", 1_500, 1_000)).toBe(false);
    expect(await journal.acquire("victim", "heir", 2_000, 1_000)).toBe(true);
    await catalogue.remove("victim", (await catalogue.get("victim"))?.version ?? "");
  });
});
