/** Lints a temporary tree with the project's own configuration. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

export const repository = fileURLToPath(new URL("../..", import.meta.url));

/** One line that a linter reported: `rule` as oxlint writes it, and the configuration's own advice. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly advice: string;
}

const report = z.object({
  diagnostics: z.array(
    z.object({
      code: z.string(),
      filename: z.string(),
      message: z.string(),
      help: z.string().optional(),
      labels: z.array(z.object({ span: z.object({ line: z.number() }) })),
    }),
  ),
  number_of_files: z.number(),
});

export interface LintResult {
  readonly findings: readonly Finding[];
  /** How many files were looked at: a linter that looks at none finds nothing. */
  readonly files: number;
}

/** Writes `files` (path below the tree -> text), lints their `src`, and removes them. */
export async function lintTree(files: ReadonlyMap<string, string>): Promise<LintResult> {
  const tree = await mkdtemp(join(tmpdir(), "paircast-lint-"));
  try {
    for (const path of [".oxlintrc.json", "tsconfig.json", "package.json", "test/lint/noAmbientDate.ts"]) {
      await cp(join(repository, path), join(tree, path));
    }
    await symlink(join(repository, "node_modules"), join(tree, "node_modules"), "dir");
    for (const [path, text] of files) {
      await mkdir(dirname(join(tree, path)), { recursive: true });
      await writeFile(join(tree, path), text);
    }
    const answer = report.parse(JSON.parse(await oxlint(tree)));
    return {
      files: answer.number_of_files,
      findings: answer.diagnostics.map((found) => ({
        file: found.filename,
        line: found.labels[0]?.span.line ?? 0,
        rule: found.code,
        advice: `${found.help ?? ""} ${found.message}`.trim(),
      })),
    };
  } finally {
    await rm(tree, { recursive: true });
  }
}

async function oxlint(tree: string): Promise<string> {
  const program = join(repository, "node_modules/oxlint/bin/oxlint");
  return await new Promise((resolve, reject) => {
    // Every pure file is planted with everything that is forbidden: a report of megabytes.
    const options = { cwd: tree, maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, [program, "--type-aware", "--format", "json", "src"], options, (_error, stdout, stderr) => {
      // Status 1 means findings; a linter that could not start prints no JSON.
      if (stdout.startsWith("{")) resolve(stdout);
      else reject(new Error(`oxlint printed no report: ${stdout}${stderr}`));
    });
  });
}

/** The files that the configuration lists as pure, sorted. */
export async function pureFiles(): Promise<readonly string[]> {
  const config = z
    .object({ overrides: z.array(z.object({ files: z.array(z.string()), rules: z.record(z.string(), z.unknown()) })) })
    .parse(JSON.parse(await readFile(join(repository, ".oxlintrc.json"), "utf8")));
  const pure = config.overrides.filter(({ rules }) => JSON.stringify(rules["no-restricted-imports"] ?? "").includes("A pure file"));
  return pure.flatMap(({ files }) => files).toSorted();
}
