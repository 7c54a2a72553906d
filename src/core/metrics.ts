/**
 * Every metric and its labels, once. Conventions: prefix `paircast_`, base units, `_total` counters, no URL, locator or key id in a label,
 * and every series present at 0 from the start.
 */
import { collectDefaultMetrics, Registry } from "prom-client";
import {
  FAILURE_REASONS,
  HEALTH_STATUSES,
  OVERRIDE_KINDS,
  SERVICES,
  SIGNAL_KINDS,
  type DecisionReason,
  type FailureReason,
  type HealthStatus,
  type Override,
  type OverrideKind,
  type OverrideService,
  type PlaybackFallback,
  type RequestKind,
  type RewritingMode,
  type Service,
  type ServiceHealth,
} from "./contracts.ts";
import { EncodingMetrics } from "./encodingMetrics.ts";
import { instruments } from "./instruments.ts";
import { LiveMetrics } from "./liveMetrics.ts";
import { RequestMetrics, type LookupResult, type ManifestRead, type RequestMode } from "./requestMetrics.ts";
import { SteeringMetrics } from "./steeringMetrics.ts";
import { DeletionMetrics } from "./deletionMetrics.ts";
import { VerificationMetrics } from "./verificationMetrics.ts";
import { WorkMetrics } from "./workMetrics.ts";

export type { LookupResult, RequestMode } from "./requestMetrics.ts";

export const REJECTIONS = ["method", "path", "too_long", "body_too_large", "bad_request"] as const;
export type RejectionReason = (typeof REJECTIONS)[number];
export const JOB_RESULTS = ["changed", "unchanged", "conflict", "failed"] as const;
export type JobResult = (typeof JOB_RESULTS)[number];
export const WATCH_VERDICTS = ["kept", "refused", "failed"] as const;
/** What connecting again showed after a watched connection was lost. */
export type WatchVerdict = (typeof WATCH_VERDICTS)[number];
const STATES = HEALTH_STATUSES;

export interface MeteredRegion {
  readonly name: string;
  /** True where it has key delivery. */
  readonly keys: boolean;
}

export interface MetricsOptions {
  readonly version: string;
  readonly regions: readonly MeteredRegion[];
}

/** Gauges of prom-client's that end in `_total`, which promtool refuses; the same figures are there by type under the name without it. */
const MISNAMED = ["handles", "requests", "resources"].map((what) => `paircast_nodejs_active_${what}_total`);

type Instruments = ReturnType<typeof instruments>;

/** Typed recording functions over an own registry. Unknown regions are not recorded, so labels stay bounded. */
export class Metrics {
  readonly registry = new Registry();
  readonly steering: SteeringMetrics;
  readonly verification: VerificationMetrics;
  readonly encoding: EncodingMetrics;
  readonly live: LiveMetrics;
  readonly deletions: DeletionMetrics;
  readonly work: WorkMetrics;
  readonly #m: Instruments;
  readonly #requests: RequestMetrics;
  #regions: readonly MeteredRegion[] = [];
  #droppedLines = (): number => 0;
  #overrides: readonly Override[] = [];

  constructor(options: MetricsOptions) {
    this.#m = instruments(this.registry, () => this.#droppedLines());
    this.#requests = new RequestMetrics(this.registry);
    this.steering = new SteeringMetrics(this.registry);
    this.verification = new VerificationMetrics(this.registry);
    this.encoding = new EncodingMetrics(this.registry);
    this.live = new LiveMetrics(this.registry);
    this.deletions = new DeletionMetrics(this.registry);
    this.work = new WorkMetrics(this.registry);
    collectDefaultMetrics({ register: this.registry, prefix: "paircast_" });
    for (const misnamed of MISNAMED) this.registry.removeSingleMetric(misnamed);
    this.#m.buildInfo.set({ version: options.version, node: process.version }, 1);
    this.#zero();
    void this.setRegions(options.regions);
  }

  /** Names of the configured regions. */
  get origins(): readonly string[] {
    return this.#regions.map(({ name }) => name);
  }

  /**
   * Series of new regions and services appear at 0, at once; those of regions and services that have gone disappear, so that no alert hangs
   * on them. Resolves when they have.
   */
  async setRegions(regions: readonly MeteredRegion[]): Promise<void> {
    const before = new Set(this.#regions.flatMap(seriesOwners));
    const after = new Set(regions.flatMap(seriesOwners));
    this.#regions = regions;
    for (const owner of after) {
      const [origin = "", service] = owner.split("/");
      if (before.has(owner)) continue;
      if (service === "streaming" || service === "keys") this.#zeroService(origin, service);
      else this.#zeroRegion(origin);
    }
    this.overrides(this.#overrides);
    await this.#forget([...before].filter((owner) => !after.has(owner)));
  }

  async #forget(gone: readonly string[]): Promise<void> {
    if (gone.length === 0) return;
    for (const owner of gone) {
      if (owner.includes("/")) continue;
      this.#requests.removeOrigin(owner);
      this.steering.removeOrigin(owner);
      this.verification.removeOrigin(owner);
      this.encoding.removeOrigin(owner);
      this.live.removeOrigin(owner);
      this.deletions.removeOrigin(owner);
    }
    for (const metric of Object.values(this.#m)) {
      const { values } = await metric.get();
      for (const { labels } of values) {
        const { origin, target, service }: Partial<Record<string, unknown>> = labels;
        const owner = String(origin ?? target);
        if (gone.includes(owner) || gone.includes(`${owner}/${String(service)}`)) metric.remove(withoutBucket(labels));
      }
    }
  }

  request(kind: RequestKind | "other", mode: RequestMode, status: number, seconds: number): void {
    this.#requests.request(kind, mode, status, seconds);
  }

  decision(kind: RequestKind, reason: DecisionReason, origin: string | null): void {
    this.#requests.decision(kind, reason, origin);
  }

  rejection(reason: RejectionReason): void {
    this.#m.rejections.inc({ reason });
  }

  lookup(result: LookupResult): void {
    this.#requests.lookup(result);
  }

  playbackFallback(mode: RewritingMode, reason: PlaybackFallback): void {
    this.#requests.playbackFallback(mode, reason);
  }

  manifestRead(result: ManifestRead): void {
    this.#requests.manifestRead(result);
  }

  upstreamFailure(origin: string, service: Service, reason: FailureReason): void {
    this.#m.upstreamFailures.inc({ origin, service, reason });
  }

  /** A worker process ended unasked. */
  workerEnded(): void {
    this.#m.workersEnded.inc();
  }

  /** Asks for the number of lost log lines at each scrape. */
  watchLog(log: { dropped(): number }): void {
    this.#droppedLines = () => log.dropped();
  }

  clientGone(): void {
    this.#m.clientGone.inc();
  }

  state(origin: string, service: Service, status: HealthStatus): void {
    for (const state of STATES) this.#m.serviceState.set({ origin, service, state }, state === status ? 1 : 0);
  }

  /** What is known of a service beside its state. */
  grade(origin: string, service: Service, { share = 1, heldUntil = null, signals = [] }: Partial<ServiceHealth>): void {
    this.#m.serviceShare.set({ origin, service }, share);
    this.#m.serviceHeld.set({ origin, service }, heldUntil === null ? 0 : 1);
    for (const kind of SIGNAL_KINDS) {
      this.#m.serviceSignal.set({ origin, service, kind }, signals.some((signal) => signal.kind === kind) ? 1 : 0);
    }
  }

  watchLoss(origin: string, service: Service, verdict: WatchVerdict): void {
    this.#m.watchLosses.inc({ origin, service, result: verdict });
  }

  transition(origin: string, service: Service, to: HealthStatus): void {
    this.#m.transitions.inc({ origin, service, to });
    this.state(origin, service, to);
  }

  probe(origin: string, service: Service, seconds: number, failure: FailureReason | null): void {
    this.#m.probes.inc({ origin, service, result: failure === null ? "success" : "failure" });
    this.#m.probeDuration.observe({ origin, service }, seconds);
    if (failure !== null) this.#m.probeFailures.inc({ origin, service, reason: failure });
  }

  probeUnauthorized(origin: string, service: Service): void {
    this.#m.probeUnauthorized.inc({ origin, service });
  }

  keyDisputed(origin: string, disputed: boolean): void {
    this.#m.keyDisputed.set({ origin, service: "keys" }, disputed ? 1 : 0);
  }

  failOpen(service: Service, active: boolean): void {
    this.#m.failOpenActive.set({ service }, active ? 1 : 0);
  }

  job(target: string, result: JobResult): void {
    this.#m.jobs.inc({ target, result });
  }

  copied(target: string, bytes: number): void {
    this.#m.copiedBlobs.inc({ target });
    this.#m.copiedBytes.inc({ target }, bytes);
  }

  replicationPass(epochSeconds: number): void {
    this.#m.lastPass.set(epochSeconds);
  }

  catalogued(origin: string, verified: number): void {
    this.#m.catalogued.set({ origin }, verified);
  }

  /** What is in force now, of all regions; where two cover a service, the later end counts. */
  overrides(active: readonly Override[]): void {
    this.#overrides = active;
    for (const { name, keys } of this.#regions) {
      for (const service of keys ? SERVICES : (["streaming"] as const)) {
        for (const kind of OVERRIDE_KINDS) this.#override(name, service, kind);
      }
      for (const kind of ["drain", "disable"] as const) this.#override(name, "encoding", kind);
    }
  }

  #override(origin: string, service: OverrideService, kind: OverrideKind): void {
    const covering = this.#overrides.filter(
      (each) => each.region === origin && each.kind === kind && (each.service === "all" || each.service === service),
    );
    this.#m.overrideActive.set({ origin, service, kind }, covering.length > 0 ? 1 : 0);
    this.#m.overrideExpires.set({ origin, service, kind }, Math.max(0, ...covering.map(({ expiresAt }) => expiresAt)) / 1000);
  }

  /** A configuration was taken up. */
  configLoaded(epochSeconds: number, awaitingRestart: number): void {
    this.#m.configSuccessful.set(1);
    this.#m.configLoadedAt.set(epochSeconds);
    this.#m.configAwaiting.set(awaitingRestart);
  }

  /** The newest configuration was refused; the one before is in use. */
  configRefused(): void {
    this.#m.configSuccessful.set(0);
  }

  #zero(): void {
    for (const reason of REJECTIONS) this.#m.rejections.inc({ reason }, 0);
    for (const service of SERVICES) this.#m.failOpenActive.set({ service }, 0);
    this.#m.clientGone.inc(0);
    this.#m.workersEnded.inc(0);
    this.#m.lastPass.set(0);
    this.#m.configSuccessful.set(0);
    this.#m.configLoadedAt.set(0);
    this.#m.configAwaiting.set(0);
  }

  #zeroRegion(origin: string): void {
    this.#requests.addOrigin(origin);
    this.steering.addOrigin(origin);
    this.verification.addOrigin(origin);
    this.encoding.addOrigin(origin);
    this.live.addOrigin(origin);
    this.deletions.addOrigin(origin);
    for (const result of JOB_RESULTS) this.#m.jobs.inc({ target: origin, result }, 0);
    this.#m.copiedBlobs.inc({ target: origin }, 0);
    this.#m.copiedBytes.inc({ target: origin }, 0);
    this.#m.catalogued.set({ origin }, 0);
  }

  #zeroService(origin: string, service: Service): void {
    this.state(origin, service, "unknown");
    this.grade(origin, service, {});
    for (const result of WATCH_VERDICTS) this.#m.watchLosses.inc({ origin, service, result }, 0);
    for (const to of STATES) this.#m.transitions.inc({ origin, service, to }, 0);
    for (const result of ["success", "failure"]) this.#m.probes.inc({ origin, service, result }, 0);
    this.#m.probeDuration.zero({ origin, service });
    this.#m.probeUnauthorized.inc({ origin, service }, 0);
    if (service === "keys") this.keyDisputed(origin, false);
    for (const reason of FAILURE_REASONS) {
      this.#m.probeFailures.inc({ origin, service, reason }, 0);
      this.#m.upstreamFailures.inc({ origin, service, reason }, 0);
    }
  }
}

/** What has series of its own: the region, and each of its services. */
function seriesOwners({ name, keys }: MeteredRegion): string[] {
  return [name, `${name}/streaming`, ...(keys ? [`${name}/keys`] : [])];
}

/** A histogram shows its buckets by a label that is not among its own. */
function withoutBucket(labels: Readonly<Record<string, string | number | undefined>>): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(labels).flatMap(([name, value]) => (name === "le" || value === undefined ? [] : [[name, value]])),
  );
}
