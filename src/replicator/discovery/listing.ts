/** Reads the list of a region page by page, each bounded in time. */
import type { Clock } from "../../core/clock.ts";
import type { ListPage, LocatorSummary } from "../../core/media.ts";
import type { ReplicationDriver } from "../driver.ts";

export interface ListingOptions {
  readonly driver: Pick<ReplicationDriver, "pages">;
  readonly clock: Clock;
  readonly region: string;
  /** Where the list goes on; null: from its beginning. */
  readonly from: string | null;
  /** For each page. */
  readonly timeoutMs: number;
}

/** Throws what the region's account throws, the time-out of a page, or the reason of `stop`. */
export async function* listing(options: ListingOptions, stop?: AbortSignal): AsyncGenerator<ListPage<LocatorSummary>> {
  const { driver, clock, region, from, timeoutMs } = options;
  const halt = new AbortController();
  const pages = driver.pages(region, from, halt.signal)[Symbol.asyncIterator]();
  try {
    for (;;) {
      using deadline = clock.deadline(timeoutMs);
      const page = await onAbort(stop === undefined ? deadline.signal : AbortSignal.any([deadline.signal, stop]), halt, () => pages.next());
      if (page.done === true) return;
      yield page.value;
    }
  } finally {
    // A list that is left in the middle: what it holds open is not waited for.
    void pages.return?.()?.catch(() => undefined);
  }
}

async function onAbort<T>(signal: AbortSignal, halt: AbortController, run: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const abort = (): void => {
    halt.abort(signal.reason);
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await run();
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
