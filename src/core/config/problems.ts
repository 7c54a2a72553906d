/** Problems of a configuration file, each with its place and what to do. */
import { PaircastError } from "../errors.ts";

export interface ConfigProblem {
  /** Path of keys and indexes, for instance `["regions", 0, "name"]`. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** 1-based; null where the file has no such place. */
  readonly line: number | null;
}

/** The file is not used: every problem found, one line each, `file:line: path: message`. */
export class ConfigError extends PaircastError {
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[]) {
    super("config_invalid", problems.map((problem) => describe(file, problem)).join("\n"));
    this.problems = problems;
  }
}

function describe(file: string, { path, message, line }: ConfigProblem): string {
  const place = line === null ? file : `${file}:${line}`;
  return path.length === 0 ? `${place}: ${message}` : `${place}: ${pathText(path)}: ${message}`;
}

/** `regions[0].name` */
export function pathText(path: readonly (string | number)[]): string {
  return path.map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`)).join("");
}
