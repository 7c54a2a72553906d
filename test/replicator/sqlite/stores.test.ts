import { writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { SqliteCatalogue } from "../../../src/replicator/sqlite/catalogue.ts";
import { SqliteCursors } from "../../../src/replicator/sqlite/cursors.ts";
import { SqliteJournal } from "../../../src/replicator/sqlite/journal.ts";
import { catalogueStoreConformance } from "../../conformance/catalogueStore.ts";
import { cursorStoreConformance } from "../../conformance/cursorStore.ts";
import { journalConformance } from "../../conformance/journal.ts";
import { catalogueEntry } from "../../fakes/catalogueEntry.ts";
import { MemoryCatalogue } from "../../fakes/memoryCatalogue.ts";
import { MemoryCursors } from "../../fakes/memoryCursors.ts";
import { MemoryJournal } from "../../fakes/memoryJournal.ts";
import { closing, stateFiles } from "../../harness/stateFiles.ts";

const statePath = stateFiles();

catalogueStoreConformance("memory", async () => {
  const journal = new MemoryJournal();
  const store = new MemoryCatalogue((fence) => journal.holds(fence));
  return closing({ journal, store, second: store });
});

catalogueStoreConformance("SQLite, two connections", async () => {
  const path = statePath();
  return closing({ journal: new SqliteJournal(path), store: new SqliteCatalogue(path), second: new SqliteCatalogue(path) });
});

journalConformance("memory", async () => {
  const journal = new MemoryJournal();
  return closing({ journal, second: journal });
});

journalConformance("SQLite, two connections", async () => {
  const path = statePath();
  return closing({ journal: new SqliteJournal(path), second: new SqliteJournal(path) });
});

cursorStoreConformance("memory", async () => {
  const cursors = new MemoryCursors();
  return closing({ cursors, second: cursors });
});

cursorStoreConformance("SQLite, two connections", async () => {
  const path = statePath();
  return closing({ cursors: new SqliteCursors(path), second: new SqliteCursors(path) });
});

describe("the state file", () => {
  it("holds catalogue and journal together and keeps them when it is opened again", async () => {
    const path = statePath();
    const first = new SqliteCatalogue(path);
    const journal = new SqliteJournal(path);
    await first.put(catalogueEntry("a"), null);
    await journal.recordProof("w->n", "policy", "print");
    const key = Buffer.from(await first.fingerprintKey());
    await first[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
    await journal[Symbol.asyncDispose]();
    await using again = new SqliteCatalogue(path);
    await using journalAgain = new SqliteJournal(path);
    expect((await again.get("a"))?.entry).toEqual(catalogueEntry("a"));
    expect(Buffer.from(await again.fingerprintKey())).toEqual(key);
    expect(await journalAgain.proof("w->n", "policy")).toBe("print");
  });

  it("is refused when a later release wrote it", () => {
    const path = statePath();
    const later = new DatabaseSync(path);
    later.exec("PRAGMA user_version = 999");
    later.close();
    expect(() => new SqliteCatalogue(path)).toThrow(expect.objectContaining({ code: "state_newer" }));
  });

  it.each([
    ["it is no database", (path: string) => path, "it is no SQLite database"],
    ["it is a folder", (path: string) => dirname(path), "it is a folder"],
    ["its folder is missing", (path: string) => join(dirname(path), "none", "state.db"), "none does not exist"],
    ["its folder is a file", (path: string) => join(path, "state.db"), "is no folder"],
  ])("is refused when %s, and the error says so", (_, place, why) => {
    const path = statePath();
    writeFileSync(path, "this is a text file, and long enough to have been taken for a header".repeat(20));
    const message = expect.stringMatching(new RegExp(`^open state file .*${why}; check state.path$`)) as string;
    expect(() => new SqliteJournal(place(path))).toThrow(expect.objectContaining({ code: "state_unavailable", message }));
  });
});
