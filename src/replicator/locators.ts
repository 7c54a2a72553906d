/** Locators with the same id, content key ids and content key values: the same URL and the same key in every region. */
import type { StreamingLocator } from "../core/media.ts";
import type { Fingerprint } from "../core/ports/fingerprint.ts";
import type { MediaAccount } from "../core/ports/media.ts";
import { diffLocator, takenElsewhere, type KeyPrint } from "./diff.ts";
import type { Survey } from "./survey.ts";
import type { EntityTask, TaskContext } from "./tasks.ts";

/** Hexadecimal digits: enough to tell two keys apart. */
const PRINT_LENGTH = 12;

export interface LocatorTask extends EntityTask {
  readonly locator: StreamingLocator;
}

/**
 * The target's asset and policies must be there before a locator is created. `hasOthers`: whether the asset may have locators there that this job
 * has not made.
 */
export function locatorTasks(
  { deps, signal }: TaskContext,
  survey: Pick<Survey, "locators">,
  target: MediaAccount,
  hasOthers: () => boolean,
): readonly LocatorTask[] {
  const print = keyPrint(deps.fingerprint);
  return survey.locators.map((locator) => ({
    what: `locator ${locator.name}`,
    locator,
    look: async () => {
      const there = await target.locator(locator.name, signal);
      const others = there === null && hasOthers() ? await target.assetLocators(locator.assetName, signal) : [];
      return diffLocator(locator, { locator: there, others }, print);
    },
    write: () => target.createLocator(locator, signal),
    taken: async () => {
      const id = locator.streamingLocatorId.toLowerCase();
      for await (const other of target.locators(signal))
        if (other.streamingLocatorId.toLowerCase() === id) return takenElsewhere(locator, other);
      return takenElsewhere(locator, null);
    },
  }));
}

function keyPrint(fingerprint: Fingerprint): KeyPrint {
  return (value) => fingerprint(Buffer.from(value, "base64")).slice(0, PRINT_LENGTH);
}
