/** One schedule: a pass over a small library while calls fail, and passes after it while none does. Through the real adapters. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { composeFoundations } from "../../src/compose/foundations.ts";
import { replicateOnce } from "../../src/compose/replication.ts";
import { systemRandom } from "../../src/core/clock.ts";
import { loadConfig } from "../../src/core/config/load.ts";
import { errorChain } from "../../src/core/errors.ts";
import { silentLog } from "../../src/core/log.ts";
import { assetDifferences, differences } from "./compare.ts";
import { inflict, RETRY_AFTER_S } from "./damage.ts";
import { undisturbed, type Call, type Interference, type Outcome, type Serve } from "./gate.ts";
import { hurriedClock, hurryTimers, reallyPause } from "./hurry.ts";
import { LARGE, publishLibrary, type LibraryOptions } from "./library.ts";
import { blobOf, operationOf } from "./operation.ts";
import { startRegions, TARGET, type Regions } from "./regions.ts";
import type { Operations, PlannedFault, Schedule } from "./schedule.ts";
import { StateFile } from "./stateFile.ts";
import { Truth, type AccountState, type Plain } from "./truth.ts";
import { unreadableSource } from "./unreadable.ts";
import { Watcher } from "./watcher.ts";

/** Where nothing else is said. Afterwards nothing has to be waited for. */
export const HURRY = 50;
/** In how many passes without faults everything must be well again. */
const MOST_PASSES = 3;

export interface TrialStage extends AsyncDisposable {
  /** How much faster than real time passes while calls fail. */
  readonly hurry: number;
  readonly regions: Regions;
  readonly truth: Truth;
  readonly source: AccountState;
}

export interface TrialResult {
  /** Faults that met a call. */
  readonly met: number;
  readonly calls: number;
  /** What was reported as done and is not. */
  readonly contradicted: readonly string[];
  readonly unverifiedVisible: readonly string[];
  /** What is other in the end than without faults; also that it did not come to an end. */
  readonly differing: readonly string[];
  /** Calls that came again before the service had asked for it. */
  readonly hasty: readonly string[];
  readonly secrets: number;
  /** Passes without faults until all was well. */
  readonly passes: number;
}

type Summary = NonNullable<Awaited<ReturnType<typeof replicateOnce>>>;

export async function startTrials(library: LibraryOptions, hurry = HURRY): Promise<TrialStage> {
  const regions = await startRegions();
  await publishLibrary(regions.source, library);
  const truth = new Truth();
  const source = await truth.account(regions.source);
  return { hurry, regions, truth, source, [Symbol.asyncDispose]: async () => regions[Symbol.asyncDispose]() };
}

/** What a run without faults consists of, and leads to. */
export async function undisturbedRun(stage: TrialStage): Promise<{ readonly operations: Operations; readonly end: Plain }> {
  await using trial = await Trial.open(stage);
  const operations = new Map<string, number>();
  const summary = await trial.pass((call, serve) => {
    const operation = operationOf(call);
    if (isFaulted(call)) operations.set(operation, (operations.get(operation) ?? 0) + 1);
    return undisturbed(call, serve);
  });
  const wrong = [...trial.contradictions(await trial.target(), summary), ...trial.watcher.violations];
  if (!isWell(summary) || wrong.length > 0)
    throw new Error(`the replication fails without faults: ${trial.failures(summary)} ${wrong.join("; ")}`);
  return { operations, end: await trial.end() };
}

export async function tryOut(stage: TrialStage, schedule: Schedule, expected: Plain): Promise<TrialResult> {
  await using trial = await Trial.open(stage);
  const due = new Map(schedule.faults.map((fault) => [`${fault.operation} ${fault.nth}`, fault]));
  const seen = new Map<string, number>();
  const waits = new Waits(stage.hurry);
  let met = 0;
  const first = await trial.pass(async (call, serve) => {
    const operation = operationOf(call);
    const nth = (seen.get(operation) ?? 0) + 1;
    seen.set(operation, nth);
    waits.heard(call);
    const fault = isFaulted(call) ? due.get(`${operation} ${nth}`) : undefined;
    if (fault === undefined) return undisturbed(call, serve);
    met += 1;
    const outcome = await trial.inflict(fault, call, serve);
    // The other job, of the source, asks the source the same.
    if (fault.fault === "429" && call.region === TARGET) waits.refused(call);
    return outcome;
  }, true);
  const { calls } = trial;
  const contradicted = [...trial.contradictions(await trial.target(), first)];
  const secrets = secretsIn(first);
  let summary: Summary | Error = first;
  let passes = 0;
  while (passes === 0 || (!isWell(summary) && passes < MOST_PASSES)) {
    passes += 1;
    summary = await trial.pass(undisturbed);
    contradicted.push(...trial.contradictions(await trial.target(), summary));
  }
  const unwell = isWell(summary) ? [] : [`after ${passes} passes without faults: ${trial.failures(summary)}`];
  const differing = [...unwell, ...differences(expected, await trial.end())];
  const unverifiedVisible = trial.watcher.violations;
  return { met, calls, contradicted, unverifiedVisible, differing, hasty: waits.hasty, secrets, passes };
}

function isFaulted({ service }: Call): boolean {
  return service === "management" || service === "storage";
}

function isWell(summary: Summary | Error): boolean {
  return !(summary instanceof Error) && summary.failed + summary.conflicts + summary.unreachable.length === 0;
}

function secretsIn(summary: Summary | Error): number {
  const text = summary instanceof Error ? errorChain(summary) : JSON.stringify(summary);
  return [...text.matchAll(/[?&]sig=(?!\[redacted\])[^&\s"]{8,}|\beyJ[A-Za-z0-9_-]{10,}\./g)].length;
}

/** Whether calls that were refused for a while come again only after it. */
class Waits {
  readonly hasty: string[] = [];
  readonly #hurry: number;
  readonly #until = new Map<string, number>();

  constructor(hurry: number) {
    this.#hurry = hurry;
  }

  refused(call: Call): void {
    // Timers may fire a millisecond early.
    this.#until.set(keyOf(call), performance.now() + (RETRY_AFTER_S * 1000) / this.#hurry - 2);
  }

  heard(call: Call): void {
    const until = this.#until.get(keyOf(call));
    if (until !== undefined && performance.now() < until) this.hasty.push(operationOf(call));
    this.#until.delete(keyOf(call));
  }
}

function keyOf({ region, service, method, target }: Call): string {
  return `${region} ${service} ${method} ${target}`;
}

class Trial implements AsyncDisposable {
  readonly watcher: Watcher;
  readonly #stage: TrialStage;
  readonly #folder: string;
  readonly #state: StateFile;

  private constructor(stage: TrialStage, folder: string) {
    const { truth, source, regions } = stage;
    this.#stage = stage;
    this.#folder = folder;
    this.#state = new StateFile(join(folder, "paircast.db"));
    this.watcher = new Watcher({
      catalogue: this.#state,
      source,
      target: TARGET,
      truth: async (containers) => truth.account(regions.target, containers),
    });
  }

  static async open(stage: TrialStage): Promise<Trial> {
    await stage.regions.target.renew();
    const folder = await mkdtemp(join(tmpdir(), "paircast-faults-"));
    const settings = {
      regions: [stage.regions.source, stage.regions.target].map(({ name, urls, account: { apiKey, ...account } }) => ({
        name,
        streaming: urls.streaming,
        keys: urls.keys,
        account: { driver: "ams", ...account, credential: { kind: "api-key", apiKey } },
      })),
      replication: { concurrency: 1, blobConcurrency: 1 },
      state: { path: join(folder, "paircast.db") },
    };
    await writeFile(join(folder, "paircast.yaml"), JSON.stringify(settings), { mode: 0o600 });
    return new Trial(stage, folder);
  }

  get calls(): number {
    return this.#stage.regions.gate.count;
  }

  /** One pass of a process that was just started. An error is what the command would end with. */
  async pass(interfere: Interference, disturbed = false): Promise<Summary | Error> {
    const { gate } = this.#stage.regions;
    gate.reset();
    gate.interference = async (call, serve) => {
      await this.watcher.look(`before call ${call.number}`);
      const outcome = await interfere(call, isLarge(call) ? async () => unreadableSource : serve);
      await this.watcher.wrote(call);
      return outcome;
    };
    const factor = disturbed ? this.#stage.hurry : 1;
    using _hurry = hurryTimers(factor);
    try {
      const config = loadConfig(join(this.#folder, "paircast.yaml"));
      const parts = { config, version: "0", log: silentLog, clock: hurriedClock(factor), random: systemRandom, routes: false };
      await using foundations = await composeFoundations(parts);
      const options = { asset: null, acceptWithdrawals: false };
      return (await replicateOnce(foundations, options, new AbortController().signal)) ?? new Error("there was nothing to replicate");
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      await this.watcher.look("after the pass");
      gate.interference = undisturbed;
    }
  }

  async inflict(fault: PlannedFault, call: Call, serve: Serve): Promise<Outcome> {
    const { source, target } = this.#stage.regions;
    return inflict(fault, call, serve, { region: call.region === TARGET ? target : source, pause: reallyPause });
  }

  async target(): Promise<AccountState> {
    return this.#stage.truth.account(this.#stage.regions.target);
  }

  /** Jobs to the target that are reported as done, of which a full comparison finds otherwise. */
  contradictions(target: AccountState, summary: Summary | Error): readonly string[] {
    if (summary instanceof Error) return [];
    const { source } = this.#stage;
    const done = summary.results.filter((result) => result.target === TARGET && result.error === null && result.elsewhere === undefined);
    return done.flatMap(({ assetName, result }) => {
      const found = assetDifferences(source, target, assetName);
      return found.length === 0 ? [] : [`${assetName} is reported as ${result} and differs: ${found.slice(0, 3).join("; ")}`];
    });
  }

  failures(summary: Summary | Error): string {
    if (summary instanceof Error) return errorChain(summary);
    const errors = summary.results.flatMap(({ assetName, target, error }) =>
      error === null ? [] : [`${assetName} to ${target}: ${error.message}`],
    );
    return [...errors, ...summary.unreachable.map((region) => `${region} unreachable`)].join("; ").slice(0, 1000);
  }

  async end(): Promise<Plain> {
    const { truth, regions, source } = this.#stage;
    await this.watcher.lookAtAll("in the end");
    const [now, target] = [await truth.account(regions.source), await this.target()];
    return { source: { ...now }, target: { ...target }, state: this.#state.summary(source) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stage.regions.gate.interference = undisturbed;
    this.#state[Symbol.dispose]();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function isLarge(call: Call): boolean {
  return call.copies && blobOf(call.target)?.blob === LARGE;
}
