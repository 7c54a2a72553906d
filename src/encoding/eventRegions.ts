/** Pure: whose events these are. Events name media accounts, encoding names regions. */
import type { Sighting } from "../core/encoding.ts";
import { sightingsOf } from "./jobEvent.ts";

export interface EventRegion {
  readonly region: string;
  /** Name of its media account. */
  readonly accountName: string;
}

/** The sightings of the events, by region. Accounts of other subscriptions may have the same name: a job's own name tells which is meant. */
export function sightingsIn(events: readonly unknown[], regions: readonly EventRegion[]): readonly Sighting[] {
  return events
    .flatMap(sightingsOf)
    .flatMap((sighting) =>
      regions.flatMap(({ region, accountName }) =>
        accountName.toLowerCase() === sighting.account ? [{ ...sighting, account: region }] : [],
      ),
    );
}
