/** What a pass did, added up as it goes: counts for all, and the results of so many as people may want to read. */
import type { MassWithdrawal } from "./discover.ts";
import { FingerprintTable } from "./discovery/fingerprints.ts";
import type { JobResult } from "./runJob.ts";
import type { Withdrawals } from "./withdraw.ts";

export interface PassSummary {
  /** Distinct assets published in the source regions (of those asked for). */
  readonly assets: number;
  readonly changed: number;
  readonly unchanged: number;
  readonly conflicts: number;
  readonly failed: number;
  /** Jobs that other processes did since the pass began, or are still at. */
  readonly elsewhere: number;
  /** Pieces of work put into the queue, where there is one; what became of them is not known here. */
  readonly queued: number;
  /** Bytes copied. */
  readonly bytes: number;
  /** Copies that must not serve any more because their source has unpublished them. */
  readonly withdrawn: number;
  /** Sources of which too much seemed to be unpublished at once: nothing of theirs was withdrawn. */
  readonly withdrawalsRefused: readonly MassWithdrawal[];
  /** Regions that could not be asked what they publish. */
  readonly unreachable: readonly string[];
  /** The first thousand that are not `unchanged`, and the first hundred that are: the counts are of all. */
  readonly results: readonly JobResult[];
  /** Results that are not `unchanged`, and not among these. */
  readonly resultsLeftOut: number;
}

const NOTABLE_KEPT = 1_000;
const UNCHANGED_KEPT = 100;

export class PassTally {
  readonly #assets = new FingerprintTable(0);
  readonly #counts = { changed: 0, unchanged: 0, conflict: 0, failed: 0 };
  readonly #results: JobResult[] = [];
  #unchangedKept = 0;
  #leftOut = 0;
  #elsewhere = 0;
  #bytes = 0;
  #queued = 0;

  asset(region: string, assetName: string): void {
    this.#assets.add(`${region}/${assetName}`);
  }

  queued(): void {
    this.#queued += 1;
  }

  job(result: JobResult): void {
    this.#bytes += result.counts.bytesCopied;
    if (result.elsewhere === undefined) this.#counts[result.result] += 1;
    else this.#elsewhere += 1;
    const isUnchanged = result.result === "unchanged";
    if (isUnchanged ? this.#unchangedKept >= UNCHANGED_KEPT : this.#results.length - this.#unchangedKept >= NOTABLE_KEPT) {
      if (!isUnchanged) this.#leftOut += 1;
      return;
    }
    if (isUnchanged) this.#unchangedKept += 1;
    this.#results.push(result);
  }

  summary({ withdrawn, refused, unconfirmed }: Withdrawals, unreachable: readonly string[]): PassSummary {
    const { changed, unchanged, conflict: conflicts, failed } = this.#counts;
    return {
      assets: this.#assets.size,
      changed,
      unchanged,
      conflicts,
      failed,
      elsewhere: this.#elsewhere,
      queued: this.#queued,
      bytes: this.#bytes,
      withdrawn,
      withdrawalsRefused: refused,
      unreachable: [...new Set([...unreachable, ...unconfirmed])],
      results: this.#results,
      resultsLeftOut: this.#leftOut,
    };
  }
}
