/** Withdraws what its source has unpublished. A listing alone is never believed, and neither is the loss of most of a source at once. */
import type { CatalogueEntry } from "../core/contracts.ts";
import { errorChain, errorCode } from "../core/errors.ts";
import { isMassWithdrawal, type MassWithdrawal } from "./discover.ts";
import type { JobDeps } from "./jobDeps.ts";
import { withdrawCopy } from "./publish.ts";

/** False only where the region answers that it has no such publication (any more). Throws where it gives no such answer. */
export type PublishedCheck = (entry: CatalogueEntry, signal: AbortSignal) => Promise<boolean>;

/** Says in the catalogue why a source's own copy is withdrawn. Deletions begin with it (`deletion/note.ts`). */
export const UNPUBLISHED = "its source does not publish it any more";

export interface WithdrawOptions {
  /** Sources whose listing lacks something: how much, of how many videos that are verified there. */
  readonly losses: readonly MassWithdrawal[];
  /** The entries that the listings of these sources lack. Not asked for where none of the losses is believed. */
  readonly gone: (sources: readonly string[]) => AsyncIterable<CatalogueEntry>;
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
  const refused = options.acceptMass ? [] : options.losses.filter(isMassWithdrawal);
  for (const { region, gone, of } of refused)
    deps.log.error("replication.withdrawal_refused", { region, gone, of, advice: "replicate --accept-withdrawals, if it is meant" });
  const believed = options.losses.filter((loss) => loss.gone > 0 && !refused.includes(loss)).map(({ region }) => region);
  const confirmation = new Confirmation(deps, options.isPublished, stop);
  if (believed.length > 0) {
    for await (const entry of options.gone(believed)) {
      if (stop?.aborted === true) break;
      await confirmation.withdrawUnlessPublished(entry);
    }
  }
  confirmation.reportPresent();
  return { withdrawn: confirmation.withdrawn, refused, unconfirmed: confirmation.unconfirmed };
}

/** How many locators of an incomplete listing are named in the log. */
const NAMED = 5;

class Confirmation {
  readonly #deps: JobDeps;
  readonly #isPublished: PublishedCheck;
  readonly #stop: AbortSignal | undefined;
  readonly #present = new Map<string, { count: number; readonly named: string[] }>();
  readonly #unconfirmed = new Set<string>();
  withdrawn = 0;

  constructor(deps: JobDeps, isPublished: PublishedCheck, stop: AbortSignal | undefined) {
    this.#deps = deps;
    this.#isPublished = isPublished;
    this.#stop = stop;
  }

  get unconfirmed(): readonly string[] {
    return [...this.#unconfirmed];
  }

  /** A region that cannot be asked about the first is not asked about the others. */
  async withdrawUnlessPublished(entry: CatalogueEntry): Promise<void> {
    const { log } = this.#deps;
    const { source: region, locatorId } = entry;
    if (this.#unconfirmed.has(region)) return;
    try {
      if (await this.#ask(entry)) this.#notePresent(region, locatorId);
      else if (await this.#withdraw(entry)) log.warn("replication.withdrawn", { locator: locatorId, region });
    } catch (error) {
      if (this.#stop?.aborted === true) return;
      this.#unconfirmed.add(region);
      log.warn("replication.withdrawal_unconfirmed", { region, code: errorCode(error), error: errorChain(error) });
    }
  }

  reportPresent(): void {
    for (const [region, { count, named }] of this.#present)
      this.#deps.log.warn("replication.listing_incomplete", { region, count, locators: named });
  }

  async #ask(entry: CatalogueEntry): Promise<boolean> {
    const { clock, options } = this.#deps;
    using deadline = clock.deadline(options.listTimeoutMs ?? 30_000);
    return this.#isPublished(entry, this.#stop === undefined ? deadline.signal : AbortSignal.any([deadline.signal, this.#stop]));
  }

  async #withdraw({ locatorId, source }: CatalogueEntry): Promise<boolean> {
    const { catalogue, clock } = this.#deps;
    const done = await withdrawCopy(catalogue, locatorId, source, clock.now(), UNPUBLISHED);
    if (done) this.withdrawn += 1;
    return done;
  }

  #notePresent(region: string, locatorId: string): void {
    const present = this.#present.get(region) ?? { count: 0, named: [] };
    present.count += 1;
    if (present.named.length < NAMED) present.named.push(locatorId);
    this.#present.set(region, present);
  }
}
