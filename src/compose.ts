/** Configuration -> adapters -> services -> applications. The only file that sees every area. */
import { readFileSync } from "node:fs";
import { systemClock, systemRandom, type Clock, type Random } from "./core/clock.ts";
import { canReplicate } from "./core/config/rules.ts";
import type { Config, RegionConfig } from "./core/config/schema.ts";
import type { CatalogueEntry, Region } from "./core/contracts.ts";
import { keyedFingerprint } from "./core/fingerprint.ts";
import { RegionHttpClient } from "./core/http.ts";
import type { Log } from "./core/log.ts";
import { Metrics } from "./core/metrics.ts";
import { walkPlayback } from "./core/playback.ts";
import type { CatalogueStore, Journal, MediaAccount, StaticLibrary } from "./core/ports.ts";
import { buildAdmin } from "./gateway/admin.ts";
import { buildGateway } from "./gateway/app.ts";
import { HttpLocatorAsker } from "./gateway/ask.ts";
import { candidatesFor } from "./gateway/candidates.ts";
import { LocatorDirectory } from "./gateway/locate.ts";
import { statusPage } from "./gateway/page/page.ts";
import { PlaybackRouter } from "./gateway/router.ts";
import { GatewayServer } from "./gateway/server.ts";
import { StatusFeed } from "./gateway/statusFeed.ts";
import { startHealth, type HealthMonitor } from "./health/monitor.ts";
import { AzureMediaAccount } from "./replicator/adapters/azureMedia.ts";
import { createCredential } from "./replicator/adapters/credentials.ts";
import { AzureStaticLibrary } from "./replicator/adapters/staticAccount.ts";
import { CatalogueCanaries } from "./replicator/canaries.ts";
import { CachedCatalogueView, verifiedCounts, viewedStore } from "./replicator/catalogueView.ts";
import type { JobDeps } from "./replicator/jobDeps.ts";
import { replicationLoop } from "./replicator/loop.ts";
import { amsDriver, replicationPass, type PassOptions, type PassSummary, type ReplicationDriver } from "./replicator/pass.ts";
import { staticDriver } from "./replicator/runStatic.ts";
import { SqliteCatalogue } from "./replicator/sqlite/catalogue.ts";
import { SqliteJournal } from "./replicator/sqlite/journal.ts";

/** Event streams of status pages never end by themselves, and lose nothing when they are cut. */
const ADMIN_GRACE_MS = 200;
/** A full look at everything that is verified already. */
const FULL_PASS_MS = 3_600_000;

export interface ComposeOptions {
  readonly config: Config;
  readonly version: string;
  readonly log: Log;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** What every command needs: adapters and state. Disposing it closes them. */
export interface Foundations extends AsyncDisposable {
  readonly config: Config;
  readonly version: string;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly http: RegionHttpClient;
  readonly regions: readonly Region[];
  readonly accounts: ReadonlyMap<string, MediaAccount>;
  readonly libraries: ReadonlyMap<string, StaticLibrary>;
  readonly catalogue: CatalogueStore;
  readonly view: CachedCatalogueView;
  readonly journal: Journal;
  readonly feed: StatusFeed;
  readonly jobs: JobDeps;
}

export async function composeFoundations(options: ComposeOptions): Promise<Foundations> {
  const { config, version, log, clock = systemClock, random = systemRandom } = options;
  await using stack = new AsyncDisposableStack();
  const regions = config.regions.map(({ name, streaming, keys }): Region => ({ name, streaming, keys: keys ?? null }));
  const metrics = new Metrics({ version, regions: regions.map(({ name, keys }) => ({ name, keys: keys !== null })) });
  const http = stack.use(new RegionHttpClient({ origins: config.regions.flatMap(originsOf) }));
  const store = stack.use(new SqliteCatalogue(config.state.path));
  const journal = stack.use(new SqliteJournal(config.state.path));
  const feed = new StatusFeed();
  const onChange = (entries: readonly CatalogueEntry[]): void => {
    for (const [region, verified] of verifiedCounts(
      entries,
      regions.map(({ name }) => name),
    ))
      metrics.catalogued(region, verified);
    feed.catalogueChanged(entries, clock.now());
  };
  const view = new CachedCatalogueView({ store, clock, log, onChange });
  await view.refresh();
  const catalogue = viewedStore(store, view);
  const accounts = new Map(config.regions.flatMap((region) => mediaAccount(region, clock)));
  const libraries = new Map(config.regions.flatMap((region) => staticLibrary(region, clock)));
  const jobs: JobDeps = {
    regions: new Map(regions.map((region) => [region.name, region])),
    catalogue,
    journal,
    http,
    playback: walkPlayback,
    clock,
    fingerprint: keyedFingerprint(await store.fingerprintKey()),
    owner: random.uuid(),
    log,
    metrics,
    options: {
      concurrency: config.replication.concurrency,
      blobConcurrency: config.replication.blobConcurrency,
      keyPrefix: config.gateway.keys.prefix,
    },
  };
  const owned = stack.move();
  const shared = { config, version, log, clock, random, metrics, http, regions, accounts, libraries, catalogue, view, journal, feed, jobs };
  return { ...shared, [Symbol.asyncDispose]: async () => owned.disposeAsync() };
}

function originsOf(region: RegionConfig): { url: string; ca: string | null }[] {
  const ca = region.caFile === undefined ? null : readFileSync(region.caFile, "utf8");
  return [region.streaming, region.keys].filter((url) => url !== undefined).map((url) => ({ url, ca }));
}

function mediaAccount({ name, account }: RegionConfig, clock: Clock): [string, MediaAccount][] {
  if (account.driver !== "ams") return [];
  const { endpoint, subscriptionId, resourceGroup, accountName } = account;
  const credential = createCredential(account.credential, { endpoint, subscriptionId, clock });
  return [[name, new AzureMediaAccount({ region: name, endpoint, subscriptionId, resourceGroup, accountName, credential, clock })]];
}

function staticLibrary({ name, account }: RegionConfig, clock: Clock): [string, StaticLibrary][] {
  if (account.driver !== "static" || account.storage === undefined) return [];
  const { storage, containers } = account;
  return [[name, new AzureStaticLibrary({ region: name, url: storage.url, credential: storage.credential, containers, clock })]];
}

/** How this configuration replicates; null where it does not. */
interface Replication {
  readonly driver: ReplicationDriver;
  readonly options: Omit<PassOptions, "full" | "assetName">;
}

function composeReplication({ config, accounts, libraries, jobs }: Foundations): Replication | null {
  const able = config.regions.filter(canReplicate).map(({ name }) => name);
  const options = { sources: config.replication.sources ?? able, targets: config.replication.targets ?? able };
  const named = [...options.sources, ...options.targets];
  if (named.length === 0) return null;
  const driver = named.some((name) => libraries.has(name)) ? staticDriver({ ...jobs, libraries }) : amsDriver({ ...jobs, accounts });
  return { driver, options };
}

/** One pass over everything, or over one asset. Null where the configuration has nothing to replicate. */
export async function replicateOnce(foundations: Foundations, assetName: string | null, stop: AbortSignal): Promise<PassSummary | null> {
  const replication = composeReplication(foundations);
  if (replication === null) return null;
  return replicationPass(foundations.jobs, replication.driver, { ...replication.options, full: true, assetName }, stop);
}

export interface ServeOptions {
  /** Set by the sandbox: its control port, for the page's buttons. */
  readonly control: string | null;
}

/** The running services; disposing is graceful, then forced. */
export interface Serving extends AsyncDisposable {
  readonly gatewayUrl: string;
  readonly adminUrl: string;
}

export async function composeServe(foundations: Foundations, options: ServeOptions): Promise<Serving> {
  const { config, clock, random, log, metrics, http, regions, view, jobs } = foundations;
  await using stack = new AsyncDisposableStack();
  const stop = new AbortController();
  const background: Promise<void>[] = [view.follow(stop.signal)];
  stack.defer(async () => {
    stop.abort();
    await Promise.all(background);
  });
  const health = stack.use(watchedHealth(foundations));
  let ready = false;
  void health.ready().then(() => {
    ready = true;
  });
  const router = playbackRouter(foundations, health);
  const app = buildGateway({
    router,
    config: config.gateway,
    pools: http,
    outcomes: health,
    clock,
    random,
    log,
    metrics,
    ready: () => ready,
  });
  const gateway = stack.use(await GatewayServer.listen({ app, listen: config.gateway.listen, clock, targets: "raw" }));
  const adminPart = adminApp(foundations, { router, health, listening: gateway.url, ...options });
  const adminListener = { app: adminPart, listen: config.admin.listen, graceMs: ADMIN_GRACE_MS, clock, targets: "parsed" } as const;
  const admin = stack.use(await GatewayServer.listen(adminListener));
  const replication = config.replication.enabled ? composeReplication(foundations) : null;
  if (replication !== null) {
    const loop = { ...replication.options, intervalMs: config.replication.interval, fullIntervalMs: FULL_PASS_MS };
    background.push(replicationLoop(jobs, replication.driver, loop, stop.signal));
  }
  log.info("serve.started", { gateway: gateway.url, admin: admin.url, regions: regions.map(({ name }) => name) });
  const owned = stack.move();
  const release = async (): Promise<void> => {
    // At once, while the listeners still let running answers end.
    stop.abort();
    await owned.disposeAsync();
  };
  return { gatewayUrl: gateway.url, adminUrl: admin.url, [Symbol.asyncDispose]: release };
}

function watchedHealth({ config, clock, random, log, metrics, http, view, jobs, accounts, feed }: Foundations): HealthMonitor {
  const canaries = new CatalogueCanaries({ view, accounts, clock, log, keyPrefix: config.gateway.keys.prefix });
  const { fingerprint } = jobs;
  const health = startHealth({ regions: config.regions, config: config.health, http, canaries, fingerprint, clock, random, log, metrics });
  health.onTransition((transition) => {
    feed.publish({ type: "health", ...transition });
  });
  return health;
}

function playbackRouter({ config, clock, metrics, http, regions, view }: Foundations, health: HealthMonitor): PlaybackRouter {
  const { keys, prefixes, unknownLocators, whenNoneEligible } = config.gateway;
  const asker = new HttpLocatorAsker({ http, outcomes: health, metrics, clock, timeoutMs: unknownLocators.timeout });
  const directory = new LocatorDirectory({
    catalogue: view,
    health,
    clock,
    asker,
    candidates: candidatesFor("streaming", regions),
    options: unknownLocators,
  });
  const door = { prefixes, keyPrefix: keys.prefix, keyHost: keys.host ?? null };
  return new PlaybackRouter({ regions, door, whenNoneEligible, health, directory, metrics });
}

interface AdminParts extends ServeOptions {
  readonly router: PlaybackRouter;
  readonly health: HealthMonitor;
  /** URL of the player listener. */
  readonly listening: string;
}

function adminApp(foundations: Foundations, { router, health, listening, control }: AdminParts) {
  const { config, version, regions, view, journal, feed, metrics, clock, random, log } = foundations;
  const origins = regions.flatMap(({ streaming, keys }) => [streaming, ...(keys === null ? [] : [keys])]).map((url) => new URL(url).origin);
  const gatewayUrl = config.gateway.publicUrl ?? listening;
  return buildAdmin({
    version,
    startedAt: clock.now(),
    gatewayUrl,
    keysPrefix: config.gateway.keys.prefix,
    regions,
    router,
    health,
    catalogue: view,
    jobs: async (limit) => journal.jobs(limit),
    events: feed,
    metrics,
    clock,
    random,
    log,
    token: config.admin.token ?? null,
    page: statusPage({ connectTo: [...new Set([new URL(gatewayUrl).origin, ...origins, ...(control === null ? [] : [control])])] }),
    sandbox: control === null ? null : { control },
  });
}
