/** One round: so many workers, an empty target and a new state, until every copy serves. */
import { progress } from "../frame.ts";
import type { CallTally } from "./calls.ts";
import type { Scene } from "./scene.ts";
import { BenchWorker, type Word } from "./worker.ts";

export interface Round {
  readonly workers: number;
  readonly assets: number;
  /** From when all workers wait for work to when the last copy serves. */
  readonly seconds: number;
  /** Jobs that were done more than once, and blobs that were copied more than once. */
  readonly twice: number;
  /** Processor time of all workers. */
  readonly cpuMs: number;
  readonly tally: CallTally;
}

export interface RoundOptions {
  readonly workers: number;
  readonly folder: string;
  /** Of tables, queue and files, new for each round. */
  readonly prefix: string;
}

const LIMIT_MS = 300_000;
const WRONG = new Set([
  "replication.failed",
  "replication.conflict",
  "replication.pass_failed",
  "replication.work_buried",
  "bench.worker_ended",
]);

export async function measureRound(scene: Scene, { workers, folder, prefix }: RoundOptions): Promise<Round> {
  const { gate, source, target } = scene.regions;
  const { names } = scene;
  const assets = names.length;
  gate.reset();
  await target.renew();
  const jobs = new Jobs(names.flatMap((name) => [source, target].map((region) => jobOf(name, region.name))));
  await using processes = new AsyncDisposableStack();
  using _limit = deadline(jobs, `${workers} workers and ${assets} assets`);
  const ready = scene.prepare(workers);
  const started: BenchWorker[] = [];
  for (let at = 1; at <= workers; at += 1) {
    const name = `${prefix}worker${at}`;
    started.push(processes.use(await BenchWorker.start(scene, { name, prefix, folder, heard: jobs.heard })));
  }
  await Promise.race([ready, jobs.done]);
  const cpuMs = (): number => started.reduce((sum, worker) => sum + worker.cpuMs, 0);
  const before = cpuMs();
  const began = performance.now();
  scene.open();
  await jobs.done;
  const seconds = (performance.now() - began) / 1000;
  const { tally } = scene;
  progress(`${workers} at work: ${assets} assets in ${seconds.toFixed(1)} s`);
  return { workers, assets, seconds, twice: jobs.twice + tally.copiedTwice, cpuMs: cpuMs() - before, tally };
}

function jobOf(asset: string, target: string): string {
  return `${asset} -> ${target}`;
}

function deadline(jobs: Jobs, what: string): Disposable {
  const timer = setTimeout(() => {
    jobs.fail(new Error(`${what}: after ${LIMIT_MS / 1000} s there were still ${jobs.left} jobs to do`));
  }, LIMIT_MS);
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
    },
  };
}

/** Every asset has a job for each region: its own, too, where it is only looked at. */
class Jobs {
  readonly #left: Set<string>;
  readonly #end = Promise.withResolvers<void>();
  #twice = 0;

  constructor(all: readonly string[]) {
    this.#left = new Set(all);
    this.#end.promise.catch(() => undefined);
  }

  /** Rejects when a job fails, or a worker does: such a round has measured nothing. */
  get done(): Promise<void> {
    return this.#end.promise;
  }

  get left(): number {
    return this.#left.size;
  }

  get twice(): number {
    return this.#twice;
  }

  fail(error: Error): void {
    this.#end.reject(error);
  }

  readonly heard = ({ event, asset = "", target = "", error = "" }: Word): void => {
    if (WRONG.has(event)) this.fail(new Error(`${event} ${jobOf(asset, target)}: ${error}`));
    if (event !== "replication.done") return;
    if (!this.#left.delete(jobOf(asset, target))) this.#twice += 1;
    if (this.#left.size === 0) this.#end.resolve();
  };
}
