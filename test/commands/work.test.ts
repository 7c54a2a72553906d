import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { work } from "../../src/commands/work.ts";
import type { Terminal } from "../../src/commands/terminal.ts";
import { systemClock } from "../../src/core/clock.ts";
import { SqliteWorkQueue } from "../../src/replicator/sqlite/workQueue.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "paircast-work-command-"));
  const config = { regions: [{ name: "one", streaming: "http://127.0.0.11:1" }], state: { path: join(folder, "paircast.db") } };
  writeFileSync(join(folder, "paircast.yaml"), JSON.stringify(config));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function queue(): SqliteWorkQueue {
  return new SqliteWorkQueue({ path: join(folder, "paircast.db"), name: "jobs", maxTakes: 5, clock: systemClock });
}

async function run(replay: string | null, json = true): Promise<{ readonly code: number; readonly printed: string }> {
  const printed: string[] = [];
  const terminal: Terminal = {
    version: "0",
    stop: new AbortController().signal,
    print: (line) => printed.push(line),
    note: () => undefined,
  };
  return { code: await work(terminal, { config: join(folder, "paircast.yaml"), replay, json }), printed: printed.join("\n") };
}

describe("paircast work", () => {
  it("shows what waits and what nobody could finish, and puts that back: one, or all", async () => {
    expect(await run(null)).toEqual({ code: 0, printed: JSON.stringify({ pending: 0, replayed: 0, deadLetters: [] }) });
    await using jobs = queue();
    for (const body of ["one", "two", "three"]) {
      await jobs.put(body);
      const item = await jobs.take(60_000);
      if (item !== null) await jobs.bury(item, `${body}: no such asset`);
    }
    await jobs.put("waits");
    const seen = await run(null, false);
    expect(seen.code).toBe(1);
    expect(seen.printed).toContain("about 1");
    expect(seen.printed).toContain("three: no such asset");
    const [letter] = await jobs.deadLetters(1);
    const one = await run(letter?.id ?? "");
    expect([one.code, JSON.parse(one.printed)]).toMatchObject([1, { pending: 2, replayed: 1 }]);
    await expect(run(letter?.id ?? "")).rejects.toMatchObject({ code: "unknown_letter" });
    const rest = await run("all");
    expect([rest.code, JSON.parse(rest.printed)]).toMatchObject([0, { pending: 4, replayed: 2, deadLetters: [] }]);
  });
});
