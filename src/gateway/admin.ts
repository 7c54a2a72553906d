/** The admin listener's application: metrics, status, explain, events, and the status page that the caller passes in. */
import { Hono, type Context } from "hono";
import type { Clock, Random } from "../core/clock.ts";
import type { Region } from "../core/contracts.ts";
import { errorChain, errorCode } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { Metrics } from "../core/metrics.ts";
import type { ReplicationStatus } from "../core/replicationStatus.ts";
import type { CatalogueView } from "../core/ports/catalogue.ts";
import type { EncodingService } from "../core/ports/encodingService.ts";
import type { HealthHistory, HealthView, ProbeOnDemand } from "../core/ports/health.ts";
import type { JobRecord } from "../core/ports/journal.ts";
import { adminEncoding } from "./adminEncoding.ts";
import { EventStreams, type StatusEvents } from "./adminEvents.ts";
import { adminRefusal } from "./adminGuard.ts";
import { adminOverrides } from "./adminOverrides.ts";
import { adminProbe } from "./adminProbe.ts";
import { newestEntries, regionHealth, regionStatuses } from "./adminStatus.ts";
import { openApiDocument } from "./openapi.ts";
import type { OverrideControl } from "./overrides/control.ts";
import type { PlaybackRouter } from "./router.ts";

export interface AdminDeps {
  readonly version: string;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** URL of the player listener. */
  readonly gatewayUrl: string;
  /** Path on it under which key requests arrive. */
  readonly keysPrefix: string;
  readonly regions: readonly Region[];
  readonly router: PlaybackRouter;
  readonly health: HealthView & HealthHistory;
  readonly probes: ProbeOnDemand;
  readonly catalogue: CatalogueView;
  /** Newest first. */
  readonly jobs: (limit: number) => Promise<readonly JobRecord[]>;
  /** Jobs that have conflicts, newest first. */
  readonly conflicts: (limit: number) => Promise<readonly JobRecord[]>;
  readonly replication: () => Promise<ReplicationStatus>;
  readonly events: StatusEvents;
  readonly overrides: OverrideControl;
  /** Null, or left out: nothing is encoded. */
  readonly encoding?: EncodingService | null;
  readonly metrics: Metrics;
  /** Text for Prometheus, where it is not this process's metrics alone. */
  readonly exposition?: () => Promise<string>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Null where none is configured; only loopback names are answered then. */
  readonly token: string | null;
  /** The status page: `/` and `/assets/…`. */
  readonly page: Hono | null;
  readonly sandbox: { readonly control: string } | null;
}

const STATUS_VIDEOS = 200;
const STATUS_JOBS = 100;
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

/** The application, without a socket. */
export function buildAdmin(deps: AdminDeps): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    const refused = refuse(context, deps);
    if (refused !== null) return refused;
    await next();
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) context.res.headers.set(name, value);
    return undefined;
  });
  app.get("/healthz", (context) => context.json({ status: "ok" }));
  app.get("/metrics", async (context) => {
    deps.router.recordFailOpen();
    const text = await (deps.exposition?.() ?? deps.metrics.registry.metrics());
    return context.body(text, 200, { "content-type": deps.metrics.registry.contentType });
  });
  addApi(app, deps);
  if (deps.page !== null) app.route("/", deps.page);
  app.notFound((context) => failure(context, deps, 404, "unknown_path", "there is no such page; see /api/openapi.json"));
  app.onError((error, context) => {
    deps.log.error("admin.internal", { path: context.req.path, code: errorCode(error), message: errorChain(error) });
    return failure(context, deps, 500, "internal", "the request failed; the log says why");
  });
  return app;
}

/** No store: health is old at once. No frames and no sniffing: the page has buttons that break regions. */
const SECURITY_HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
};

function addApi(app: Hono, deps: AdminDeps): void {
  const streams = new EventStreams(deps.events, deps.clock);
  app.get("/api/status", async (context) => context.json(await status(deps)));
  app.get("/api/health", (context) => {
    const snapshot = deps.health.snapshot();
    return context.json({ takenAt: snapshot.takenAt, regions: regionHealth(deps.regions, snapshot, deps.health) });
  });
  app.get("/api/explain", (context) => explain(context, deps));
  app.get("/api/catalogue", (context) => {
    const entries = deps.catalogue.entries();
    return context.json({ entries: newestEntries(entries, limitOf(context)), total: entries.length });
  });
  app.get("/api/replication", async (context) => {
    const limit = limitOf(context);
    const [jobs, conflicts, status] = await Promise.all([deps.jobs(limit), deps.conflicts(limit), deps.replication()]);
    return context.json({ ...status, jobs, conflicts });
  });
  app.route(
    "/",
    adminOverrides({
      control: deps.overrides,
      clock: deps.clock,
      limitOf,
      failure: (context, code, error, message) => failure(context, deps, code, error, message),
    }),
  );
  app.route(
    "/",
    adminProbe({ probes: deps.probes, failure: (context, code, error, message) => failure(context, deps, code, error, message) }),
  );
  app.route(
    "/",
    adminEncoding({
      service: deps.encoding ?? null,
      limitOf,
      failure: (context, code, error, message) => failure(context, deps, code, error, message),
    }),
  );
  app.get("/api/events", (context) => {
    const stream = streams.open(context.req.raw.signal);
    if (stream === null) return failure(context, deps, 503, "too_many_listeners", "close another listener first");
    return context.body(stream, 200, { "content-type": "text/event-stream", "x-accel-buffering": "no" });
  });
  app.get("/api/openapi.json", (context) => context.json(openApiDocument(deps.version, deps.token !== null)));
}

async function status(deps: AdminDeps): Promise<object> {
  const entries = deps.catalogue.entries();
  return {
    version: deps.version,
    now: deps.clock.now(),
    startedAt: deps.startedAt,
    gateway: { url: deps.gatewayUrl, keysPrefix: deps.keysPrefix },
    regions: regionStatuses(deps.regions, deps.health.snapshot(), entries),
    videos: newestEntries(entries, STATUS_VIDEOS),
    jobs: await deps.jobs(STATUS_JOBS),
    sandbox: deps.sandbox,
  };
}

function explain(context: Context, deps: AdminDeps): Response {
  const url = context.req.query("url");
  const { session, country, address, method = "GET" } = context.req.query();
  const explanation = url === undefined ? null : deps.router.explain(url, method, { session, country, address });
  if (explanation === null) return failure(context, deps, 400, "bad_url", "name the request with ?url=, an http(s) URL or a path");
  return context.json(explanation);
}

function refuse(context: Context, deps: AdminDeps): Response | null {
  const header = (name: string) => context.req.header(name) ?? null;
  const { method, path } = context.req;
  const facts = { method, path, host: header("host"), origin: header("origin"), authorization: header("authorization") };
  const refusal = adminRefusal(facts, deps.token);
  if (refusal === null) return null;
  if (refusal.status === 401) context.header("www-authenticate", "Bearer");
  return failure(context, deps, refusal.status, refusal.code, refusal.message);
}

type FailureStatus = 400 | 401 | 403 | 404 | 409 | 413 | 415 | 500 | 503;

function failure(context: Context, deps: AdminDeps, code: FailureStatus, error: string, message: string): Response {
  return context.json({ error, message, requestId: deps.random.uuid() }, code);
}

function limitOf(context: Context): number {
  const asked = Number(context.req.query("limit") ?? DEFAULT_LIMIT);
  return Number.isInteger(asked) ? Math.min(Math.max(asked, 1), MAX_LIMIT) : DEFAULT_LIMIT;
}
