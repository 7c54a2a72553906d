/** Asks the regions whether any of them publishes a video that is to be deleted. A region that gives no answer keeps it. */
import { errorChain, errorCode } from "../../core/errors.ts";
import type { LocatorSummary } from "../../core/media.ts";
import type { Deletion } from "../../core/ports/deletions.ts";
import type { MediaAccount } from "../../core/ports/media.ts";
import type { Evidence } from "./decide.ts";
import type { DeletionDeps } from "./deps.ts";

const LISTING_MS = 30_000;

type AskDeps = Pick<DeletionDeps, "catalogue" | "accounts" | "sources" | "clock" | "log" | "options">;

/** What the catalogue says: `published` also where it does not know the video (any more), for then nothing shows that it is gone. */
export async function catalogueEvidence({ catalogue }: Pick<AskDeps, "catalogue">, deletion: Deletion): Promise<Evidence> {
  const entry = (await catalogue.get(deletion.locatorId))?.entry;
  if (entry === undefined || entry.source !== deletion.source) return "published";
  return entry.regions[entry.source]?.state === "verified" ? "published" : "gone";
}

/** The catalogue first, then the source, then every other region that may have taken its place. */
export async function evidenceOf(deps: AskDeps, deletion: Deletion, stop?: AbortSignal): Promise<Evidence> {
  if ((await catalogueEvidence(deps, deletion)) === "published") return "published";
  const regions = [deletion.source, ...deps.sources.filter((region) => region !== deletion.source)];
  for (const region of regions) {
    try {
      if (await publishes(deps, region, deletion, stop)) return "published";
    } catch (error) {
      stop?.throwIfAborted();
      deps.log.warn("deletion.unconfirmed", { id: deletion.id, region, code: errorCode(error), error: errorChain(error) });
      return "unknown";
    }
  }
  return "gone";
}

async function publishes({ accounts, clock, options }: AskDeps, region: string, deletion: Deletion, stop?: AbortSignal): Promise<boolean> {
  const account = accounts.get(region);
  if (account === undefined) throw new Error(`region ${region} has no media account`);
  using deadline = clock.deadline(options.listTimeoutMs ?? LISTING_MS);
  const signal = stop === undefined ? deadline.signal : AbortSignal.any([deadline.signal, stop]);
  const own = await account.assetLocators(deletion.assetName, signal);
  const found = own.find(({ streamingLocatorId }) => streamingLocatorId.toLowerCase() === deletion.locatorId);
  if (region !== deletion.source) return found !== undefined && isNewer(found, deletion);
  return found !== undefined || (await hasLocator(account, deletion, signal));
}

/** The asset may have another name by now. */
async function hasLocator(account: MediaAccount, { locatorName, locatorId }: Deletion, signal: AbortSignal): Promise<boolean> {
  return (await account.locator(locatorName, signal))?.streamingLocatorId.toLowerCase() === locatorId;
}

/** Whether it was published there after its source had stopped publishing it: older ones are copies. */
export function isNewer({ created }: Pick<LocatorSummary, "created">, { goneAt }: Pick<Deletion, "goneAt">): boolean {
  return created > goneAt;
}
