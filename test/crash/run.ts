/**
 * `npm run test:crash`: kill -9 at the boundary of every kind of call, at writes of the state and at random moments of a replication of 20
 * assets; another process continues. In the end everything must be as if nobody had killed anything.
 *
 *     node test/crash/run.ts [--runs 200] [--seed 1] [--only 17] [--quick] [--json]
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { progress, type Figure, type Measurement, type Table } from "../bench/frame.ts";
import { versionsOf } from "../bench/process.ts";
import { seededRandom } from "../fakes/clock.ts";
import { runBreaking, type BreakArguments } from "../faults/arguments.ts";
import { dieAt, memoryReference, type MemoryTrial } from "../faults/memory/trials.ts";
import { crash, reference, startStage, type CrashResult, type Stage } from "./crash.ts";
import { describePoint, planCrashes, type CrashRun, type Profile } from "./plan.ts";

const RUNS = 200;
const QUICK_RUNS = 12;
const SIZE = { assets: 20, large: 17 * 1024 * 1024 };
const QUICK_SIZE = { assets: 4, large: 9 * 1024 * 1024 };
const QUICK_MS = 25_000;
const QUICK_STEP = 5;
/** Azurite keeps what was deleted in memory for a while: after so many runs it is started anew. */
const RUNS_PER_STAGE = 20;

await runBreaking("crash", "test:crash", async (options) => {
  const began = performance.now();
  const memory = options.only.length > 0 ? [] : await inMemory(options);
  const killed = await kills(options, () => options.quick && performance.now() - began > QUICK_MS);
  return measurement({ ...killed, memory }, options);
});

type Done = readonly { readonly run: CrashRun; readonly result: CrashResult }[];

async function kills(options: BreakArguments, isLate: () => boolean): Promise<{ readonly done: Done; readonly planned: number }> {
  await using stack = new AsyncDisposableStack();
  const compileCache = stack.adopt(await mkdtemp(join(tmpdir(), "paircast-compiled-")), async (path) =>
    rm(path, { recursive: true, force: true }),
  );
  const done: { readonly run: CrashRun; readonly result: CrashResult }[] = [];
  let planned: readonly CrashRun[] | null = null;
  while (planned === null || (done.length < planned.length && !isLate())) {
    await using stage = await startStage({ ...(options.quick ? QUICK_SIZE : SIZE), compileCache });
    const { end, profile } = await reference(stage);
    planned ??= chosen(profile, options);
    for (const run of planned.slice(done.length, done.length + RUNS_PER_STAGE))
      if (!isLate()) done.push({ run, result: await tried(stage, run, end, options.seed) });
  }
  return { done, planned: planned.length };
}

/** A process in memory dies at every call of its ports in turn; in a short run, at some of them. */
async function inMemory({ quick }: BreakArguments): Promise<readonly MemoryTrial[]> {
  const found = await memoryReference();
  const trials: MemoryTrial[] = [];
  for (let at = 0; at < found.calls.length; at += quick ? QUICK_STEP : 1)
    for (const when of ["die before", "die after"] as const) {
      const trial = await dieAt(at, when, found);
      trials.push(trial);
      if (trial.problems.length > 0) progress(`in memory: ${trial.name}\n  ${trial.problems.slice(0, 3).join("\n  ")}`);
    }
  return trials;
}

function chosen(profile: Profile, { runs, quick, seed, only }: BreakArguments): readonly CrashRun[] {
  const all = planCrashes(runs ?? (quick ? QUICK_RUNS : RUNS), profile, seededRandom(seed));
  return only.length === 0 ? all : all.filter(({ name }) => only.includes(name));
}

async function tried(stage: Stage, run: CrashRun, end: Awaited<ReturnType<typeof reference>>["end"], seed: number): Promise<CrashResult> {
  const result = await crash(stage, run, end);
  const wrong = problemsOf(result);
  progress(
    `${run.name}: killed ${describePoint(run.first)}${run.second === null ? "" : `, then at ${describePoint(run.second)}`}: ${wrong.length === 0 ? "as if nothing had happened" : "WRONG"}`,
  );
  for (const problem of wrong) progress(`  ${problem}`);
  if (wrong.length > 0) progress(`  again: node test/crash/run.ts --seed ${seed} --only ${run.name}`);
  return result;
}

function problemsOf({ differing, copiedTwice, unverifiedVisible, secrets }: CrashResult): readonly string[] {
  return [
    ...differing.slice(0, 10).map((text) => `differs: ${text}`),
    ...copiedTwice.map((text) => `copied twice: ${text}`),
    ...unverifiedVisible.map((text) => `unverified and visible: ${text}`),
    ...secrets.map(() => "a signature in its output"),
  ];
}

interface All {
  readonly done: Done;
  readonly planned: number;
  readonly memory: readonly MemoryTrial[];
}

function measurement({ done, planned, memory }: All, { seed }: BreakArguments): Measurement {
  const count = (of: (result: CrashResult) => number): number => done.reduce((sum, { result }) => sum + of(result), 0);
  const figures: Figure[] = [
    { name: "runs", value: done.length, unit: "runs" },
    { name: "killed", value: count(({ killed }) => Number(killed)), unit: "runs" },
    { name: "differing end states", value: count(({ differing }) => Number(differing.length > 0)), unit: "runs" },
    { name: "blobs copied twice", value: count(({ copiedTwice }) => copiedTwice.length), unit: "blobs" },
    { name: "unverified visible", value: count(({ unverifiedVisible }) => unverifiedVisible.length), unit: "copies" },
    { name: "secrets in output", value: count(({ secrets }) => secrets.length), unit: "lines" },
    { name: "kills in memory", value: memory.length, unit: "kills" },
    { name: "wrong in memory", value: memory.filter(({ problems }) => problems.length > 0).length, unit: "kills" },
  ];
  const notes = [
    `seed ${seed}; ${count(({ calls }) => calls)} calls passed the gate, ${count(({ transfers }) => transfers)} blobs and blocks were copied, ${count(({ checks }) => checks)} visible copies compared in full`,
    ...(done.length < planned ? [`${planned - done.length} of ${planned} planned runs were left out for want of time`] : []),
    ...done.flatMap(({ run, result }) =>
      problemsOf(result)
        .slice(0, 3)
        .map((text) => `run ${run.name}, killed ${describePoint(run.first)}: ${text}`),
    ),
  ];
  return { versions: versionsOf([]).versions, figures, notes, tables: [byKind(done)] };
}

function byKind(done: Done): Table {
  const kinds = ["before", "after", "call", "write", "moment"] as const;
  const rows = kinds.map((kind) => {
    const own = done.filter(({ run }) => run.first.kind === kind);
    const wrong = own.filter(({ result }) => problemsOf(result).length > 0);
    return [kind, String(own.length), String(own.filter(({ result }) => result.killed).length), String(wrong.length)];
  });
  return { title: "crash: where the process was killed", columns: ["", "runs", "killed", "wrong"], rows };
}
