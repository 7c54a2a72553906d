/** What the cells gave, run by run, kept in a file so that the matrix can be run in parts. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { cellName, type Cell } from "./matrix.ts";
import type { CellResult } from "./batch.ts";

export interface Run extends CellResult {
  /** ISO date. */
  readonly date: string;
  /** Settings of the run. */
  readonly lead: number;
  readonly steeringTtl: number;
}

export interface Results {
  /** Program -> version, of the newest run. */
  readonly versions: Readonly<Record<string, string>>;
  readonly runs: readonly Run[];
}

/** Empty where there is no file yet. */
export async function readResults(file: string | null): Promise<Results> {
  if (file === null) return { versions: {}, runs: [] };
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  });
  return text === null ? { versions: {}, runs: [] } : (JSON.parse(text) as Results);
}

/** Whole, or not at all: a run may be broken off at any time. One line for each run, so that two versions can be compared. */
export async function writeResults(file: string, { versions, runs }: Results): Promise<void> {
  const lines = runs.map((run) => JSON.stringify(run)).join(",\n");
  await writeFile(`${file}.new`, `{"versions":${JSON.stringify(versions)},"runs":[\n${lines}\n]}\n`);
  await rename(`${file}.new`, file);
}

/** Each cell as often as it still has to be run. */
export function missing(cells: readonly Cell[], { runs }: Results, repetitions: number): readonly Cell[] {
  const done = new Map<string, number>();
  for (const { cell } of runs) done.set(cellName(cell), (done.get(cellName(cell)) ?? 0) + 1);
  const rounds = Array.from({ length: repetitions }, (_, round) => cells.filter((cell) => (done.get(cellName(cell)) ?? 0) <= round));
  return rounds.flat();
}
