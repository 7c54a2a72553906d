/** The gateway as it is composed for serving, on simulated time and regions: only sockets and stores are missing. */
import type { Clock, Random } from "../../src/core/clock.ts";
import { configSchema, type Config } from "../../src/core/config/schema.ts";
import type { CatalogueEntry, Region } from "../../src/core/contracts.ts";
import { keyedFingerprint } from "../../src/core/fingerprint.ts";
import { silentLog } from "../../src/core/log.ts";
import { describeVideo } from "../../src/core/playback/describe.ts";
import { Metrics } from "../../src/core/metrics.ts";
import type { CatalogueView } from "../../src/core/ports/catalogue.ts";
import { buildGateway } from "../../src/gateway/app.ts";
import { HttpLocatorAsker } from "../../src/gateway/ask.ts";
import { candidatesFor } from "../../src/gateway/candidates.ts";
import { LocatorDirectory } from "../../src/gateway/locate.ts";
import { frontDoorOf, routingRulesOf } from "../../src/gateway/routePolicies.ts";
import { Alignments } from "../../src/gateway/rewrite/alignments.ts";
import { PlaybackRouter } from "../../src/gateway/router.ts";
import { startHealth } from "../../src/health/monitor.ts";
import { GATEWAY, type AskGateway } from "./network.ts";
import { CONTENTS } from "./origin.ts";
import { REGION_NAMES, SITES, type RegionName, type Regions } from "./regions.ts";

/** What stands between players and regions. */
export interface Gateway {
  readonly ask: AskGateway;
  /** Whether the region is unhealthy now. */
  readonly isIll: (region: RegionName) => boolean;
  /** When the region was probed last: epoch milliseconds at which that probe began. */
  readonly probedAt: (region: RegionName) => number;
  readonly stop: () => Promise<void>;
}

export interface GatewayParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly regions: Regions;
}

/** How a route answers; also the prefix under which the world has it. */
export const MODES = ["redirect", "steer", "anchor"] as const;
export type Mode = (typeof MODES)[number];

export function simulatedGateway({ clock, random, regions: http }: GatewayParts): Gateway {
  const config = simulatedConfig();
  const regions = config.regions.map(({ name, streaming }): Region => ({ name, streaming, keys: null }));
  const metrics = new Metrics({ version: "0", regions: regions.map(({ name }) => ({ name, keys: false })) });
  const shared = { clock, random, log: silentLog, metrics };
  const health = startHealth({
    regions: config.regions,
    config: config.health,
    http,
    hold: http.hold,
    canaries: { canary: async () => Promise.resolve(null) },
    fingerprint: keyedFingerprint(Buffer.alloc(32, 7)),
    ...shared,
  });
  const asker = new HttpLocatorAsker({ http, outcomes: health, metrics, clock, timeoutMs: config.gateway.unknownLocators.timeout });
  const { manifests, unknownLocators } = config.gateway;
  const alignments = new Alignments({
    describe: describeVideo,
    http,
    clock,
    log: silentLog,
    entries: unknownLocators.entries,
    freshFor: unknownLocators.foundFor,
    timeoutMs: manifests.timeout,
  });
  const directory = new LocatorDirectory({
    catalogue: CATALOGUE,
    health,
    overrides: { active: () => [] },
    clock,
    asker,
    candidates: candidatesFor("streaming", regions),
    options: config.gateway.unknownLocators,
  });
  const door = frontDoorOf(config.gateway);
  const routing = routingRulesOf(config.gateway, null);
  const router = new PlaybackRouter({ regions, door, routing, health, directory, alignments, metrics, clock, random });
  const playback = { regions, health, http, alignments };
  const app = buildGateway({ router, config: config.gateway, pools: NO_KEYS, outcomes: health, ready: () => true, playback, ...shared });
  const ask: AskGateway = async (url, viewer) => {
    const response = await app.fetch(new Request(url), { peer: () => viewer });
    return { status: response.status, location: response.headers.get("location"), text: await response.text() };
  };
  return {
    ask,
    probedAt: (region) => health.history(region, "streaming").at(-1)?.at ?? 0,
    isIll: (region) => health.snapshot().regions[region]?.streaming?.status === "unhealthy",
    stop: async () => health.stop(),
  };
}

/** Everything that is not named has its default. */
function simulatedConfig(): Config {
  return configSchema.parse({
    regions: REGION_NAMES.map((name) => ({ name, streaming: SITES[name], canary: { manifest: "/steer/film/master.m3u8" } })),
    gateway: {
      publicUrl: GATEWAY,
      prefixes: MODES.map((mode) => `/${mode}/`),
      routes: MODES.map((mode) => ({ prefix: `/${mode}/`, playback: mode })),
      accessLog: false,
    },
  });
}

const ENTRIES: readonly CatalogueEntry[] = MODES.flatMap((mode) => CONTENTS.map((content) => entryOf(`${mode}/${content}`)));

function entryOf(locatorId: string): CatalogueEntry {
  const copy = { state: "verified", at: 1, detail: "by the simulation", aligned: true } as const;
  return {
    locatorId,
    locatorName: locatorId,
    assetName: locatorId,
    source: REGION_NAMES[0],
    streamingPolicyName: null,
    contentKeyPolicyName: null,
    manifests: { hls: `/${locatorId}/master.m3u8`, dash: `/${locatorId}/manifest.mpd` },
    keys: [],
    regions: { westeurope: copy, northeurope: copy },
    publishedAt: 1,
  };
}

const CATALOGUE: CatalogueView = {
  byLocator: (locatorId) => ENTRIES.find((entry) => entry.locatorId === locatorId),
  byKey: () => undefined,
  entries: () => ENTRIES,
};

const NO_KEYS = {
  dispatcher: () => {
    throw new Error("nobody asks for keys");
  },
};
