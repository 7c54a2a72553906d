/** Which configuration `serve` starts with: the file's, or the last good one where the operator asks for it. */
import { readFileSync } from "node:fs";
import { keptPlace, readLastGood, type KeptConfig } from "../core/config/lastGood.ts";
import { ConfigError } from "../core/config/problems.ts";
import { configFrom, readConfig, type LoadedConfig } from "../core/config/source.ts";
import { PaircastError } from "../core/errors.ts";

export interface StartOptions {
  readonly config: string;
  /** True, or the path where it is kept. */
  readonly lastGood: boolean | string;
}

export interface StartConfig {
  readonly loaded: LoadedConfig;
  /** Set where the file was refused, and the last good configuration is used in its place. */
  readonly instead: { readonly refused: ConfigError; readonly kept: KeptConfig } | null;
}

/** Throws where the file is refused, and says there whether a last good configuration is at hand. */
export function startConfig(options: StartOptions): StartConfig {
  try {
    return { loaded: readConfig(options.config), instead: null };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { ...lastGood(options, error) };
  }
}

function lastGood({ config, lastGood: wanted }: StartOptions, refused: ConfigError): StartConfig {
  const path = typeof wanted === "string" ? wanted : keptPlace(textOf(config), process.env);
  if (wanted === false) throw withHint(refused, path);
  const kept = readLastGood(path);
  if (kept === null) throw new PaircastError("last_good_missing", `${refused.message}\nand no last good configuration is kept at ${path}`);
  return { loaded: configFrom(config, kept.text), instead: { refused, kept } };
}

function withHint(refused: ConfigError, path: string): PaircastError {
  const kept = readable(path);
  if (kept === null) return refused;
  const since = new Date(kept.keptAt).toISOString();
  const hint = `a configuration that worked is kept at ${path} (${since}): \`serve --last-good\` uses it until the file is mended`;
  return new PaircastError(refused.code, `${refused.message}\n${hint}`, { cause: refused });
}

function readable(path: string): KeptConfig | null {
  try {
    return readLastGood(path);
  } catch {
    return null;
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
