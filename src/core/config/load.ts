/** Reads the configuration file: YAML, then `${ENV}` and `file:` references, then the schema, then the cross-field rules. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isMap, isNode, isScalar, LineCounter, parseDocument, visit, type Document } from "yaml";
import type { z } from "zod";
import { authorityProblems } from "./authorities.ts";
import { ConfigError, type ConfigProblem } from "./problems.ts";
import { crossFieldProblems } from "./rules.ts";
import { configSchema, type Config } from "./schema.ts";

export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => string;
}

export const processSources: ConfigSources = { env: process.env, readFile: (path) => readFileSync(path, "utf8") };

/** The valid configuration in `file`; throws `ConfigError` with everything that is wrong with it. */
export function loadConfig(file: string, sources: ConfigSources = processSources): Config {
  let text: string;
  try {
    text = sources.readFile(file);
  } catch (error) {
    throw new ConfigError(file, [problemAt(null, `cannot be read (${reason(error)}); name the file with --config`)]);
  }
  return parseConfig(file, text, sources);
}

/** As `loadConfig`, for text that is at hand. `file` names it in messages, and `file:` references are relative to its folder. */
export function parseConfig(file: string, text: string, sources: ConfigSources = processSources): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [syntax] = document.errors;
  // The others are mostly its consequences.
  if (syntax !== undefined) throw new ConfigError(file, [problemAt(lines.linePos(syntax.pos[0]).line, `is not YAML: ${syntax.message}`)]);
  if (document.contents === null) throw new ConfigError(file, [problemAt(null, "is empty; start from paircast.example.yaml")]);
  const references = resolveReferences(document, lines, dirname(resolve(file)), sources);
  if (references.length > 0) throw new ConfigError(file, references);
  const parsed = configSchema.safeParse(valueOf(file, document));
  const locate = (path: ConfigProblem["path"]) => lineOf(document, lines, path);
  if (!parsed.success)
    throw new ConfigError(
      file,
      parsed.error.issues.flatMap((issue) => issueProblems(issue, locate)),
    );
  const found = [...crossFieldProblems(parsed.data), ...authorityProblems(parsed.data, sources.readFile)];
  if (found.length > 0)
    throw new ConfigError(
      file,
      found.map((problem) => ({ ...problem, line: locate(problem.path) })),
    );
  return parsed.data;
}

/** An alias that names no anchor, or so many that they grow without end, shows only now. */
function valueOf(file: string, document: Document): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw new ConfigError(file, [problemAt(null, `is not YAML: ${error instanceof Error ? error.message : String(error)}`)]);
  }
}

function problemAt(line: number | null, message: string): ConfigProblem {
  return { path: [], line, message };
}

/** Replaces `${NAME}` by the environment and `file:path` by the file's text, in place. `$${` stands for a literal `${`. */
function resolveReferences(document: Document, lines: LineCounter, folder: string, sources: ConfigSources): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value !== "string") return;
      const line = node.range ? lines.linePos(node.range[0]).line : null;
      const problem = (message: string) => problems.push({ path: [], line, message });
      node.value = node.value.startsWith("file:")
        ? readReference(node.value.slice("file:".length), folder, sources, problem)
        : node.value.replace(/(\$?)\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (whole, escape: string, name: string) => {
            if (escape !== "") return whole.slice(1);
            const value = sources.env[name];
            if (value === undefined || value === "") problem(`the environment variable ${name} is not set`);
            return value ?? "";
          });
    },
  });
  return problems;
}

function readReference(path: string, folder: string, sources: ConfigSources, problem: (message: string) => void): string {
  try {
    return sources.readFile(resolve(folder, path)).trim();
  } catch (error) {
    problem(`the file ${path} cannot be read (${reason(error)})`);
    return "";
  }
}

function reason(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "unreadable";
}

function issueProblems(issue: z.core.$ZodIssue, locate: (path: ConfigProblem["path"]) => number | null): ConfigProblem[] {
  const path = issue.path.map((part) => (typeof part === "number" ? part : String(part)));
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: [...path, key],
      line: locate([...path, key]),
      message: "is not a known setting here; check its spelling and its indentation",
    }));
  }
  return [{ path, line: locate(path), message: issue.message }];
}

/** The line of the key (or list item) at `path`, or of the nearest thing around it that is in the file. */
function lineOf(document: Document, lines: LineCounter, path: ConfigProblem["path"]): number | null {
  for (let length = path.length; length > 0; length -= 1) {
    const parent: unknown = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const part = path[length - 1];
    const node = isMap(parent)
      ? parent.items.find((pair) => isScalar(pair.key) && pair.key.value === part)?.key
      : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return null;
}
