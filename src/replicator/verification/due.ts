/** When a copy is verified again, so that the whole library is gone through in a stated time. Pure. */
import type { CatalogueEntry, RegionCopy } from "../../core/contracts.ts";
import type { JobIdentity } from "../job.ts";
import { fraction } from "./sample.ts";

export interface DueCopy extends JobIdentity {
  readonly dueAt: number;
}

/** When it was last seen to be good. Entries of older versions only say when it was published. */
export function verifiedAt({ at, verification }: RegionCopy): number {
  return verification?.at ?? at;
}

/** At the latest `everyMs` after the last time, at the earliest half of that: what was copied in one night is not verified in one. */
export function dueAt(locatorId: string, region: string, copy: RegionCopy, everyMs: number): number {
  const last = verifiedAt(copy);
  return last + everyMs * (0.5 + 0.5 * fraction(`${region}/${locatorId}/${last}`));
}

export interface DueOptions {
  readonly now: number;
  readonly everyMs: number;
  readonly most: number;
  /** Those that can be asked. */
  readonly regions: ReadonlySet<string>;
  /** Also copies that are out of service. Default false. */
  readonly withdrawn?: boolean;
  /** Copies, by `copyKey`, that are passed over; left out: none. */
  readonly except?: { has(key: string): boolean };
}

export function copyKey({ source, target, assetName }: JobIdentity): string {
  return `${source}/${assetName}->${target}`;
}

/** At most `most` verified copies whose time has come, the longest overdue first; each asset of a region once. */
export function dueCopies(entries: Iterable<CatalogueEntry>, options: DueOptions): readonly DueCopy[] {
  let due = new Map<string, DueCopy>();
  for (const copy of copiesOf(entries, options)) {
    const key = copyKey(copy);
    if (copy.dueAt > options.now || options.except?.has(key) === true) continue;
    if (copy.dueAt < (due.get(key)?.dueAt ?? Infinity)) due.set(key, copy);
    if (due.size > 2 * options.most) due = firstOf(due, options.most);
  }
  return [...firstOf(due, options.most).values()];
}

function* copiesOf(entries: Iterable<CatalogueEntry>, { everyMs, regions, withdrawn = false }: DueOptions): Generator<DueCopy> {
  for (const { locatorId, source, assetName, regions: copies } of entries) {
    if (!regions.has(source)) continue;
    for (const [target, copy] of Object.entries(copies))
      if ((withdrawn || copy.state === "verified") && regions.has(target))
        yield { source, target, assetName, dueAt: dueAt(locatorId, target, copy, everyMs) };
  }
}

function firstOf(due: ReadonlyMap<string, DueCopy>, most: number): Map<string, DueCopy> {
  return new Map([...due].sort(([, one], [, other]) => one.dueAt - other.dueAt).slice(0, most));
}

/** For each region the time at which its longest unverified copy was last seen to be good; null where it has none. */
export function oldestVerified(entries: Iterable<CatalogueEntry>, regions: Iterable<string>): ReadonlyMap<string, number | null> {
  const oldest = new Map<string, number | null>([...regions].map((region) => [region, null]));
  for (const { regions: copies } of entries) {
    for (const [region, copy] of Object.entries(copies)) {
      const known = oldest.get(region);
      if (copy.state === "verified" && known !== undefined) oldest.set(region, Math.min(known ?? Infinity, verifiedAt(copy)));
    }
  }
  return oldest;
}
