/** What outlives every configuration of a process: stores, metrics, the feed of events. Opened once, kept over reloads. */
import type { Clock, Random } from "../core/clock.ts";
import type { Config } from "../core/config/schema.ts";
import type { CatalogueEntry, Override } from "../core/contracts.ts";
import { keyedFingerprint } from "../core/fingerprint.ts";
import type { Log } from "../core/log.ts";
import { Metrics, type MeteredRegion } from "../core/metrics.ts";
import type { CatalogueStore } from "../core/ports/catalogue.ts";
import type { CursorStore } from "../core/ports/cursor.ts";
import type { DeletionStore } from "../core/ports/deletions.ts";
import type { EncodingStore } from "../core/ports/encodingStore.ts";
import type { Fingerprint } from "../core/ports/fingerprint.ts";
import type { HealthMemory } from "../core/ports/health.ts";
import type { Journal } from "../core/ports/journal.ts";
import type { KeyRecords } from "../core/ports/keyRecords.ts";
import type { OverrideEvent, OverrideStore } from "../core/ports/overrides.ts";
import type { WorkQueue } from "../core/ports/work.ts";
import { CachedOverrideView } from "../gateway/overrides/overrideView.ts";
import { StatusFeed } from "../gateway/statusFeed.ts";
import { CachedCatalogueView, viewedStore } from "../replicator/catalogueView.ts";
import { openStores } from "./stores.ts";

export interface StateOptions {
  readonly config: Config;
  readonly version: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  /** False where nobody is routed: the view stays empty then, and a large catalogue is not held in memory. */
  readonly views: boolean;
}

export interface State {
  readonly version: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly feed: StatusFeed;
  /** Whose writes `view` sees before they return. */
  readonly catalogue: CatalogueStore;
  readonly view: CachedCatalogueView;
  readonly journal: Journal;
  readonly cursors: CursorStore;
  readonly deletions: DeletionStore;
  readonly keyRecords: KeyRecords;
  /** Opens the queue of jobs, for the caller to close; null where machines share tables and no queues. */
  readonly openWork: (() => Promise<WorkQueue>) | null;
  /** Opens the records of encoding, once; the state closes them. */
  readonly openEncoding: () => Promise<EncodingStore>;
  readonly overrideStore: OverrideStore;
  readonly overrides: CachedOverrideView;
  readonly memory: HealthMemory;
  readonly fingerprint: Fingerprint;
  /** Owner of this process's leases in the journal. */
  readonly owner: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
}

/** Opens the stores; `stack` closes them. */
export async function openState(options: StateOptions, stack: AsyncDisposableStack): Promise<State> {
  const { config, version, log, clock, random } = options;
  const metrics = new Metrics({ version, regions: meteredRegions(config) });
  metrics.watchLog(log);
  const stores = await openStores({ state: config.state, clock, random }, stack);
  const { catalogue: store, journal, cursors, deletions, keyRecords, overrides: overrideStore, memory, openWork, openEncoding } = stores;
  const feed = new StatusFeed();
  const onChange = (changed: ReadonlyMap<string, CatalogueEntry | null>): void => {
    recordCatalogue(metrics, view);
    feed.catalogueChanged(changed, clock.now());
  };
  const view = new CachedCatalogueView({ store, clock, log, onChange });
  if (options.views) await view.refresh();
  const overrides = overrideView(overrideStore, { log, clock, metrics, feed });
  await overrides.refresh();
  const fingerprint = keyedFingerprint(await store.fingerprintKey());
  const catalogue = options.views ? viewedStore(store, view) : store;
  return {
    version,
    log,
    clock,
    random,
    metrics,
    feed,
    catalogue,
    view,
    journal,
    cursors,
    deletions,
    keyRecords,
    openWork,
    openEncoding,
    overrideStore,
    overrides,
    memory,
    fingerprint,
    owner: random.uuid(),
    startedAt: clock.now(),
  };
}

/** Every gateway that shares the store tells, in its own log and to its own listeners, when an override takes effect there. */
function overrideView(
  store: OverrideStore,
  { log, clock, metrics, feed }: Pick<State, "log" | "clock" | "metrics" | "feed">,
): CachedOverrideView {
  const onEvent = ({ action, override, by, at }: OverrideEvent): void => {
    const { id, kind, region, service, reason, expiresAt } = override;
    log.info(`override.${action}`, { id, kind, region, service, reason, by, expiresAt });
    feed.publish({ type: "override", action, override, by, at });
  };
  const onChange: (active: readonly Override[]) => void = (active) => {
    metrics.overrides(active);
  };
  return new CachedOverrideView({ store, clock, log, onChange, onEvent });
}

export function meteredRegions(config: Config): MeteredRegion[] {
  return config.regions.map(({ name, keys }) => ({ name, keys: keys !== undefined }));
}

/** Also for the regions that have none (any more). */
export function recordCatalogue(metrics: Metrics, view: CachedCatalogueView): void {
  for (const region of metrics.origins) metrics.catalogued(region, view.verified(region));
}
