/** How a configuration replicates: once for the command, in a loop for `serve`. */
import { canReplicate } from "../core/config/rules.ts";
import { replicationLoop } from "../replicator/loop.ts";
import { amsDriver, replicationPass, type PassOptions, type PassSummary, type ReplicationDriver } from "../replicator/pass.ts";
import { staticDriver } from "../replicator/runStatic.ts";
import type { Foundations } from "./foundations.ts";

/** A full look at everything that is verified already. */
const FULL_PASS_MS = 3_600_000;

interface Replication {
  readonly driver: ReplicationDriver;
  readonly options: Omit<PassOptions, "full" | "assetName">;
}

/** Null where there is nothing to replicate. */
function composeReplication({ config, accounts, libraries, jobs }: Foundations): Replication | null {
  const able = config.regions.filter(canReplicate).map(({ name }) => name);
  const options = { sources: config.replication.sources ?? able, targets: config.replication.targets ?? able };
  const named = [...options.sources, ...options.targets];
  if (named.length === 0) return null;
  const driver = named.some((name) => libraries.has(name)) ? staticDriver({ ...jobs, libraries }) : amsDriver({ ...jobs, accounts });
  return { driver, options };
}

/** One pass over everything, or over one asset. Null where the configuration has nothing to replicate. */
export async function replicateOnce(
  foundations: Foundations,
  { asset, acceptWithdrawals }: { readonly asset: string | null; readonly acceptWithdrawals: boolean },
  stop: AbortSignal,
): Promise<PassSummary | null> {
  const replication = composeReplication(foundations);
  if (replication === null) return null;
  const options = { ...replication.options, full: true, assetName: asset, acceptWithdrawals };
  return replicationPass(foundations.jobs, replication.driver, options, stop);
}

/** Passes until `stop` aborts; at once where nothing is to be replicated. Never rejects. */
export async function replicateInLoop(foundations: Foundations, stop: AbortSignal): Promise<void> {
  const { config, jobs } = foundations;
  const replication = config.replication.enabled ? composeReplication(foundations) : null;
  if (replication === null) return;
  const loop = { ...replication.options, intervalMs: config.replication.interval, fullIntervalMs: FULL_PASS_MS };
  await replicationLoop(jobs, replication.driver, loop, stop);
}
