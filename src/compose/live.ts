/** Configuration -> pairs of live events: for the commands, and the watch of `serve` over what is on air. */
import type { Config } from "../core/config/schema.ts";
import type { CatalogueEntry } from "../core/contracts.ts";
import { errorChain, errorCode, PaircastError } from "../core/errors.ts";
import { isLive, type LiveManifests } from "../core/live.ts";
import { walkPlayback } from "../core/playback.ts";
import type { LiveAccount } from "../core/ports/liveAccount.ts";
import type { LiveRegion } from "../encoding/live/deps.ts";
import { LivePairs } from "../encoding/live/livePair.ts";
import { watchLiveCopies } from "../health/liveCopies.ts";
import { carryLocator } from "../replicator/carryLocator.ts";
import { changeEntry } from "../replicator/publish.ts";
import type { Foundations } from "./foundations.ts";

const LOOK_MS = 5_000;

/** Names of the regions that can have live events, in order of priority. */
export function liveRegions({ regions }: Config): readonly string[] {
  return regions.filter(({ account }) => account.driver === "ams").map(({ name }) => name);
}

/** Throws `not_configured` where no region has an account for it. */
export async function livePairs(foundations: Foundations): Promise<LivePairs> {
  const { config, catalogue, clock, random, fingerprint } = foundations;
  const regions = await regionsOf(foundations);
  if (regions.size === 0)
    throw new PaircastError("not_configured", "live events need a media account: no region has one of the driver ams");
  return new LivePairs({
    regions,
    catalogue,
    change: async (locatorId, change) => changeEntry(catalogue, locatorId, change),
    carry: async (source, target, name, signal) =>
      carryLocator(name, { source, target, keyUrls: config.replication.keyUrls, fingerprint, signal }),
    fingerprint,
    clock,
    random,
  });
}

async function regionsOf({ config, accounts, clock }: Foundations): Promise<ReadonlyMap<string, LiveRegion>> {
  const regions = new Map<string, LiveRegion>();
  for (const { name, account } of config.regions) {
    const media = accounts.get(name);
    if (account.driver === "ams" && media !== undefined) regions.set(name, { media, live: await liveAccount(name, account, clock) });
  }
  return regions;
}

type AmsConfig = Extract<Config["regions"][number]["account"], { readonly driver: "ams" }>;

/** The SDK is loaded where it is used. */
async function liveAccount(region: string, account: AmsConfig, clock: Foundations["clock"]): Promise<LiveAccount> {
  const { AzureLiveAccount } = await import("../encoding/adapters/azureLive.ts");
  const { createMediaClient } = await import("../replicator/adapters/azureMediaClient.ts");
  const { createCredential } = await import("../replicator/adapters/credentials.ts");
  const { endpoint, subscriptionId, resourceGroup, accountName } = account;
  const credential = createCredential(account.credential, { endpoint, subscriptionId, clock });
  const client = createMediaClient({ endpoint, subscriptionId, credential });
  return new AzureLiveAccount({ region, client, resourceGroup, accountName, clock });
}

/** What one look at a region's manifest showed: a stream that stands still looks the same. */
export interface OnAir {
  readonly onAir: boolean;
  readonly detail: string;
}

/** Asks every region from here, as a player would. Null manifests: nobody is asked. */
export async function liveOnAir(
  { regions, http, clock }: Foundations,
  { hls, dash }: LiveManifests,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, OnAir>> {
  const path = hls ?? dash;
  if (path === null) return new Map();
  const looks = regions.map(async ({ name, streaming }): Promise<readonly [string, OnAir]> => {
    try {
      const manifestUrl = `${streaming}${path}`;
      const { live, segment } = await walkPlayback({ http, manifestUrl, timeoutMs: LOOK_MS, segment: "last", clock, signal });
      return [name, { onAir: live, detail: live ? segment.evidence : "it has ended: a recording plays" }];
    } catch (error) {
      signal.throwIfAborted();
      return [name, { onAir: false, detail: errorChain(error) }];
    }
  });
  return new Map(await Promise.all(looks));
}

/** As part of `serve`: until `stop` aborts. Never rejects. */
export async function watchLiveInLoop(foundations: Foundations, stop: AbortSignal): Promise<void> {
  const { config, regions, view, catalogue, http, fingerprint, metrics, clock, log } = foundations;
  const setCopy = async (locatorId: string, region: string, copy: CatalogueEntry["regions"][string]): Promise<void> => {
    await changeEntry(catalogue, locatorId, (stored) => {
      // It may have been removed meanwhile.
      if (stored?.regions[region] === undefined || stored.regions[region].state === copy.state) return null;
      return { ...stored, regions: { ...stored.regions, [region]: copy } };
    });
  };
  const entries = (): readonly CatalogueEntry[] => view.entries().filter(isLive);
  try {
    const watch = { entries, regions, http, config: config.health, fingerprint, setCopy, metrics: metrics.live, clock, log };
    await watchLiveCopies(watch, stop);
  } catch (error) {
    log.error("live.unwatched", { code: errorCode(error), error: errorChain(error) });
  }
}
