/** The asset's own filters and tracks, and the account's filters, made equal on the target. */
import type { MediaAccount } from "../core/ports/media.ts";
import type { CommonReads } from "./commonReads.ts";
import { filterTree, trackTree } from "./normalise.ts";
import type { JobContext } from "./runJob.ts";
import type { Survey } from "./survey.ts";
import { sharedFirstLook, updatableTask, type EntityTask } from "./tasks.ts";

/** The target's asset must be there before its filters are looked at. */
export function assetFilterTasks(context: JobContext, survey: Survey, target: MediaAccount): readonly EntityTask[] {
  const { name: assetName } = survey.asset;
  const find = sharedFirstLook(() => Array.fromAsync(target.assetFilters(assetName, context.signal)));
  return survey.assetFilters.map((filter) =>
    updatableTask(context, {
      what: `filter ${filter.name} of asset ${assetName}`,
      source: filterTree(filter.properties),
      read: async () => {
        const there = await find(filter.name);
        return there === null ? null : filterTree(there.properties);
      },
      write: () => target.putAssetFilter(assetName, filter, context.signal),
    }),
  );
}

/** The files of tracks must be there before the tracks are. */
export function trackTasks(context: JobContext, survey: Survey, target: MediaAccount): readonly EntityTask[] {
  const { name: assetName } = survey.asset;
  const find = sharedFirstLook(() => Array.fromAsync(target.tracks(assetName, context.signal)));
  return survey.tracks.map((track) =>
    updatableTask(context, {
      what: `track ${track.name} of asset ${assetName}`,
      source: trackTree(track.properties),
      read: async () => {
        const there = await find(track.name);
        return there === null ? null : trackTree(there.properties);
      },
      write: () => target.putTrack(assetName, track, context.signal),
    }),
  );
}

/** All of them: a player names any of them in its URL. Only those that a locator names can keep the asset back. */
export function accountFilterTasks(context: JobContext, survey: Survey, target: CommonReads): readonly EntityTask[] {
  const named = new Set(survey.locators.flatMap((locator) => locator.filters));
  const find = sharedFirstLook(async (freshness) => target.accountFilters(freshness));
  return survey.accountFilters.map((filter) =>
    updatableTask(context, {
      what: `account filter ${filter.name}`,
      optional: !named.has(filter.name),
      source: filterTree(filter.properties),
      read: async () => {
        const there = await find(filter.name);
        return there === null ? null : filterTree(there.properties);
      },
      write: () => target.putAccountFilter(filter),
    }),
  );
}
