/** What pairs of live events are given. */
import type { Clock, Random } from "../../core/clock.ts";
import type { CatalogueEntry } from "../../core/contracts.ts";
import type { CatalogueStore } from "../../core/ports/catalogue.ts";
import type { Fingerprint } from "../../core/ports/fingerprint.ts";
import type { LiveAccount } from "../../core/ports/liveAccount.ts";
import type { MediaAccount } from "../../core/ports/media.ts";

export interface Deadlines {
  /** For looking at a region. Default 30 s. */
  readonly lookMs: number;
  /** For making, starting, stopping or removing, which the service takes minutes for. Default 10 min. */
  readonly changeMs: number;
}

/** A region with its account, seen in two ways. */
export interface LiveRegion {
  readonly live: LiveAccount;
  readonly media: MediaAccount;
}

export interface LivePairsOptions {
  /** In order of priority. */
  readonly regions: ReadonlyMap<string, LiveRegion>;
  readonly catalogue: Pick<CatalogueStore, "get" | "put" | "remove" | "list">;
  /** Writes what `change` makes of the stored entry, again where somebody else was quicker; null leaves it. */
  readonly change: (locatorId: string, change: (stored: CatalogueEntry | null) => CatalogueEntry | null) => Promise<unknown>;
  /** Gives an account a locator that another has, and its policies: the same ids, keys and values. The asset must be there. */
  readonly carry: (from: MediaAccount, to: MediaAccount, locatorName: string, signal: AbortSignal) => Promise<void>;
  readonly fingerprint: Fingerprint;
  readonly clock: Clock;
  readonly random: Random;
  readonly deadlines?: Partial<Deadlines>;
}
