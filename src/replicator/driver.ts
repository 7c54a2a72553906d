/** How the publications of one kind of account are found and carried. */
import { isLiveAsset } from "../core/live.ts";
import type { ListPage, LocatorSummary } from "../core/media.ts";
import type { MediaAccount } from "../core/ports/media.ts";
import { SharedReads } from "./commonReads.ts";
import type { PlannedJob } from "./discover.ts";
import { replicateAsset, type AmsDeps } from "./run.ts";
import type { JobResult, Sharing } from "./runJob.ts";
import type { PublishedCheck } from "./withdraw.ts";

export interface ReplicationDriver {
  /** What a region publishes, from the beginning (null) or from where an earlier page said that the list goes on. Throws when it cannot be asked. */
  readonly pages: (region: string, from: string | null, signal: AbortSignal) => AsyncIterable<ListPage<LocatorSummary>>;
  /** What a region publishes of one asset; nothing where it has no such asset. Throws when it cannot be asked. */
  readonly publicationsOf: (region: string, assetName: string, signal: AbortSignal) => Promise<readonly LocatorSummary[]>;
  /** Asks the source of an entry for this one publication. */
  readonly isPublished: PublishedCheck;
  readonly replicate: (job: PlannedJob & { readonly sharing?: Sharing }, stop?: AbortSignal) => Promise<JobResult>;
}

export function amsDriver(deps: AmsDeps): ReplicationDriver {
  const { accounts } = deps;
  const sharing: AmsDeps = { ...deps, shared: new SharedReads(deps.clock) };
  return {
    pages: (region, from, signal) => {
      const account = accounts.get(region);
      return account === undefined ? inPages(nothing()) : withoutLive(locatorPages(account, from, signal));
    },
    publicationsOf: async (region, assetName, signal) =>
      isLiveAsset(assetName) ? [] : ((await accounts.get(region)?.assetLocators(assetName, signal)) ?? []),
    isPublished: async ({ source, locatorName, locatorId }, signal) => {
      // Another locator may have the name by now.
      const locator = await accounts.get(source)?.locator(locatorName, signal);
      return locator === undefined || locator?.streamingLocatorId.toLowerCase() === locatorId;
    },
    replicate: (job, stop) => replicateAsset(sharing, job, stop),
  };
}

function locatorPages(account: MediaAccount, from: string | null, signal: AbortSignal): AsyncIterable<ListPage<LocatorSummary>> {
  return account.locatorPages?.(from, signal) ?? inPages(account.locators(signal));
}

/** Each region records a live event by itself: nothing of it is carried. */
async function* withoutLive(pages: AsyncIterable<ListPage<LocatorSummary>>): AsyncGenerator<ListPage<LocatorSummary>> {
  for await (const { items, next } of pages) yield { items: items.filter(({ assetName }) => !isLiveAsset(assetName)), next };
}

const PAGE = 1000;

/** A list that cannot be taken up in the middle, in pages all the same. */
export async function* inPages<T>(list: AsyncIterable<T>): AsyncGenerator<ListPage<T>> {
  let items: T[] = [];
  for await (const item of list) {
    items.push(item);
    if (items.length < PAGE) continue;
    yield { items, next: null };
    items = [];
  }
  yield { items, next: null };
}

async function* nothing(): AsyncGenerator<never> {}
