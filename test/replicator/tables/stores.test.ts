/** The stores on tables, on a table in memory: the contracts, and what only tables have to bear. */
import { describe, expect, it } from "vitest";
import { TableOverrides } from "../../../src/gateway/overrides/tableOverrides.ts";
import { TableCatalogue } from "../../../src/replicator/tables/catalogue.ts";
import { TableCursors } from "../../../src/replicator/tables/cursors.ts";
import { TableJournal } from "../../../src/replicator/tables/journal.ts";
import { TableLeases } from "../../../src/replicator/tables/leases.ts";
import { anOverride, overrideStoreConformance } from "../../conformance/overrideStore.ts";
import { catalogueStoreConformance } from "../../conformance/catalogueStore.ts";
import { cursorStoreConformance } from "../../conformance/cursorStore.ts";
import { jobRecord, journalConformance } from "../../conformance/journal.ts";
import { catalogueEntry } from "../../fakes/catalogueEntry.ts";
import { ManualClock, seededRandom } from "../../fakes/clock.ts";
import { MemoryTable } from "../../fakes/memoryTable.ts";

/** One process's stores. Time stands still: nothing here waits for anything but others' writes. */
async function processOn({ catalogue: table, journal }: Tables, seed: number, skew = 0) {
  const clock = Object.assign(new ManualClock(), { sleep: () => Promise.resolve() });
  const leases = new TableLeases(table, () => skew);
  const catalogue = await TableCatalogue.open({ table, leases, clock, random: seededRandom(seed) });
  return { catalogue, journal: new TableJournal({ table: journal, leases }) };
}

interface Tables {
  readonly catalogue: MemoryTable;
  readonly journal: MemoryTable;
}

function tables(): Tables {
  return { catalogue: new MemoryTable(), journal: new MemoryTable() };
}

const disposal = { [Symbol.asyncDispose]: async () => {} };

catalogueStoreConformance("table", async () => {
  const shared = tables();
  const [one, two] = [await processOn(shared, 1), await processOn(shared, 2)];
  return { store: one.catalogue, second: two.catalogue, journal: one.journal, ...disposal };
});

catalogueStoreConformance("table, a journal of another process", async () => {
  const shared = tables();
  const [one, two, three] = [await processOn(shared, 1), await processOn(shared, 2), await processOn(shared, 3)];
  return { store: one.catalogue, second: two.catalogue, journal: three.journal, ...disposal };
});

journalConformance("table", async () => {
  const shared = tables();
  return { journal: (await processOn(shared, 1)).journal, second: (await processOn(shared, 2)).journal, ...disposal };
});

cursorStoreConformance("table", async () => {
  const table = new MemoryTable();
  return { cursors: new TableCursors(table), second: new TableCursors(table), ...disposal };
});

overrideStoreConformance("table", async () => {
  const table = new MemoryTable();
  const clock = Object.assign(new ManualClock(), { sleep: () => Promise.resolve() });
  const stores = [1, 2].map((seed) => new TableOverrides({ table, clock, random: seededRandom(seed) }));
  const [store, second] = stores as [TableOverrides, TableOverrides];
  return { store, second, ...disposal };
});

describe("the catalogue in a table", () => {
  it("writes with one request, and with none twice where an answer was lost", async () => {
    const shared = tables();
    const { catalogue } = await processOn(shared, 1);
    let version = await catalogue.put(catalogueEntry("a"), null);
    shared.catalogue.calls.reset();
    version = await catalogue.put(catalogueEntry("a", { publishedAt: 2 }), version);
    expect(shared.catalogue.calls.all.map(({ operation }) => operation)).toEqual(["write"]);
    const before = await catalogue.revision();
    shared.catalogue.loseNextAnswer = true;
    version = await catalogue.put(catalogueEntry("a", { publishedAt: 3 }), version);
    expect(await catalogue.get("a")).toEqual({ entry: catalogueEntry("a", { publishedAt: 3 }), version });
    expect((await catalogue.changes(before))?.changed.size).toBe(1);
    shared.catalogue.loseNextAnswer = true;
    await catalogue.remove("a", version);
    expect(await catalogue.get("a")).toBeNull();
    shared.catalogue.loseNextAnswer = true;
    await catalogue.put(catalogueEntry("a"), null);
  });

  it("does not get into its own way: many writes at once are as many requests", async () => {
    const shared = tables();
    const { catalogue } = await processOn(shared, 1);
    await Promise.all(Array.from({ length: 40 }, async (_, at) => catalogue.put(catalogueEntry(`first-${at}`), null)));
    shared.catalogue.calls.reset();
    await Promise.all(Array.from({ length: 40 }, async (_, at) => catalogue.put(catalogueEntry(`id-${at}`), null)));
    expect(shared.catalogue.calls.all.length).toBe(40);
    await expect(catalogue.put(catalogueEntry("id-1"), null)).rejects.toMatchObject({ code: "catalogue_conflict" });
    await catalogue.put(catalogueEntry("id-1b"), null);
  });

  it("loses no update of many writers, and each reader sees every change from the log", async () => {
    const shared = tables();
    const writers = await Promise.all(Array.from({ length: 6 }, async (_, seed) => processOn(shared, seed + 1)));
    const reader = await processOn(shared, 99);
    const start = await reader.catalogue.revision();
    await Promise.all(
      writers.flatMap(({ catalogue }, writer) =>
        Array.from({ length: 15 }, async (_, at) => catalogue.put(catalogueEntry(`id-${writer}-${at}`), null)),
      ),
    );
    const changes = await reader.catalogue.changes(start);
    expect(changes?.changed.size).toBe(90);
    expect((await Array.fromAsync(reader.catalogue.list())).length).toBe(90);
    expect(changes?.revision).toBe(await reader.catalogue.revision());
  });

  it("says that it does not know the changes any more once the log has gone round", async () => {
    const shared = tables();
    const { catalogue } = await processOn(shared, 1);
    const start = await catalogue.revision();
    let version = await catalogue.put(catalogueEntry("a"), null);
    const later = await catalogue.revision();
    for (let at = 0; at < 4096; at += 1) version = await catalogue.put(catalogueEntry("a", { publishedAt: at }), version);
    expect(await catalogue.changes(start)).toBeNull();
    expect((await catalogue.changes(later))?.changed.get("a")?.publishedAt).toBe(4095);
  });

  it("keeps an entry that needs more than one value, and refuses one that needs more than a row", async () => {
    const { catalogue } = await processOn(tables(), 1);
    const long = catalogueEntry("a", { locatorName: "😀".repeat(60_000) });
    await catalogue.put(long, null);
    expect((await catalogue.get("a"))?.entry).toEqual(long);
    await expect(catalogue.put(catalogueEntry("b", { locatorName: "x".repeat(400_000) }), null)).rejects.toMatchObject({
      code: "state_too_large",
      retry: "never",
    });
  });
});

describe("the journal in a table", () => {
  it("gives the lease by the service's time: a machine whose clock is ahead takes over nothing", async () => {
    const shared = tables();
    const [right, ahead] = [await processOn(shared, 1), await processOn(shared, 2, -60_000)];
    await right.journal.acquire("job", "one", 1_000_000, 15_000);
    expect(await ahead.journal.acquire("job", "two", 1_060_000 + 14_000, 15_000)).toBe(false);
    expect(await ahead.journal.acquire("job", "two", 1_060_000 + 15_000, 15_000)).toBe(true);
  });

  it("renews and releases with one request each, and outlives a lost answer", async () => {
    const shared = tables();
    const { journal } = await processOn(shared, 1);
    shared.catalogue.calls.reset();
    await journal.acquire("job", "one", 1_000, 500);
    await journal.acquire("job", "one", 1_200, 500);
    await journal.release("job", "one");
    expect(shared.catalogue.calls.all.map(({ operation }) => operation)).toEqual(["write", "write", "write"]);
    for (const step of ["taken", "renewed"]) {
      shared.catalogue.loseNextAnswer = true;
      expect(await journal.acquire("job", "one", 2_000, 500), step).toBe(true);
    }
    shared.catalogue.loseNextAnswer = true;
    await journal.release("job", "one");
    expect(await (await processOn(shared, 2)).journal.acquire("job", "two", 2_100, 500)).toBe(true);
  });

  it("saves a job with one request, lists it once however often it moved, and outlives a lost answer", async () => {
    const shared = tables();
    const [one, two] = [await processOn(shared, 1), await processOn(shared, 2)];
    for (const updatedAt of [1, 2, 3]) await one.journal.save(jobRecord("job", { updatedAt }));
    await two.journal.save(jobRecord("job", { updatedAt: 4 }));
    shared.journal.loseNextAnswer = true;
    await one.journal.save(jobRecord("job", { updatedAt: 5 }));
    expect(await two.journal.jobs(10)).toEqual([jobRecord("job", { updatedAt: 5 })]);
    await one.journal.save(jobRecord("job", { updatedAt: 5, attempts: 7 }));
    shared.journal.calls.reset();
    await one.journal.save(jobRecord("job", { updatedAt: 6 }));
    expect(shared.journal.calls.all.map(({ operation }) => operation)).toEqual(["write"]);
  });

  it("records blobs that come together with few requests, a hundred in each at most", async () => {
    const shared = tables();
    const { journal } = await processOn(shared, 1);
    const blob = (name: string) => ({ name, sourceEtag: '"1"', targetEtag: '"2"', length: 1, md5: "m" });
    await Promise.all(Array.from({ length: 250 }, async (_, at) => journal.recordBlob("job", blob(`b${at}`))));
    expect(shared.journal.calls.count("write")).toBe(4);
    expect((await journal.blobs("job")).size).toBe(250);
    shared.journal.calls.failNth("write", 1, new Error("gone"));
    await expect(journal.recordBlob("job", blob("lost"))).rejects.toThrow("gone");
    await journal.recordBlob("job", blob("kept"));
    expect([...(await journal.blobs("job")).keys()]).toContain("kept");
  });
});

describe("overrides in a table", () => {
  it("ends any number of them, and sets one once although the answer was lost", async () => {
    const table = new MemoryTable();
    const store = new TableOverrides({ table, clock: new ManualClock(), random: { next: () => 0, uuid: seededRandom(5).uuid } });
    for (let at = 0; at < 100; at += 1) await store.set(anOverride(`id-${at}`, { region: `region-${at}` }));
    expect((await store.expire(20_000)).length).toBe(100);
    expect(await store.audit(1_000)).toHaveLength(200);
    const clock = Object.assign(new ManualClock(), { sleep: () => Promise.resolve() });
    const eager = new TableOverrides({ table, clock, random: seededRandom(6) });
    table.loseNextAnswer = true;
    await eager.set(anOverride("again", { createdAt: 30_000, expiresAt: 40_000 }), await eager.revision());
    expect((await eager.active(30_000)).map(({ id }) => id)).toEqual(["again"]);
    expect(await eager.audit(1_000)).toHaveLength(201);
  });
});
