/** One run: a replication is killed, another process continues, and what is there in the end is held against a run that nobody killed. */
import { setTimeout as delay } from "node:timers/promises";
import { differences } from "../faults/compare.ts";
import { Copies, transferOf } from "../faults/copies.ts";
import { undisturbed, type Call, type Outcome, type Serve } from "../faults/gate.ts";
import { publishLibrary, LARGE } from "../faults/library.ts";
import { blobOf, operationOf } from "../faults/operation.ts";
import { startRegions, TARGET, type Regions } from "../faults/regions.ts";
import { StateFile } from "../faults/stateFile.ts";
import { Truth, type AccountState, type Plain } from "../faults/truth.ts";
import { unreadableSource } from "../faults/unreadable.ts";
import { Watcher } from "../faults/watcher.ts";
import { eventually } from "../harness/wait.ts";
import type { CrashPoint, CrashRun, Profile } from "./plan.ts";
import { makeHome, onWrites, replicate, type Ended, type Home } from "./replicator.ts";

export interface StageOptions {
  readonly assets: number;
  /** Bytes of the file that goes through the replicator in blocks. */
  readonly large: number;
  readonly compileCache: string;
}

export interface Stage extends AsyncDisposable {
  readonly regions: Regions;
  readonly truth: Truth;
  readonly source: AccountState;
  readonly compileCache: string;
}

export interface CrashResult {
  /** False: the replication was done before the point was reached. */
  readonly killed: boolean;
  readonly calls: number;
  readonly transfers: number;
  readonly checks: number;
  readonly differing: readonly string[];
  readonly copiedTwice: readonly string[];
  readonly unverifiedVisible: readonly string[];
  readonly secrets: readonly string[];
}

export async function startStage({ assets, large, compileCache }: StageOptions): Promise<Stage> {
  const regions = await startRegions();
  await publishLibrary(regions.source, { assets, large });
  const truth = new Truth();
  return {
    regions,
    truth,
    source: await truth.account(regions.source),
    compileCache,
    [Symbol.asyncDispose]: async () => regions[Symbol.asyncDispose](),
  };
}

/** A run that nobody kills: what it leads to, and what it consists of. */
export async function reference(stage: Stage, concurrency = 4): Promise<{ readonly end: Plain; readonly profile: Profile }> {
  await using scene = await Scene.open(stage, concurrency);
  const operations = new Map<string, number>();
  let writes = 0;
  using _heard = onWrites(scene.home.state, () => (writes += 1));
  const ended = await scene.run((call) => void operations.set(operationOf(call), (operations.get(operationOf(call)) ?? 0) + 1));
  if (ended.code !== 0) throw new Error(`the replication fails without being killed:\n${ended.err}`);
  const found = [...scene.watcher.violations, ...scene.copies.repeated()];
  if (found.length > 0) throw new Error(`the replication is wrong without being killed: ${found.join("\n")}`);
  return { end: await scene.end(), profile: { operations, calls: stage.regions.gate.count, writes, ms: Math.ceil(ended.ms) } };
}

export async function crash(stage: Stage, run: CrashRun, expected: Plain): Promise<CrashResult> {
  await using scene = await Scene.open(stage, run.concurrency);
  const outputs: Ended[] = [];
  let calls = 0;
  let killed = false;
  for (const point of [run.first, ...(run.second === null ? [] : [run.second])]) {
    outputs.push(await scene.runUntil(point));
    calls += stage.regions.gate.count;
    killed ||= outputs.at(-1)?.code === null;
    if (!run.waits) scene.state.expireLeases();
  }
  const last = await scene.run();
  const failed = last.code === 0 ? [] : [`the run that continues ended with ${String(last.code)}: ${lastLines(last.err)}`];
  const differing = [...failed, ...differences(expected, await scene.end())];
  return {
    killed,
    calls: calls + stage.regions.gate.count,
    transfers: scene.copies.all,
    checks: scene.watcher.checks,
    differing,
    copiedTwice: scene.copies.repeated(),
    unverifiedVisible: scene.watcher.violations,
    secrets: [...outputs, last].flatMap(({ out, err }) => /[?&]sig=(?!\[redacted\])[^&\s"]{8,}/.exec(out + err)?.slice(0, 1) ?? []),
  };
}

function lastLines(text: string): string {
  return text.trim().split("\n").slice(-3).join(" | ").slice(0, 800);
}

/** A target with nothing in it, a state that does not exist yet, and everybody who looks. */
class Scene implements AsyncDisposable {
  readonly home: Home;
  readonly state: StateFile;
  readonly watcher: Watcher;
  readonly copies = new Copies();
  readonly #stage: Stage;
  readonly #underWay = new Set<Call>();

  private constructor(stage: Stage, home: Home) {
    const { truth, source, regions } = stage;
    this.#stage = stage;
    this.home = home;
    this.state = new StateFile(home.state);
    this.watcher = new Watcher({
      catalogue: this.state,
      source,
      target: TARGET,
      truth: async (containers) => truth.account(regions.target, containers),
    });
  }

  static async open(stage: Stage, concurrency: number): Promise<Scene> {
    const { regions } = stage;
    await regions.target.renew();
    return new Scene(stage, await makeHome([regions.source, regions.target], { concurrency }));
  }

  /** To its end. */
  async run(heard: (call: Call) => void = () => undefined): Promise<Ended> {
    return this.#replicate((call) => {
      heard(call);
      return "go on";
    }, null);
  }

  /** To the point where it is killed, or to its end where it does not come to it. */
  async runUntil(point: CrashPoint): Promise<Ended> {
    const seen = new Map<string, number>();
    return this.#replicate((call) => {
      const operation = operationOf(call);
      seen.set(operation, (seen.get(operation) ?? 0) + 1);
      if (point.kind === "call") return call.number === point.number ? "kill before" : "go on";
      if (point.kind !== "before" && point.kind !== "after") return "go on";
      return operation === point.operation && seen.get(operation) === point.nth ? `kill ${point.kind}` : "go on";
    }, point);
  }

  /** Both accounts, the catalogue and the jobs. */
  async end(): Promise<Plain> {
    const { truth, regions, source } = this.#stage;
    await this.watcher.lookAtAll("in the end");
    const [now, target] = [await truth.account(regions.source), await truth.account(regions.target)];
    return { source: { ...now }, target: { ...target }, state: this.state.summary(source) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stage.regions.gate.interference = undisturbed;
    this.state[Symbol.dispose]();
    await this.home[Symbol.asyncDispose]();
  }

  async #replicate(judge: (call: Call) => "go on" | "kill before" | "kill after", point: CrashPoint | null): Promise<Ended> {
    const { gate } = this.#stage.regions;
    gate.reset();
    const process = replicate(this.home, this.#stage.compileCache);
    let dead = false;
    const kill = (): void => {
      if (!dead) for (const call of this.#underWay) this.#diesDuring(call);
      dead = true;
      process.kill();
    };
    gate.interference = async (call, serve) => {
      this.#underWay.add(call);
      try {
        return await this.#pass(call, serve, dead ? "go on" : judge(call), kill);
      } finally {
        this.#underWay.delete(call);
      }
    };
    await using stack = new AsyncDisposableStack();
    armed(point, this.home.state, kill, stack);
    const ended = await process.ended;
    await eventually(60_000, "calls of the dead process to end", () => Promise.resolve(this.#underWay.size === 0 ? true : null));
    await this.watcher.look("after the process");
    return ended;
  }

  async #pass(call: Call, serve: Serve, verdict: "go on" | "kill before" | "kill after", kill: () => void): Promise<Outcome> {
    await this.watcher.look(`before call ${call.number}`);
    if (verdict === "kill before") {
      kill();
      return { kind: "reset" };
    }
    const answer = isLargeCopy(call) ? unreadableSource : await serve();
    const transfer = call.region === this.#stage.regions.target.name ? transferOf(call, answer) : null;
    if (transfer !== null) this.copies.count(transfer);
    await this.watcher.wrote(call);
    if (verdict !== "kill after") return { kind: "answer", answer };
    kill();
    return { kind: "reset" };
  }

  #diesDuring(call: Call): void {
    const transfer = transferOf(call, { status: 201 });
    if (transfer !== null) this.copies.diedDuring(transfer);
  }
}

/** Points that no call tells of. */
function armed(point: CrashPoint | null, state: string, kill: () => void, stack: AsyncDisposableStack): void {
  if (point?.kind === "write") {
    let heard = 0;
    stack.use(onWrites(state, () => void ((heard += 1) === point.nth && kill())));
  }
  if (point?.kind === "moment") {
    const stop = new AbortController();
    const waiting = delay(point.ms, undefined, { signal: stop.signal }).then(kill, () => undefined);
    stack.defer(async () => {
      stop.abort();
      await waiting;
    });
  }
}

/** The target service cannot read it: its bytes have to pass through the replicator, in blocks. */
function isLargeCopy(call: Call): boolean {
  return call.copies && blobOf(call.target)?.blob === LARGE;
}
