/** How a configuration replicates: once for the command, in a loop for `serve`. */
import { canReplicate } from "../core/config/rules.ts";
import { errorChain, errorCode } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { WorkQueue } from "../core/ports/work.ts";
import { replicationLoop } from "../replicator/loop.ts";
import { amsDriver, replicationPass, type PassOptions, type PassSummary, type ReplicationDriver } from "../replicator/pass.ts";
import type { PlanSource } from "../replicator/planning/planPass.ts";
import { planAssetReplication } from "../replicator/run.ts";
import { planVideo, staticDriver } from "../replicator/runStatic.ts";
import type { Foundations } from "./foundations.ts";
import { takeEvents } from "./replicationEvents.ts";
import { MAX_TAKES } from "./stores.ts";

interface Replication {
  readonly driver: ReplicationDriver;
  readonly plan: PlanSource["plan"];
  readonly options: Omit<PassOptions, "full" | "assetName">;
}

/** Null where there is nothing to replicate. */
export function composeReplication({ config, accounts, libraries, jobs }: Foundations): Replication | null {
  const able = config.regions.filter(canReplicate).map(({ name }) => name);
  const options = { sources: config.replication.sources ?? able, targets: config.replication.targets ?? able };
  const named = [...options.sources, ...options.targets];
  if (named.length === 0) return null;
  if (named.some((name) => libraries.has(name))) {
    const deps = { ...jobs, libraries };
    return { driver: staticDriver(deps), plan: async (job, signal) => planVideo(deps, job, signal), options };
  }
  const deps = { ...jobs, accounts };
  return { driver: amsDriver(deps), plan: async (job, signal) => planAssetReplication(deps, job, signal), options };
}

export function canBeReplicated(foundations: Foundations): boolean {
  return composeReplication(foundations) !== null;
}

export interface OnceOptions {
  /** Null: all. */
  readonly asset: string | null;
  readonly acceptWithdrawals: boolean;
  /** Only what lists and catalogue show to have changed. Default false: everything is looked at again. */
  readonly changed?: boolean;
  /** Whether locators and streaming policies of targets that differ are deleted and created anew. Default false. */
  readonly recreate?: boolean;
}

/** One pass over everything, or over one asset. Null where the configuration has nothing to replicate. */
export async function replicateOnce(
  foundations: Foundations,
  { asset, acceptWithdrawals, changed = false, recreate = false }: OnceOptions,
  stop: AbortSignal,
): Promise<PassSummary | null> {
  const { jobs } = foundations;
  const replication = composeReplication({ ...foundations, jobs: { ...jobs, options: { ...jobs.options, recreate } } });
  if (replication === null) return null;
  const options = { ...replication.options, full: !changed, assetName: asset, acceptWithdrawals };
  // Another look than that of `serve`, which goes on by itself.
  return replicationPass(foundations.jobs, replication.driver, { ...options, cursors: foundations.cursors, look: "once" }, stop);
}

/** As part of `serve`, where the configuration has not taken that out. Resolves when `stop` has aborted, or at once. Never rejects. */
export async function replicateInLoop(foundations: Foundations, stop: AbortSignal): Promise<void> {
  if (foundations.config.replication.enabled) await followReplication(foundations, stop);
}

/** Passes, and work with whoever shares the queue, until `stop` aborts; at once where nothing is to be replicated. Never rejects. */
export async function followReplication(
  foundations: Foundations,
  stop: AbortSignal,
  onPass: (summary: PassSummary) => void = () => undefined,
): Promise<void> {
  const { config, cursors, log, openWork } = foundations;
  const replication = composeReplication(foundations);
  if (replication === null) return;
  const { interval: intervalMs, fullInterval: fullIntervalMs } = config.replication;
  const loop = { ...replication.options, cursors, intervalMs, fullIntervalMs, onPass };
  await using queue = await openQueue(openWork, log, stop);
  const work = queue === null ? {} : { work: { queue, maxTakes: MAX_TAKES } };
  const events = queue === null ? Promise.resolve() : takeEvents(foundations, queue, stop);
  const looped = replicationLoop(foundations.jobs, replication.driver, { ...loop, ...work }, stop);
  await events.catch((error: unknown) => {
    log.error("events.unavailable", { code: errorCode(error), error: errorChain(error) });
  });
  await looped;
}

/** Null where there is no queue, or it cannot be had: passes do their own work then. */
async function openQueue(open: Foundations["openWork"], log: Log, stop: AbortSignal): Promise<WorkQueue | null> {
  try {
    return open === null || stop.aborted ? null : await open();
  } catch (error) {
    log.error("replication.queue_unavailable", { code: errorCode(error), error: errorChain(error) });
    return null;
  }
}
