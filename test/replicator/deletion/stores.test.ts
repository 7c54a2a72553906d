/** The stores of deletions: the contract, embedded, in tables and in memory. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { SqliteDeletions } from "../../../src/replicator/sqlite/deletions.ts";
import { TableDeletions } from "../../../src/replicator/tables/deletions.ts";
import { deletionOf, deletionsConformance } from "../../conformance/deletions.ts";
import { MemoryDeletions } from "../../fakes/memoryDeletions.ts";
import { MemoryTable } from "../../fakes/memoryTable.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

deletionsConformance("memory", async () => {
  const store = new MemoryDeletions();
  return { store, second: store, [Symbol.asyncDispose]: async () => {} };
});

deletionsConformance("SQLite, two connections", async () => {
  const folder = mkdtempSync(join(tmpdir(), "paircast-deletions-"));
  folders.push(folder);
  const path = join(folder, "state.db");
  const [store, second] = [new SqliteDeletions(path), new SqliteDeletions(path)];
  return {
    store,
    second,
    [Symbol.asyncDispose]: async () => {
      for (const each of [store, second]) await each[Symbol.asyncDispose]();
    },
  };
});

deletionsConformance("table, two processes", async () => {
  const table = new MemoryTable();
  return { store: new TableDeletions(table), second: new TableDeletions(table), [Symbol.asyncDispose]: async () => {} };
});

describe("deletions in a table", () => {
  it("take a write whose answer was lost for what it is", async () => {
    const table = new MemoryTable();
    const store = new TableDeletions(table);
    table.loseNextAnswer = true;
    const first = await store.put(deletionOf("a"), null);
    table.loseNextAnswer = true;
    const next = await store.put(deletionOf("a", { word: "keep" }), first);
    expect(await store.get("north/a")).toEqual({ deletion: deletionOf("a", { word: "keep" }), version: next });
    table.loseNextAnswer = true;
    await store.remove("north/a", next);
    expect(await store.get("north/a")).toBeNull();
  });
});
