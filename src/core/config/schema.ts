/** The configuration file: every field with its meaning and default. Unknown keys are refused. */
import { z } from "zod";
import { account } from "./accounts.ts";
import { deletion } from "./deletion.ts";
import { encoding } from "./encoding.ts";
import { replicationEvents } from "./events.ts";
import { healthSection } from "./health.ts";
import { keyRecord } from "./keyRecord.ts";
import { manifests, playback, steering } from "./playback.ts";
import { routes, routing, viewers } from "./routing.ts";
import { state } from "./state.ts";
import { baseUrl, duration, durationFrom, listenAddress, nonEmpty, regionName } from "./units.ts";
import { recheck, size, verification } from "./verification.ts";

const canary = z.strictObject({
  /** Manifest path (and query) to append to the region's streaming URL. */
  manifest: z.string().startsWith("/", "write a path, starting with /").optional(),
  /** Path and query to append to the region's key-delivery URL. */
  key: z.string().startsWith("/", "write a path, starting with /").optional(),
  /** Value of the Authorization header for the key. */
  keyAuthorization: nonEmpty.optional(),
  /** `key` is a licence server, which gives nothing away without a DRM client: any status below 500 is a success. */
  licence: z.boolean().optional(),
});

const region = z.strictObject({
  /** Also the `origin` label of metrics, and the pathway id of content steering. */
  name: regionName,
  /** Base URL of the streaming endpoint (or of the CDN or container that serves packaged files). */
  streaming: baseUrl,
  /** Base URL of the key-delivery service; left out where the region has none. */
  keys: baseUrl.optional(),
  account,
  /** What probes ask for. Default: a video that was verified in the region lately. */
  canary: canary.optional(),
  /** More of them. All must be well, or the service is not. */
  canaries: z.array(canary).optional(),
  /** PEM file of a certificate authority to trust for this region, beside the system's. */
  caFile: nonEmpty.optional(),
});

const keys = z.strictObject({
  /** Path on the player listener under which key requests arrive; what follows is carried to the region's key host. */
  prefix: z
    .string()
    .regex(/^\/[A-Za-z0-9._~-]+(\/[A-Za-z0-9._~-]+)*$/, "write a path such as /keys, without a trailing slash")
    .prefault("/keys"),
  /** Host name on which every request is a key request; left out: none. */
  host: z
    .string()
    .regex(/^[A-Za-z0-9.-]+$/, "write a host name without port")
    .transform((name) => name.toLowerCase())
    .optional(),
  /**
   * `auto`: proxied when a redirect would lose something (an Authorization header, a cookie, a second try), else redirected. Where a route steers
   * or anchors, always proxied.
   */
  mode: z.enum(["auto", "proxy", "redirect"]).prefault("auto"),
  /** Time until the answer's headers, for one region. */
  timeout: durationFrom(50).prefault("2s"),
  /**
   * Time after which a region that has not answered gets company: the next one is asked, too, and the first good answer counts. Where a region
   * is usually slower (95 of 100 answers), that time is waited. 0s: never.
   */
  hedge: duration.prefault("100ms"),
  /** Whether licence requests (POST) are hedged, too. They have no effect but their answer; where licences are counted, one may count twice. */
  hedgePost: z.boolean().prefault(true),
  /** Whether a video may be streamed from one region and get its keys from another that is verified to hold the same. */
  cross: z.boolean().prefault(true),
});

const gateway = z.strictObject({
  /** Where players connect. */
  listen: listenAddress.prefault(":8080"),
  /** URL by which players reach it, where that is not the listen address: for the status page, and in manifests that lead back here. */
  publicUrl: baseUrl.optional(),
  /** Processes that answer players on one shared port. 1: the process that does everything else, too. More: as many beside it. */
  workers: z.int().min(1).max(64).prefault(1),
  /** Path prefixes below which the next path segment names a video of the `static` driver; `/` for videos at the root. Locator ids (GUIDs) need none. */
  prefixes: z.array(z.string().regex(/^\/([A-Za-z0-9._~-]+\/)*$/, "write a path that starts and ends with /")).prefault([]),
  keys: keys.prefault({}),
  /** The order in which regions are to serve. */
  routing,
  /** Other orders, for some host names or paths. */
  routes,
  viewers,
  /** What players get for a manifest. */
  playback: playback.prefault("redirect"),
  steering,
  manifests,
  /** When no region is eligible: the least bad one (`open`), or 503 with Retry-After (`closed`). */
  whenNoneEligible: z.enum(["open", "closed"]).prefault("open"),
  retryAfter: durationFrom(1000).prefault("5s"),
  /** How long a locator that the catalogue does not know is remembered: where it was found, and (shorter) where it was not. */
  unknownLocators: z
    .strictObject({
      foundFor: duration.prefault("5m"),
      absentFor: duration.prefault("10s"),
      entries: z.int().min(100).prefault(10_000),
      timeout: durationFrom(50).prefault("2s"),
    })
    .prefault({}),
  /** `Access-Control-Allow-Origin`. */
  corsOrigin: nonEmpty.prefault("*"),
  /** One JSON line per request. With `sample`, for that share of them; what is not a plain success of the first region is always logged. */
  accessLog: z.union([z.boolean(), z.strictObject({ sample: z.number().gt(0).max(1) })]).prefault(true),
  /** W3C Trace Context. `carry`: a traceparent that comes in goes on; `generate`: one is made where none comes in; `off`: none goes on. */
  tracing: z.enum(["carry", "generate", "off"]).prefault("carry"),
});

const admin = z.strictObject({
  /** Where operators and Prometheus connect. On any address but loopback a token is required. */
  listen: listenAddress.prefault("127.0.0.1:9090"),
  /** `Authorization: Bearer …` for everything but /healthz and the files of the status page, which asks for it. */
  token: z.string().min(16, "use at least 16 characters").optional(),
});

const replication = z.strictObject({
  enabled: z.boolean().prefault(true),
  /** Regions whose publications are carried to all others; default: all with an account. */
  sources: z.array(regionName).optional(),
  targets: z.array(regionName).optional(),
  /** How often `serve` looks for new publications. */
  interval: durationFrom(500).prefault("60s"),
  /** How often it looks at everything again, also at what is verified: policies and filters may have changed. */
  fullInterval: durationFrom(1000).prefault("1h"),
  /** Events of Event Grid, which tell of new videos at once; left out: none. */
  events: replicationEvents.optional(),
  /**
   * Custom key and licence URLs in streaming policies: what templates begin with in the source, and what they are to begin with in the targets, so
   * that players ask the gateway. The first that fits is used. Streaming policies cannot be changed afterwards, only recreated.
   */
  keyUrls: z.array(z.strictObject({ from: baseUrl, to: baseUrl })).prefault([]),
  /** Assets at a time, and blobs at a time within an asset. */
  concurrency: z.int().min(1).max(64).prefault(4),
  blobConcurrency: z.int().min(1).max(256).prefault(16),
  /** Bytes per second that are copied to each target; left out: as fast as the services can. */
  bandwidth: size.refine((bytes) => bytes > 0, "write at least 1KiB").optional(),
  /** How thoroughly a copy is verified, before it serves and ever after. */
  verification: verification.prefault({}),
  /** Verification of copies that serve, by `serve`, for ever. */
  recheck: recheck.prefault({}),
  /** What becomes of copies whose source does not publish them any more. */
  deletion: deletion.prefault({}),
  /** The encrypted record of ids, keys and policies from which a region can be rebuilt; left out: none is kept. */
  keyRecord: keyRecord.optional(),
});

const log = z.strictObject({
  level: z.enum(["debug", "info", "warn", "error"]).prefault("info"),
});

export const configSchema = z.strictObject({
  /** In order of priority. */
  regions: z.array(region).min(1, "name at least one region"),
  gateway: gateway.prefault({}),
  admin: admin.prefault({}),
  health: healthSection.prefault({}),
  replication: replication.prefault({}),
  /** Encoding jobs over the media accounts of several regions; left out: none. */
  encoding: encoding.optional(),
  state: state.prefault({}),
  log: log.prefault({}),
});

export type Config = z.output<typeof configSchema>;
export type RegionConfig = Config["regions"][number];
export type GatewayConfig = Config["gateway"];
