/** Decides, from the listings of all regions and the catalogue, which jobs there are. Pure. */
import type { CatalogueEntry } from "../core/contracts.ts";
import type { LocatorSummary } from "../core/media.ts";

/** What a region publishes; null: it could not be asked. */
export type Listing = readonly LocatorSummary[] | null;

/** One published locator and the region that it comes from. */
export interface Publication {
  readonly locatorId: string;
  readonly assetName: string;
  readonly source: string;
}

export interface Discovery {
  readonly publications: readonly Publication[];
  /** Entries that the catalogue has as verified in their source region, and that its listing lacks. A listing alone proves nothing. */
  readonly gone: readonly CatalogueEntry[];
}

export interface PlannedJob {
  readonly source: string;
  readonly target: string;
  readonly assetName: string;
  readonly locatorIds: readonly string[];
}

export type Entries = ReadonlyMap<string, CatalogueEntry>;

/**
 * Groups the source regions' listings by locator id. The source is the one that the catalogue names; for a locator that is new, the region
 * where it was created first. A locator whose known source cannot be asked is left alone.
 */
export function discover(sources: ReadonlyMap<string, Listing>, entries: Entries): Discovery {
  const groups = new Map<string, { readonly region: string; readonly summary: LocatorSummary }[]>();
  for (const [region, listing] of sources) {
    for (const summary of listing ?? []) {
      const id = summary.streamingLocatorId.toLowerCase();
      groups.set(id, [...(groups.get(id) ?? []), { region, summary }]);
    }
  }
  const publications: Publication[] = [];
  for (const [locatorId, found] of groups) {
    const known = entries.get(locatorId)?.source;
    const chosen =
      known !== undefined && sources.has(known)
        ? found.find(({ region }) => region === known)
        : found.toSorted((one, other) => one.summary.created - other.summary.created)[0];
    if (chosen !== undefined) publications.push({ locatorId, assetName: chosen.summary.assetName, source: chosen.region });
  }
  return { publications, gone: findGone(sources, entries) };
}

function findGone(sources: ReadonlyMap<string, Listing>, entries: Entries): Discovery["gone"] {
  return [...entries.values()].filter((entry) => {
    const listing = sources.get(entry.source);
    return listing !== undefined && listing !== null && isServedBySource(entry) && !lists(listing, entry.locatorId);
  });
}

function isServedBySource(entry: CatalogueEntry): boolean {
  return entry.regions[entry.source]?.state === "verified";
}

/** A source that seems to have unpublished more at once than is believed without being told so. */
export interface MassWithdrawal {
  readonly region: string;
  readonly gone: number;
  /** How many videos the catalogue has as verified there. */
  readonly of: number;
}

/** So few are believed, whatever their share is. */
const ALWAYS_BELIEVED = 3;
const BELIEVED_SHARE = 0.5;

/** Sources of which more than three videos, and more than half of them, are gone in one pass: rather a fault than anybody's wish. */
export function massWithdrawals(gone: Discovery["gone"], entries: Entries): readonly MassWithdrawal[] {
  return [...Map.groupBy(gone, ({ source }) => source)]
    .map(([region, lost]) => {
      const served = [...entries.values()].filter((entry) => entry.source === region && isServedBySource(entry));
      return { region, gone: lost.length, of: served.length };
    })
    .filter((each) => each.gone > ALWAYS_BELIEVED && each.gone > each.of * BELIEVED_SHARE);
}

export interface TargetOptions {
  readonly target: string;
  readonly listing: Listing;
  /** Also what the catalogue has as verified is looked at again. */
  readonly full: boolean;
}

/** The jobs of one target, one for each asset. The source region is a target too: there, nothing is copied. */
export function jobsFor(publications: readonly Publication[], entries: Entries, options: TargetOptions): readonly PlannedJob[] {
  const jobs = new Map<string, { source: string; target: string; assetName: string; locatorIds: string[] }>();
  for (const publication of publications) {
    if (!options.full && isHeld(publication, entries, options)) continue;
    const { source, assetName, locatorId } = publication;
    const key = `${source}/${assetName}`;
    const job = jobs.get(key) ?? { source, target: options.target, assetName, locatorIds: [] };
    job.locatorIds.push(locatorId);
    jobs.set(key, job);
  }
  return [...jobs.values()];
}

/** Verified there, and not gone from there as far as the region can be asked. */
function isHeld({ locatorId }: Publication, entries: Entries, { target, listing }: TargetOptions): boolean {
  return entries.get(locatorId)?.regions[target]?.state === "verified" && (listing === null || lists(listing, locatorId));
}

function lists(listing: readonly LocatorSummary[], locatorId: string): boolean {
  return listing.some((summary) => summary.streamingLocatorId.toLowerCase() === locatorId);
}
