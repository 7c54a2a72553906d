/** Locators with the same id, content key ids and content key values: the same URL and the same key in every region. */
import type { MediaAccount } from "../core/ports/media.ts";
import { diffLocator } from "./diff.ts";
import type { JobContext } from "./runJob.ts";
import type { Survey } from "./survey.ts";
import type { EntityTask } from "./tasks.ts";

/** The target's asset and policies must be there before a locator is created. */
export function locatorTasks({ signal }: JobContext, survey: Survey, target: MediaAccount): readonly EntityTask[] {
  return survey.locators.map((locator) => ({
    what: `locator ${locator.name}`,
    look: async () => {
      const there = await target.locator(locator.name, signal);
      const others =
        there === null && (await target.asset(locator.assetName, signal)) !== null
          ? await target.assetLocators(locator.assetName, signal)
          : [];
      return diffLocator(locator, there, others);
    },
    write: () => target.createLocator(locator, signal),
  }));
}
