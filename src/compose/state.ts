/** What outlives every configuration of a process: stores, metrics, the feed of events. Opened once, kept over reloads. */
import type { Clock, Random } from "../core/clock.ts";
import type { Config } from "../core/config/schema.ts";
import type { CatalogueEntry, Override } from "../core/contracts.ts";
import { keyedFingerprint } from "../core/fingerprint.ts";
import type { Log } from "../core/log.ts";
import { Metrics, type MeteredRegion } from "../core/metrics.ts";
import type { CatalogueStore } from "../core/ports/catalogue.ts";
import type { Fingerprint } from "../core/ports/fingerprint.ts";
import type { HealthMemory } from "../core/ports/health.ts";
import type { Journal } from "../core/ports/journal.ts";
import type { OverrideEvent, OverrideStore } from "../core/ports/overrides.ts";
import type { WorkQueue } from "../core/ports/work.ts";
import { CachedOverrideView } from "../gateway/overrides/overrideView.ts";
import { StatusFeed } from "../gateway/statusFeed.ts";
import { CachedCatalogueView, verifiedCounts, viewedStore } from "../replicator/catalogueView.ts";
import { openStores } from "./stores.ts";

export interface StateOptions {
  readonly config: Config;
  readonly version: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
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
  /** Opens the queue of jobs, for the caller to close; null where machines share tables and no queues. */
  readonly openWork: (() => Promise<WorkQueue>) | null;
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
  const { catalogue: store, journal, overrides: overrideStore, memory, openWork } = stores;
  const feed = new StatusFeed();
  const onChange = (entries: readonly CatalogueEntry[]): void => {
    recordCatalogue(metrics, entries);
    feed.catalogueChanged(entries, clock.now());
  };
  const view = new CachedCatalogueView({ store, clock, log, onChange });
  await view.refresh();
  const overrides = overrideView(overrideStore, { log, clock, metrics, feed });
  await overrides.refresh();
  const fingerprint = keyedFingerprint(await store.fingerprintKey());
  const catalogue = viewedStore(store, view);
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
    openWork,
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

export function recordCatalogue(metrics: Metrics, entries: readonly CatalogueEntry[]): void {
  for (const [region, verified] of verifiedCounts(entries, metrics.origins)) metrics.catalogued(region, verified);
}
