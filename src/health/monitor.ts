/** Health: one loop per service of each region, one immutable snapshot, and everything that is told of it to logs, metrics and listeners. */
import type { Clock, Random } from "../core/clock.ts";
import type { HealthConfig } from "../core/config/health.ts";
import type { FailureReason, HealthSnapshot, HealthStatus, Outcome, Service, ServiceHealth } from "../core/contracts.ts";
import { errorChain, errorCode } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { Metrics, WatchVerdict } from "../core/metrics.ts";
import type { Fingerprint } from "../core/ports/fingerprint.ts";
import type { CanarySource, HealthHistory, HealthMemory, HealthView, OutcomeSink, ProbeRecord } from "../core/ports/health.ts";
import type { CertificateSource, HttpClient } from "../core/ports/http.ts";
import { checksOf, type Check, type HealthRegion } from "./checks.ts";
import { probeAlerts } from "./probes/alerts.ts";
import type { KeyDoor } from "../core/playback/keyPlace.ts";
import { OwnDelay } from "./delay.ts";
import { CheckLoop, type LoopEvents } from "./loop.ts";
import { HealthRecorder } from "./remember.ts";
import { carriedState, initialState, resumedState, type CheckState, type Transition } from "./state.ts";
import { ServiceWatch, type HeldConnection } from "./watch.ts";
import { holdConnection, type HoldOptions, type WatchTarget } from "./watchSocket.ts";

/** A change of status, as listeners are told. */
export interface HealthTransition {
  readonly region: string;
  readonly service: Service;
  readonly from: HealthStatus;
  readonly to: HealthStatus;
  /** Null unless to `unhealthy`. */
  readonly reason: FailureReason | null;
  /** What was seen; to `degraded`, what degrades it. */
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
  /** What is known of a service, with what has been counted; undefined for a service that is not there. */
  state(region: string, service: Service): CheckState | undefined;
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
  /** What an earlier monitor knew, of this process or of the one before: its statuses are taken up instead of `unknown`. */
  readonly previous?: HealthSnapshot;
  /** The newest probes of an earlier monitor of this process, and what it had counted. */
  readonly records?: HealthHistory & Partial<Pick<HealthMonitor, "state">>;
  /** Keeps what is known for the next process; left out: nobody does. */
  readonly memory?: HealthMemory;
  /** Opens the connections that are watched; left out: none are. */
  readonly hold?: (target: WatchTarget, options: HoldOptions) => Promise<HeldConnection>;
}

export interface HealthDeps extends MonitorDeps {
  readonly regions: readonly HealthRegion[];
  readonly http: HttpClient;
  readonly canaries: CanarySource;
  readonly fingerprint: Fingerprint;
  /** Looks at certificates with handshakes of their own; left out: only the requests' connections do. */
  readonly certificates?: CertificateSource;
  /** How the gateway's own key URLs are recognised in playlists; left out: not at all. */
  readonly keyDoor?: KeyDoor;
}

/** What was seen of a key counts for a minute, and for a few probes. */
const FRESH_MS = 60_000;
const FRESH_PROBES = 4;

/** Starts to probe and to watch every service of every region. A region that is down does not keep it from starting. */
export function startHealth(deps: HealthDeps): HealthMonitor {
  const { config, regions } = deps;
  const freshMs = Math.max(FRESH_MS, FRESH_PROBES * config.interval);
  const checks = checksOf(regions, { ...deps, timeoutMs: config.timeout, signals: config.signals, freshMs, events: probeAlerts(deps) });
  return startMonitor(checks, { hold: holdConnection, ...deps });
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
  readonly #watches = new Map<string, ServiceWatch>();
  readonly #recorder: HealthRecorder | null;
  readonly #delay: OwnDelay;
  readonly #listeners = new Set<(transition: HealthTransition) => void>();
  #snapshot: HealthSnapshot;

  constructor(checks: readonly Check[], deps: MonitorDeps) {
    this.#deps = deps;
    this.#delay = new OwnDelay(deps.clock);
    this.#snapshot = { takenAt: deps.clock.now(), regions: {} };
    const { memory, clock, log } = deps;
    this.#recorder = memory === undefined ? null : new HealthRecorder({ memory, clock, log, snapshot: () => this.#snapshot });
    for (const check of checks) this.#add(check);
  }

  start(): void {
    this.#delay.start();
    for (const loop of this.#loops.values()) loop.start();
    for (const watch of this.#watches.values()) watch.start();
    this.#recorder?.start();
  }

  snapshot(): HealthSnapshot {
    return this.#snapshot;
  }

  observe(region: string, service: Service, outcome: Outcome, viewer = ""): void {
    this.#loop(region, service)?.traffic(outcome, viewer);
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

  state(region: string, service: Service): CheckState | undefined {
    return this.#loop(region, service)?.state;
  }

  onTransition(listener: (transition: HealthTransition) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#watches.values(), ...this.#loops.values()].map(async (part) => part.stop()));
    await this.#delay.stop();
    await this.#recorder?.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #loop(region: string, service: Service): CheckLoop | undefined {
    return this.#loops.get(`${region}/${service}`);
  }

  #add({ region, service, probe, target }: Check): void {
    const { config: policy, clock, random, metrics } = this.#deps;
    const state = this.#known(region, service);
    const ownDelay = (): number => this.#delay.total;
    const history = this.#deps.records?.history(region, service) ?? [];
    const loop = new CheckLoop({ probe, policy, state, history, clock, random, events: this.#events(region, service), ownDelay });
    this.#loops.set(`${region}/${service}`, loop);
    if (target !== undefined) this.#watch(region, service, target, loop);
    metrics.state(region, service, state.health.status);
    this.#publish(region, service, state.health);
  }

  #known(region: string, service: Service): CheckState {
    const { previous, records, config, clock } = this.#deps;
    const at = { now: clock.now(), monotonic: clock.monotonic() };
    const counted = records?.state?.(region, service);
    if (counted !== undefined) return carriedState(counted, config, at);
    const known = previous?.regions[region]?.[service];
    return known === undefined ? initialState(at.now) : resumedState(known, config, at);
  }

  #events(region: string, service: Service): LoopEvents {
    const { metrics, log } = this.#deps;
    return {
      observed: (health, transition) => {
        this.#observed(region, service, health, transition);
      },
      probed: ({ durationMs, reason }) => {
        metrics.probe(region, service, durationMs / 1000, reason);
      },
      broken: (error) => {
        log.error("health.probe_broken", { region, service, code: errorCode(error), error: errorChain(error) });
      },
    };
  }

  #watch(region: string, service: Service, target: WatchTarget, loop: CheckLoop): void {
    const { hold, config, clock, random, metrics } = this.#deps;
    if (hold === undefined || !config.watch) return;
    const judged = (verdict: WatchVerdict, durationMs: number): void => {
      metrics.watchLoss(region, service, verdict);
      const detail = `an idle connection to ${target.url} was lost, and another one refused`;
      if (verdict === "refused") loop.witness({ ok: false, durationMs, reason: "refused", detail }, detail);
    };
    const lost = (): void => {
      loop.hurry();
    };
    const connect = async (signal: AbortSignal): Promise<HeldConnection> => hold(target, { clock, timeoutMs: config.timeout, signal });
    this.#watches.set(`${region}/${service}`, new ServiceWatch({ connect, clock, random, events: { lost, judged } }));
  }

  #observed(region: string, service: Service, health: ServiceHealth, transition: Transition | null): void {
    this.#publish(region, service, health);
    if (transition === null) return;
    this.#deps.metrics.transition(region, service, transition.to);
    if (transition.to !== "unhealthy") this.#watches.get(`${region}/${service}`)?.recovered();
    this.#recorder?.changed();
    const signals = (health.signals ?? []).map(({ detail }) => detail).join("; ");
    const detail = transition.to === "degraded" ? signals : health.detail;
    this.#tell({ region, service, ...transition, detail, at: health.since });
  }

  #publish(region: string, service: Service, health: ServiceHealth): void {
    const { regions } = this.#snapshot;
    const services = { ...regions[region], [service]: health };
    this.#snapshot = { takenAt: this.#deps.clock.now(), regions: { ...regions, [region]: services } };
    this.#deps.metrics.grade(region, service, health);
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
