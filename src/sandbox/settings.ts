/** The configuration file with which the sandbox runs the gateway: the same that an operator would write. */
import { stringify } from "yaml";
import { homeHost, type SandboxLayout } from "./layout.ts";
import { OUTPUT_POLICIES } from "./publish.ts";
import type { SandboxRegion } from "./region.ts";

export interface SettingsOptions {
  readonly layout: SandboxLayout;
  readonly regions: readonly SandboxRegion[];
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly apiKey: string;
  readonly statePath: string;
  /** PEM file of the sandbox's certificate authority, null without TLS. */
  readonly caFile: string | null;
  /** After how long steered players ask again while all is well, as the configuration file has it. */
  readonly steeringTtl: string;
  /** What Event Grid's deliveries come with. */
  readonly eventsSecret: string;
}

/** The playback modes beside the redirect, each under a host name of its own, which browsers take for this machine (RFC 6761, 6.3). */
export const PLAYBACK_HOSTS = { steer: "steer.localhost", anchor: "anchor.localhost" } as const;

/** For any source, as many renditions as its height has. */
const TRANSFORM = {
  name: "adaptive",
  description: "an adaptive set of renditions",
  outputs: [{ preset: { "@odata.type": "#Microsoft.Media.BuiltInStandardEncoderPreset", presetName: "AdaptiveStreaming" } }],
} as const;

/** YAML. Probes are quicker than an operator's would be, so that a person at the page does not wait. */
export function sandboxSettings(options: SettingsOptions): string {
  const { layout, regions, subscriptionId, resourceGroup, apiKey, statePath, caFile, steeringTtl, eventsSecret } = options;
  return stringify({
    regions: regions.map(({ name, urls, mediaAccount }) => ({
      name,
      streaming: urls.streaming,
      keys: urls.keys,
      account: {
        driver: "ams",
        endpoint: urls.management,
        subscriptionId,
        resourceGroup,
        accountName: mediaAccount,
        credential: { kind: "api-key", apiKey },
      },
      ...(caFile === null ? {} : { caFile }),
    })),
    gateway: {
      listen: `${homeHost}:${layout.gateway}`,
      routes: Object.entries(PLAYBACK_HOSTS).map(([playback, host]) => ({ host, playback })),
      steering: { ttl: steeringTtl, incidentTtl: "2s" },
    },
    admin: { listen: `${homeHost}:${layout.admin}` },
    health: {
      interval: "500ms",
      fastInterval: "200ms",
      timeout: "1s",
      fall: 2,
      rise: 2,
      // A person who breaks and mends a region wants to see it return, every time.
      ramp: "0s",
      damping: { base: "0s" },
    },
    replication: { interval: "1s" },
    encoding: {
      accounts: regions.map(({ name }) => ({ region: name, maxInFlight: 4 })),
      transforms: [TRANSFORM],
      publish: OUTPUT_POLICIES,
      events: { webhook: { listen: `${homeHost}:${layout.events}`, secret: eventsSecret } },
      // What is stuck moves on while somebody watches. Of a region that is broken here events still come: they do not count as signs of life.
      limits: { submit: "20s", queued: "1m", scheduled: "1m", stalled: "1m", alive: "0s" },
      health: { interval: "1s", fall: 2, fallFor: "1s", rise: 2, hold: "10s" },
      tick: "250ms",
      check: "5s",
      retention: "1d",
    },
    state: { path: statePath },
    log: { level: "warn" },
  });
}
