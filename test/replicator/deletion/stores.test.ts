/** The stores of deletions: the contract, embedded, in tables and in memory. */
import { describe, expect, it } from "vitest";
import { SqliteDeletions } from "../../../src/replicator/sqlite/deletions.ts";
import { TableDeletions } from "../../../src/replicator/tables/deletions.ts";
import { deletionOf, deletionsConformance } from "../../conformance/deletions.ts";
import { MemoryDeletions } from "../../fakes/memoryDeletions.ts";
import { MemoryTable } from "../../fakes/memoryTable.ts";
import { closing, stateFiles } from "../../harness/stateFiles.ts";

const statePath = stateFiles();

deletionsConformance("memory", async () => {
  const store = new MemoryDeletions();
  return closing({ store, second: store });
});

deletionsConformance("SQLite, two connections", async () => {
  const path = statePath();
  return closing({ store: new SqliteDeletions(path), second: new SqliteDeletions(path) });
});

deletionsConformance("table, two processes", async () => {
  const table = new MemoryTable();
  return closing({ store: new TableDeletions(table), second: new TableDeletions(table) });
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
