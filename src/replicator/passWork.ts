/** What a pass has found to do: looks at assets, hands their jobs to the targets' lanes, and adds up what became of them. */
import { errorChain, errorCode } from "../core/errors.ts";
import type { PlannedJob } from "./discover.ts";
import { jobsTo, lookAt, type LookDeps } from "./discovery/look.ts";
import { failedJob, Lane } from "./discovery/lane.ts";
import { Lanes } from "./discovery/lanes.ts";
import { Reach } from "./discovery/reach.ts";
import type { ReplicationDriver } from "./driver.ts";
import type { JobDeps } from "./jobDeps.ts";
import { PassTally, type PassSummary } from "./passSummary.ts";
import type { Withdrawals } from "./withdraw.ts";

/** What a pass does with what it finds. */
export interface FoundWork {
  readonly tally: PassTally;
  readonly reach: Reach;
  readonly lanes: Lanes;
  /** Every job of some page of a region's list is done. */
  onPageDone: (region: string) => void;
  /** The stores have failed: nothing more is begun. */
  readonly hasFailed: boolean;
  /** Sees to it that the asset is looked at. `newest`: when the newest of the locators that give reason was created; 0 where that is not known. */
  look(region: string, assetName: string, page: number, newest: number): Promise<void>;
  /** Sees to it that the job is done. */
  offer(job: PlannedJob, page: number): Promise<void>;
  /** Resolves when all is done that is done here. */
  drained(): Promise<void>;
  summary(withdrawals: Withdrawals): PassSummary;
}

export interface PassWorkOptions {
  readonly sources: readonly string[];
  readonly targets: readonly string[];
  readonly full: boolean;
  /** What other processes have done since then is done. */
  readonly since: number;
  readonly laneCapacity?: number;
}

const LANE_CAPACITY = 10_000;
const LISTING_MS = 30_000;

/** Does it here, target by target. */
export class PassWork implements FoundWork {
  readonly tally = new PassTally();
  readonly reach: Reach;
  readonly lanes: Lanes;
  onPageDone: (region: string) => void = () => undefined;
  readonly #deps: JobDeps;
  readonly #options: PassWorkOptions;
  readonly #look: LookDeps;
  readonly #all: readonly Lane[];
  readonly #stop: AbortSignal | undefined;

  constructor(deps: JobDeps, driver: ReplicationDriver, options: PassWorkOptions, stop: AbortSignal | undefined) {
    const { sources, targets, since, laneCapacity: capacity = LANE_CAPACITY } = options;
    const regions = [...new Set([...targets, ...sources])];
    this.#deps = deps;
    this.#options = options;
    this.#stop = stop;
    this.reach = new Reach(regions);
    const { catalogue, journal, clock } = deps;
    const timeoutMs = deps.options.listTimeoutMs ?? LISTING_MS;
    const isReachable = async (region: string) => this.reach.isReachable(region);
    const lost = (region: string, error: unknown): void => {
      this.lost(region, error);
    };
    this.#look = { driver, catalogue, journal, clock, sources, isReachable, lost, timeoutMs };
    const onResult = this.tally.job.bind(this.tally);
    const lane = (target: string) =>
      new Lane({ deps, driver, target, since, capacity, reachable: this.reach.isReachable(target), onResult }, stop);
    this.#all = regions.map(lane);
    this.lanes = new Lanes(this.#all, (region) => {
      this.onPageDone(region);
    });
  }

  get hasFailed(): boolean {
    return this.#all.some((lane) => lane.hasFailed);
  }

  /** Looks at an asset of a region and hands its jobs to the lanes. What cannot be looked at counts as failed. */
  async look(region: string, assetName: string, page: number): Promise<void> {
    const targets = [...new Set([region, ...this.#options.targets])];
    if (!this.lanes.wants(targets, region, assetName, page)) return;
    try {
      const looked = await lookAt(this.#look, region, assetName, this.#stop);
      if (looked.publications.length === 0) return;
      this.tally.asset(region, assetName);
      for (const target of targets)
        for (const job of await jobsTo(this.#look, looked, target, this.#options.full)) this.lanes.offer(job, page);
    } catch (error) {
      this.#stop?.throwIfAborted();
      if (isOfStores(error)) throw error;
      this.#deps.log.warn("replication.look_failed", { region, asset: assetName, code: errorCode(error), error: errorChain(error) });
      this.#deps.metrics?.job(region, "failed");
      const job = { source: region, target: region, assetName };
      this.tally.job(failedJob(job, errorCode(error), `look at ${assetName} in ${region}: ${errorChain(error)}`));
    }
  }

  async offer(job: PlannedJob, page: number): Promise<void> {
    this.lanes.offer(job, page);
  }

  lost(region: string, error: unknown): void {
    if (!this.reach.isLost(region))
      this.#deps.log.warn("replication.region_unreachable", { region, code: errorCode(error), error: errorChain(error) });
    this.reach.lost(region);
  }

  async drained(): Promise<void> {
    if (this.#stop?.aborted !== true) for (const region of this.reach.unanswered) this.reach.lost(region);
    await this.lanes.drained();
  }

  summary(withdrawals: Withdrawals): PassSummary {
    return this.tally.summary(withdrawals, this.reach.unreachable);
  }
}

/** Without its state a pass knows nothing: it ends. */
function isOfStores(error: unknown): boolean {
  return errorCode(error).startsWith("state_");
}
