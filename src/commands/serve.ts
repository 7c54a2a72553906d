/** `paircast serve`: gateway, health and replicator until the process is asked to stop. */
import { composeFoundations } from "../compose/foundations.ts";
import { composeServe } from "../compose/serve.ts";
import { WorkerPool } from "../compose/workers/pool.ts";
import { systemClock } from "../core/clock.ts";
import { configWarnings } from "../core/config/warnings.ts";
import { createLog, type Log } from "../core/log.ts";
import { ConfigFollower } from "./reload.ts";
import { startConfig, type StartConfig, type StartOptions } from "./startConfig.ts";
import { untilStopped } from "./stopped.ts";
import type { Terminal } from "./terminal.ts";

export interface ServeCommandOptions extends StartOptions {
  readonly json: boolean;
  /** In place of gateway.workers; null: as configured. */
  readonly workers: number | null;
}

export async function serve(terminal: Terminal, options: ServeCommandOptions): Promise<void> {
  const start = startConfig(options);
  const { config } = start.loaded;
  const log = createLog(config.log.level, undefined, { shared: (options.workers ?? config.gateway.workers) > 1 });
  warnOfLastGood(start, terminal, log);
  for (const { path, message } of configWarnings(config)) log.warn("config.warning", { path, message });
  await using foundations = await composeFoundations({ config, version: terminal.version, log });
  const { clock, metrics } = foundations;
  const size = options.workers ?? config.gateway.workers;
  const pool = size > 1 ? { pool: new WorkerPool({ size, clock, log, metrics }) } : {};
  await using serving = await composeServe(foundations, { control: null, ...pool });
  await using _follower = ConfigFollower.start({ file: options.config, start, serving, log, metrics, clock });
  const { gatewayUrl: gateway, adminUrl: admin } = serving;
  terminal.print(options.json ? JSON.stringify({ gateway, admin }) : `gateway at ${gateway}, admin at ${admin}`);
  await untilStopped(terminal.stop, systemClock);
  log.info("serve.stopping");
}

function warnOfLastGood({ instead }: StartConfig, terminal: Terminal, log: Log): void {
  if (instead === null) return;
  const { refused, kept } = instead;
  const since = new Date(kept.keptAt).toISOString();
  terminal.note(`${refused.message}\nNOT USED. Running with the last good configuration, of ${since}, from ${kept.path}`);
  log.error("config.last_good_used", { path: kept.path, kept: since, problems: refused.message.split("\n") });
}
