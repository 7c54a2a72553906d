/** Reads an archive back: all of it is checked before anything is written, and what is newer here stays. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { Clock } from "../../core/clock.ts";
import type { CatalogueEntry } from "../../core/contracts.ts";
import { errorCode, PaircastError } from "../../core/errors.ts";
import type { CatalogueStore } from "../../core/ports/catalogue.ts";
import type { KeyRecords, SealedRecord } from "../../core/ports/keyRecords.ts";
import { forEachBounded } from "../bounded.ts";
import { fingerprintsId } from "./fingerprints.ts";
import { headerFrom, invalid, lineFrom, type ArchiveHeader, type ArchiveLine } from "./format.ts";
import { merged, type MergeRules } from "./merge.ts";

const WRITES_AT_A_TIME = 16;
const TRIES = 20;
/** Far above any entry; a file without line ends is no archive. */
const LONGEST_LINE = 8 * 1024 * 1024;

export interface ImportOptions extends Pick<MergeRules, "trust" | "overwrite"> {
  readonly catalogue: CatalogueStore;
  readonly keyRecords: KeyRecords;
  readonly clock: Clock;
}

export interface ImportCounts {
  written: number;
  unchanged: number;
  /** What is stored was as new, or newer. */
  kept: number;
}

export interface ImportSummary {
  readonly file: string;
  readonly exportedAt: number;
  readonly entries: Readonly<ImportCounts>;
  readonly keyRecords: Readonly<ImportCounts>;
  /** The archive is of another store: fingerprints of keys are found out again when the videos are verified. */
  readonly fingerprintsDropped: boolean;
  /** Master keys that the archive's records are encrypted under. */
  readonly keyIds: readonly string[];
}

/** Throws `archive_invalid` (naming the line), `archive_newer`, `archive_unreadable`, and what the stores throw. */
export async function readArchive(file: string, options: ImportOptions, stop?: AbortSignal): Promise<ImportSummary> {
  const { catalogue, clock, trust, overwrite } = options;
  const { header, keyIds } = await check(file, stop);
  const knowsFingerprints = header.fingerprints === fingerprintsId(await catalogue.fingerprintKey());
  const rules: MergeRules = { trust, overwrite, knowsFingerprints, now: clock.now() };
  const [entries, keyRecords]: [ImportCounts, ImportCounts] = [none(), none()];
  const put = async (line: ArchiveLine): Promise<void> => {
    if ("entry" in line) entries[await putEntry(catalogue, line.entry, rules)] += 1;
    else keyRecords[await putRecord(options.keyRecords, line.keyRecord, overwrite)] += 1;
  };
  await forEachBounded(content(file), WRITES_AT_A_TIME, put, stop);
  return { file, exportedAt: header.exportedAt, entries, keyRecords, fingerprintsDropped: !knowsFingerprints, keyIds };
}

function none(): ImportCounts {
  return { written: 0, unchanged: 0, kept: 0 };
}

interface Checked {
  readonly header: ArchiveHeader;
  readonly keyIds: readonly string[];
}

/** A file that was cut off or changed is refused before a line of it is used. */
async function check(file: string, stop?: AbortSignal): Promise<Checked> {
  const hash = createHash("sha256");
  const keyIds = new Set<string>();
  let header: ArchiveHeader | null = null;
  let [number, entries, keyRecords] = [0, 0, 0];
  for await (const bytes of lines(file)) {
    stop?.throwIfAborted();
    number += 1;
    const place = `${file}:${number}`;
    if (header === null) {
      header = headerFrom(bytes.toString("utf8"), place);
      continue;
    }
    hash.update(bytes).update("\n");
    const line = lineFrom(bytes.toString("utf8"), place);
    if ("entry" in line) entries += 1;
    else {
      keyRecords += 1;
      keyIds.add(line.keyRecord.keyId);
    }
  }
  if (header === null) throw invalid(file, "is empty");
  if (entries !== header.entries || keyRecords !== header.keyRecords)
    throw invalid(
      file,
      `has ${entries} entries and ${keyRecords} key records, where its header says ${header.entries} and ${header.keyRecords}: it was cut off, or put together`,
    );
  if (hash.digest("hex") !== header.sha256) throw invalid(file, "is not as it was written: its checksum is another");
  return { header, keyIds: [...keyIds] };
}

async function* content(file: string): AsyncGenerator<ArchiveLine> {
  let number = 0;
  for await (const bytes of lines(file)) {
    number += 1;
    if (number > 1) yield lineFrom(bytes.toString("utf8"), `${file}:${number}`);
  }
}

/** By line feeds only: JSON may hold other line ends. */
async function* lines(file: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      let text = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      for (let end = text.indexOf(0x0a); end >= 0; end = text.indexOf(0x0a)) {
        yield text.subarray(0, end);
        text = text.subarray(end + 1);
      }
      if (text.length > LONGEST_LINE) throw invalid(file, "has lines that no archive has");
      rest = text;
    }
  } catch (cause) {
    if (!(cause instanceof Error) || !("syscall" in cause)) throw cause;
    throw new PaircastError("archive_unreadable", `read ${file}: ${"code" in cause ? String(cause.code) : "unreadable"}`, { cause });
  }
  if (rest.length > 0) yield rest;
}

async function putEntry(catalogue: CatalogueStore, imported: CatalogueEntry, rules: MergeRules): Promise<keyof ImportCounts> {
  return untilWritten("catalogue_conflict", async () => {
    const stored = await catalogue.get(imported.locatorId);
    const next = merged(stored?.entry ?? null, imported, rules);
    if (next.action !== "write") return next.action;
    await catalogue.put(next.entry, stored?.version ?? null);
    return "written";
  });
}

async function putRecord(keyRecords: KeyRecords, imported: SealedRecord, overwrite: boolean): Promise<keyof ImportCounts> {
  return untilWritten("key_record_conflict", async () => {
    const stored = await keyRecords.get(imported.id);
    if (stored?.version === imported.version) return "unchanged";
    if (stored !== null && stored.at >= imported.at && !overwrite) return "kept";
    await keyRecords.put(imported, stored?.version ?? null);
    return "written";
  });
}

/** Others may write at the same time: then it is looked at again. */
async function untilWritten(conflict: string, put: () => Promise<keyof ImportCounts>): Promise<keyof ImportCounts> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await put();
    } catch (error) {
      if (errorCode(error) !== conflict || attempt >= TRIES) throw error;
    }
  }
}
