/** The asset's own filters and the account filters that its locators name, made equal on the target. */
import type { MediaAccount } from "../core/ports/media.ts";
import type { JobContext } from "./runJob.ts";
import type { Survey } from "./survey.ts";
import { updatableTask, type EntityTask } from "./tasks.ts";

/** The target's asset must be there before its filters are looked at. */
export function assetFilterTasks(context: JobContext, survey: Survey, target: MediaAccount): readonly EntityTask[] {
  const { name: assetName } = survey.asset;
  return survey.assetFilters.map((filter) =>
    updatableTask(context, {
      what: `filter ${filter.name} of asset ${assetName}`,
      source: filter.properties,
      read: async () => {
        const there = await Array.fromAsync(target.assetFilters(assetName, context.signal));
        return there.find(({ name }) => name === filter.name)?.properties ?? null;
      },
      write: () => target.putAssetFilter(assetName, filter, context.signal),
    }),
  );
}

export function accountFilterTasks(context: JobContext, survey: Survey, target: MediaAccount): readonly EntityTask[] {
  return survey.accountFilters.map((filter) =>
    updatableTask(context, {
      what: `account filter ${filter.name}`,
      source: filter.properties,
      read: async () => (await target.accountFilter(filter.name, context.signal))?.properties ?? null,
      write: () => target.putAccountFilter(filter, context.signal),
    }),
  );
}
