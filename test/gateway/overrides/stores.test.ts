import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { SqliteOverrides } from "../../../src/gateway/overrides/sqliteOverrides.ts";
import { SqliteCatalogue } from "../../../src/replicator/sqlite/catalogue.ts";
import { anOverride, overrideStoreConformance } from "../../conformance/overrideStore.ts";
import { catalogueEntry } from "../../fakes/catalogueEntry.ts";
import { MemoryOverrides } from "../../fakes/memoryOverrides.ts";
import { closing, stateFiles } from "../../harness/stateFiles.ts";

/** Tables of schema version 1. */
const FIRST_SCHEMA = ["catalogue", "catalogue_state", "jobs", "leases", "blobs", "proofs"];
const statePath = stateFiles();

overrideStoreConformance("memory", async () => {
  const store = new MemoryOverrides();
  return closing({ store, second: store });
});

overrideStoreConformance("SQLite, two connections", async () => {
  const path = statePath();
  return closing({ store: new SqliteOverrides(path), second: new SqliteOverrides(path) });
});

describe("overrides in the state file", () => {
  it("are taken up by a file that an earlier release has made", async () => {
    const path = statePath();
    {
      await using catalogue = new SqliteCatalogue(path);
      await catalogue.put(catalogueEntry("a"), null);
    }
    const earlier = new DatabaseSync(path);
    const tables = earlier.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all();
    const later = tables.map(({ name }) => String(name)).filter((name) => !FIRST_SCHEMA.includes(name));
    expect(later).toContain("overrides");
    for (const name of later) earlier.exec(`DROP TABLE ${name}`);
    earlier.exec("DROP INDEX catalogue_by_version; DROP INDEX jobs_in_conflict; ALTER TABLE jobs DROP COLUMN conflicts");
    earlier.exec("PRAGMA user_version = 1");
    earlier.close();
    await using store = new SqliteOverrides(path);
    await store.set(anOverride("a"));
    expect((await store.active(2_000)).length).toBe(1);
    await using catalogue = new SqliteCatalogue(path);
    expect((await catalogue.get("a"))?.entry).toEqual(catalogueEntry("a"));
  });

  it("are still there when it is opened again, beside the catalogue", async () => {
    const path = statePath();
    {
      await using catalogue = new SqliteCatalogue(path);
      await using store = new SqliteOverrides(path);
      await catalogue.put(catalogueEntry("a"), null);
      await store.set(anOverride("a"));
    }
    await using again = new SqliteOverrides(path);
    expect(await again.active(2_000)).toEqual([anOverride("a")]);
    expect((await again.audit(10)).length).toBe(1);
    await again[Symbol.asyncDispose]();
  });
});
