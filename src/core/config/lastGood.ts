/** The last configuration that a process ran with, kept beside its state: a restart with a broken file need not be an outage. */
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { parseDocument } from "yaml";
import { PaircastError } from "../errors.ts";
import { configSchema } from "./schema.ts";

/** Contents as they were in the file: references stay references, and so do secrets that somebody wrote out, hence the mode. */
const MODE = 0o600;
const MARK = "# paircast: the last configuration that worked, kept for `serve --last-good`. Changes made here are refused.";

export interface KeptConfig {
  readonly path: string;
  /** Epoch milliseconds. */
  readonly keptAt: number;
  readonly text: string;
}

/** Where the configuration is kept that goes with a state file. */
export function lastGoodPath(statePath: string): string {
  return `${statePath}.last-good.yaml`;
}

/** Where it is kept for the configuration in `text`, which may be broken: beside the state file that it names, as far as it can be read. */
export function keptPlace(text: string, env: Readonly<Record<string, string | undefined>>): string {
  const named: unknown = parseDocument(text, { logLevel: "silent" }).getIn(["state", "path"]);
  if (typeof named !== "string") return lastGoodPath(configSchema.shape.state.parse(undefined).path);
  return lastGoodPath(named.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => env[name] ?? ""));
}

/** Replaces what is kept, whole or not at all. Throws what the file system throws. */
export function keepLastGood(path: string, text: string, now: number): void {
  const partial = `${path}.${process.pid}.tmp`;
  try {
    const file = openSync(partial, "w", MODE);
    try {
      writeSync(file, `${MARK}\n# kept: ${now}\n# sha256: ${digestOf(text)}\n${text}`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

/** What is kept at `path`; null where nothing is. Throws `last_good_damaged` where it is not what was written. */
export function readLastGood(path: string): KeptConfig | null {
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return null;
    throw new PaircastError("last_good_damaged", `${path} cannot be read`, { cause });
  }
  const parts = /^#[^\n]*\n# kept: (\d+)\n# sha256: ([0-9a-f]{64})\n([\s\S]*)$/.exec(content);
  const text = parts?.[3];
  if (text === undefined || digestOf(text) !== parts?.[2]) {
    throw new PaircastError("last_good_damaged", `${path} is not as it was written; mend the configuration instead of using it`);
  }
  return { path, keptAt: Number(parts[1]), text };
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
