/** A configuration as it lies on disk: its text, every file that it names, and a digest that changes whenever one of them does. */
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { parseConfig, processSources, type ConfigSources } from "./load.ts";
import { ConfigError } from "./problems.ts";
import type { Config } from "./schema.ts";

/** Far above any configuration, far below what would stall the process. */
export const MAX_CONFIG_BYTES = 1_048_576;

export interface LoadedConfig {
  readonly config: Config;
  readonly text: string;
  /** Absolute paths: the file itself, the `file:` secrets, the certificate authorities, the country database. */
  readonly files: readonly string[];
  readonly digest: string;
}

/** Reads and validates `file`. Throws `ConfigError` where it, or a file that it names, is missing, over 1 MB or invalid. */
export function readConfig(file: string, sources: ConfigSources = processSources): LoadedConfig {
  return configFrom(file, readText(file, sources), sources);
}

/** As `readConfig`, for text that was read elsewhere: `file` is what it says it is, and what `file:` references are relative to. */
export function configFrom(file: string, text: string, sources: ConfigSources = processSources): LoadedConfig {
  const read = new Map<string, string>([[resolve(file), text]]);
  const recording: ConfigSources = {
    env: sources.env,
    readFile: (path) => {
      const content = limited(path, sources);
      read.set(resolve(path), content);
      return content;
    },
  };
  const config = parseConfig(file, text, recording);
  const database = countryDatabaseOf(config);
  // References to the environment are part of it by what they came to.
  const digest = createHash("sha256").update(JSON.stringify([config, ...read, database === null ? null : identityOf(database)]));
  return { config, text, files: [...read.keys(), ...(database === null ? [] : [database])], digest: digest.digest("hex") };
}

/** Absolute path of the country database that a configuration names; null where it names none. */
export function countryDatabaseOf({ gateway: { viewers } }: Config): string | null {
  const { country } = viewers;
  return country !== undefined && "database" in country ? resolve(country.database) : null;
}

/** A database may have a hundred megabytes, so it is not read to see whether it is another one. */
function identityOf(path: string): string {
  const known = statSync(path, { throwIfNoEntry: false });
  return known === undefined ? "none" : [known.dev, known.ino, known.size, known.mtimeMs].join(" ");
}

function readText(file: string, sources: ConfigSources): string {
  try {
    return limited(file, sources);
  } catch (error) {
    const why = error instanceof RangeError ? error.message : `cannot be read (${reason(error)}); name the file with --config`;
    throw new ConfigError(file, [{ path: [], line: null, message: why }]);
  }
}

/** A device or a pipe has no size to look at beforehand. */
function limited(path: string, sources: ConfigSources): string {
  const known = statSync(path, { throwIfNoEntry: false });
  if (known !== undefined && known.isFile() && known.size > MAX_CONFIG_BYTES) throw tooLarge(known.size);
  const text = sources.readFile(path);
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_CONFIG_BYTES) throw tooLarge(bytes);
  return text;
}

function tooLarge(bytes: number): RangeError {
  const error = new RangeError(`has ${bytes} bytes; more than ${MAX_CONFIG_BYTES} are refused`);
  return Object.assign(error, { code: "over 1 MB" });
}

function reason(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unreadable";
}
