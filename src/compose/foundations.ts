/** Configuration -> adapters. What every command needs, and what a reload makes anew. */
import { systemClock, systemRandom, type Clock, type Random } from "../core/clock.ts";
import type { Config } from "../core/config/schema.ts";
import { countryDatabaseOf } from "../core/config/source.ts";
import type { Region } from "../core/contracts.ts";
import { RegionHttpClient } from "../core/http.ts";
import type { Log } from "../core/log.ts";
import { describeVideo } from "../core/playback/describe.ts";
import { walkPlayback, walkRenditions } from "../core/playback.ts";
import { TlsCertificates } from "../core/tls.ts";
import type { EncodingStore } from "../core/ports/encodingStore.ts";
import type { CountryReader } from "../core/ports/http.ts";
import type { MediaAccount } from "../core/ports/media.ts";
import type { StaticLibrary } from "../core/ports/storage.ts";
import { bandwidths } from "../replicator/copying/bandwidth.ts";
import type { JobDeps } from "../replicator/jobDeps.ts";
import type { RecordBook } from "../replicator/keyRecords/book.ts";
import { recordBook } from "./keyRecord.ts";
import { onDemandCatalogue } from "./onDemand.ts";
import { mediaAccounts, originsOf, staticLibraries } from "./regions.ts";
import { openState, type State } from "./state.ts";
import { verificationPolicy } from "./verificationPolicy.ts";

export interface ComposeOptions {
  readonly config: Config;
  readonly version: string;
  readonly log: Log;
  readonly clock?: Clock;
  readonly random?: Random;
  /** False where nobody is routed: then no country database is read, and the catalogue is not held in memory. */
  readonly routes?: boolean;
  /** Told where events are taken in: `setting` is `replication.events` or `encoding.events`. */
  readonly onListening?: (setting: string, url: string) => void;
}

/** The state, and the adapters that follow from one configuration. */
export interface Foundations extends State, AsyncDisposable {
  readonly config: Config;
  readonly http: RegionHttpClient;
  readonly certificates: TlsCertificates;
  readonly regions: readonly Region[];
  readonly accounts: ReadonlyMap<string, MediaAccount>;
  readonly libraries: ReadonlyMap<string, StaticLibrary>;
  /** Null where the configuration names no country database. */
  readonly countries: CountryReader | null;
  /** Null where no record of keys is configured. */
  readonly records: RecordBook | null;
  /** Null where nothing is encoded. */
  readonly encoding: EncodingStore | null;
  readonly jobs: JobDeps;
  readonly onListening: (setting: string, url: string) => void;
}

/** Disposing it closes adapters and state. */
export async function composeFoundations(options: ComposeOptions): Promise<Foundations> {
  const { config, version, log, clock = systemClock, random = systemRandom, routes = true, onListening = () => undefined } = options;
  await using stack = new AsyncDisposableStack();
  const state = await openState({ config, version, log, clock, random, views: routes }, stack);
  const countries = routes ? await countriesOf(config, log) : null;
  const adapters = await adaptersOf(state, config, null);
  stack.use(adapters.http);
  const owned = stack.move();
  return { ...state, ...adapters, countries, onListening, [Symbol.asyncDispose]: async () => owned.disposeAsync() };
}

/**
 * The same state with the adapters of another configuration. Connection pools of regions that stay are shared with `previous`; disposing the
 * result leaves the state and what `previous` uses alone. Throws where an adapter cannot be made.
 */
export async function reconfigured(previous: Foundations, config: Config): Promise<Foundations> {
  const countries = await countriesOf(config, previous.log);
  const adapters = await adaptersOf(previous, config, previous.http);
  return { ...previous, ...adapters, countries, [Symbol.asyncDispose]: async () => adapters.http[Symbol.asyncDispose]() };
}

/** Reads the database anew at each reload: it may be another file under the same name. The reader of the format is loaded where it is used. */
async function countriesOf(config: Config, log: Log): Promise<CountryReader | null> {
  const file = countryDatabaseOf(config);
  if (file === null) return null;
  const { readCountryDatabase } = await import("../core/countryDatabase.ts");
  const database = await readCountryDatabase(file);
  log.info("countries.read", { file, type: database.type, built: new Date(database.builtAt).toISOString() });
  return database;
}

async function adaptersOf(state: State, config: Config, previous: RegionHttpClient | null) {
  const { clock } = state;
  const regions = config.regions.map(({ name, streaming, keys }): Region => ({ name, streaming, keys: keys ?? null }));
  const accounts = await mediaAccounts(config.regions, clock, state.log);
  const libraries = await staticLibraries(config.regions, clock);
  const origins = config.regions.flatMap(originsOf);
  const http = new RegionHttpClient({ origins }, previous);
  const certificates = new TlsCertificates({ origins, clock });
  const records = recordBook(state, config);
  const encoding = config.encoding === undefined ? null : await state.openEncoding();
  const jobs = { ...jobDeps(state, config, regions, http), records };
  return { config, http, certificates, regions, accounts, libraries, records, encoding, jobs };
}

function jobDeps(state: State, config: Config, regions: readonly Region[], http: RegionHttpClient): JobDeps {
  const { catalogue, journal, clock, fingerprint, owner, log, metrics } = state;
  return {
    regions: new Map(regions.map((region) => [region.name, region])),
    catalogue: onDemandCatalogue(catalogue),
    journal,
    http,
    playback: walkPlayback,
    renditions: walkRenditions,
    describe: describeVideo,
    clock,
    fingerprint,
    owner,
    log,
    metrics,
    bandwidth: bandwidths(config.replication.bandwidth ?? null, clock),
    options: {
      concurrency: config.replication.concurrency,
      blobConcurrency: config.replication.blobConcurrency,
      verification: verificationPolicy(config),
      keyPrefix: config.gateway.keys.prefix,
      keyUrls: config.replication.keyUrls,
      keyHost: config.gateway.keys.host ?? null,
    },
  };
}
