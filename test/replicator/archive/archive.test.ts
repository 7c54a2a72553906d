import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CatalogueEntry } from "../../../src/core/contracts.ts";
import { readArchive, type ImportSummary } from "../../../src/replicator/archive/read.ts";
import { writeArchive } from "../../../src/replicator/archive/write.ts";
import { sealedRecord } from "../../conformance/keyRecords.ts";
import { catalogueEntry } from "../../fakes/catalogueEntry.ts";
import { ManualClock } from "../../fakes/clock.ts";
import { MemoryCatalogue } from "../../fakes/memoryCatalogue.ts";
import { MemoryKeyRecords } from "../../fakes/memoryKeyRecords.ts";

let folder: string;
let file: string;
const clock = new ManualClock();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "paircast-archive-"));
  file = join(folder, "library.jsonl");
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Library {
  readonly catalogue: MemoryCatalogue;
  readonly keyRecords: MemoryKeyRecords;
}

function library(): Library {
  return { catalogue: new MemoryCatalogue(() => true), keyRecords: new MemoryKeyRecords() };
}

async function filled(count = 3): Promise<Library> {
  const made = library();
  for (let at = 0; at < count; at += 1)
    await made.catalogue.put(catalogueEntry(`id-${at}`, { locatorName: 'with\u2028a line separator, ü and "quotes"\n' }), null);
  await made.keyRecords.put(sealedRecord("locator/id-0", "one"), null);
  return made;
}

function exportFrom({ catalogue, keyRecords }: Library, withKeys = true) {
  return writeArchive(file, { catalogue, keyRecords: withKeys ? keyRecords : null, version: "1.2.3", clock });
}

async function importInto(to: Library, how: { trust?: boolean; overwrite?: boolean } = {}): Promise<ImportSummary> {
  return readArchive(file, { ...to, clock, trust: how.trust ?? true, overwrite: how.overwrite ?? false });
}

async function entriesOf({ catalogue }: Library): Promise<readonly CatalogueEntry[]> {
  return (await Array.fromAsync(catalogue.list())).map(({ entry }) => entry);
}

function changeLine(number: number, change: (line: string) => string): void {
  const lines = readFileSync(file, "utf8").split("\n");
  writeFileSync(file, lines.map((line, at) => (at + 1 === number ? change(line) : line)).join("\n"));
}

describe("an archive", () => {
  it("carries a catalogue and its sealed records into another store, and the second time changes nothing", async () => {
    const [from, to] = [await filled(2000), library()];
    Object.assign(to.catalogue, { fingerprintKey: async () => Buffer.alloc(32, 9) });
    const written = await exportFrom(from);
    expect(written).toMatchObject({ entries: 2000, keyRecords: 1, bytes: statSync(file).size });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await importInto(to)).toMatchObject({
      entries: { written: 2000 },
      keyRecords: { written: 1 },
      keyIds: ["0123456789abcdef"],
      fingerprintsDropped: true,
    });
    const dropped = (await entriesOf(from)).map((entry) => ({ ...entry, keys: entry.keys.map(({ id }) => ({ id, fingerprint: null })) }));
    expect(await entriesOf(to)).toEqual(dropped);
    expect(await importInto(to)).toMatchObject({ entries: { written: 0, unchanged: 2000 }, keyRecords: { written: 0, unchanged: 1 } });
    expect(await to.keyRecords.get("locator/id-0")).toEqual(sealedRecord("locator/id-0", "one"));
  });

  it("is readable line by line, begins with what it is, and has key records only where they are asked for", async () => {
    await exportFrom(await filled(), false);
    const lines = readFileSync(file, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines[0]).toMatchObject({ paircast: "archive", format: 1, version: "1.2.3", entries: 3, keyRecords: 0 });
    expect(lines.slice(1).map((line) => Object.keys(line))).toEqual([["entry"], ["entry"], ["entry"]]);
    await exportFrom(library());
    expect(await importInto(library())).toMatchObject({ entries: { written: 0 } });
  });

  it("keeps fingerprints in the store that they come from", async () => {
    const from = await filled();
    await exportFrom(from);
    expect(await importInto(from)).toMatchObject({ fingerprintsDropped: false, entries: { unchanged: 3 } });
  });

  it("keeps what is newer here, unless it is to be overwritten", async () => {
    const from = await filled();
    await exportFrom(from);
    const stored = await from.catalogue.get("id-1");
    const newer = catalogueEntry("id-1", { assetName: "newer", publishedAt: clock.now() + 5 });
    await from.catalogue.put(newer, stored?.version ?? null);
    await from.keyRecords.put(sealedRecord("locator/id-0", "two", { at: 1_800_000_000_000 }), "one");
    expect(await importInto(from)).toMatchObject({ entries: { kept: 1, unchanged: 2 }, keyRecords: { kept: 1 } });
    expect((await from.catalogue.get("id-1"))?.entry).toEqual(newer);
    expect(await importInto(from, { overwrite: true })).toMatchObject({ entries: { written: 1 }, keyRecords: { written: 1 } });
    expect((await from.catalogue.get("id-1"))?.entry.assetName).not.toBe("newer");
    expect((await from.keyRecords.get("locator/id-0"))?.version).toBe("one");
  });

  it.each([
    ["a line that is no JSON", () => changeLine(3, () => "{"), "archive_invalid", ":3: is not JSON"],
    [
      "an entry that is none",
      () => changeLine(2, (line) => line.replace('"assetName":', '"asset":')),
      "archive_invalid",
      ":2: entry.assetName",
    ],
    [
      "a record that is none",
      () => changeLine(5, (line) => line.replace("AAECAwQF", "not base64!")),
      "archive_invalid",
      ":5: keyRecord.sealed",
    ],
    ["a line of another kind", () => changeLine(4, () => '{"override":{}}'), "archive_invalid", ":4: "],
    ["a changed entry", () => changeLine(2, (line) => line.replace("quotes", "quoted")), "archive_invalid", "checksum"],
    ["a line too few", () => changeLine(3, () => ""), "archive_invalid", ":3: is not JSON"],
    ["an end too early", () => writeFileSync(file, readFileSync(file).subarray(0, 900)), "archive_invalid", "is not JSON"],
    ["another file", () => writeFileSync(file, '{"hello":1}\n'), "archive_invalid", ":1: is not the header"],
    ["nothing", () => writeFileSync(file, ""), "archive_invalid", "is empty"],
    ["a later format", () => changeLine(1, (line) => line.replace('"format":1', '"format":2')), "archive_newer", "format 2 is newer"],
    ["no file", () => rmSync(file), "archive_unreadable", "ENOENT"],
  ])("is refused whole for %s", async (_, damage, code, message) => {
    await exportFrom(await filled());
    damage();
    const to = library();
    const failure = await importInto(to).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code, message: expect.stringContaining(message) as string });
    expect(await entriesOf(to)).toEqual([]);
    expect(await to.keyRecords.get("locator/id-0")).toBeNull();
  });

  it("leaves nothing half-done where writing fails, and the old file where there is one", async () => {
    await exportFrom(await filled());
    const before = readFileSync(file);
    const broken = await filled(5);
    broken.keyRecords.calls.failAll("list", new Error("the store went away"));
    await expect(exportFrom(broken)).rejects.toThrow("the store went away");
    expect(readFileSync(file)).toEqual(before);
    expect(readdirSync(folder)).toEqual(["library.jsonl"]);
    file = join(folder, "missing", "library.jsonl");
    await expect(exportFrom(await filled())).rejects.toMatchObject({ code: "archive_unwritable" });
  });
});
