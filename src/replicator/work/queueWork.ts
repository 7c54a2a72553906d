/** What a pass has found to do, put into a queue for whoever works on it. */
import { LRUCache } from "lru-cache";
import { Lanes } from "../discovery/lanes.ts";
import { Reach } from "../discovery/reach.ts";
import type { PlannedJob } from "../discover.ts";
import type { JobDeps } from "../jobDeps.ts";
import { PassTally, type PassSummary } from "../passSummary.ts";
import type { FoundWork } from "../passWork.ts";
import type { WorkQueue } from "../../core/ports/work.ts";
import type { Withdrawals } from "../withdraw.ts";
import { lookPiece, pieceText, type Piece } from "./piece.ts";

/** While so many pieces wait, none is put. A look at everything leaves room for what is new. */
const WINDOW = 5_000;
const FULL_WINDOW = 500;
const WAIT_MS = 2_000;
/** What was put is not put again for so long, unless it is asked for by its name, or the asset is given another locator. */
const REPEAT_MS = 10 * 60_000;

/** Remembers what was put lately, from pass to pass. */
export class PutLately {
  readonly #lately: LRUCache<string, true>;

  constructor(now: () => number) {
    this.#lately = new LRUCache({ max: 4 * WINDOW, ttl: REPEAT_MS, ttlResolution: 0, perf: { now } });
  }

  /** False where it was put lately; from now on it was. */
  note(key: string): boolean {
    if (this.#lately.has(key)) return false;
    this.#lately.set(key, true);
    return true;
  }

  forget(key: string): void {
    this.#lately.delete(key);
  }
}

export interface QueueWorkOptions {
  readonly queue: WorkQueue;
  readonly lately: PutLately;
  readonly sources: readonly string[];
  readonly targets: readonly string[];
  readonly full: boolean;
  readonly since: number;
}

export class QueueWork implements FoundWork {
  readonly tally = new PassTally();
  readonly reach: Reach;
  /** None: what is put is kept by the queue. */
  readonly lanes = new Lanes([], () => undefined);
  onPageDone: (region: string) => void = () => undefined;
  readonly hasFailed = false;
  readonly #deps: JobDeps;
  readonly #options: QueueWorkOptions;
  readonly #stop: AbortSignal | undefined;
  #sincePending = WINDOW;
  #pending = 0;

  constructor(deps: JobDeps, options: QueueWorkOptions, stop: AbortSignal | undefined) {
    this.#deps = deps;
    this.#options = options;
    this.#stop = stop;
    this.reach = new Reach([...options.sources, ...options.targets]);
  }

  async look(region: string, assetName: string, _page: number, newest: number): Promise<void> {
    this.tally.asset(region, assetName);
    // A look at everything is meant to look again; one that was put before a locator was there may not have seen it.
    const { full, since: at } = this.#options;
    await this.#put(lookPiece({ region, asset: assetName, at, full }), `${full ? "full " : ""}${region}/${assetName} ${newest}`);
  }

  async offer({ source, target, assetName, locatorIds }: PlannedJob): Promise<void> {
    const look = lookPiece({ region: source, asset: assetName, at: this.#deps.clock.now(), full: true });
    const piece: Piece = { ...look, target, locators: locatorIds };
    await this.#put(piece, `${source}/${assetName}->${target}`);
  }

  async drained(): Promise<void> {}

  summary(withdrawals: Withdrawals): PassSummary {
    return this.tally.summary(withdrawals, this.reach.unreachable);
  }

  async #put(piece: Piece, key: string): Promise<void> {
    const { queue, lately } = this.#options;
    if (!lately.note(key)) return;
    try {
      await this.#room();
      await queue.put(pieceText(piece));
    } catch (error) {
      lately.forget(key);
      throw error;
    }
    this.tally.queued();
  }

  /** Waits until there is room. The queue is asked once for some of the pieces that fit. */
  async #room(): Promise<void> {
    const { clock } = this.#deps;
    const window = this.#options.full ? FULL_WINDOW : WINDOW;
    this.#sincePending += 1;
    if (this.#pending + this.#sincePending < window) return;
    for (;;) {
      this.#pending = await this.#options.queue.pending();
      this.#sincePending = 0;
      if (this.#pending < window) return;
      await clock.sleep(WAIT_MS, this.#stop);
    }
  }
}
