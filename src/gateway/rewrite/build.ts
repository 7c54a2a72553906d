/** The parts of `steer` and `anchor`, put together from the configuration. */
import type { Clock, Random } from "../../core/clock.ts";
import type { GatewayConfig } from "../../core/config/schema.ts";
import type { Decision, Region } from "../../core/contracts.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { HealthView, OutcomeSink } from "../../core/ports/health.ts";
import type { HttpClient } from "../../core/ports/http.ts";
import { networksOf } from "../order/viewer.ts";
import type { Responder } from "../respond.ts";
import type { PlaybackRouter } from "../router.ts";
import { SteeringRoute } from "../steering/steeringRoute.ts";
import { hasIncident, ttlSeconds } from "../steering/ttl.ts";
import type { Alignments } from "./alignments.ts";
import { Compression } from "./compression.ts";
import { GatewayUrls } from "./gatewayUrls.ts";
import { ManifestSource } from "./manifestSource.ts";
import { PreparedAnswers } from "./prepared.ts";
import { Rewriter } from "./rewriter.ts";
import { RewriteRoute } from "./rewriteRoute.ts";
import { SeenManifests } from "./seenManifests.ts";

/** What these modes need beside what every mode does. */
export interface PlaybackParts {
  readonly regions: readonly Region[];
  readonly health: HealthView;
  readonly http: HttpClient;
  readonly alignments: Alignments;
  /** What manifests turn out to be is noted here. Left out: nobody asks. */
  readonly seen?: SeenManifests;
}

export interface PlaybackShared {
  readonly router: PlaybackRouter;
  readonly responder: Responder;
  readonly outcomes: OutcomeSink;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: Random;
  readonly config: PlaybackConfig;
}

export type PlaybackConfig = Pick<GatewayConfig, "keys" | "publicUrl" | "viewers" | "steering" | "manifests">;

export interface Playback {
  readonly rewrite: RewriteRoute;
  readonly steering: SteeringRoute;
  readonly urls: GatewayUrls;
  readonly prepared: PreparedAnswers;
  readonly compression: Compression;
}

/** The list in a manifest is the same for everybody, so that many can have one text; jitter is for the lists that follow. */
const MIDDLE = 0.5;

export function buildPlayback(shared: PlaybackShared, parts: PlaybackParts): Playback {
  const { router, outcomes, metrics, clock, config } = shared;
  const { regions, http } = parts;
  const base = (region: string): string => router.base("streaming", region);
  const urls = new GatewayUrls({
    publicUrl: config.publicUrl ?? null,
    proxies: networksOf(config.viewers.proxies),
    keyPrefix: config.keys.prefix,
    regions,
    isServed: (target) => {
      const front = router.read({ method: "GET", target, host: null });
      return front.type === "playback" && front.request.kind !== "key";
    },
  });
  const source = new ManifestSource({ http, outcomes, metrics, clock, options: config.manifests, base });
  const rewriter = new Rewriter({ base, keyUrl: (gateway) => urls.keyUrl(gateway), ...config.manifests });
  const { steering: ttl } = config;
  const ttlOf = ({ considered }: Decision, names: readonly string[]): number =>
    ttlSeconds(ttl, hasIncident(considered, names) ? "incident" : "calm", MIDDLE);
  return {
    urls,
    prepared: new PreparedAnswers(config.manifests),
    compression: new Compression(),
    rewrite: new RewriteRoute({ ...shared, ...parts, seen: parts.seen ?? new SeenManifests(), source, rewriter, urls, ttlSeconds: ttlOf }),
    steering: new SteeringRoute({ ...shared, health: parts.health, ttl, regions: regions.map(({ name }) => name) }),
  };
}
