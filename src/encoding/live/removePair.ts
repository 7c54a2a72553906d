/** Removes a pair of live events: first from service, then region by region, and from the catalogue what is gone. */
import type { CatalogueEntry } from "../../core/contracts.ts";
import { PaircastError } from "../../core/errors.ts";
import { liveName } from "../../core/live.ts";
import type { LivePairsOptions, LiveRegion } from "./deps.ts";
import { inEach, succeeded, type RegionResult } from "./inEach.ts";
import { outOfService, withoutRegions } from "./liveEntry.ts";
import type { Looks, RegionLook } from "./pairing.ts";

export interface RemoveOptions {
  /** Also while it runs: it is stopped first. */
  readonly force: boolean;
  /** The assets stay, unpublished. */
  readonly keepRecordings: boolean;
}

export interface Removal {
  readonly name: string;
  readonly entry: CatalogueEntry | null;
  readonly looks: readonly RegionResult<RegionLook>[];
  readonly options: RemoveOptions;
}

/** What was removed in each region. Throws `live_running`. */
export async function removePair(
  pairs: LivePairsOptions,
  removal: Removal,
  stop: AbortSignal,
): Promise<readonly RegionResult<readonly string[]>[]> {
  const { name, entry, options } = removal;
  const looks: Looks = succeeded(removal.looks);
  refuseRunning(name, looks, options);
  if (entry !== null) await withdraw(pairs, entry);
  const removed = await inEach(pairs, [...looks.keys()], "changeMs", stop, async (region, signal) => {
    const look = looks.get(region.live.region);
    return look === undefined ? [] : removeFrom(region, name, look, options, signal);
  });
  if (entry !== null) await forget(pairs, entry, removed);
  const unasked = removal.looks.flatMap(({ region, failure }) => (failure === null ? [] : [{ region, value: null, failure }]));
  return [...removed, ...unasked];
}

function refuseRunning(name: string, looks: Looks, { force }: RemoveOptions): void {
  const running = [...looks].filter(([, { event }]) => event !== null && event.state !== "stopped").map(([region]) => region);
  if (force || running.length === 0) return;
  throw new PaircastError(
    "live_running",
    `live event ${name} runs in ${running.join(" and ")}: stop it first, or add --force; nothing was removed`,
    { retry: "conflict" },
  );
}

async function withdraw({ change, clock }: LivePairsOptions, { locatorId }: CatalogueEntry): Promise<void> {
  await change(locatorId, (stored) =>
    stored === null ? null : outOfService(stored, Object.keys(stored.regions), clock.now(), "its live event is being removed"),
  );
}

/** The event goes before its locator, and the recording after all: a removal that breaks off can be done again. */
async function removeFrom(
  { live, media }: LiveRegion,
  name: string,
  { event, output, asset, locator }: RegionLook,
  { keepRecordings }: RemoveOptions,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const own = liveName(name);
  if (event?.isOurs === false)
    throw new PaircastError("live_foreign", `live event ${name} in ${live.region} was not made by paircast: nothing of it was removed`);
  if (event !== null && event.state !== "stopped") await live.stop(name, signal);
  const steps: readonly (readonly [unknown, string, () => Promise<void> | undefined])[] = [
    [output, `live output ${own}`, async () => live.deleteOutput(name, own, signal)],
    [event, `live event ${name}`, async () => live.deleteEvent(name, signal)],
    [locator, `locator ${own}`, async () => media.deleteLocator(own, signal)],
    [keepRecordings ? null : asset, `asset ${own}`, async () => media.deleteAsset?.(own, signal)],
  ];
  const there = steps.filter(([found]) => found !== null);
  for (const [, , remove] of there) await remove();
  return there.map(([, what]) => what);
}

/** Regions that are not configured any more are forgotten with the others: nobody here can ask them. */
async function forget(
  { catalogue, change, regions }: LivePairsOptions,
  { locatorId, regions: known }: CatalogueEntry,
  removed: readonly RegionResult<readonly string[]>[],
): Promise<void> {
  const done = [...succeeded(removed).keys(), ...Object.keys(known).filter((region) => !regions.has(region))];
  let isGone = false;
  await change(locatorId, (stored) => {
    const left = stored === null ? null : withoutRegions(stored, done);
    isGone = left === "gone";
    return left === "gone" ? null : left;
  });
  const stored = isGone ? await catalogue.get(locatorId) : null;
  if (stored !== null) await catalogue.remove(locatorId, stored.version);
}
