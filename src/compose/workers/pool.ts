/**
 * Worker processes that answer players on one shared port (SO_REUSEPORT: the kernel spreads the connections). One process probes for all of
 * them: regions are asked once however many cores there are, all workers decide by the same snapshot, and a worker that dies takes no
 * knowledge with it. The same process writes the state, replicates, and answers operators.
 */
import { fileURLToPath } from "node:url";
import type { Clock } from "../../core/clock.ts";
import type { Config } from "../../core/config/schema.ts";
import type { HealthSnapshot } from "../../core/contracts.ts";
import { PaircastError, errorChain } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { HealthView, OutcomeSink } from "../../core/ports/health.ts";
import { mergedMetrics, summed } from "./mergeMetrics.ts";
import type { FromWorker, MetricsDump, ToWorker } from "./messages.ts";
import { newsBetween } from "./relayedHealth.ts";
import { WorkerProcess } from "./workerProcess.ts";

export interface PoolOptions {
  readonly size: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** The health that workers are told of, and that hears what they saw. */
export type PooledHealth = HealthView & OutcomeSink & { onTransition(listener: () => void): () => void; ready(): Promise<void> };

/** How often workers are told what has changed; changes of status go at once. */
const RELAY_MS = 20;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** A worker that lived so long starts again with the first pause. */
const SOUND_MS = 30_000;
const PROGRAM = fileURLToPath(new URL("../../main.ts", import.meta.url));

export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #workers = new Set<WorkerProcess>();
  readonly #stop = new AbortController();
  readonly #slots: Promise<void>[] = [];
  #relay: AbortController = new AbortController();
  #health: PooledHealth | null = null;
  #told: HealthSnapshot = { takenAt: 0, regions: {} };
  #ready = false;
  #config: Config | null = null;
  #url = "";
  /** What workers that have ended had counted when they were last asked: without it, sums would go down. */
  #departed: MetricsDump[] = [];

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get url(): string {
    return this.#url;
  }

  /** Starts all workers; rejects where one of them cannot listen. */
  async start(config: Config, health: PooledHealth): Promise<void> {
    if (config.state.path === ":memory:" && config.state.tables === undefined)
      throw new PaircastError("workers_state", "several workers share the state by its file: set state.path, or gateway.workers to 1");
    this.#config = config;
    this.follow(health);
    // The first takes the port where any will do.
    this.#url = await this.#startWorker();
    this.#config = listeningAt(config, this.#url);
    await Promise.all(Array.from({ length: this.#options.size - 1 }, async () => this.#startWorker()));
  }

  /** From now on workers are told what `health` sees. */
  follow(health: PooledHealth): void {
    this.#relay.abort();
    const relay = new AbortController();
    this.#relay = relay;
    this.#health = health;
    // Whoever is there already is told everything again: after a reload nothing of it was told yet.
    this.#told = { takenAt: 0, regions: {} };
    const quit = health.onTransition(() => {
      this.#tellNews();
    });
    relay.signal.addEventListener("abort", quit);
    void health.ready().then(() => {
      this.#ready = true;
      this.#tell({ type: "ready" });
    });
    void this.#relayLoop(relay.signal);
  }

  /** All workers take up another configuration, or none does: then it rejects. */
  async reload(config: Config, snapshot: HealthSnapshot): Promise<void> {
    const former = { config: this.#config, url: this.#url };
    try {
      await this.#reload(config, snapshot);
    } catch (error) {
      this.#config = former.config;
      this.#url = former.url;
      if (former.config !== null) await this.#reload(former.config, this.#told).catch(() => undefined);
      throw error;
    }
  }

  async #reload(config: Config, snapshot: HealthSnapshot): Promise<void> {
    const [first, ...others] = this.#workers;
    this.#url = (await first?.reload({ config, snapshot })) ?? this.#url;
    const settled = listeningAt(config, this.#url);
    this.#config = settled;
    await Promise.all(others.map(async (worker) => worker.reload({ config: settled, snapshot })));
  }

  /** Metrics of this process and its workers, as text for Prometheus. */
  async exposition(own: Metrics): Promise<string> {
    const dumps = await Promise.all([...this.#workers].map(async (worker) => worker.metrics()));
    return mergedMetrics(own.registry, [...this.#departed, ...dumps.filter((dump) => dump !== null)]);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#relay.abort();
    await Promise.all([...this.#workers].map(async (worker) => worker.stop()));
    await Promise.all(this.#slots);
  }

  /** Starts a worker that is replaced when it ends. Resolves with its URL. */
  async #startWorker(): Promise<string> {
    const ended = Promise.withResolvers<string>();
    const worker = this.#launch(ended.resolve);
    const started = this.#options.clock.monotonic();
    const url = await this.#begin(worker);
    this.#slots.push(this.#keepAlive(ended.promise, started));
    return url;
  }

  async #keepAlive(firstEnd: Promise<string>, firstStart: number): Promise<void> {
    const { clock, log } = this.#options;
    let [end, since, pause] = [firstEnd, firstStart, FIRST_PAUSE_MS];
    while (!this.#stop.signal.aborted) {
      const how = await end;
      if (this.#stop.signal.aborted) return;
      if (clock.monotonic() - since >= SOUND_MS) pause = FIRST_PAUSE_MS;
      this.#options.metrics.workerEnded();
      log.error("worker.ended", { how, restartInMs: pause });
      await clock.sleep(pause, this.#stop.signal).catch(() => undefined);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      if (this.#stop.signal.aborted) return;
      const next = Promise.withResolvers<string>();
      since = clock.monotonic();
      end = next.promise;
      await this.#begin(this.#launch(next.resolve)).catch((error: unknown) => {
        log.error("worker.not_started", { error: errorChain(error) });
      });
    }
  }

  #launch(onEnd: (how: string) => void): WorkerProcess {
    const worker = new WorkerProcess(PROGRAM, this.#options.clock, {
      message: (message) => {
        this.#hear(message);
      },
      ended: (how) => {
        this.#workers.delete(worker);
        this.#departed = summed(this.#departed, worker.counted);
        onEnd(how);
      },
    });
    this.#workers.add(worker);
    return worker;
  }

  async #begin(worker: WorkerProcess): Promise<string> {
    const [config, health] = [this.#config, this.#health];
    if (config === null || health === null) throw new TypeError("a worker needs a configuration");
    this.#tellNews();
    return worker.start({ type: "start", config, snapshot: this.#told, ready: this.#ready });
  }

  #hear(message: FromWorker): void {
    if (message.type === "observed") this.#health?.observe(message.region, message.service, message.outcome, message.viewer);
  }

  async #relayLoop(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await this.#options.clock.sleep(RELAY_MS, stop).catch(() => undefined);
      this.#tellNews();
    }
  }

  #tellNews(): void {
    const snapshot = this.#health?.snapshot();
    if (snapshot === undefined) return;
    const news = newsBetween(this.#told, snapshot);
    this.#told = snapshot;
    if (news.length > 0) this.#tell({ type: "health", takenAt: snapshot.takenAt, news });
  }

  #tell(message: ToWorker): void {
    for (const worker of this.#workers) worker.send(message);
  }
}

/** The configuration with the port that was found where any would do. */
function listeningAt(config: Config, url: string): Config {
  const { listen } = config.gateway;
  if (listen.port !== 0) return config;
  return { ...config, gateway: { ...config.gateway, listen: { ...listen, port: Number(new URL(url).port) } } };
}
