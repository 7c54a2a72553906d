/** The record's stores: the contract, embedded, in tables and in memory. */
import { describe, expect, it } from "vitest";
import { SqliteJournal } from "../../../src/replicator/sqlite/journal.ts";
import { SqliteKeyRecords } from "../../../src/replicator/sqlite/keyRecords.ts";
import { TableJournal } from "../../../src/replicator/tables/journal.ts";
import { TableKeyRecords } from "../../../src/replicator/tables/keyRecords.ts";
import { TableLeases } from "../../../src/replicator/tables/leases.ts";
import { keyRecordsConformance, sealedRecord } from "../../conformance/keyRecords.ts";
import { MemoryJournal } from "../../fakes/memoryJournal.ts";
import { MemoryKeyRecords } from "../../fakes/memoryKeyRecords.ts";
import { MemoryTable } from "../../fakes/memoryTable.ts";
import { closing, stateFiles } from "../../harness/stateFiles.ts";

const statePath = stateFiles();

keyRecordsConformance("memory", async () => {
  const journal = new MemoryJournal();
  const records = new MemoryKeyRecords((fence) => journal.holds(fence));
  return closing({ records, second: records, journal });
});

keyRecordsConformance("SQLite, two connections", async () => {
  const path = statePath();
  return closing({ records: new SqliteKeyRecords(path), second: new SqliteKeyRecords(path), journal: new SqliteJournal(path) });
});

function onTable(table: MemoryTable, journalTable: MemoryTable) {
  const leases = new TableLeases(table, () => 0);
  return { records: new TableKeyRecords({ table, leases }), journal: new TableJournal({ table: journalTable, leases }) };
}

keyRecordsConformance("table, a journal of another process", async () => {
  const [table, journalTable] = [new MemoryTable(), new MemoryTable()];
  const [one, two] = [onTable(table, journalTable), onTable(table, journalTable)];
  return closing({ records: one.records, second: two.records, journal: two.journal });
});

describe("the record in a table", () => {
  it("takes a write whose answer was lost for what it is, and writes it once", async () => {
    const table = new MemoryTable();
    const { records } = onTable(table, new MemoryTable());
    table.loseNextAnswer = true;
    await records.put(sealedRecord("a", "one"), null);
    table.loseNextAnswer = true;
    await records.put(sealedRecord("a", "two"), "one");
    expect((await records.get("a"))?.version).toBe("two");
    table.loseNextAnswer = true;
    await records.remove("a", "two");
    expect(await records.get("a")).toBeNull();
  });

  it("refuses what no row can hold, and says how much it is", async () => {
    const { records } = onTable(new MemoryTable(), new MemoryTable());
    const record = sealedRecord("a", "one", { sealed: "A".repeat(400_000) });
    await expect(records.put(record, null)).rejects.toMatchObject({ code: "state_too_large" });
  });
});
