/** What the requests of one load say about one router and one fault. */
import type { Shot } from "./load.ts";

export interface Failover {
  /** Milliseconds from the fault to the first answer that led to, or came from, the other region; Infinity where none did. */
  readonly elsewhereMs: number;
  /** Requests answered after the fault with the faulted region (redirects), or not answered as they should be. */
  readonly failed: number;
  /** Milliseconds of the slowest request that ended after the fault. */
  readonly slowestMs: number;
  /** Requests answered towards B before there was a fault. */
  readonly early: number;
}

/**
 * `redirects`: an answer that sends to A after the fault is a failed request of the player that follows it. Where keys are proxied, an answer
 * from A that came after the fault was given before it.
 */
export function failoverOf(shots: readonly Shot[], fault: number, redirects: boolean): Failover {
  const after = shots.filter(({ ended }) => ended >= fault);
  const elsewhere = after.filter(({ region }) => region === "b").map(({ ended }) => ended - fault);
  const isFailed = ({ region }: Shot): boolean => region === null || (redirects && region === "a");
  return {
    elsewhereMs: Math.min(Number.POSITIVE_INFINITY, ...elsewhere),
    failed: after.filter(isFailed).length,
    slowestMs: Math.max(0, ...after.map(({ at, ended }) => ended - at)),
    early: shots.filter(({ ended, region }) => ended < fault && region !== "a").length,
  };
}
