/** Writes the catalogue, and where it is asked for the sealed key records, into one file: whole or not at all. */
import { createHash } from "node:crypto";
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import type { Clock } from "../../core/clock.ts";
import { PaircastError } from "../../core/errors.ts";
import type { CatalogueStore } from "../../core/ports/catalogue.ts";
import type { KeyRecords } from "../../core/ports/keyRecords.ts";
import { fingerprintsId } from "./fingerprints.ts";
import { HEADER_BYTES, headerText, type ArchiveLine } from "./format.ts";

/** For its owner only: with key records in it, it is worth guarding. */
const MODE = 0o600;
const BUFFERED_BYTES = 256 * 1024;

export interface ExportOptions {
  readonly catalogue: CatalogueStore;
  /** Null: without them. */
  readonly keyRecords: KeyRecords | null;
  /** Of paircast. */
  readonly version: string;
  readonly clock: Clock;
}

export interface ExportSummary {
  readonly file: string;
  readonly entries: number;
  readonly keyRecords: number;
  readonly bytes: number;
}

/** Throws `archive_unwritable`, and what the stores throw. What was under the name stays until the new file is complete. */
export async function writeArchive(file: string, options: ExportOptions, stop?: AbortSignal): Promise<ExportSummary> {
  const partial = `${file}.${process.pid}.partial`;
  try {
    const handle = await writing(file, open(partial, "w", MODE));
    let summary: ExportSummary;
    try {
      summary = await write(new ArchiveWriter(handle, file), options, stop);
    } finally {
      await handle.close();
    }
    await writing(file, rename(partial, file));
    return summary;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

async function write(
  writer: ArchiveWriter,
  { catalogue, keyRecords, version, clock }: ExportOptions,
  stop?: AbortSignal,
): Promise<ExportSummary> {
  const exportedAt = clock.now();
  let [entries, records] = [0, 0];
  for await (const { entry } of catalogue.list()) {
    stop?.throwIfAborted();
    await writer.add({ entry });
    entries += 1;
  }
  for await (const keyRecord of keyRecords?.list() ?? []) {
    stop?.throwIfAborted();
    await writer.add({ keyRecord });
    records += 1;
  }
  const fingerprints = fingerprintsId(await catalogue.fingerprintKey());
  const bytes = await writer.end((sha256) => headerText({ version, exportedAt, entries, keyRecords: records, sha256, fingerprints }));
  return { file: writer.file, entries, keyRecords: records, bytes };
}

class ArchiveWriter {
  readonly file: string;
  readonly #handle: FileHandle;
  readonly #hash = createHash("sha256");
  #buffered: string[] = [];
  #length = 0;
  #position = HEADER_BYTES;

  constructor(handle: FileHandle, file: string) {
    this.#handle = handle;
    this.file = file;
  }

  async add(line: ArchiveLine): Promise<void> {
    const text = `${JSON.stringify(line)}\n`;
    this.#buffered.push(text);
    this.#length += text.length;
    if (this.#length >= BUFFERED_BYTES) await this.#flush();
  }

  /** Gives the length of the file. */
  async end(header: (sha256: string) => string): Promise<number> {
    await this.#flush();
    await this.#write(Buffer.from(header(this.#hash.digest("hex"))), 0);
    await writing(this.file, this.#handle.sync());
    return this.#position;
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.from(this.#buffered.join(""));
    this.#buffered = [];
    this.#length = 0;
    this.#hash.update(bytes);
    await this.#write(bytes, this.#position);
    this.#position += bytes.length;
  }

  async #write(bytes: Buffer, position: number): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await writing(this.file, this.#handle.write(bytes, done, bytes.length - done, position + done));
      done += bytesWritten;
    }
  }
}

async function writing<T>(file: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const why = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown failure";
    throw new PaircastError("archive_unwritable", `write ${file}: ${why}; name a file in a folder that can be written`, { cause });
  }
}
