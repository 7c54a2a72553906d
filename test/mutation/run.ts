/**
 * Mutation testing: plants one small fault after another in a file and runs the tests that should notice. Works in a copy of the repository.
 *
 *     node test/mutation/run.ts [--area health] [--file src/health/ramp.ts] [--sample 50] [--at-least 80] [--json]
 *
 * A fault that no test notices has survived; it is printed with its place. The exit status is 1 where fewer are caught than asked for.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { mutantsOf, type Mutant } from "./mutants.ts";

interface Area {
  readonly files: readonly string[];
  /** Quick ones, and those that run only for what survives them. */
  readonly tests: readonly (readonly string[])[];
}

const tests = (area: string, names: readonly string[]): string[] => names.map((name) => `test/${area}/${name}.test.ts`);
const sources = (area: string, names: readonly string[]): string[] => names.map((name) => `src/${area}/${name}.ts`);

const AREAS: Readonly<Record<string, Area>> = {
  health: {
    files: [...sources("health", ["thresholds", "state", "ramp", "quorum", "schedule"]), ...sources("core", ["damping"])],
    tests: [
      [...tests("health", ["state", "schedule", "ramp", "quorum"]), ...tests("core", ["damping"])],
      tests("health", ["monitor", "flapping"]),
    ],
  },
  decision: {
    files: sources("gateway", ["candidates", "decide", "eligibility"]),
    tests: [tests("gateway", ["eligibility", "decide", "leastBad"])],
  },
  order: {
    files: sources("gateway/order", ["cmcd", "hash", "order", "policy", "spread", "viewer", "window"]),
    tests: [tests("gateway/order", ["order", "viewer", "cmcd", "window", "edges"])],
  },
};

const root = new URL("../..", import.meta.url).pathname;
/** A mutant that loops for ever is caught, too. */
const LONGEST_MS = 60_000;

interface Trial {
  readonly file: string;
  readonly mutant: Mutant;
  readonly tests: Area["tests"];
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      area: { type: "string", multiple: true },
      file: { type: "string", multiple: true },
      sample: { type: "string" },
      "at-least": { type: "string", default: "80" },
      json: { type: "boolean", default: false },
    },
  });
  const areas = (values.area ?? Object.keys(AREAS)).map((name) => {
    const area = AREAS[name];
    if (area === undefined) throw new Error(`no area is named ${name}; areas are ${Object.keys(AREAS).join(", ")}`);
    return area;
  });
  const trials = await trialsOf(areas, values.file);
  const chosen = values.sample === undefined ? trials : everyNth(trials, Number(values.sample));
  const survivors = await survivorsOf(chosen);
  const score = (100 * (chosen.length - survivors.length)) / Math.max(1, chosen.length);
  const survived = survivors.map(({ file, mutant }) => ({
    file,
    line: mutant.line,
    before: mutant.before.trim(),
    after: mutant.after.trim(),
  }));
  if (values.json) console.log(JSON.stringify({ mutants: chosen.length, caught: chosen.length - survivors.length, score, survived }));
  else {
    for (const { file, line, before, after } of survived) console.log(`${file}:${line}\n  - ${before}\n  + ${after}`);
    console.log(`${chosen.length - survivors.length} of ${chosen.length} mutants caught, ${score.toFixed(1)} %`);
  }
  if (score < Number(values["at-least"])) process.exitCode = 1;
}

async function trialsOf(areas: readonly Area[], only: readonly string[] | undefined): Promise<Trial[]> {
  const trials: Trial[] = [];
  for (const area of areas) {
    for (const file of area.files.filter((name) => only === undefined || only.includes(name))) {
      const text = await readFile(join(root, file), "utf8");
      trials.push(...mutantsOf(text).map((mutant) => ({ file, mutant, tests: area.tests })));
    }
  }
  return trials;
}

/** Spread over all of them. */
function everyNth(trials: readonly Trial[], count: number): Trial[] {
  const step = Math.max(1, trials.length / count);
  return Array.from({ length: Math.min(count, trials.length) }, (_, index) => trials[Math.floor(index * step)]).filter(
    (trial) => trial !== undefined,
  );
}

async function survivorsOf(trials: readonly Trial[]): Promise<Trial[]> {
  const waiting = trials.values();
  const survivors: Trial[] = [];
  const worker = async (): Promise<void> => {
    await using copy = await copyOfRepository();
    if (!(await copy.passes(trials[0]?.tests ?? []))) throw new Error("the tests fail without a mutant: make them pass first");
    for (const trial of waiting) if (await copy.survives(trial)) survivors.push(trial);
  };
  await Promise.all(Array.from({ length: Math.min(trials.length, availableParallelism()) }, worker));
  return survivors;
}

interface Copy extends AsyncDisposable {
  readonly passes: (tests: Area["tests"]) => Promise<boolean>;
  readonly survives: (trial: Trial) => Promise<boolean>;
}

async function copyOfRepository(): Promise<Copy> {
  const folder = await mkdtemp(join(tmpdir(), "paircast-mutation-"));
  for (const name of ["src", "test", "package.json", "tsconfig.json", "vitest.config.ts", "README.md", "paircast.example.yaml"]) {
    await cp(join(root, name), join(folder, name), { recursive: true });
  }
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  const passes = async (all: Area["tests"]): Promise<boolean> => {
    for (const some of all) if (!(await runTests(folder, some))) return false;
    return true;
  };
  const survives = async ({ file, mutant, tests: all }: Trial): Promise<boolean> => {
    const path = join(folder, file);
    const text = await readFile(path, "utf8");
    await writeFile(path, mutant.text);
    const survived = await passes(all);
    await writeFile(path, text);
    return survived;
  };
  return { passes, survives, [Symbol.asyncDispose]: async () => rm(folder, { recursive: true, force: true }) };
}

async function runTests(folder: string, files: readonly string[]): Promise<boolean> {
  const child = spawn(
    process.execPath,
    [join(root, "node_modules/vitest/vitest.mjs"), "run", "--project", "unit", "--bail", "1", ...files],
    {
      cwd: folder,
      stdio: "ignore",
      timeout: LONGEST_MS,
      killSignal: "SIGKILL",
    },
  );
  const [code] = (await once(child, "exit")) as [number | null];
  return code === 0;
}

await main();
