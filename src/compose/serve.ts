/** The services of `serve` behind their listeners, and their exchange when the configuration changes. */
import type { Config } from "../core/config/schema.ts";
import type { ListenAddress } from "../core/config/units.ts";
import { GatewayServer } from "../gateway/server.ts";
import { SwappableApp } from "../gateway/swap.ts";
import { encodeInLoop } from "./encoding.ts";
import { reconfigured, type Foundations } from "./foundations.ts";
import { watchLiveInLoop } from "./live.ts";
import { replicateInLoop } from "./replication.ts";
import { applicable, carriedHealth, changedSections } from "./restart.ts";
import { startServices, type Services } from "./services.ts";
import { meteredRegions, recordCatalogue } from "./state.ts";
import { recheckInLoop } from "./verification.ts";
import { deleteInLoop, lookForOrphansInLoop } from "./deletions.ts";
import { measureWorkInLoop } from "./workMeasure.ts";
import type { WorkerPool } from "./workers/pool.ts";

/** Event streams of status pages never end by themselves, and lose nothing when they are cut. */
const ADMIN_GRACE_MS = 200;

export interface ServeOptions {
  /** Set by the sandbox: its control port, for the page's buttons. */
  readonly control: string | null;
  /** Answers players in its own processes; left out: this process does. */
  readonly pool?: WorkerPool;
}

export interface ReloadSummary {
  /** Sections of the configuration that differ from before. */
  readonly changed: readonly string[];
  /** Settings that keep their present value until the process is started again. */
  readonly awaitingRestart: readonly string[];
}

/** The running services; disposing is graceful, then forced. */
export interface Serving extends AsyncDisposable {
  readonly gatewayUrl: string;
  readonly adminUrl: string;
  readonly config: Config;
  /**
   * Takes up another configuration: connections stay open, requests under way are answered by what they began with. Throws where it cannot be
   * used (an address that is taken, an authority that cannot be read), and everything is as it was then.
   */
  reload(config: Config): Promise<ReloadSummary>;
}

export async function composeServe(foundations: Foundations, options: ServeOptions): Promise<Serving> {
  const running = await Running.start(foundations, options);
  const { log, regions, metrics, clock } = foundations;
  metrics.configLoaded(clock.now() / 1000, 0);
  log.info("serve.started", { gateway: running.gatewayUrl, admin: running.adminUrl, regions: regions.map(({ name }) => name) });
  return running;
}

interface Listeners {
  /** A pool of workers listens by itself. */
  readonly player: GatewayServer | WorkerPool;
  readonly admin: GatewayServer;
}

interface Apps {
  readonly player: SwappableApp;
  readonly admin: SwappableApp;
}

class Running implements Serving {
  readonly #options: ServeOptions;
  readonly #apps: Apps;
  readonly #replication = new Replicating();
  readonly #stop = new AbortController();
  readonly #background = new Set<Promise<void>>();
  #foundations: Foundations;
  #services: Services;
  #listeners: Listeners;
  /** Reloads come one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #released: Promise<void> | null = null;

  private constructor(foundations: Foundations, options: ServeOptions, services: Services, apps: Apps, listeners: Listeners) {
    this.#foundations = foundations;
    this.#options = options;
    this.#services = services;
    this.#apps = apps;
    this.#listeners = listeners;
    this.#keep(foundations.view.follow(this.#stop.signal));
    this.#keep(foundations.overrides.follow(this.#stop.signal));
    void this.#replication.restart(foundations);
  }

  static async start(foundations: Foundations, options: ServeOptions): Promise<Running> {
    const { config, clock } = foundations;
    await using stack = new AsyncDisposableStack();
    const former = { previous: null, remembered: await foundations.memory.load() };
    const services = startServices(foundations, { ...serviceOptions(foundations, options), ...former });
    stack.use(services.health);
    const app = new SwappableApp(services.gateway);
    const player = stack.adopt(
      options.pool ??
        (await GatewayServer.listen({ app, listen: config.gateway.listen, setting: "gateway.listen", clock, targets: "raw" })),
      async (listener) => listener.close(),
    );
    await options.pool?.start(config, services.health);
    const adminApp = new SwappableApp(services.admin(player.url));
    const admin = await GatewayServer.listen(adminListener(adminApp, config.admin.listen, foundations));
    stack.move();
    return new Running(foundations, options, services, { player: app, admin: adminApp }, { player, admin });
  }

  get gatewayUrl(): string {
    return this.#listeners.player.url;
  }

  get adminUrl(): string {
    return this.#listeners.admin.url;
  }

  get config(): Config {
    return this.#foundations.config;
  }

  async reload(config: Config): Promise<ReloadSummary> {
    const turn = this.#turn.then(async () => this.#reload(config));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #reload(after: Config): Promise<ReloadSummary> {
    const before = this.#foundations;
    const { config, awaitingRestart } = applicable(before.config, after);
    const changed = changedSections(before.config, config);
    await using undo = new AsyncDisposableStack();
    const foundations = undo.use(await reconfigured(before, config));
    const listeners = await this.#listenersFor(config, undo);
    await this.#reloadWorkers(foundations, undo);
    this.#exchange(foundations, listeners);
    undo.move();
    this.#options.pool?.follow(this.#services.health);
    foundations.metrics.configLoaded(foundations.clock.now() / 1000, awaitingRestart.length);
    return { changed, awaitingRestart };
  }

  /** They go first, and back where what follows fails. */
  async #reloadWorkers({ config, regions }: Foundations, undo: AsyncDisposableStack): Promise<void> {
    const { pool } = this.#options;
    if (pool === undefined) return;
    const before = this.#foundations;
    const { health } = this.#services;
    await pool.reload(config, carriedHealth(health, before.regions, regions).snapshot);
    undo.defer(async () => pool.reload(before.config, health.snapshot()));
  }

  /** New listeners where addresses have changed, opened before the old ones are closed. */
  async #listenersFor(config: Config, undo: AsyncDisposableStack): Promise<Listeners> {
    const { config: before, clock } = this.#foundations;
    let { player, admin } = this.#listeners;
    if (this.#options.pool === undefined && !sameAddress(before.gateway.listen, config.gateway.listen)) {
      player = await GatewayServer.listen({
        app: this.#apps.player,
        listen: config.gateway.listen,
        setting: "gateway.listen",
        clock,
        targets: "raw",
      });
      undo.use(player);
    }
    if (!sameAddress(before.admin.listen, config.admin.listen)) {
      admin = await GatewayServer.listen(adminListener(this.#apps.admin, config.admin.listen, this.#foundations));
      undo.use(admin);
    }
    return { player, admin };
  }

  /** In one go: between the old probes and the new ones, and the old applications and the new ones, there is no request. */
  #exchange(foundations: Foundations, listeners: Listeners): void {
    const former = { foundations: this.#foundations, services: this.#services, listeners: this.#listeners };
    const { metrics } = foundations;
    const previous = carriedHealth(former.services.health, former.foundations.regions, foundations.regions);
    const forgotten = metrics.setRegions(meteredRegions(foundations.config));
    try {
      this.#services = startServices(foundations, { ...serviceOptions(foundations, this.#options), previous, remembered: null });
    } catch (error) {
      void metrics.setRegions(meteredRegions(former.foundations.config));
      throw error;
    }
    const stopped = former.services.health.stop();
    recordCatalogue(metrics, foundations.view);
    this.#foundations = foundations;
    this.#listeners = listeners;
    const answered = [
      this.#apps.player.swap(this.#services.gateway),
      this.#apps.admin.swap(this.#services.admin(listeners.player.url)),
      stopped,
      forgotten,
      this.#replication.restart(foundations),
    ];
    if (former.listeners.player !== listeners.player) answered.push(former.listeners.player.close());
    if (former.listeners.admin !== listeners.admin) answered.push(former.listeners.admin.close());
    this.#keep(this.#retire(former.foundations, Promise.all(answered)));
  }

  /** Closes the pools of regions that have gone, once what was under way has ended. */
  async #retire({ http }: Foundations, answered: Promise<unknown>): Promise<void> {
    const stopped = whenAborted(this.#stop.signal);
    await Promise.race([answered, stopped]);
    await Promise.race([http.close(), stopped]);
    await http[Symbol.asyncDispose]();
  }

  #keep(background: Promise<void>): void {
    const settled: Promise<void> = background.finally(() => this.#background.delete(settled));
    this.#background.add(settled);
  }

  async #release(): Promise<void> {
    // At once, while the listeners still let running answers end.
    this.#stop.abort();
    this.#replication.stop();
    await this.#turn;
    await this.#listeners.admin.close();
    await this.#listeners.player.close();
    await this.#services.health.stop();
    await Promise.all([...this.#background, this.#replication.ended]);
    await this.#foundations.http[Symbol.asyncDispose]();
  }
}

/** One loop of replication, of verification, of encoding and of live events at a time: the next begin when those before have come to a halt. */
class Replicating {
  #stop = new AbortController();
  ended: Promise<void> = Promise.resolve();

  /** Resolves when the former loop has ended. */
  async restart(foundations: Foundations): Promise<void> {
    this.#stop.abort();
    const stop = new AbortController();
    this.#stop = stop;
    const former = this.ended;
    this.ended = former.then(async () => {
      const { signal } = stop;
      await Promise.all([
        replicateInLoop(foundations, signal),
        recheckInLoop(foundations, signal),
        measureWorkInLoop(foundations, signal),
        deleteInLoop(foundations, signal),
        lookForOrphansInLoop(foundations, signal),
        encodeInLoop(foundations, signal),
        watchLiveInLoop(foundations, signal),
      ]);
    });
    return former;
  }

  stop(): void {
    this.#stop.abort();
  }
}

function serviceOptions({ metrics }: Foundations, { control, pool }: ServeOptions) {
  return pool === undefined ? { control } : { control, exposition: async () => pool.exposition(metrics) };
}

function adminListener(app: SwappableApp, listen: ListenAddress, { clock }: Foundations) {
  // Files are uploaded here, for hours; it is pauses that they are given a limit for.
  return { app, listen, setting: "admin.listen", graceMs: ADMIN_GRACE_MS, requestTimeoutMs: 0, clock, targets: "parsed" } as const;
}

function sameAddress(one: ListenAddress, other: ListenAddress): boolean {
  return one.host === other.host && one.port === other.port;
}

async function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener(
        "abort",
        () => {
          resolve();
        },
        { once: true },
      );
  });
}
