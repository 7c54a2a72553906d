/** One walk through what regions list, held against the index of the catalogue: names the assets that have to be looked at, page by page. */
import type { Clock } from "../../core/clock.ts";
import { errorChain, errorCode, PaircastError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { ListPage, LocatorSummary } from "../../core/media.ts";
import { isSuspect, type SuspectRules } from "../discover.ts";
import type { ReplicationDriver } from "../driver.ts";
import type { CatalogueIndex } from "./catalogueIndex.ts";
import { listing } from "./listing.ts";

/** Where a page of a region's list begins; the first has number 0 and no place. */
export interface PageMark {
  readonly number: number;
  readonly place: string | null;
}

export const FIRST_PAGE: PageMark = { number: 0, place: null };

/** A page after it was held against the catalogue. */
export interface SweptPage {
  readonly region: string;
  readonly mark: PageMark;
  /** The page after it; null after the last. */
  readonly next: PageMark | null;
  /** Assets to look at, each once, and when the newest of their locators that give reason was created; 0 where that is not known. */
  readonly suspects: ReadonlyMap<string, number>;
  /** Assets that come from here, and that are no suspects. */
  readonly settled: readonly string[];
}

export interface SweepOptions {
  readonly driver: Pick<ReplicationDriver, "pages">;
  readonly clock: Clock;
  readonly log: Log;
  readonly index: CatalogueIndex;
  readonly rules: SuspectRules;
  /** For each page. */
  readonly timeoutMs: number;
  /** The region has answered. */
  readonly answered: (region: string) => void;
  /** Returns false to end the walk through this region. */
  readonly onPage: (page: SweptPage) => Promise<boolean>;
}

/**
 * Walks through one region's list from `from` on. `complete`: all of it was listed in this walk. `broken`: it could not be read to its end; the
 * error is logged. Rejects only with what `onPage` rejects with, or the reason of `stop`.
 */
export async function sweepRegion(
  options: SweepOptions,
  region: string,
  from: PageMark,
  stop?: AbortSignal,
): Promise<"complete" | "partial" | "broken"> {
  const { driver, clock, timeoutMs, answered, onPage } = options;
  let mark = from;
  const pages = listing({ driver, clock, region, from: from.place, timeoutMs }, stop);
  try {
    for (;;) {
      const page = await nextPage(pages, options, region, stop);
      if (page === "broken") {
        if (mark !== from || from.place === null) return "broken";
        // The service may have forgotten a place that was kept for long.
        return await sweepRegion(options, region, FIRST_PAGE, stop);
      }
      answered(region);
      if (page === null) return from.place === null ? "complete" : "partial";
      const swept = hold(options, region, mark, page);
      if (!(await onPage(swept))) return "partial";
      mark = swept.next ?? mark;
    }
  } finally {
    await pages.return(undefined);
  }
}

async function nextPage(
  pages: AsyncGenerator<ListPage<LocatorSummary>>,
  { log }: SweepOptions,
  region: string,
  stop?: AbortSignal,
): Promise<ListPage<LocatorSummary> | null | "broken"> {
  try {
    const page = await pages.next();
    return page.done === true ? null : page.value;
  } catch (error) {
    stop?.throwIfAborted();
    log.warn("replication.region_unreachable", { region, code: codeOf(error), error: errorChain(error) });
    return "broken";
  }
}

/** The time-out of a page is ours. */
function codeOf(error: unknown): string {
  return error instanceof PaircastError
    ? error.code
    : error instanceof Error && error.name === "TimeoutError"
      ? "timeout"
      : errorCode(error);
}

function hold({ index, rules }: SweepOptions, region: string, mark: PageMark, { items, next }: ListPage<LocatorSummary>): SweptPage {
  const suspects = new Map<string, number>();
  const settled = new Set<string>();
  for (const { streamingLocatorId, assetName, created } of items) {
    const known = index.listed(streamingLocatorId, region);
    if (isSuspect(region, { created }, known, rules)) suspects.set(assetName, Math.max(created, suspects.get(assetName) ?? 0));
    else if (known?.source === region && rules.sources.includes(region)) settled.add(assetName);
  }
  return {
    region,
    mark,
    next: next === null ? null : { number: mark.number + 1, place: next },
    suspects,
    settled: [...settled.difference(suspects)],
  };
}
