/** Writes the catalogue, last of all: compare and set, merging with what other jobs wrote meanwhile. */
import type { CatalogueEntry, CopyVerification, RegionCopy } from "../core/contracts.ts";
import { errorCode } from "../core/errors.ts";
import type { CatalogueStore } from "../core/ports/catalogue.ts";
import type { Fence } from "../core/ports/journal.ts";
import type { JobContext } from "./runJob.ts";
import { withCopy, withoutCopy, type VideoFacts } from "./entry.ts";

const TRIES = 20;

export interface VerifiedVideo {
  readonly facts: VideoFacts;
  /** One sentence for people: what was verified. */
  readonly detail: string;
  /** Null where it could not be measured. */
  readonly aligned: boolean | null;
  /** What of its content was verified; left out: nothing, it was good before. */
  readonly verification?: CopyVerification;
}

/** Says that the job's target holds these videos, verified. */
export async function publishVerified({ deps, identity, tally, fence }: JobContext, videos: readonly VerifiedVideo[]): Promise<void> {
  for (const { facts, detail, aligned, verification } of videos) {
    const copy: RegionCopy = {
      state: "verified",
      at: deps.clock.now(),
      detail,
      ...(aligned === null ? {} : { aligned }),
      ...(verification === undefined ? {} : { verification }),
    };
    const change = (stored: CatalogueEntry | null) => {
      const source = deps.keepsSource === true ? (stored?.source ?? facts.source) : facts.source;
      return withCopy(stored, { ...facts, source }, identity.target, copy);
    };
    if (await changeEntry(deps.catalogue, facts.locatorId, change, fence)) tally.published += 1;
  }
}

/** Says that the job's target must not serve these videos any more. */
export async function withdrawFrom(
  { deps, identity, tally, fence }: JobContext,
  locatorIds: readonly string[],
  detail: string,
): Promise<void> {
  for (const id of new Set(locatorIds)) {
    const change = (stored: CatalogueEntry | null) =>
      stored === null ? null : withoutCopy(stored, identity.target, deps.clock.now(), detail);
    if (await changeEntry(deps.catalogue, id.toLowerCase(), change, fence)) tally.published += 1;
  }
}

/** Says that `region` must not serve the video any more. False where the catalogue did not say that it may. */
export async function withdrawCopy(
  catalogue: CatalogueStore,
  locatorId: string,
  region: string,
  at: number,
  detail: string,
): Promise<boolean> {
  return changeEntry(catalogue, locatorId, (stored) => (stored === null ? null : withoutCopy(stored, region, at, detail)));
}

/** Writes what `change` makes of the stored entry; false where it makes nothing of it. */
export async function changeEntry(
  catalogue: CatalogueStore,
  locatorId: string,
  change: (stored: CatalogueEntry | null) => CatalogueEntry | null,
  fence?: Fence,
): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    const stored = await catalogue.get(locatorId);
    const next = change(stored?.entry ?? null);
    if (next === null) return false;
    try {
      await catalogue.put(next, stored?.version ?? null, fence);
      return true;
    } catch (error) {
      if (errorCode(error) !== "catalogue_conflict" || attempt >= TRIES) throw error;
    }
  }
}
