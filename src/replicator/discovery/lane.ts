/** The jobs of one target, at its own pace: whatever becomes of the others, it goes on. It has room for so many; what finds none is read again later. */
import { scrub } from "../../core/log.ts";
import { forEachBounded } from "../bounded.ts";
import type { PlannedJob } from "../discover.ts";
import type { ReplicationDriver } from "../driver.ts";
import { jobId } from "../job.ts";
import type { JobDeps } from "../jobDeps.ts";
import type { JobResult } from "../runJob.ts";
import { FingerprintTable } from "./fingerprints.ts";

export interface LaneOptions {
  readonly deps: JobDeps;
  readonly driver: Pick<ReplicationDriver, "replicate">;
  readonly target: string;
  /** When the pass began: what other processes have done since then is done. */
  readonly since: number;
  /** Jobs that may wait. */
  readonly capacity: number;
  /** Whether the target answers. One that does not is not tried asset by asset: each try would cost a time-out. */
  readonly reachable: Promise<boolean>;
  readonly onResult: (result: JobResult) => void;
}

interface Waiting {
  readonly job: PlannedJob;
  readonly settled: () => void;
}

export class Lane {
  readonly target: string;
  readonly #options: LaneOptions;
  readonly #stop: AbortSignal | undefined;
  /** Jobs that were offered, so that none is done twice. */
  readonly #seen = new FingerprintTable(0);
  readonly #busy: Waiting[] = [];
  readonly #listeners = new Set<() => void>();
  #waiting: Waiting[] = [];
  #state: "unknown" | "open" | "dead" = "unknown";
  #running = 0;
  #failure: { readonly error: unknown } | null = null;

  constructor(options: LaneOptions, stop?: AbortSignal) {
    this.target = options.target;
    this.#options = options;
    this.#stop = stop;
    void options.reachable.then((reachable) => {
      this.#state = reachable ? "open" : "dead";
      this.#go();
    });
    stop?.addEventListener("abort", () => this.#changed(), { once: true });
  }

  get isFull(): boolean {
    return this.#waiting.length >= this.#options.capacity;
  }

  /** Whether at most half of the room is taken. */
  get isLow(): boolean {
    return this.#waiting.length <= this.#options.capacity / 2;
  }

  /** A store has failed: no job is begun any more. */
  get hasFailed(): boolean {
    return this.#failure !== null;
  }

  /** Whether the job was offered before. */
  knows(source: string, assetName: string): boolean {
    return this.#seen.has(`${source}/${assetName}`);
  }

  /** False where there is no room. `settled` is called once the job is done, whatever its result. */
  offer(job: PlannedJob, settled: () => void): boolean {
    if (this.knows(job.source, job.assetName)) {
      settled();
      return true;
    }
    if (this.isFull) return false;
    this.#seen.add(`${job.source}/${job.assetName}`);
    const { source, target, assetName } = job;
    this.#options.deps.progress?.({ type: "found", source, target, assetName });
    this.#waiting.push({ job, settled });
    this.#go();
    return true;
  }

  /** Resolves when at most half of the room is taken, or nothing more will be done. */
  async low(): Promise<void> {
    while (!this.isLow && !this.#isOver) await this.#change();
  }

  /**
   * Resolves when everything is done. Jobs that another process is at come last: it may have ended by then, or have died. Rejects with the
   * first failure of the stores, after which no job is begun.
   */
  async drained(): Promise<void> {
    while (!this.#isOver && (this.#waiting.length > 0 || this.#running > 0)) await this.#change();
    while (this.#running > 0) await this.#change();
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#isOver) return;
    const again = async ({ job, settled }: Waiting): Promise<void> => {
      this.#options.onResult(await this.#share(job, true));
      settled();
    };
    await forEachBounded(this.#busy.splice(0), this.#options.deps.options.concurrency, again, this.#stop);
  }

  get #isOver(): boolean {
    return this.#stop?.aborted === true || this.#failure !== null;
  }

  #go(): void {
    const { concurrency } = this.#options.deps.options;
    while (this.#state !== "unknown" && this.#running < concurrency && !this.#isOver) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#running += 1;
      void this.#run(next);
    }
    this.#changed();
  }

  async #run({ job, settled }: Waiting): Promise<void> {
    try {
      const result = this.#state === "dead" ? this.#notTried(job) : await this.#share(job, false);
      if (result.elsewhere === "busy") this.#busy.push({ job, settled });
      else {
        this.#options.onResult(result);
        if (result.error?.code !== "stopped") settled();
      }
    } catch (error) {
      this.#failure ??= { error };
    }
    this.#running -= 1;
    this.#go();
  }

  async #share(job: PlannedJob, wait: boolean): Promise<JobResult> {
    const { driver, since } = this.#options;
    const result = await driver.replicate({ ...job, sharing: { since, wait } }, this.#stop);
    // It may have been done for other locators of the asset than these.
    return result.elsewhere === "done" && !(await this.#isVerified(job)) ? driver.replicate(job, this.#stop) : result;
  }

  async #isVerified({ locatorIds, target }: PlannedJob): Promise<boolean> {
    const stored = await Promise.all(locatorIds.map(async (id) => this.#options.deps.catalogue.get(id)));
    return stored.every((version) => version?.entry.regions[target]?.state === "verified");
  }

  #notTried({ source, target, assetName }: PlannedJob): JobResult {
    const { metrics, progress } = this.#options.deps;
    metrics?.job(target, "failed");
    progress?.({ type: "done", source, target, assetName, result: "failed" });
    const message = `replicate ${assetName} from ${source} to ${target}: ${target} cannot be asked`;
    return failedJob({ source, target, assetName }, "target_unreachable", message);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }

  async #change(): Promise<void> {
    return new Promise((resolve) => this.#listeners.add(resolve));
  }
}

/** The result of a job that was not even begun. */
export function failedJob({ source, target, assetName }: Omit<PlannedJob, "locatorIds">, code: string, message: string): JobResult {
  return {
    source,
    target,
    assetName,
    id: jobId({ source, target, assetName }),
    result: "failed",
    steps: [],
    counts: { blobsCopied: 0, bytesCopied: 0, blobsAdopted: 0, written: [], published: 0, notes: [] },
    error: { code, message: scrub(message), conflicts: [] },
  };
}
