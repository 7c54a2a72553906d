/** Follows the configuration of a running `serve`: on SIGHUP, and when the file or a secret that it names changes. */
import type { Serving } from "../compose/serve.ts";
import type { Clock } from "../core/clock.ts";
import { keepLastGood, lastGoodPath } from "../core/config/lastGood.ts";
import { readConfig, type LoadedConfig } from "../core/config/source.ts";
import { configWarnings } from "../core/config/warnings.ts";
import { FileWatch } from "../core/config/watch.ts";
import { errorChain, errorCode } from "../core/errors.ts";
import type { LeveledLog } from "../core/log.ts";
import type { Metrics } from "../core/metrics.ts";
import type { StartConfig } from "./startConfig.ts";

export interface FollowOptions {
  /** As given by `--config`. */
  readonly file: string;
  readonly start: StartConfig;
  readonly serving: Serving;
  readonly log: LeveledLog;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/** Editors write in several steps. */
const SETTLE_MS = 200;

export class ConfigFollower implements AsyncDisposable {
  readonly #options: FollowOptions;
  readonly #watch: FileWatch;
  readonly #onHangUp = () => {
    this.reload(true);
  };
  /** Of what is in use; null while that is not what the file says. */
  #digest: string | null = null;
  #wanted: "no" | "if changed" | "yes" = "no";
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(options: FollowOptions) {
    const { log, clock } = options;
    this.#options = options;
    this.#watch = new FileWatch({
      clock,
      settleMs: SETTLE_MS,
      onChange: () => {
        this.reload(false);
      },
      onProblem: (folder, error) => {
        log.warn("config.not_watched", { folder, error: errorChain(error), instead: "send SIGHUP after a change" });
      },
    });
  }

  static start(options: FollowOptions): ConfigFollower {
    const follower = new ConfigFollower(options);
    const { start, metrics } = options;
    process.on("SIGHUP", follower.#onHangUp);
    follower.#watch.follow(start.loaded.files);
    if (start.instead === null) {
      follower.#use(start.loaded);
      // It may have changed between being read and being watched.
      follower.reload(false);
    } else {
      metrics.configLoaded(start.instead.kept.keptAt / 1000, 0);
      metrics.configRefused();
    }
    return follower;
  }

  /** Looks at the files again; `forced`: takes them up even where they are what they were. Returns at once, and never twice at a time. */
  reload(forced: boolean): void {
    if (this.#closed) return;
    const idle = this.#wanted === "no";
    if (forced || idle) this.#wanted = forced ? "yes" : "if changed";
    if (idle) this.#running = this.#running.then(async () => this.#reload());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    process.off("SIGHUP", this.#onHangUp);
    this.#watch[Symbol.dispose]();
    await this.#running;
  }

  async #reload(): Promise<void> {
    const forced = this.#wanted === "yes";
    this.#wanted = "no";
    const { file, serving, log, metrics } = this.#options;
    try {
      const loaded = readConfig(file);
      if (!forced && loaded.digest === this.#digest) {
        this.#watch.follow(loaded.files);
        return;
      }
      const { changed, awaitingRestart } = await serving.reload(loaded.config);
      log.setLevel(loaded.config.log.level);
      log.info("config.reloaded", { file, changed });
      if (awaitingRestart.length > 0) log.warn("config.restart_needed", { settings: awaitingRestart });
      for (const { path, message } of configWarnings(loaded.config)) log.warn("config.warning", { path, message });
      this.#use(loaded);
    } catch (error) {
      // What is in use is no longer what the file says: a file that is put back counts as a change.
      this.#digest = null;
      metrics.configRefused();
      log.error("config.reload_failed", { file, code: errorCode(error), problems: errorChain(error).split("\n") });
    }
  }

  #use(loaded: LoadedConfig): void {
    const { serving, log, clock } = this.#options;
    this.#digest = loaded.digest;
    this.#watch.follow(loaded.files);
    const statePath = serving.config.state.path;
    if (statePath === ":memory:") return;
    try {
      keepLastGood(lastGoodPath(statePath), loaded.text, clock.now());
    } catch (error) {
      log.warn("config.not_kept", { path: lastGoodPath(statePath), error: errorChain(error) });
    }
  }
}
