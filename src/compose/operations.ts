/** Configuration -> the stores that replication works with, for commands that ask no region. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { systemClock, systemRandom, type Clock } from "../core/clock.ts";
import type { Config } from "../core/config/schema.ts";
import { PaircastError } from "../core/errors.ts";
import { onDemandCatalogue } from "./onDemand.ts";
import { openStores, type Stores } from "./stores.ts";

export interface Operations extends Pick<Stores, "catalogue" | "journal" | "cursors" | "openWork">, AsyncDisposable {
  readonly clock: Clock;
}

/** Throws `state_missing` where there is no state yet: to make one would hide that the wrong one was named. Else what opening throws. */
export async function openOperations({ state }: Config): Promise<Operations> {
  if (state.tables === undefined && !existsSync(state.path))
    throw new PaircastError(
      "state_missing",
      `${resolve(state.path)}: there is no state yet; start paircast with this configuration, or correct state.path (a relative one is below the folder that the command runs in)`,
    );
  await using stack = new AsyncDisposableStack();
  const clock = systemClock;
  const { catalogue: store, journal, cursors, openWork } = await openStores({ state, clock, random: systemRandom }, stack);
  const catalogue = onDemandCatalogue(store);
  const owned = stack.move();
  return { clock, catalogue, journal, cursors, openWork, [Symbol.asyncDispose]: async () => owned.disposeAsync() };
}
