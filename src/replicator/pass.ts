/**
 * One pass over everything that is published: lists, looks at what has changed, runs the jobs, sums up. Each target goes at its own pace, and
 * memory does not grow with what is unchanged.
 */
import type { CatalogueEntry } from "../core/contracts.ts";
import type { CursorStore } from "../core/ports/cursor.ts";
import { assetPass } from "./assetPass.ts";
import { forEachBounded } from "./bounded.ts";
import type { MassWithdrawal, SuspectRules } from "./discover.ts";
import { CatalogueIndex } from "./discovery/catalogueIndex.ts";
import { CatalogueIndexReader } from "./discovery/indexReader.ts";
import type { Lane } from "./discovery/lane.ts";
import { Progress } from "./discovery/progress.ts";
import { sweepRegion, type SweepOptions, type SweptPage } from "./discovery/sweep.ts";
import type { ReplicationDriver } from "./driver.ts";
import type { JobDeps } from "./jobDeps.ts";
import { PassWork, type FoundWork } from "./passWork.ts";
import type { PassSummary } from "./passSummary.ts";
import { withdrawGone, type Withdrawals } from "./withdraw.ts";
import { QueueWork, type PutLately } from "./work/queueWork.ts";
import type { WorkQueue } from "../core/ports/work.ts";

export { amsDriver, type ReplicationDriver } from "./driver.ts";
export type { PassSummary } from "./passSummary.ts";

export interface PassOptions {
  /** Regions whose publications are carried, in order of priority. */
  readonly sources: readonly string[];
  /** Regions to carry them to; a source is always verified in itself. */
  readonly targets: readonly string[];
  /** Look again at what the catalogue has as verified. */
  readonly full: boolean;
  /** Only this asset, which is looked at whatever the catalogue says; null: all. */
  readonly assetName: string | null;
  /** Withdraw also where a source has unpublished most of its videos at once. Default false: that is refused. */
  readonly acceptWithdrawals?: boolean;
  /** Where a full pass over everything remembers how far it has come; left out: a pass that was ended begins anew. */
  readonly cursors?: CursorStore;
  /** Tells looks through the same regions apart: one does not go on where another was ended. */
  readonly look?: string;
  /** The index of passes before this one, of the same regions; left out: the catalogue is read. */
  readonly reader?: CatalogueIndexReader;
  /** Where the work is put, for workers to do; left out: the pass does it. One asset is always done here. */
  readonly queue?: { readonly queue: WorkQueue; readonly lately: PutLately };
  /** Jobs that may wait for each target. Default 10,000. */
  readonly laneCapacity?: number;
}

const LISTING_MS = 30_000;
/** Assets of a page that are looked at at a time. */
const LOOKS = 8;

/** Never rejects for a region that is down; rejects when the catalogue cannot be read. `stop` ends it between two blobs. */
export async function replicationPass(
  deps: JobDeps,
  driver: ReplicationDriver,
  options: PassOptions,
  stop?: AbortSignal,
): Promise<PassSummary> {
  const { assetName } = options;
  const summary =
    assetName === null ? await new Pass(deps, driver, options, stop).run() : await assetPass(deps, driver, { ...options, assetName }, stop);
  if (stop?.aborted !== true) deps.metrics?.replicationPass(deps.clock.now() / 1000);
  return summary;
}

/** All regions that take part. */
export function regionsOf({ sources, targets }: Pick<PassOptions, "sources" | "targets">): readonly string[] {
  return [...new Set([...sources, ...targets])];
}

class Pass {
  readonly #deps: JobDeps;
  readonly #driver: ReplicationDriver;
  readonly #options: PassOptions;
  readonly #stop: AbortSignal | undefined;
  readonly #regions: readonly string[];
  readonly #reader: CatalogueIndexReader;
  /** Regions of which all was listed. */
  readonly #complete: string[] = [];
  /** How far each list was read. */
  readonly #position = new Map<string, number>();
  #index: CatalogueIndex;

  constructor(deps: JobDeps, driver: ReplicationDriver, options: PassOptions, stop: AbortSignal | undefined) {
    this.#deps = deps;
    this.#driver = driver;
    this.#options = options;
    this.#stop = stop;
    this.#regions = regionsOf(options);
    this.#reader = options.reader ?? new CatalogueIndexReader(deps.catalogue, this.#regions);
    this.#index = new CatalogueIndex(this.#regions);
  }

  async run(): Promise<PassSummary> {
    // Read before the lists are: what it has as verified must then be in them.
    this.#index = await this.#reader.refresh();
    this.#index.forgetListings();
    const progress = await this.#progress();
    const work = this.#work(progress.since);
    work.onPageDone = (region) => this.#advance(progress, work, region);
    let withdrawals = NO_WITHDRAWALS;
    try {
      withdrawals = await this.#walk(progress, work);
    } catch (error) {
      if (!this.#isStopped) throw error;
    } finally {
      await work.drained();
      if (!this.#isStopped) for (const region of this.#options.sources) if (!work.reach.isLost(region)) progress.ended(region);
      await progress.settled();
    }
    return work.summary(withdrawals);
  }

  get #isStopped(): boolean {
    return this.#stop?.aborted === true;
  }

  async #walk(progress: Progress, work: FoundWork): Promise<Withdrawals> {
    await allOf(this.#regions.map(async (region) => this.#list(region, progress, work)));
    const withdrawals = await this.#withdraw();
    await this.#restore(work);
    await this.#listAgain(progress, work);
    return withdrawals;
  }

  async #progress(): Promise<Progress> {
    const { clock, log } = this.#deps;
    const { sources, targets, full, cursors, look = "" } = this.#options;
    const kept = cursors !== undefined && full ? cursors : forgetful;
    const scope = `${look}${sources.join()}->${targets.join()}`;
    return Progress.of({ cursors: kept, log, scope, now: clock.now() }, sources);
  }

  #work(since: number): FoundWork {
    const { queue, ...options } = this.#options;
    if (queue === undefined) return new PassWork(this.#deps, this.#driver, { ...options, since }, this.#stop);
    return new QueueWork(this.#deps, { ...options, ...queue, since }, this.#stop);
  }

  get #rules(): SuspectRules {
    const { sources, targets, full } = this.#options;
    return { sources, targets, full };
  }

  async #list(region: string, progress: Progress, work: FoundWork): Promise<void> {
    const end = await sweepRegion(this.#sweep(progress, work, []), region, progress.from(region), this.#stop);
    if (end === "complete") this.#complete.push(region);
    else if (end === "broken") work.reach.lost(region);
  }

  /** `lanes`: the walk ends when all of them are full, to be taken up there; none: it goes on to the end. */
  #sweep(progress: Progress, work: FoundWork, lanes: readonly Lane[]): SweepOptions {
    const { clock, log, options } = this.#deps;
    return {
      driver: this.#driver,
      clock,
      log,
      index: this.#index,
      rules: this.#rules,
      timeoutMs: options.listTimeoutMs ?? LISTING_MS,
      answered: (region) => {
        work.reach.answered(region);
      },
      onPage: async (page) => {
        await this.#inspect(page, work);
        if (page.next !== null) progress.reached(page.region, page.next);
        this.#position.set(page.region, page.mark.number + 1);
        this.#advance(progress, work, page.region);
        const isEnough = lanes.length > 0 && lanes.every(({ isFull }) => isFull);
        if (isEnough && page.next !== null) work.lanes.hold(page.region, page.next.number, lanes);
        return !isEnough;
      },
    };
  }

  async #inspect({ region, mark, suspects, settled }: SweptPage, work: FoundWork): Promise<void> {
    for (const assetName of settled) work.tally.asset(region, assetName);
    const look = async ([assetName, newest]: readonly [string, number]): Promise<void> => work.look(region, assetName, mark.number, newest);
    await forEachBounded([...suspects], LOOKS, look, this.#stop);
  }

  #advance(progress: Progress, work: FoundWork, region: string): void {
    progress.done(region, Math.min(this.#position.get(region) ?? 0, work.lanes.low(region)));
  }

  async #withdraw(): Promise<Withdrawals> {
    const listed = this.#options.sources.filter((region) => this.#complete.includes(region));
    const losses = listed.map((region): MassWithdrawal => {
      const { all, gone } = this.#index.served(region);
      return { region, gone, of: all };
    });
    const gone = (regions: readonly string[]) =>
      this.#entries(
        ({ source, locatorId, regions: copies }) =>
          regions.includes(source) && copies[source]?.state === "verified" && !this.#index.isListed(locatorId, source),
      );
    const { isPublished } = this.#driver;
    const acceptMass = this.#options.acceptWithdrawals === true;
    return withdrawGone(this.#deps, { losses, gone, isPublished, acceptMass }, this.#stop);
  }

  /** Copies that are gone from a target, although their source has them and nobody withdrew them. */
  async #restore(work: FoundWork): Promise<void> {
    const lacking = this.#options.targets.filter((region) => this.#complete.includes(region) && this.#index.lacks(region));
    if (lacking.length === 0) return;
    for await (const { source, assetName, locatorId } of this.#entries(() => true))
      for (const target of lacking)
        if (this.#options.sources.includes(source) && this.#index.isLacking(locatorId, target))
          await work.offer({ source, target, assetName, locatorIds: [locatorId] }, this.#position.get(source) ?? 0);
  }

  async *#entries(wanted: (entry: CatalogueEntry) => boolean): AsyncGenerator<CatalogueEntry> {
    for await (const { entry } of this.#deps.catalogue.list()) {
      this.#stop?.throwIfAborted();
      if (wanted(entry)) yield entry;
    }
  }

  /** Reads again what found no room, from the first such page on, as soon as any of these targets has room. */
  async #listAgain(progress: Progress, work: FoundWork): Promise<void> {
    const { sources } = this.#options;
    for (let held = work.lanes.held(sources); held.length > 0; held = work.lanes.held(sources)) {
      await Promise.race(held.map(async (lane) => lane.low()));
      this.#stop?.throwIfAborted();
      if (work.hasFailed) return;
      const ready = held.filter(({ isLow }) => isLow);
      this.#index = await this.#reader.refresh();
      await allOf(sources.map(async (region) => this.#readAgain(region, ready, progress, work)));
    }
  }

  async #readAgain(region: string, lanes: readonly Lane[], progress: Progress, work: FoundWork): Promise<void> {
    const low = work.lanes.low(region, lanes);
    if (low === Number.POSITIVE_INFINITY) return;
    this.#position.set(region, low);
    work.lanes.release(region, lanes);
    const end = await sweepRegion(this.#sweep(progress, work, lanes), region, progress.markOf(region, low), this.#stop);
    if (end !== "broken") return;
    work.lanes.release(region);
    work.reach.lost(region);
  }
}

const NO_WITHDRAWALS: Withdrawals = { withdrawn: 0, refused: [], unconfirmed: [] };

/** As `Promise.all`, but nothing is left running behind the caller's back. */
async function allOf(walks: readonly Promise<void>[]): Promise<void> {
  for (const end of await Promise.allSettled(walks)) if (end.status === "rejected") throw end.reason;
}

const forgetful: CursorStore = {
  load: () => Promise.resolve(null),
  save: () => Promise.resolve(),
  clear: () => Promise.resolve(),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};
