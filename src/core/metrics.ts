/**
 * Every metric and its labels, once. Conventions: prefix `paircast_`, base units, `_total` counters, no URL, locator or key id in a label,
 * and every series present at 0 from the start.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import {
  DECISION_REASONS,
  FAILURE_REASONS,
  HEALTH_STATUSES,
  SERVICES,
  type DecisionReason,
  type FailureReason,
  type HealthStatus,
  type RequestKind,
  type Service,
} from "./contracts.ts";

export const REQUEST_MODES = ["redirect", "proxy", "local"] as const;
export type RequestMode = (typeof REQUEST_MODES)[number];
export const REJECTIONS = ["method", "path", "too_long", "body_too_large", "bad_request"] as const;
export type RejectionReason = (typeof REJECTIONS)[number];
export const LOOKUPS = ["catalogue", "cached", "asked"] as const;
export type LookupResult = (typeof LOOKUPS)[number];
export const JOB_RESULTS = ["changed", "unchanged", "conflict", "failed"] as const;
export type JobResult = (typeof JOB_RESULTS)[number];
const KINDS: readonly (RequestKind | "other")[] = ["manifest", "media", "key", "other"];
const STATES = HEALTH_STATUSES;

export interface MetricsOptions {
  readonly version: string;
  readonly regions: readonly { readonly name: string; readonly keys: boolean }[];
}

type Instruments = ReturnType<typeof instruments>;

/** Typed recording functions over an own registry. Unknown regions are not recorded, so labels stay bounded. */
export class Metrics {
  readonly registry = new Registry();
  readonly #m: Instruments;

  constructor(options: MetricsOptions) {
    this.#m = instruments(this.registry);
    collectDefaultMetrics({ register: this.registry, prefix: "paircast_" });
    this.#m.buildInfo.set({ version: options.version, node: process.version }, 1);
    this.#zero(options.regions);
  }

  request(kind: RequestKind | "other", mode: RequestMode, status: number, seconds: number): void {
    this.#m.requests.inc({ kind, mode, code: `${Math.floor(status / 100)}xx` });
    this.#m.requestDuration.observe({ kind, mode }, seconds);
  }

  decision(kind: RequestKind, reason: DecisionReason, origin: string | null): void {
    this.#m.decisions.inc({ kind, reason });
    if (origin !== null) this.#m.routed.inc({ kind, origin });
  }

  rejection(reason: RejectionReason): void {
    this.#m.rejections.inc({ reason });
  }

  lookup(result: LookupResult): void {
    this.#m.lookups.inc({ result });
  }

  upstreamFailure(origin: string, service: Service, reason: FailureReason): void {
    this.#m.upstreamFailures.inc({ origin, service, reason });
  }

  clientGone(): void {
    this.#m.clientGone.inc();
  }

  state(origin: string, service: Service, status: HealthStatus): void {
    for (const state of STATES) this.#m.serviceState.set({ origin, service, state }, state === status ? 1 : 0);
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

  #zero(regions: MetricsOptions["regions"]): void {
    for (const kind of KINDS) this.#zeroKind(kind);
    for (const reason of REJECTIONS) this.#m.rejections.inc({ reason }, 0);
    for (const result of LOOKUPS) this.#m.lookups.inc({ result }, 0);
    for (const service of SERVICES) this.#m.failOpenActive.set({ service }, 0);
    this.#m.clientGone.inc(0);
    this.#m.lastPass.set(0);
    for (const region of regions) this.#zeroRegion(region.name, region.keys ? SERVICES : ["streaming"]);
  }

  #zeroKind(kind: RequestKind | "other"): void {
    for (const mode of REQUEST_MODES) {
      for (const code of ["2xx", "3xx", "4xx", "5xx"]) this.#m.requests.inc({ kind, mode, code }, 0);
      this.#m.requestDuration.zero({ kind, mode });
    }
    if (kind === "other") return;
    for (const reason of DECISION_REASONS) this.#m.decisions.inc({ kind, reason }, 0);
  }

  #zeroRegion(origin: string, services: readonly Service[]): void {
    for (const kind of KINDS) if (kind !== "other") this.#m.routed.inc({ kind, origin }, 0);
    for (const result of JOB_RESULTS) this.#m.jobs.inc({ target: origin, result }, 0);
    this.#m.copiedBlobs.inc({ target: origin }, 0);
    this.#m.copiedBytes.inc({ target: origin }, 0);
    this.#m.catalogued.set({ origin }, 0);
    for (const service of services) this.#zeroService(origin, service);
  }

  #zeroService(origin: string, service: Service): void {
    this.state(origin, service, "unknown");
    for (const to of STATES) this.#m.transitions.inc({ origin, service, to }, 0);
    for (const result of ["success", "failure"]) this.#m.probes.inc({ origin, service, result }, 0);
    this.#m.probeDuration.zero({ origin, service });
    for (const reason of FAILURE_REASONS) {
      this.#m.probeFailures.inc({ origin, service, reason }, 0);
      this.#m.upstreamFailures.inc({ origin, service, reason }, 0);
    }
  }
}

function instruments(registry: Registry) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({ name: `paircast_${name}`, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge({ name: `paircast_${name}`, help, labelNames, registers });
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[], buckets: number[]) =>
    new Histogram({ name: `paircast_${name}`, help, labelNames, buckets, registers });
  return {
    buildInfo: gauge("build_info", "Always 1; the version in labels.", ["version", "node"]),
    requests: counter("requests_total", "Answers to players, by kind, mode and class of status.", ["kind", "mode", "code"]),
    requestDuration: histogram(
      "request_duration_seconds",
      "Time from the request's headers to the end of the answer.",
      ["kind", "mode"],
      [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    ),
    decisions: counter("decisions_total", "Routing decisions, by reason.", ["kind", "reason"]),
    routed: counter("routed_requests_total", "Requests sent towards an origin region.", ["kind", "origin"]),
    rejections: counter("rejections_total", "Requests refused at the front door.", ["reason"]),
    lookups: counter("locator_lookups_total", "How the whereabouts of a locator were known.", ["result"]),
    upstreamFailures: counter("upstream_failures_total", "Requests of the gateway's own to a region that failed.", [
      "origin",
      "service",
      "reason",
    ]),
    clientGone: counter("client_gone_total", "Requests whose client went away before the answer.", []),
    failOpenActive: gauge("failopen_active", "1 while no region is eligible for the service and the least bad one is used.", ["service"]),
    serviceState: gauge("service_state", "1 for the present state of a service of a region, else 0.", ["origin", "service", "state"]),
    transitions: counter("service_state_changes_total", "Changes of state, by the state entered.", ["origin", "service", "to"]),
    probes: counter("probes_total", "Health probes, by result.", ["origin", "service", "result"]),
    probeDuration: histogram(
      "probe_duration_seconds",
      "Duration of a whole probe.",
      ["origin", "service"],
      [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    ),
    probeFailures: counter("probe_failures_total", "Failed health probes, by reason.", ["origin", "service", "reason"]),
    jobs: counter("replication_jobs_total", "Replication jobs that ended, by result.", ["target", "result"]),
    copiedBlobs: counter("replication_copied_blobs_total", "Blobs copied.", ["target"]),
    copiedBytes: counter("replication_copied_bytes_total", "Bytes copied.", ["target"]),
    lastPass: gauge("replication_last_pass_timestamp_seconds", "When the last complete replication pass ended; 0 before the first.", []),
    catalogued: gauge("catalogue_locators", "Locators verified in a region.", ["origin"]),
  };
}
