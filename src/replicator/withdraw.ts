/** Withdraws what its source has unpublished. A listing alone is never believed, and neither is the loss of most of a source at once. */
import type { CatalogueEntry } from "../core/contracts.ts";
import { errorChain, errorCode } from "../core/errors.ts";
import { massWithdrawals, type Entries, type MassWithdrawal } from "./discover.ts";
import type { JobDeps } from "./jobDeps.ts";
import { withdrawCopy } from "./publish.ts";

/** False only where the region answers that it has no such publication (any more). Throws where it gives no such answer. */
export type PublishedCheck = (entry: CatalogueEntry, signal: AbortSignal) => Promise<boolean>;

export interface WithdrawOptions {
  readonly entries: Entries;
  /** Entries that the listing of their source lacks. */
  readonly gone: readonly CatalogueEntry[];
  readonly isPublished: PublishedCheck;
  /** An operator has said that it is true, however much it is. */
  readonly acceptMass: boolean;
}

export interface Withdrawals {
  readonly withdrawn: number;
  /** Left as they are. */
  readonly refused: readonly MassWithdrawal[];
  /** Regions whose listing lacked something and that could not be asked about it. */
  readonly unconfirmed: readonly string[];
}

export async function withdrawGone(deps: JobDeps, options: WithdrawOptions, stop?: AbortSignal): Promise<Withdrawals> {
  const refused = options.acceptMass ? [] : massWithdrawals(options.gone, options.entries);
  for (const { region, gone, of } of refused)
    deps.log.error("replication.withdrawal_refused", { region, gone, of, advice: "replicate --accept-withdrawals, if it is meant" });
  const believed = options.gone.filter(({ source }) => refused.every(({ region }) => region !== source));
  const withdrawn: string[] = [];
  const unconfirmed: string[] = [];
  for (const [region, entries] of Map.groupBy(believed, ({ source }) => source)) {
    try {
      for await (const locatorId of withdrawConfirmed(deps, entries, options.isPublished, stop)) {
        withdrawn.push(locatorId);
        deps.log.warn("replication.withdrawn", { locator: locatorId, region });
      }
    } catch (error) {
      if (stop?.aborted === true) break;
      // One that cannot be asked about the first is not asked about the others.
      unconfirmed.push(region);
      deps.log.warn("replication.withdrawal_unconfirmed", { region, code: errorCode(error), error: errorChain(error) });
    }
  }
  return { withdrawn: withdrawn.length, refused, unconfirmed };
}

/** Yields the locator ids as they are withdrawn. */
async function* withdrawConfirmed(
  { catalogue, clock, log, options }: JobDeps,
  entries: readonly CatalogueEntry[],
  isPublished: PublishedCheck,
  stop?: AbortSignal,
): AsyncGenerator<string> {
  const present: string[] = [];
  for (const entry of entries) {
    stop?.throwIfAborted();
    using deadline = clock.deadline(options.listTimeoutMs ?? 30_000);
    const { locatorId, source } = entry;
    if (await isPublished(entry, stop === undefined ? deadline.signal : AbortSignal.any([deadline.signal, stop]))) present.push(locatorId);
    else if (await withdrawCopy(catalogue, locatorId, source, clock.now(), "its source does not publish it any more")) yield locatorId;
  }
  if (present.length === 0) return;
  log.warn("replication.listing_incomplete", { region: entries[0]?.source ?? null, count: present.length, locators: present.slice(0, 5) });
}
