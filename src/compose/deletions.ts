/** How a configuration carries deletions over: in rounds by `serve`, once and by hand by the command. */
import { canReplicate } from "../core/config/rules.ts";
import { errorChain, errorCode, PaircastError } from "../core/errors.ts";
import type { Deletion } from "../core/ports/deletions.ts";
import type { DeletionDeps } from "../replicator/deletion/deps.ts";
import { listDeletions, type Listed } from "../replicator/deletion/list.ts";
import { deletionLoop } from "../replicator/deletion/loop.ts";
import { findOrphans, type Orphan } from "../replicator/deletion/orphans.ts";
import { reviewDeletions, type ReviewSummary } from "../replicator/deletion/review.ts";
import { say, type Said } from "../replicator/deletion/say.ts";
import type { Foundations } from "./foundations.ts";

/** Null where no region has a media account. */
function composeDeletions({ config, accounts, jobs, deletions }: Foundations): DeletionDeps | null {
  const able = config.regions.filter(canReplicate).map(({ name }) => name);
  const named = (regions: readonly string[]): readonly string[] => regions.filter((region) => accounts.has(region));
  const { grace, maxShare, window, approval, assets } = config.replication.deletion;
  const targets = named(config.replication.targets ?? able);
  if (targets.length === 0) return null;
  const policy = { graceMs: grace, limit: maxShare, windowMs: window, needsApproval: approval === "required" };
  return { ...jobs, accounts, deletions, sources: named(config.replication.sources ?? able), targets, policy, assets };
}

/** As part of `serve`: until `stop` aborts; at once where it is switched off. Never rejects. */
export async function deleteInLoop(foundations: Foundations, stop: AbortSignal): Promise<void> {
  const { enabled, deletion } = foundations.config.replication;
  const deps = enabled && deletion.enabled ? composeDeletions(foundations) : null;
  if (deps === null) return;
  const onRound = ({ standing, deleted }: ReviewSummary): void => {
    foundations.metrics.deletions.round(standing, deleted, foundations.clock.now() / 1000);
  };
  await deletionLoop(deps, { everyMs: deletion.every, onRound }, stop);
}

/** As part of `serve`: until `stop` aborts; at once where nobody wants to know. Never rejects. */
export async function lookForOrphansInLoop(foundations: Foundations, stop: AbortSignal): Promise<void> {
  const { config, clock, log, metrics } = foundations;
  const { enabled, deletion } = config.replication;
  const deps = enabled && deletion.orphans !== undefined ? composeDeletions(foundations) : null;
  while (deps !== null && !stop.aborted) {
    try {
      const found = await Array.fromAsync(findOrphans(deps, stop), ({ target, kind }) => ({ target, kind }));
      metrics.deletions.orphans(found, clock.now() / 1000);
    } catch (error) {
      if (!stop.aborted) log.error("deletion.orphans_unknown", { code: errorCode(error), error: errorChain(error) });
    }
    await clock.sleep(deletion.orphans ?? 0, stop).catch(() => undefined);
  }
}

/** Throws `nothing_to_replicate`. */
export async function deletionList(foundations: Foundations, stop: AbortSignal): Promise<readonly Listed[]> {
  return listDeletions(known(foundations), stop);
}

export async function sayOfDeletions(foundations: Foundations, names: readonly string[], word: Deletion["word"]): Promise<Said> {
  return say(known(foundations), names, word);
}

/** Asks every target, and the sources about what is found there. Throws where one of them cannot be asked. */
export async function orphanList(foundations: Foundations, stop: AbortSignal): Promise<readonly Orphan[]> {
  return Array.fromAsync(findOrphans(known(foundations), stop));
}

/** One round. Throws `deletion_off` where the configuration does not ask for it, and `job_busy` while another process is at it. */
export async function deleteOnce(foundations: Foundations, stop: AbortSignal): Promise<ReviewSummary> {
  if (!foundations.config.replication.deletion.enabled)
    throw new PaircastError(
      "deletion_off",
      "delete copies: replication.deletion.enabled is false, so nothing is deleted; set it to true first",
    );
  return reviewDeletions(known(foundations), stop);
}

function known(foundations: Foundations): DeletionDeps {
  const deps = composeDeletions(foundations);
  if (deps !== null) return deps;
  throw new PaircastError(
    "nothing_to_replicate",
    "list deletions: no target region has a media account; deletions are carried over between those",
  );
}
