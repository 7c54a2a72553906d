/** `paircast keys`: the record of keys. */
import { openLibrary, type Library } from "../compose/library.ts";
import { loadConfig } from "../core/config/load.ts";
import { PaircastError } from "../core/errors.ts";
import { prune, survey } from "../replicator/keyRecords/inventory.ts";
import type { Terminal } from "./terminal.ts";

export interface KeysArguments {
  readonly config: string;
  readonly json: boolean;
}

/** The exit code: 1 where records cannot be read or are missing, else 0. */
export async function keysStatus(terminal: Terminal, { config, json }: KeysArguments): Promise<number> {
  await using library = await openLibrary(loadConfig(config));
  const { book, keyring } = configured(library, config);
  const found = await survey({ ...library, book, masterKeys: await keyring.ids() }, terminal.stop);
  if (json) terminal.print(JSON.stringify(found));
  else {
    for (const { id, records, configured: known } of found.masterKeys)
      terminal.print(`master key ${id}: ${records} records${known ? "" : "; it is not configured, so they cannot be read"}`);
    terminal.print(`${found.unreadable.count} records cannot be read, ${found.missing.count} videos have none`);
    for (const problem of found.unreadable.examples) terminal.print(`  ${problem}`);
    if (found.missing.count > 0)
      terminal.print(`  without a record: ${found.missing.examples.join(", ")}; a full pass of replication records them`);
  }
  return found.unreadable.count + found.missing.count > 0 ? 1 : 0;
}

/** The exit code: 1 where records could not be read, else 0. */
export async function keysRotate(terminal: Terminal, { config, json }: KeysArguments): Promise<number> {
  await using library = await openLibrary(loadConfig(config));
  const rotation = await configured(library, config).book.rotate(terminal.stop);
  const { rotated, current, unreadable, problems } = rotation;
  const text = [
    `${rotated} records encrypted anew, ${current} were under the newest master key already, ${unreadable} cannot be read`,
    ...problems,
  ];
  terminal.print(json ? JSON.stringify(rotation) : text.join("\n"));
  return unreadable > 0 ? 1 : 0;
}

/** The exit code: 0; what fails is thrown. */
export async function keysPrune(
  terminal: Terminal,
  { config, json, dryRun }: KeysArguments & { readonly dryRun: boolean },
): Promise<number> {
  await using library = await openLibrary(loadConfig(config));
  const pruned = await prune(library, dryRun, terminal.stop);
  const verb = dryRun ? "would be removed" : "removed";
  terminal.print(json ? JSON.stringify({ dryRun, removed: pruned }) : [...pruned, `${pruned.length} records ${verb}`].join("\n"));
  return 0;
}

function configured({ book, keyring }: Library, config: string) {
  if (book !== null && keyring !== null) return { book, keyring };
  throw new PaircastError("no_key_record", `${config}: no record of keys is kept; name a master key in replication.keyRecord.keys`);
}
