/** Takes pieces of work from the queue and does them: so many for each target at a time, so that none delays another. */
import { errorChain, errorCode, PaircastError } from "../../core/errors.ts";
import type { WorkItem, WorkQueue } from "../../core/ports/work.ts";
import { jobsTo, lookAt, type LookDeps } from "../discovery/look.ts";
import type { ReplicationDriver } from "../driver.ts";
import { jobId } from "../job.ts";
import type { JobDeps } from "../jobDeps.ts";
import type { JobResult } from "../runJob.ts";
import { workOn, type WorkOptions } from "../workOn.ts";
import { WayBreaker } from "./breaker.ts";
import { pieceOf, pieceText, type Piece } from "./piece.ts";
import { Places } from "./places.ts";

export interface WorkerOptions {
  readonly queue: WorkQueue;
  readonly sources: readonly string[];
  readonly targets: readonly string[];
  /** A piece is buried the last time that it may be taken, with what went wrong; see `WorkQueue`. */
  readonly maxTakes: number;
  /** How often an empty queue is asked. Default 1 s. */
  readonly pollMs?: number;
}

const LEASE_MS = 60_000;
const RETRY_MS = 5_000;
const POLL_MS = 1_000;
/** Put off for so long: for a target that is away longer each time, and at most the second; for one that is only busy always the first. */
const DELAY_MS = 5_000;
const LONGEST_DELAY_MS = 600_000;
/** Before another look at an asset of which nothing is published (yet): longer each time. */
const LOOK_AGAIN_MS = 15_000;
/** What was in conflict, or failed again and again, is not begun anew before, unless everything is looked at or an event asks for it. */
const REST_MS = { conflict: 6 * 3_600_000, failed: 15 * 60_000 };
const LISTING_MS = 30_000;

export class Worker {
  readonly #deps: JobDeps;
  readonly #driver: ReplicationDriver;
  readonly #options: WorkerOptions;
  readonly #work: WorkOptions;
  readonly #look: LookDeps;
  readonly #breaker = new WayBreaker();
  /** Pieces under way, by target; "" for looks. */
  readonly #running = new Map<string, number>();
  readonly #places = new Map<string, Places>();
  #wake: () => void = () => undefined;

  constructor(deps: JobDeps, driver: ReplicationDriver, options: WorkerOptions) {
    const { catalogue, journal, clock } = deps;
    this.#deps = deps;
    this.#driver = driver;
    this.#options = options;
    this.#work = { queue: options.queue, clock, leaseMs: LEASE_MS, retryMs: RETRY_MS, maxTakes: options.maxTakes };
    const lost = (region: string, error: unknown): void => {
      deps.log.warn("replication.region_unreachable", { region, code: errorCode(error), error: errorChain(error) });
    };
    const timeoutMs = deps.options.listTimeoutMs ?? LISTING_MS;
    this.#look = { driver, catalogue, journal, clock, sources: options.sources, isReachable: async () => true, lost, timeoutMs };
  }

  /** There is work: an empty queue is asked again at once. */
  readonly wake = (): void => {
    this.#wake();
  };

  /** Works until `stop` aborts; what is under way then is given back. Never rejects. */
  async run(stop: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    const background = new Set<Promise<void>>();
    while (!stop.aborted) {
      try {
        const item = this.#hasPlace ? await this.#options.queue.take(LEASE_MS) : null;
        if (item === null) await this.#pause(stop);
        else {
          const done: Promise<void> = this.#dispatch(item, stop).finally(() => background.delete(done));
          background.add(done);
        }
      } catch (error) {
        log.error("replication.queue_unavailable", { code: errorCode(error), error: errorChain(error) });
        await clock.sleep(this.#options.pollMs ?? POLL_MS, stop).catch(() => undefined);
      }
    }
    await Promise.all(background);
  }

  get #hasPlace(): boolean {
    const running = [...this.#running.values()].reduce((sum, count) => sum + count, 0);
    // As many again may wait for each target, and none of them keeps a place from another target.
    return running < this.#deps.options.concurrency * (2 * this.#options.targets.length + 1);
  }

  async #pause(stop: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => {
      woken.abort();
    };
    await this.#deps.clock.sleep(this.#options.pollMs ?? POLL_MS, AbortSignal.any([stop, woken.signal])).catch(() => undefined);
    this.#wake = () => undefined;
  }

  /** Never rejects: what the queue cannot be told now, it finds out when the lease ends. */
  async #dispatch(item: WorkItem, stop: AbortSignal): Promise<void> {
    const place = placeOf(item);
    this.#running.set(place, (this.#running.get(place) ?? 0) + 1);
    try {
      await this.#do(item, stop);
    } catch (error) {
      this.#deps.log.warn("replication.work_unsettled", { work: item.id, code: errorCode(error), error: errorChain(error) });
    }
    this.#running.set(place, (this.#running.get(place) ?? 1) - 1);
    this.wake();
  }

  async #do(item: WorkItem, stop: AbortSignal): Promise<void> {
    const end = await workOn(this.#work, item, async (lost) => {
      const piece = pieceOf(item.body);
      this.#refuseUnknown(piece);
      const signal = AbortSignal.any([stop, lost]);
      if (piece.target === null) await this.#lookAt(piece, signal);
      else await this.#replicate({ ...piece, target: piece.target }, signal);
    });
    if (end === "buried") this.#deps.log.warn("replication.work_buried", { work: item.id, body: item.body, takes: item.takes });
    else this.#deps.log.debug(`replication.work_${end}`, { work: item.id, body: item.body, takes: item.takes });
  }

  #refuseUnknown({ region, target }: Piece): void {
    const { sources, targets } = this.#options;
    if (sources.includes(region) && (target === null || target === region || targets.includes(target))) return;
    throw new PaircastError(
      "not_configured",
      `work for ${region} -> ${target ?? "all"}: replication.sources and replication.targets do not have it`,
    );
  }

  /** What is to be done becomes a piece for each target. */
  async #lookAt(piece: Piece, stop: AbortSignal): Promise<void> {
    const { queue, targets } = this.#options;
    const looked = await lookAt(this.#look, piece.region, piece.asset, stop);
    if (looked.listed === 0 && piece.again > 0) {
      const left = piece.again - 1;
      await queue.put(pieceText({ ...piece, again: left }), LOOK_AGAIN_MS * 2 ** Math.max(0, 4 - left));
      return;
    }
    for (const target of new Set([piece.region, ...targets])) {
      for (const { locatorIds } of await jobsTo(this.#look, looked, target, piece.full)) {
        const job: Piece = { ...piece, target, locators: locatorIds, again: 0, delays: 0 };
        if (await this.#isWorthTrying(job, target)) await queue.put(pieceText(job));
      }
    }
    this.wake();
  }

  /** What is left out now, a later pass finds again: the catalogue says that it is missing. */
  async #isWorthTrying({ region, asset, full }: Piece, target: string): Promise<boolean> {
    const now = this.#deps.clock.now();
    if (this.#breaker.isClosed(region, target, now)) return false;
    const job = full ? null : await this.#deps.journal.load(jobId({ source: region, target, assetName: asset }));
    const isResting = job !== null && (job.state === "conflict" || job.state === "failed") && now - job.updatedAt < REST_MS[job.state];
    return !isResting;
  }

  async #replicate(piece: Piece & { readonly target: string }, stop: AbortSignal): Promise<void> {
    const { region: source, target, asset: assetName, locators: locatorIds, at: since } = piece;
    const { clock, options } = this.#deps;
    const delays = piece.delays + 1;
    if (this.#breaker.isClosed(source, target, clock.now())) return this.#putOff({ ...piece, delays }, DELAY_MS * 2 ** piece.delays);
    const places = this.#places.get(target) ?? new Places(options.concurrency);
    this.#places.set(target, places);
    if (places.isFull) return this.#putOff(piece, DELAY_MS);
    using _place = await places.take(stop);
    const job = { source, target, assetName, locatorIds };
    const result = await this.#driver.replicate({ ...job, sharing: { since, wait: false } }, stop);
    this.#judge(result, stop);
    return undefined;
  }

  /** Put anew, and so not counted as taken: its target is busy or away, and that is not the work's fault. */
  async #putOff(piece: Piece, delayMs: number): Promise<void> {
    await this.#options.queue.put(pieceText(piece), Math.min(LONGEST_DELAY_MS, delayMs));
  }

  /** Throws where the piece is not done. */
  #judge({ source, target, result, error, elsewhere }: JobResult, stop: AbortSignal): void {
    const { clock, log } = this.#deps;
    if (stop.aborted) throw new PaircastError("stopped", "stopped before it was done", { retry: "retry" });
    if (elsewhere === "busy") throw new PaircastError("job_busy", "another worker is at it", { retry: "retry" });
    if (error === null || result === "conflict") this.#breaker.worked(source, target);
    else if (this.#breaker.failed(source, target, clock.now())) log.warn("replication.way_closed", { source, target, code: error.code });
    if (error !== null) throw new PaircastError(error.code, error.message, { retry: result === "conflict" ? "conflict" : "retry" });
  }
}

function placeOf({ body }: WorkItem): string {
  try {
    return pieceOf(body).target ?? "";
  } catch {
    return "";
  }
}
