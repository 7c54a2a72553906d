/** Keeps a view of a store up to date. */
import type { Clock } from "./clock.ts";
import { errorChain, errorCode } from "./errors.ts";
import type { Log } from "./log.ts";

export interface FollowOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly pollMs: number;
  /** Logged once when the store cannot be read, and again only after it could. */
  readonly unreadable: string;
}

/** Refreshes until `stop` aborts. A store that cannot be read leaves the last view in place. Never rejects. */
export async function follow(refresh: () => Promise<void>, options: FollowOptions, stop: AbortSignal): Promise<void> {
  const { clock, log, pollMs, unreadable } = options;
  let failing = false;
  while (!stop.aborted) {
    try {
      await refresh();
      failing = false;
    } catch (error) {
      if (!failing) log.error(unreadable, { code: errorCode(error), error: errorChain(error) });
      failing = true;
    }
    await clock.sleep(pollMs, stop).catch(() => undefined);
  }
}
