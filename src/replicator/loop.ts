/** Replication as part of `serve`: a pass, a pause, a pass. With a queue, one process looks and all of them work. */
import { errorChain, errorCode } from "../core/errors.ts";
import type { WorkQueue } from "../core/ports/work.ts";
import { CatalogueIndexReader } from "./discovery/indexReader.ts";
import type { ReplicationDriver } from "./driver.ts";
import type { JobDeps } from "./jobDeps.ts";
import { withLease } from "./lease.ts";
import { regionsOf, replicationPass, type PassOptions, type PassSummary } from "./pass.ts";
import { PutLately } from "./work/queueWork.ts";
import { Worker } from "./work/worker.ts";

export interface LoopOptions extends Omit<PassOptions, "full" | "assetName" | "queue" | "reader"> {
  /** Pause between the end of a pass and the next. */
  readonly intervalMs: number;
  /**
   * How often everything is looked at again, also what the catalogue has as verified. The first pass does, unless `cursors` say that it was done
   * lately.
   */
  readonly fullIntervalMs: number;
  readonly onPass?: (summary: PassSummary) => void;
  /** Shared with other processes: what a pass finds is put there, and whoever is free works on it. Left out: a pass does its own work. */
  readonly work?: WorkOfLoop;
}

export interface WorkOfLoop {
  readonly queue: WorkQueue;
  /** How often a piece may be taken; see `WorkQueue`. */
  readonly maxTakes: number;
  /** False: this process only looks, or only works. Default true for both. */
  readonly looks?: boolean;
  readonly works?: boolean;
}

/** Runs until `stop` aborts, and resolves once what was under way has come to a halt between two blobs. Never rejects. */
export async function replicationLoop(deps: JobDeps, driver: ReplicationDriver, options: LoopOptions, stop: AbortSignal): Promise<void> {
  const { work } = options;
  const worker = work === undefined || work.works === false ? null : new Worker(deps, driver, { ...options, ...work });
  const looks = work?.looks === false ? Promise.resolve() : new Passes(deps, driver, options, worker).run(stop);
  await Promise.all([looks, worker?.run(stop)]);
}

/** Names the lease of the process that looks for all. */
const LOOKING = "discovery";
/** Scope of the cursor that says when everything was looked at last. */
const EVERYTHING = "everything";
const ALL_REGIONS = "*";
/** How long everything is looked at without a look at what is new, where it can be gone on with. */
const PART_MS = 5 * 60_000;
const FOREVER_MS = 2 ** 31 - 1;

class Passes {
  readonly #deps: JobDeps;
  readonly #driver: ReplicationDriver;
  readonly #options: LoopOptions;
  readonly #worker: Worker | null;
  readonly #reader: CatalogueIndexReader;
  readonly #lately: PutLately;
  #fullAt: number | null = null;

  constructor(deps: JobDeps, driver: ReplicationDriver, options: LoopOptions, worker: Worker | null) {
    this.#deps = deps;
    this.#driver = driver;
    this.#options = options;
    this.#worker = worker;
    this.#reader = new CatalogueIndexReader(deps.catalogue, regionsOf(options));
    this.#lately = new PutLately(() => deps.clock.monotonic());
  }

  async run(stop: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    while (!stop.aborted) {
      try {
        await this.#passInTurn(stop);
      } catch (error) {
        if (!stop.aborted && errorCode(error) !== "job_busy")
          log.error("replication.pass_failed", { code: errorCode(error), error: errorChain(error) });
      }
      await clock.sleep(this.#options.intervalMs, stop).catch(() => undefined);
    }
  }

  /** Where work is shared, one process looks at a time. */
  async #passInTurn(stop: AbortSignal): Promise<void> {
    if (this.#options.work === undefined) return this.#pass(stop);
    const { journal, clock, owner, options } = this.#deps;
    const lease = { journal, clock, owner, leaseMs: options.leaseMs ?? 15_000, wait: false };
    await withLease(lease, LOOKING, stop, async (lost) => this.#pass(AbortSignal.any([stop, lost])));
  }

  /** A look through everything may take days: what is new meanwhile is found between its parts. */
  async #pass(stop: AbortSignal): Promise<void> {
    const began = this.#deps.clock.now();
    if (!(await this.#isFullDue(began))) return this.#run(false, stop);
    using part = this.#deps.clock.deadline(this.#options.cursors === undefined ? FOREVER_MS : PART_MS);
    await this.#run(true, AbortSignal.any([stop, part.signal]));
    if (stop.aborted) return undefined;
    return part.signal.aborted ? this.#run(false, stop) : this.#rememberFull(began);
  }

  async #run(full: boolean, stop: AbortSignal): Promise<void> {
    const { work, onPass, ...options } = this.#options;
    const queue = work === undefined ? {} : { queue: { queue: work.queue, lately: this.#lately } };
    const pass = { ...options, ...queue, reader: this.#reader, full, assetName: null };
    const summary = await replicationPass(this.#deps, this.#driver, pass, stop);
    if (summary.queued > 0) this.#worker?.wake();
    onPass?.(summary);
  }

  async #isFullDue(now: number): Promise<boolean> {
    this.#fullAt ??= (await this.#options.cursors?.load(EVERYTHING, ALL_REGIONS))?.startedAt ?? null;
    return this.#fullAt === null || now < this.#fullAt || now - this.#fullAt >= this.#options.fullIntervalMs;
  }

  async #rememberFull(startedAt: number): Promise<void> {
    this.#fullAt = startedAt;
    await this.#options.cursors?.save(EVERYTHING, ALL_REGIONS, { startedAt, place: "", pages: 0 });
  }
}
