/** Does something in each region, bounded in time: what fails in one keeps nothing from the others. */
import { errorChain, errorCode, PaircastError } from "../../core/errors.ts";
import { scrub } from "../../core/log.ts";
import type { Deadlines, LivePairsOptions, LiveRegion } from "./deps.ts";

const DEADLINES: Deadlines = { lookMs: 30_000, changeMs: 600_000 };

export interface Failure {
  readonly region: string;
  readonly code: string;
  readonly message: string;
}

export interface RegionResult<T> {
  readonly region: string;
  /** Null where it failed. */
  readonly value: T | null;
  readonly failure: Failure | null;
}

/** In all of `names` at once. Rejects only with the reason of `stop`. */
export async function inEach<T>(
  { regions, clock, deadlines = {} }: Pick<LivePairsOptions, "regions" | "clock" | "deadlines">,
  names: readonly string[],
  kind: keyof Deadlines,
  stop: AbortSignal,
  run: (region: LiveRegion, signal: AbortSignal) => Promise<T>,
): Promise<readonly RegionResult<T>[]> {
  const ms = deadlines[kind] ?? DEADLINES[kind];
  const one = async (name: string): Promise<RegionResult<T>> => {
    const region = regions.get(name);
    if (region === undefined) return failed(name, "not_configured", `region ${name} has no media account of the driver ams`);
    using deadline = clock.deadline(ms);
    try {
      return { region: name, value: await run(region, AbortSignal.any([stop, deadline.signal])), failure: null };
    } catch (error) {
      stop.throwIfAborted();
      if (deadline.signal.aborted)
        return failed(name, "account_unreachable", `${name}: the management API was not done within ${ms / 1000} s`);
      return failed(name, errorCode(error), scrub(said(error)));
    }
  };
  return Promise.all(names.map(one));
}

/** Values of the regions in which it did not fail, in their order. */
export function succeeded<T>(results: readonly RegionResult<T>[]): ReadonlyMap<string, T> {
  return new Map(results.flatMap(({ region, value, failure }) => (failure === null ? [[region, value as T] as const] : [])));
}

function failed(region: string, code: string, message: string): RegionResult<never> {
  return { region, value: null, failure: { region, code, message } };
}

/** The service's own words are in the message, and often in the cause too. */
function said(error: unknown): string {
  if (!(error instanceof PaircastError)) return errorChain(error);
  const cause = error.cause instanceof Error ? error.cause.message : "";
  return error.message.includes(cause) ? error.message : errorChain(error);
}
