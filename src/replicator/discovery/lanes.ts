/** The lanes of all targets, and how far each has come in the list of each region. */
import type { PlannedJob } from "../discover.ts";
import type { Lane } from "./lane.ts";
import { PageLedger } from "./pageLedger.ts";

export class Lanes {
  readonly #lanes: readonly Lane[];
  readonly #ledgers = new Map<string, PageLedger>();
  readonly #onPageDone: (region: string) => void;

  /** `onPageDone`: every job of some page of the region's list that this target had is done. */
  constructor(lanes: readonly Lane[], onPageDone: (region: string) => void) {
    this.#lanes = lanes;
    this.#onPageDone = onPageDone;
  }

  of(target: string): Lane | undefined {
    return this.#lanes.find((lane) => lane.target === target);
  }

  /** Whether any of these targets would take a job for the asset. Where one has no room, the page is kept in mind. */
  wants(targets: readonly string[], region: string, assetName: string, page: number): boolean {
    const open = this.#lanes.filter((lane) => targets.includes(lane.target) && !lane.knows(region, assetName));
    for (const lane of open) if (lane.isFull) this.#ledger(lane, region).hold(page);
    return open.some((lane) => !lane.isFull);
  }

  offer(job: PlannedJob, page: number): void {
    const lane = this.of(job.target);
    if (lane === undefined || lane.knows(job.source, job.assetName)) return;
    const ledger = this.#ledger(lane, job.source);
    ledger.begun(page);
    const settled = (): void => {
      if (ledger.ended(page)) this.#onPageDone(job.source);
    };
    if (lane.offer(job, settled)) return;
    ledger.hold(page);
    ledger.ended(page);
  }

  /** The first page of the region's list that has a job that is not done. */
  low(region: string, lanes: readonly Lane[] = this.#lanes): number {
    return Math.min(Number.POSITIVE_INFINITY, ...lanes.map((lane) => this.#ledger(lane, region).low));
  }

  /** Those for which pages have to be read again. */
  held(regions: readonly string[]): readonly Lane[] {
    return this.#lanes.filter((lane) => regions.some((region) => this.#ledger(lane, region).isHeld));
  }

  hold(region: string, page: number, lanes: readonly Lane[]): void {
    for (const lane of lanes) this.#ledger(lane, region).hold(page);
  }

  release(region: string, lanes: readonly Lane[] = this.#lanes): void {
    for (const lane of lanes) this.#ledger(lane, region).release();
  }

  async drained(): Promise<void> {
    // All are waited for: none is left running behind the caller's back.
    const ends = await Promise.allSettled(this.#lanes.map(async (lane) => lane.drained()));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  #ledger(lane: Lane, region: string): PageLedger {
    const key = `${lane.target}/${region}`;
    const ledger = this.#ledgers.get(key) ?? new PageLedger();
    this.#ledgers.set(key, ledger);
    return ledger;
  }
}
