/** What one configuration makes run behind the listeners: health, routing, the two applications. A reload makes a new one of these. */
import type { HealthSnapshot } from "../core/contracts.ts";
import { PaircastError } from "../core/errors.ts";
import { describeVideo } from "../core/playback/describe.ts";
import type { HealthView, OutcomeSink, ProbeOnDemand } from "../core/ports/health.ts";
import { TlsCertificates } from "../core/tls.ts";
import { buildAdmin } from "../gateway/admin.ts";
import { buildGateway } from "../gateway/app.ts";
import { HttpLocatorAsker } from "../gateway/ask.ts";
import { candidatesFor } from "../gateway/candidates.ts";
import { LocatorDirectory } from "../gateway/locate.ts";
import { OverrideControl } from "../gateway/overrides/control.ts";
import { statusPage } from "../gateway/page/page.ts";
import { Alignments } from "../gateway/rewrite/alignments.ts";
import { SeenManifests } from "../gateway/rewrite/seenManifests.ts";
import { frontDoorOf, routingRulesOf } from "../gateway/routePolicies.ts";
import { PlaybackRouter } from "../gateway/router.ts";
import type { FetchApp } from "../gateway/server.ts";
import { startHealth, type HealthMonitor } from "../health/monitor.ts";
import { PROBE_MODULES, runProbeModule } from "../health/probeModule.ts";
import { CatalogueCanaries } from "../replicator/canaries.ts";
import { encodingService } from "./encoding.ts";
import type { Foundations } from "./foundations.ts";
import { onDemandView } from "./onDemand.ts";
import type { FormerHealth } from "./restart.ts";
import { replicationStatus } from "./replicationStatus.ts";

export interface ServiceOptions {
  /** The sandbox's control port, for the page's buttons; null anywhere else. */
  readonly control: string | null;
  /** What was known of the regions before a reload: taken up instead of `unknown`. */
  readonly previous: FormerHealth | null;
  /** The same, of the process before this one. */
  readonly remembered: HealthSnapshot | null;
  /** Metrics as text, where more processes than this one count. */
  readonly exposition?: () => Promise<string>;
}

export interface Services {
  readonly health: HealthMonitor;
  readonly gateway: FetchApp;
  /** `listening`: URL of the player listener. */
  readonly admin: (listening: string) => FetchApp;
}

/** Starts the probes, and builds the applications on what they see. */
export function startServices(foundations: Foundations, options: ServiceOptions): Services {
  const health = watchedHealth(foundations, options.previous, options.remembered);
  // After a reload the regions that stay are known already: a service that is ready does not become unready.
  const { app, router } = gatewayOn(foundations, health, options.previous !== null);
  const admin = (listening: string): FetchApp => adminApp(foundations, { router, health, listening, ...options });
  return { health, gateway: app, admin };
}

/** The player's application and its router, on health that is probed here or elsewhere. */
export function gatewayOn(
  foundations: Foundations,
  health: HealthView & OutcomeSink & { ready(): Promise<void> },
  readyAtOnce: boolean,
): { readonly app: FetchApp; readonly router: PlaybackRouter } {
  const { config, clock, random, log, metrics, http, regions } = foundations;
  let ready = readyAtOnce;
  void health.ready().then(() => {
    ready = true;
  });
  const alignments = measuredAlignments(foundations);
  const seen = new SeenManifests();
  const router = playbackRouter(foundations, health, { alignments, seen });
  const playback = { regions, health, http, alignments, seen };
  const parts = { router, config: config.gateway, pools: http, outcomes: health, clock, random, log, metrics, playback };
  return { app: buildGateway({ ...parts, ready: () => ready }), router };
}

function watchedHealth(foundations: Foundations, former: FormerHealth | null, remembered: HealthSnapshot | null): HealthMonitor {
  const { config, clock, random, log, metrics, http, view, memory, fingerprint, accounts, feed } = foundations;
  const canaries = new CatalogueCanaries({ view: onDemandView(view), accounts, clock, log, keyPrefix: config.gateway.keys.prefix });
  const previous = former?.snapshot ?? remembered;
  const known = { ...(previous === null ? {} : { previous }), ...(former === null ? {} : { records: former }) };
  const regions = config.regions.map((region) => ({ ...region, ca: http.authority(region.streaming) }));
  const certificates = new TlsCertificates({
    origins: regions.flatMap(({ streaming, keys, ca }) => originsUnder(ca, streaming, keys)),
    clock,
  });
  const { prefix, host } = config.gateway.keys;
  const keyDoor = { prefix, host: host ?? null };
  const deps = { regions, config: config.health, http, canaries, fingerprint, clock, random, log, metrics, memory, certificates, keyDoor };
  const health = startHealth({ ...deps, ...known });
  health.onTransition((transition) => {
    feed.publish({ type: "health", ...transition });
  });
  return health;
}

function originsUnder(ca: string | null, ...urls: readonly (string | undefined)[]): { url: string; ca: string | null }[] {
  return urls.flatMap((url) => (url === undefined ? [] : [{ url, ca }]));
}

function measuredAlignments({ config, http, clock, log }: Foundations): Alignments {
  const { unknownLocators, manifests } = config.gateway;
  const { entries, foundFor: freshFor } = unknownLocators;
  return new Alignments({ describe: describeVideo, http, clock, log, entries, freshFor, timeoutMs: manifests.timeout });
}

function playbackRouter(
  foundations: Foundations,
  health: HealthView & OutcomeSink,
  memory: { readonly alignments: Alignments; readonly seen: SeenManifests },
): PlaybackRouter {
  const { config, clock, random, metrics, http, regions, view, overrides, countries } = foundations;
  const { unknownLocators } = config.gateway;
  const asker = new HttpLocatorAsker({ http, outcomes: health, metrics, clock, timeoutMs: unknownLocators.timeout });
  const directory = new LocatorDirectory({
    catalogue: view,
    health,
    overrides,
    clock,
    asker,
    candidates: candidatesFor("streaming", regions),
    options: unknownLocators,
  });
  const door = frontDoorOf(config.gateway);
  const routing = routingRulesOf(config.gateway, countries);
  return new PlaybackRouter({ regions, door, routing, health, overrides, directory, ...memory, metrics, clock, random });
}

function probesOnDemand({ http, certificates, clock }: Foundations, origins: readonly string[]): ProbeOnDemand {
  return {
    modules: PROBE_MODULES,
    probe: async (module, target, timeoutMs, signal) => {
      const known = PROBE_MODULES.find((each) => each === module);
      if (known === undefined) throw new PaircastError("probe_module", `there is no probe module ${module}`);
      return runProbeModule(known, target, { http, certificates, clock, timeoutMs, signal, origins });
    },
  };
}

interface AdminParts extends Pick<ServiceOptions, "control" | "exposition"> {
  readonly router: PlaybackRouter;
  readonly health: HealthMonitor;
  readonly listening: string;
}

function adminApp(foundations: Foundations, { router, health, listening, control, exposition }: AdminParts): FetchApp {
  const { config, version, startedAt, regions, view, journal, feed, metrics, clock, random, log } = foundations;
  const origins = regions.flatMap(({ streaming, keys }) => [streaming, ...(keys === null ? [] : [keys])]).map((url) => new URL(url).origin);
  const gatewayUrl = config.gateway.publicUrl ?? listening;
  const { overrideStore: store, overrides } = foundations;
  const encoding = encodingService(foundations);
  return buildAdmin({
    version,
    startedAt,
    gatewayUrl,
    keysPrefix: config.gateway.keys.prefix,
    regions,
    router,
    health,
    probes: probesOnDemand(foundations, origins),
    catalogue: view,
    jobs: async (limit) => journal.jobs(limit),
    conflicts: async (limit) => journal.conflicts(limit),
    replication: async () => replicationStatus(foundations, config, onDemandView(view).entries()),
    events: feed,
    encoding,
    overrides: new OverrideControl({ store, view: overrides, regions, health, encoding, clock, random }),
    metrics,
    ...(exposition === undefined ? {} : { exposition }),
    clock,
    random,
    log,
    token: config.admin.token ?? null,
    page: statusPage({ connectTo: [...new Set([new URL(gatewayUrl).origin, ...origins, ...(control === null ? [] : [control])])] }),
    sandbox: control === null ? null : { control },
  });
}
