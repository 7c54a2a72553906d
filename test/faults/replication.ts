/**
 * `npm run test:faults:replication`: calls of storage and management API fail in every way, each in turn and several at once; no success is ever
 * reported that is none, nothing unverified is visible, and in the end everything is as if nothing had failed.
 *
 *     node test/faults/replication.ts [--runs 1000] [--seed 1] [--only turn-17] [--quick] [--json]
 */
import { progress, type Figure, type Measurement, type Table } from "../bench/frame.ts";
import { versionsOf } from "../bench/process.ts";
import { seededRandom } from "../fakes/clock.ts";
import { runBreaking, type BreakArguments } from "./arguments.ts";
import { failAt, memoryReference, randomFaults, type MemoryTrial } from "./memory/trials.ts";
import {
  describeSchedule,
  everyCallInTurn,
  FAULTS,
  randomSchedules,
  shuffled,
  spread,
  type Operations,
  type Schedule,
} from "./schedule.ts";
import { HURRY, startTrials, tryOut, undisturbedRun, type TrialResult } from "./trial.ts";

const RUNS = 1000;
const TURN_SHARE = 0.75;
const QUICK_RUNS = 60;
const QUICK_MEMORY_RUNS = 200;
const QUICK_MS = 25_000;
/** Azurite keeps what was deleted in memory for a while: after so many schedules it is started anew. */
const SCHEDULES_PER_STAGE = 150;
/** A video with everything that a locator can name, and among its files one that goes through in blocks. */
const LIBRARY = { assets: 1, large: 100_000, protections: ["token and filters"] } as const;

interface Done {
  readonly schedule: Schedule;
  readonly result: TrialResult;
}

await runBreaking("faults:replication", "test:faults:replication", async (options) => {
  const began = performance.now();
  const memory = options.only.length > 0 ? [] : await inMemory(options);
  const done: Done[] = [];
  let planned: readonly Schedule[] | null = null;
  while (planned === null || done.length < planned.length) {
    await using stage = await startTrials(LIBRARY);
    const { operations, end } = await undisturbedRun(stage);
    planned ??= schedulesOf(operations, options);
    for (const schedule of planned.slice(done.length, done.length + SCHEDULES_PER_STAGE)) {
      if (options.quick && performance.now() - began > QUICK_MS) return measurement({ done, planned: planned.length, memory }, options);
      const result = await tryOut(stage, schedule, end);
      done.push({ schedule, result });
      report(schedule, result, options.seed);
    }
    progress(`${done.length} of ${planned.length} schedules`);
  }
  return measurement({ done, planned: planned.length, memory }, options);
});

/** Three of four are each call in turn, as far as they go round; the others several at once. */
function schedulesOf(operations: Operations, { runs, quick, seed, only }: BreakArguments): readonly Schedule[] {
  const random = seededRandom(seed);
  const count = runs ?? (quick ? QUICK_RUNS : RUNS);
  const turns = everyCallInTurn(operations, random);
  const several = randomSchedules(count, operations, random);
  if (only.length > 0) return [...turns, ...several].filter(({ name }) => only.includes(name));
  const some = spread(turns, Math.ceil(count * TURN_SHARE));
  return shuffled([...some, ...several.slice(0, count - some.length)], random);
}

/** The bulk: the ports themselves fail, and time is virtual. */
async function inMemory({ runs, quick, seed }: BreakArguments): Promise<readonly MemoryTrial[]> {
  const reference = await memoryReference();
  const random = seededRandom(seed);
  const trials: MemoryTrial[] = [];
  for (let at = 0; at < (runs ?? (quick ? QUICK_MEMORY_RUNS : RUNS)); at += 1) {
    const trial = await failAt(randomFaults(reference, random), reference);
    trials.push(trial);
    if (trial.problems.length > 0) progress(`in memory: ${trial.name}\n  ${trial.problems.slice(0, 3).join("\n  ")}`);
  }
  return trials;
}

function report(schedule: Schedule, result: TrialResult, seed: number): void {
  const wrong = problemsOf(result);
  if (wrong.length === 0) return;
  progress(`${schedule.name}: ${describeSchedule(schedule)}`);
  for (const problem of wrong.slice(0, 6)) progress(`  ${problem}`);
  progress(`  again: node test/faults/replication.ts --seed ${seed} --only ${schedule.name}`);
}

function problemsOf({ contradicted, unverifiedVisible, differing, hasty, secrets }: TrialResult): readonly string[] {
  return [
    ...contradicted.map((text) => `reported and not so: ${text}`),
    ...unverifiedVisible.map((text) => `unverified and visible: ${text}`),
    ...differing.map((text) => `differs in the end: ${text}`),
    ...hasty.map((text) => `earlier than Retry-After: ${text}`),
    ...(secrets > 0 ? ["a secret in what was reported"] : []),
  ];
}

interface All {
  readonly done: readonly Done[];
  readonly planned: number;
  readonly memory: readonly MemoryTrial[];
}

function measurement({ done, planned, memory }: All, { seed }: BreakArguments): Measurement {
  const count = (of: (result: TrialResult) => number): number => done.reduce((sum, { result }) => sum + of(result), 0);
  const figures: Figure[] = [
    { name: "schedules", value: done.length, unit: "schedules" },
    { name: "faults that met a call", value: count(({ met }) => met), unit: "faults" },
    { name: "contradicted successes", value: count(({ contradicted }) => contradicted.length), unit: "reports" },
    { name: "unverified visible", value: count(({ unverifiedVisible }) => unverifiedVisible.length), unit: "copies" },
    { name: "differing end states", value: count(({ differing }) => Number(differing.length > 0)), unit: "schedules" },
    { name: "earlier than Retry-After", value: count(({ hasty }) => hasty.length), unit: "calls" },
    { name: "secrets in reports", value: count(({ secrets }) => secrets), unit: "secrets" },
    { name: "schedules in memory", value: memory.length, unit: "schedules" },
    { name: "wrong in memory", value: memory.filter(({ problems }) => problems.length > 0).length, unit: "schedules" },
    { name: "passes until well, most", value: Math.max(0, ...done.map(({ result }) => result.passes)), unit: "passes" },
  ];
  const left = done.length < planned ? [`${planned - done.length} of ${planned} planned schedules were left out for want of time`] : [];
  const notes = [`seed ${seed}; time passes ${HURRY} times as fast; ${count(({ calls }) => calls)} calls in passes with faults`, ...left];
  return { versions: versionsOf([]).versions, figures, notes, tables: [byFault(done)] };
}

function byFault(done: readonly Done[]): Table {
  const rows = FAULTS.map((fault) => {
    const own = done.filter(({ schedule }) => schedule.faults.some((planned) => planned.fault === fault));
    const alone = own.filter(({ schedule }) => schedule.faults.length === 1);
    const wrong = own.filter(({ result }) => problemsOf(result).length > 0);
    return [fault, String(alone.length), String(own.length - alone.length), String(wrong.length)];
  });
  return { title: "faults: schedules that have each", columns: ["", "alone", "with others", "wrong"], rows };
}
