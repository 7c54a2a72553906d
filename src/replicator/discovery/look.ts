/** Looks at one asset of one region: what it publishes there, which of that comes from there, and what is to be done about it. */
import type { Clock } from "../../core/clock.ts";
import type { CatalogueEntry } from "../../core/contracts.ts";
import type { LocatorSummary } from "../../core/media.ts";
import type { CatalogueStore } from "../../core/ports/catalogue.ts";
import type { Journal } from "../../core/ports/journal.ts";
import { isRepublished, jobsFor, originOf, type Entries, type PlannedJob, type Publication } from "../discover.ts";
import type { ReplicationDriver } from "../driver.ts";
import { jobId } from "../job.ts";

export interface LookDeps {
  readonly driver: Pick<ReplicationDriver, "publicationsOf">;
  readonly catalogue: Pick<CatalogueStore, "get">;
  readonly journal: Pick<Journal, "load">;
  readonly clock: Clock;
  /** Regions whose publications are carried, in order of priority. */
  readonly sources: readonly string[];
  /** Whether a region may be asked; one that may not counts as one that publishes nothing. */
  readonly isReachable: (region: string) => Promise<boolean>;
  /** A region was asked and did not answer. */
  readonly lost: (region: string, error: unknown) => void;
  /** For each request. */
  readonly timeoutMs: number;
}

export interface Looked {
  /** What the region lists of the asset, wherever it comes from. */
  readonly listed: number;
  /** What comes from the region. */
  readonly publications: readonly Publication[];
  readonly entries: Entries;
}

/** Throws where the region or the catalogue cannot be asked. */
export async function lookAt(deps: LookDeps, region: string, assetName: string, stop?: AbortSignal): Promise<Looked> {
  const listed = await ask(deps, region, assetName, stop);
  const entries = await entriesOf(deps, listed);
  let others: ReadonlyMap<string, readonly LocatorSummary[]> | null = null;
  const publications: Publication[] = [];
  for (const { streamingLocatorId, created } of listed) {
    const locatorId = streamingLocatorId.toLowerCase();
    const entry = entries.get(locatorId) ?? null;
    if (entry?.source !== region) {
      others ??= await askOthers(deps, region, assetName, stop);
      const everywhere = new Map([...others, [region, listed]]);
      const sightings = deps.sources.flatMap((each) => sightingsIn(each, everywhere.get(each) ?? [], locatorId));
      if (originOf(sightings, entry, deps.sources) !== region) continue;
    }
    publications.push({ locatorId, assetName, source: region, created });
  }
  return { listed: listed.length, publications, entries };
}

/** The jobs for one target; see `jobsFor`. What was published again is looked at in every target, once. */
export async function jobsTo(
  { journal }: Pick<LookDeps, "journal">,
  { publications, entries }: Looked,
  target: string,
  full: boolean,
): Promise<readonly PlannedJob[]> {
  const again = publications.filter((publication) => isRepublished(publication, entries));
  const [first] = again;
  if (full || first === undefined) return jobsFor(publications, entries, { target, full });
  const done = await journal.load(jobId({ source: first.source, target, assetName: first.assetName }));
  const since = Math.max(...again.map(({ created }) => created));
  return jobsFor(publications, entries, { target, full: done?.state !== "done" || done.updatedAt < since });
}

async function entriesOf({ catalogue }: LookDeps, listed: readonly LocatorSummary[]): Promise<Entries> {
  const entries = new Map<string, CatalogueEntry>();
  for (const { streamingLocatorId } of listed) {
    const id = streamingLocatorId.toLowerCase();
    const stored = await catalogue.get(id);
    if (stored !== null) entries.set(id, stored.entry);
  }
  return entries;
}

/** One that does not answer is as one that publishes nothing: what is known to come from there is left alone all the same. */
async function askOthers(deps: LookDeps, region: string, assetName: string, stop?: AbortSignal) {
  const answers = new Map<string, readonly LocatorSummary[]>();
  const others = deps.sources.filter((source) => source !== region);
  await Promise.all(
    others.map(async (other) => {
      if (!(await deps.isReachable(other))) return;
      try {
        answers.set(other, await ask(deps, other, assetName, stop));
      } catch (error) {
        stop?.throwIfAborted();
        deps.lost(other, error);
      }
    }),
  );
  return answers;
}

async function ask({ driver, clock, timeoutMs }: LookDeps, region: string, assetName: string, stop?: AbortSignal) {
  using deadline = clock.deadline(timeoutMs);
  return driver.publicationsOf(region, assetName, stop === undefined ? deadline.signal : AbortSignal.any([deadline.signal, stop]));
}

function sightingsIn(region: string, summaries: readonly LocatorSummary[], locatorId: string) {
  return summaries
    .filter(({ streamingLocatorId }) => streamingLocatorId.toLowerCase() === locatorId)
    .map(({ created }) => ({ region, created }));
}
