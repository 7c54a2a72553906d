/** Configuration -> catalogue and record of keys, for commands that ask no region. */
import { systemClock, systemRandom, type Clock, type Random } from "../core/clock.ts";
import type { Config } from "../core/config/schema.ts";
import { createLog, type Log } from "../core/log.ts";
import type { CatalogueStore } from "../core/ports/catalogue.ts";
import type { KeyRecords } from "../core/ports/keyRecords.ts";
import type { RecordBook } from "../replicator/keyRecords/book.ts";
import type { Keyring } from "../replicator/keyRecords/keyring.ts";
import { keyringOf, recordBook } from "./keyRecord.ts";
import { onDemandCatalogue } from "./onDemand.ts";
import { openStores } from "./stores.ts";

export interface Library extends AsyncDisposable {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Without live events: the regions' recordings of those are their own. */
  readonly catalogue: CatalogueStore;
  readonly keyRecords: KeyRecords;
  /** Null where no record of keys is configured. */
  readonly book: RecordBook | null;
  readonly keyring: Keyring | null;
}

/** Throws what opening the state throws. */
export async function openLibrary(config: Config): Promise<Library> {
  await using stack = new AsyncDisposableStack();
  const [clock, random, log] = [systemClock, systemRandom, createLog(config.log.level)];
  const { catalogue: store, keyRecords } = await openStores({ state: config.state, clock, random }, stack);
  const { keyRecord } = config.replication;
  const keyring = keyRecord === undefined ? null : keyringOf(keyRecord.keys, clock);
  const book = recordBook({ keyRecords, clock, random, log }, config);
  const catalogue = onDemandCatalogue(store);
  const owned = stack.move();
  return { clock, random, log, catalogue, keyRecords, book, keyring, [Symbol.asyncDispose]: async () => owned.disposeAsync() };
}
