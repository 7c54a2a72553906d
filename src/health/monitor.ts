/** Health: one loop per service of each region, one immutable snapshot, and everything that is told of it to logs, metrics and listeners. */
import type { Clock, Random } from "../core/clock.ts";
import type { HealthConfig } from "../core/config/schema.ts";
import type { FailureReason, HealthSnapshot, HealthStatus, Outcome, Service, ServiceHealth } from "../core/contracts.ts";
import { errorChain, errorCode } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { Metrics } from "../core/metrics.ts";
import type { CanarySource, Fingerprint, HealthView, HttpClient, OutcomeSink } from "../core/ports.ts";
import { checksOf, type Check } from "./checks.ts";
import type { ProbeRecord } from "./history.ts";
import { CheckLoop } from "./loop.ts";
import type { ProbedRegion } from "./probes/canary.ts";
import { initialState, resumedState, type Transition } from "./state.ts";

/** A change of status, as listeners are told. */
export interface HealthTransition {
  readonly region: string;
  readonly service: Service;
  readonly from: HealthStatus;
  readonly to: HealthStatus;
  /** Null for a recovery. */
  readonly reason: FailureReason | null;
  readonly detail: string | null;
  readonly at: number;
}

/** Health of all regions. What traffic saw comes in by `observe`, the door of `OutcomeSink`. */
export interface HealthMonitor extends HealthView, OutcomeSink, AsyncDisposable {
  /** Resolves when every first probe has answered or timed out. */
  ready(): Promise<void>;
  /** Probes one service at once, beside the schedule. Undefined for a service that is not there. */
  probeNow(region: string, service: Service): Promise<ServiceHealth | undefined>;
  /** The last 64 probes of a service, oldest first; empty for a service that is not there. */
  history(region: string, service: Service): readonly ProbeRecord[];
  /** Tells every change of status, after the snapshot has it. Returns the function that ends it. */
  onTransition(listener: (transition: HealthTransition) => void): () => void;
  /** Gives up what is under way; resolves when nothing runs any more. May be called again. */
  stop(): Promise<void>;
}

export interface MonitorDeps {
  readonly config: HealthConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The last snapshot of a monitor that this one replaces: its statuses are taken up instead of `unknown`. */
  readonly previous?: HealthSnapshot;
}

export interface HealthDeps extends MonitorDeps {
  readonly regions: readonly ProbedRegion[];
  readonly http: HttpClient;
  readonly canaries: CanarySource;
  readonly fingerprint: Fingerprint;
}

/** Starts to probe every service of every region. A region that is down does not keep it from starting. */
export function startHealth(deps: HealthDeps): HealthMonitor {
  const { http, canaries, fingerprint, regions, config } = deps;
  return startMonitor(checksOf(regions, { http, canaries, fingerprint, timeoutMs: config.timeout }), deps);
}

/** Starts the loops of the given checks. */
export function startMonitor(checks: readonly Check[], deps: MonitorDeps): HealthMonitor {
  const monitor = new Monitor(checks, deps);
  monitor.start();
  return monitor;
}

class Monitor implements HealthMonitor {
  readonly #deps: MonitorDeps;
  readonly #loops = new Map<string, CheckLoop>();
  readonly #listeners = new Set<(transition: HealthTransition) => void>();
  #snapshot: HealthSnapshot;

  constructor(checks: readonly Check[], deps: MonitorDeps) {
    this.#deps = deps;
    this.#snapshot = { takenAt: deps.clock.now(), regions: {} };
    for (const check of checks) this.#add(check);
  }

  start(): void {
    for (const loop of this.#loops.values()) loop.start();
  }

  snapshot(): HealthSnapshot {
    return this.#snapshot;
  }

  observe(region: string, service: Service, outcome: Outcome): void {
    this.#loop(region, service)?.traffic(outcome);
  }

  async ready(): Promise<void> {
    await Promise.all([...this.#loops.values()].map(async (loop) => loop.ready));
  }

  async probeNow(region: string, service: Service): Promise<ServiceHealth | undefined> {
    return this.#loop(region, service)?.probeNow();
  }

  history(region: string, service: Service): readonly ProbeRecord[] {
    return this.#loop(region, service)?.history ?? [];
  }

  onTransition(listener: (transition: HealthTransition) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#loops.values()].map(async (loop) => loop.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #loop(region: string, service: Service): CheckLoop | undefined {
    return this.#loops.get(`${region}/${service}`);
  }

  #add({ region, service, probe }: Check): void {
    const { config, clock, random, log, metrics, previous } = this.#deps;
    const known = previous?.regions[region]?.[service];
    const state = known === undefined ? initialState(clock.now()) : resumedState(known);
    const events = {
      observed: (health: ServiceHealth, transition: Transition | null) => {
        this.#observed(region, service, health, transition);
      },
      probed: ({ durationMs, reason }: ProbeRecord) => {
        metrics.probe(region, service, durationMs / 1000, reason);
      },
      broken: (error: unknown) => {
        log.error("health.probe_broken", { region, service, code: errorCode(error), error: errorChain(error) });
      },
    };
    this.#loops.set(`${region}/${service}`, new CheckLoop({ probe, policy: config, state, clock, random, events }));
    metrics.state(region, service, state.health.status);
    this.#publish(region, service, state.health);
  }

  #observed(region: string, service: Service, health: ServiceHealth, transition: Transition | null): void {
    this.#publish(region, service, health);
    if (transition === null) return;
    this.#deps.metrics.transition(region, service, transition.to);
    this.#tell({ region, service, ...transition, detail: health.detail, at: health.since });
  }

  #publish(region: string, service: Service, health: ServiceHealth): void {
    const { regions } = this.#snapshot;
    const services = { ...regions[region], [service]: health };
    this.#snapshot = { takenAt: this.#deps.clock.now(), regions: { ...regions, [region]: services } };
  }

  #tell(transition: HealthTransition): void {
    const { log } = this.#deps;
    const { at: _, ...fields } = transition;
    if (transition.to === "unhealthy") log.warn("health.transition", fields);
    else log.info("health.transition", fields);
    for (const listener of this.#listeners) {
      try {
        listener(transition);
      } catch (error) {
        log.error("health.listener_failed", { error: errorChain(error) });
      }
    }
  }
}
