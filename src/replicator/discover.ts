/** Decides, of what regions list and the catalogue knows, what has to be looked at, where it comes from, and which jobs there are. Pure. */
import type { CatalogueEntry } from "../core/contracts.ts";
import type { LocatorSummary } from "../core/media.ts";
import type { KnownLocator } from "./discovery/catalogueIndex.ts";

/** One published locator and the region that it comes from. */
export interface Publication {
  readonly locatorId: string;
  readonly assetName: string;
  readonly source: string;
  /** When its source published it, epoch milliseconds; 0 where that is not known. */
  readonly created: number;
}

export interface PlannedJob {
  readonly source: string;
  readonly target: string;
  readonly assetName: string;
  readonly locatorIds: readonly string[];
}

export type Entries = ReadonlyMap<string, CatalogueEntry>;

export interface SuspectRules {
  /** Regions whose publications are carried. */
  readonly sources: readonly string[];
  /** Regions that they are carried to, as far as these can be asked. */
  readonly targets: readonly string[];
  /** Also what the catalogue has as verified is looked at again. */
  readonly full: boolean;
}

/** Whether a locator that a region lists gives reason to look at its asset there. What its own source lists, verified everywhere, does not. */
export function isSuspect(
  region: string,
  listed: Pick<LocatorSummary, "created">,
  known: KnownLocator | null,
  rules: SuspectRules,
): boolean {
  const { sources, targets, full } = rules;
  if (!sources.includes(region)) return false;
  if (known === null || known.source === null || !sources.includes(known.source)) return true;
  const { source } = known;
  // A copy, unless it was published here after its source had stopped publishing it.
  if (source !== region) return !known.isVerified(source) && listed.created > known.sourceAt;
  return full || listed.created > known.sourceAt || [region, ...targets].some((target) => !known.isVerified(target));
}

/** A region that lists a locator. */
export interface Sighting {
  readonly region: string;
  readonly created: number;
}

/**
 * The region whose publication counts, null for none. It is the one that the catalogue names as long as that lists it. Once that has stopped
 * publishing it, the newest publication made since counts. What nobody knows comes from where it was created first: the others are copies.
 */
export function originOf(sightings: readonly Sighting[], entry: CatalogueEntry | null, sources: readonly string[]): string | null {
  const inOrder = sightings.toSorted((one, other) => one.created - other.created);
  if (entry === null || !sources.includes(entry.source)) return inOrder[0]?.region ?? null;
  if (sightings.some(({ region }) => region === entry.source)) return entry.source;
  const former = entry.regions[entry.source];
  if (former?.state === "verified") return null;
  return inOrder.findLast(({ created }) => created > (former?.at ?? 0))?.region ?? null;
}

export interface TargetOptions {
  readonly target: string;
  readonly full: boolean;
}

/** The jobs of one target, one for each asset. The source region is a target too: there, nothing is copied. */
export function jobsFor(publications: readonly Publication[], entries: Entries, { target, full }: TargetOptions): readonly PlannedJob[] {
  const jobs = new Map<string, { source: string; target: string; assetName: string; locatorIds: string[] }>();
  for (const { source, assetName, locatorId } of publications) {
    const entry = entries.get(locatorId);
    if (!full && entry?.source === source && entry.regions[target]?.state === "verified") continue;
    const key = `${source}/${assetName}`;
    const job = jobs.get(key) ?? { source, target, assetName, locatorIds: [] };
    job.locatorIds.push(locatorId);
    jobs.set(key, job);
  }
  return [...jobs.values()];
}

/** Whether the source has published the locator again since it was verified there: then every copy has to be looked at. */
export function isRepublished({ locatorId, source, created }: Publication, entries: Entries): boolean {
  const at = entries.get(locatorId)?.regions[source]?.at;
  return at !== undefined && created > at;
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

/** More than three videos of a source, and more than half of them, are gone in one pass: rather a fault than anybody's wish. */
export function isMassWithdrawal({ gone, of }: Pick<MassWithdrawal, "gone" | "of">): boolean {
  return gone > ALWAYS_BELIEVED && gone > of * BELIEVED_SHARE;
}
