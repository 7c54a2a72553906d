/** What runs in a worker: the player listener and its application, on health that another process probes. */
import type { Config } from "../../core/config/schema.ts";
import type { HealthSnapshot } from "../../core/contracts.ts";
import { errorChain } from "../../core/errors.ts";
import type { LeveledLog } from "../../core/log.ts";
import { GatewayServer } from "../../gateway/server.ts";
import { SwappableApp } from "../../gateway/swap.ts";
import { composeFoundations, reconfigured, type Foundations } from "../foundations.ts";
import { gatewayOn } from "../services.ts";
import { meteredRegions, recordCatalogue } from "../state.ts";
import type { WorkerLink } from "./link.ts";
import { dumpOf } from "./mergeMetrics.ts";
import type { ToWorker } from "./messages.ts";
import { RelayedHealth } from "./relayedHealth.ts";

export interface WorkerOptions {
  readonly link: WorkerLink;
  readonly log: LeveledLog;
  readonly version: string;
}

export class Worker implements AsyncDisposable {
  /** The first: it holds the stores, which outlive every configuration. */
  readonly #state: Foundations;
  readonly #health: RelayedHealth;
  readonly #app: SwappableApp;
  readonly #stop = new AbortController();
  readonly #background: Promise<void>[];
  #foundations: Foundations;
  #listener: GatewayServer;

  private constructor(foundations: Foundations, health: RelayedHealth, app: SwappableApp, listener: GatewayServer) {
    this.#state = foundations;
    this.#foundations = foundations;
    this.#health = health;
    this.#app = app;
    this.#listener = listener;
    const { view, overrides } = foundations;
    this.#background = [view.follow(this.#stop.signal), overrides.follow(this.#stop.signal)];
  }

  static async start({ config, snapshot, ready }: ToWorker & { type: "start" }, { link, log, version }: WorkerOptions): Promise<Worker> {
    await using stack = new AsyncDisposableStack();
    const foundations = stack.use(await composeFoundations({ config: withoutAccounts(config), version, log }));
    const health = new RelayedHealth(snapshot, (region, service, outcome, viewer) => {
      link.send({ type: "observed", region, service, outcome, viewer });
    });
    if (ready) health.setReady();
    const app = new SwappableApp(gatewayOn(foundations, health, false).app);
    const listener = await listen(app, foundations);
    stack.move();
    return new Worker(foundations, health, app, listener);
  }

  get url(): string {
    return this.#listener.url;
  }

  get health(): RelayedHealth {
    return this.#health;
  }

  get foundations(): Foundations {
    return this.#foundations;
  }

  /** Throws where the configuration cannot be used, and everything is as it was then. */
  async reload(config: Config, snapshot: HealthSnapshot): Promise<void> {
    const former = { foundations: this.#foundations, listener: this.#listener };
    await using undo = new AsyncDisposableStack();
    const foundations = undo.use(await reconfigured(former.foundations, withoutAccounts(config)));
    const listener = isSame(former.foundations.config, config) ? former.listener : await listen(this.#app, foundations);
    undo.move();
    const forgotten = foundations.metrics.setRegions(meteredRegions(config));
    this.#health.replace(snapshot);
    recordCatalogue(foundations.metrics, foundations.view);
    this.#foundations = foundations;
    this.#listener = listener;
    const answered = this.#app.swap(gatewayOn(foundations, this.#health, true).app);
    const closed = listener === former.listener ? Promise.resolve() : former.listener.close();
    this.#background.push(retire(former.foundations, Promise.all([answered, closed, forgotten])));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#listener.close();
    await Promise.all(this.#background);
    await this.#foundations.http[Symbol.asyncDispose]();
    await this.#state[Symbol.asyncDispose]();
  }
}

/** Media accounts are the business of the process that replicates; their SDKs would take memory in each worker. */
function withoutAccounts(config: Config): Config {
  const account = { driver: "static", containers: "*" } as const;
  return { ...config, regions: config.regions.map((region) => ({ ...region, account })) };
}

async function listen(app: SwappableApp, { config, clock }: Foundations): Promise<GatewayServer> {
  return GatewayServer.listen({ app, listen: config.gateway.listen, setting: "gateway.listen", clock, targets: "raw", shared: true });
}

function isSame({ gateway: { listen: one } }: Config, { gateway: { listen: other } }: Config): boolean {
  return one.host === other.host && one.port === other.port;
}

/** Closes the pools of regions that have gone, once what was under way has ended. */
async function retire({ http }: Foundations, answered: Promise<unknown>): Promise<void> {
  await answered;
  await http.close();
}

/** Does what it is told until it is told to stop. */
export async function workUntilStopped(options: WorkerOptions, stop: AbortSignal): Promise<void> {
  const { link, log } = options;
  const ended = Promise.withResolvers<void>();
  for (const signal of [stop, link.orphaned]) signal.addEventListener("abort", () => ended.resolve());
  let worker: Promise<Worker> | null = null;
  link.listen((message) => {
    if (message.type === "stop") ended.resolve();
    else if (message.type === "start") {
      log.setLevel(message.config.log.level);
      worker = Worker.start(message, options);
      worker.then(({ url }) => {
        link.send({ type: "started", url });
      }, ended.reject);
    } else {
      void worker
        ?.then(async (running) => obey(running, message, options))
        .catch((error: unknown) => {
          log.error("worker.broken", { message: message.type, error: errorChain(error) });
        });
    }
  });
  await ended.promise;
  await (await (worker as Promise<Worker> | null))?.[Symbol.asyncDispose]();
}

async function obey(worker: Worker, message: Exclude<ToWorker, { type: "start" | "stop" }>, { link, log }: WorkerOptions): Promise<void> {
  const { health } = worker;
  if (message.type === "health") health.update(message.takenAt, message.news);
  else if (message.type === "ready") health.setReady();
  else if (message.type === "metrics") {
    link.send({ type: "metrics", id: message.id, metrics: await dumpOf(worker.foundations.metrics.registry) });
  } else {
    const { id, config, snapshot } = message;
    try {
      await worker.reload(config, snapshot);
      log.setLevel(config.log.level);
      link.send({ type: "reloaded", id, url: worker.url });
    } catch (error) {
      link.send({ type: "refused", id, message: errorChain(error) });
    }
  }
}
