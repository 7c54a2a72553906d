/** Decides, video by video, how a region that has lost its content gets it back. Pure. */
import type { CatalogueEntry } from "../../core/contracts.ts";

/** In the place of a region's name: policies, filters and locators come from the record of keys. */
export const RECORD = "record";

export interface RebuildFacts {
  /** To be rebuilt. */
  readonly region: string;
  /** A region, or `RECORD`; null: whatever has it. */
  readonly from: string | null;
  /** The other regions that can be copied from, the first choice first. */
  readonly others: readonly string[];
  /** Those of them that answer now. */
  readonly answering: ReadonlySet<string>;
  /** Locator ids that the region lists now. */
  readonly listed: ReadonlySet<string>;
  /** When the rebuild began that is gone on with, epoch milliseconds; null: this is a new one. */
  readonly since: number | null;
  /** Everything is carried to the region, not only what it publishes. */
  readonly isTarget: boolean;
  /** Locator ids that have a record; null where none is kept. */
  readonly recorded: ReadonlySet<string> | null;
  /** Files that lie in the region's own containers are taken as they are where nobody else has them. */
  readonly filesInPlace: boolean;
}

export interface RebuildJob {
  /** Where policies, filters and locators come from: a region, or `RECORD`. With the region itself, what it still has is verified. */
  readonly from: string;
  /** Region whose containers have the files. */
  readonly files: string;
  /** The region that publishes it. */
  readonly source: string;
  readonly assetName: string;
  readonly locatorIds: readonly string[];
}

/** A video that stays as it is. */
export interface LeftOut {
  readonly locatorId: string;
  readonly assetName: string;
  /** One sentence for people. */
  readonly why: string;
}

export interface RebuildPlan {
  readonly jobs: readonly RebuildJob[];
  /** Locators of which the region has a copy by the catalogue, which must not serve before it is verified again. */
  readonly withdraw: readonly string[];
  /** Nothing can bring them back. */
  readonly lost: readonly LeftOut[];
  /** Another region has them, and cannot be asked now. */
  readonly waiting: readonly LeftOut[];
  /** Videos that this rebuild has brought back already. */
  readonly done: number;
  /** Videos that the catalogue has as verified in the region, and how many of them it lists. */
  readonly held: { readonly verified: number; readonly listed: number };
}

interface JobWay {
  readonly kind: "job";
  readonly from: string;
  readonly files: string;
}

type Way = JobWay | { readonly kind: "none" } | { readonly kind: "done" } | { readonly kind: "lost" | "waiting"; readonly why: string };

export function planRebuild(entries: Iterable<CatalogueEntry>, facts: RebuildFacts): RebuildPlan {
  const jobs: Jobs = new Map();
  const left: Record<"lost" | "waiting", LeftOut[]> = { lost: [], waiting: [] };
  const withdraw: string[] = [];
  const held = { verified: 0, listed: 0 };
  let done = 0;
  for (const entry of entries) {
    const { locatorId, assetName } = entry;
    const isListed = facts.listed.has(locatorId);
    const way = wayOf(entry, facts);
    if (entry.regions[facts.region]?.state === "verified") {
      held.verified += 1;
      held.listed += isListed ? 1 : 0;
      if (mustWait(way, facts, isListed)) withdraw.push(locatorId);
    }
    if (way.kind === "done") done += 1;
    else if (way.kind === "job") addJob(jobs, entry, way);
    else if (way.kind !== "none") left[way.kind].push({ locatorId, assetName, why: way.why });
  }
  return { jobs: [...jobs.values()], withdraw, ...left, done, held };
}

type Jobs = Map<string, RebuildJob & { readonly locatorIds: string[] }>;

/** One job for all locators of an asset that come from the same place. */
function addJob(jobs: Jobs, { locatorId, assetName, source }: CatalogueEntry, { from, files }: JobWay): void {
  const key = JSON.stringify([from, files, source, assetName]);
  const job = jobs.get(key) ?? { from, files, source, assetName, locatorIds: [] };
  job.locatorIds.push(locatorId);
  jobs.set(key, job);
}

/** Everything that comes from elsewhere is verified anew before it serves. What is only here is not taken from viewers while it may be well. */
function mustWait(way: Way, { region }: RebuildFacts, isListed: boolean): boolean {
  if (way.kind === "job") return way.from !== region;
  return !isListed && (way.kind === "lost" || way.kind === "waiting");
}

function wayOf(entry: CatalogueEntry, facts: RebuildFacts): Way {
  const { region, from, isTarget } = facts;
  if (entry.regions[region] === undefined && entry.source !== region && !isTarget) return { kind: "none" };
  if (isDone(entry, facts)) return { kind: "done" };
  if (from === RECORD) return recordedWay(entry, facts);
  return from === null ? anyWay(entry, facts) : namedWay(entry, facts, from);
}

/** What is lost a second time is not listed any more. */
function isDone({ locatorId, regions }: CatalogueEntry, { region, since, listed }: RebuildFacts): boolean {
  const copy = regions[region];
  return since !== null && copy?.state === "verified" && copy.at > since && listed.has(locatorId);
}

function namedWay(entry: CatalogueEntry, { answering }: RebuildFacts, from: string): Way {
  if (entry.regions[from]?.state !== "verified") return { kind: "lost", why: `it is not verified in ${from}` };
  return answering.has(from) ? { kind: "job", from, files: from } : { kind: "waiting", why: `${from} does not answer` };
}

function anyWay(entry: CatalogueEntry, facts: RebuildFacts): Way {
  const { region, listed, filesInPlace } = facts;
  const [living] = livingIn(entry, facts);
  if (living !== undefined) return { kind: "job", from: living, files: living };
  if (filesInPlace && isRecorded(entry, facts)) return { kind: "job", from: RECORD, files: region };
  const absent = verifiedElsewhere(entry, facts);
  if (absent.length > 0) return { kind: "waiting", why: `only ${absent.join(" and ")} has it, and does not answer` };
  if (listed.has(entry.locatorId)) return { kind: "job", from: region, files: region };
  return { kind: "lost", why: "no region has a verified copy" };
}

function recordedWay(entry: CatalogueEntry, facts: RebuildFacts): Way {
  if (!isRecorded(entry, facts)) return { kind: "lost", why: "it has no key record" };
  const [living] = livingIn(entry, facts);
  if (living !== undefined) return { kind: "job", from: RECORD, files: living };
  if (facts.filesInPlace) return { kind: "job", from: RECORD, files: facts.region };
  const absent = verifiedElsewhere(entry, facts);
  if (absent.length > 0) return { kind: "waiting", why: `only ${absent.join(" and ")} has its files, and does not answer` };
  return { kind: "lost", why: "no other region has its files; if they lie in the region's own containers, add --files-in-place" };
}

function isRecorded({ locatorId }: CatalogueEntry, { recorded }: RebuildFacts): boolean {
  return recorded?.has(locatorId) === true;
}

function livingIn(entry: CatalogueEntry, facts: RebuildFacts): readonly string[] {
  return verifiedElsewhere(entry, facts).filter((name) => facts.answering.has(name));
}

/** Its publisher first: what others have was copied from there. */
function verifiedElsewhere({ regions, source }: CatalogueEntry, { others }: RebuildFacts): readonly string[] {
  const having = others.filter((name) => regions[name]?.state === "verified");
  return [...having.filter((name) => name === source), ...having.filter((name) => name !== source)];
}
