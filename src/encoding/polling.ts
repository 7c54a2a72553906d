/** Pure: how to ask an account for the state of its jobs for the least: one by one, or all of a transform page by page. */

/** Jobs on a page of a list. */
const PAGE = 100;
/** A page costs the service, and its limits, about as much as so many single questions (the reference sample took it from its telemetry). */
const PAGE_COST = 8;

/** `wanted`: jobs to be looked at · `listed`: jobs that a list would give, ours and others. */
export function worthListing(wanted: number, listed: number): boolean {
  return wanted > Math.max(1, Math.ceil(listed / PAGE)) * PAGE_COST;
}
