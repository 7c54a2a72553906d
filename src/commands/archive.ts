/** `paircast export` and `paircast import`. */
import { openLibrary } from "../compose/library.ts";
import { loadConfig } from "../core/config/load.ts";
import { readArchive, type ImportSummary } from "../replicator/archive/read.ts";
import { writeArchive } from "../replicator/archive/write.ts";
import type { Terminal } from "./terminal.ts";

export interface ExportArguments {
  readonly config: string;
  readonly file: string;
  readonly withKeys: boolean;
  readonly json: boolean;
}

/** The exit code: 0; what fails is thrown. */
export async function exportCommand(terminal: Terminal, { config, file, withKeys, json }: ExportArguments): Promise<number> {
  await using library = await openLibrary(loadConfig(config));
  const { catalogue, keyRecords, clock } = library;
  const options = { catalogue, keyRecords: withKeys ? keyRecords : null, version: terminal.version, clock };
  const summary = await writeArchive(file, options, terminal.stop);
  const records = withKeys ? ` and ${summary.keyRecords} key records, encrypted` : "";
  terminal.print(json ? JSON.stringify(summary) : `${file}: ${summary.entries} entries${records} (${summary.bytes} bytes)`);
  return 0;
}

export interface ImportArguments {
  readonly config: string;
  readonly file: string;
  readonly trust: boolean;
  readonly overwrite: boolean;
  readonly json: boolean;
}

/** The exit code: 0; what fails is thrown. */
export async function importCommand(terminal: Terminal, { config, file, trust, overwrite, json }: ImportArguments): Promise<number> {
  await using library = await openLibrary(loadConfig(config));
  const { catalogue, keyRecords, clock, keyring } = library;
  const summary = await readArchive(file, { catalogue, keyRecords, clock, trust, overwrite }, terminal.stop);
  const configured = keyring === null ? [] : await keyring.ids();
  const lockedUnder = summary.keyIds.filter((id) => !configured.includes(id));
  for (const id of lockedUnder)
    terminal.note(
      `key records are encrypted under the master key ${id}, which is none of replication.keyRecord.keys: without it they cannot be read`,
    );
  terminal.print(json ? JSON.stringify({ ...summary, lockedUnder }) : text(summary, trust));
  return 0;
}

function text({ file, entries, keyRecords, fingerprintsDropped, exportedAt }: ImportSummary, trust: boolean): string {
  const counts = ({ written, unchanged, kept }: ImportSummary["entries"]): string =>
    `${written} written, ${unchanged} as they were, ${kept} kept because they are as new here or newer`;
  const records = keyRecords.written + keyRecords.unchanged + keyRecords.kept;
  return [
    `${file} of ${new Date(exportedAt).toISOString()}: entries: ${counts(entries)}`,
    ...(records === 0 ? [] : [`key records: ${counts(keyRecords)}`]),
    ...(fingerprintsDropped
      ? ["fingerprints of keys are not carried from one store to another: the next full pass of replication finds them out again"]
      : []),
    ...(trust || entries.written === 0 ? [] : ["no copy serves by what was imported: `paircast replicate` verifies them"]),
  ].join("\n");
}
