/** How far replication is, of the state alone: no region is asked. */
import { canReplicate } from "../core/config/rules.ts";
import type { Config } from "../core/config/schema.ts";
import type { CatalogueEntry } from "../core/contracts.ts";
import type { CursorStore } from "../core/ports/cursor.ts";
import { TargetCounts, type ReplicationStatus } from "../core/replicationStatus.ts";
import type { Operations } from "./operations.ts";

/** Jobs that are looked at: enough to see what goes wrong, and cheap with any store. */
const JOBS = 1_000;
const LETTERS = 1_000;

/** Reads the whole of `entries`. Throws what the stores throw. */
export async function replicationStatus(
  { journal, cursors, openWork, clock }: Pick<Operations, "journal" | "cursors" | "openWork" | "clock">,
  config: Config,
  entries: Iterable<CatalogueEntry> | AsyncIterable<CatalogueEntry>,
): Promise<ReplicationStatus> {
  const able = config.regions.filter(canReplicate).map(({ name }) => name);
  const [sources, targets] = [config.replication.sources ?? able, config.replication.targets ?? able];
  const at = clock.now();
  const counts = new TargetCounts([...new Set([...targets, ...sources])], at);
  for await (const entry of entries) counts.entry(entry);
  for (const job of await journal.jobs(JOBS)) counts.job(job);
  for (const job of await journal.conflicts(JOBS)) counts.conflict(job);
  const backfill = await backfillOf(cursors, sources, targets);
  const lastFullAt = (await cursors.load("everything", "*"))?.startedAt ?? null;
  return { at, targets: counts.targets, queue: await queueOf(openWork), backfill, lastFullAt };
}

async function backfillOf(cursors: CursorStore, sources: readonly string[], targets: readonly string[]) {
  const backfill: { region: string; startedAt: number; pages: number }[] = [];
  // As a pass names its looks: that of `serve`, and that of `replicate`.
  for (const look of ["", "once"])
    for (const region of sources) {
      const cursor = await cursors.load(`${look}${sources.join()}->${targets.join()}`, region);
      if (cursor !== null) backfill.push({ region, startedAt: cursor.startedAt, pages: cursor.pages });
    }
  return backfill;
}

async function queueOf(open: Operations["openWork"]): Promise<ReplicationStatus["queue"]> {
  if (open === null) return null;
  await using queue = await open();
  return { pending: await queue.pending(), deadLetters: (await queue.deadLetters(LETTERS)).length };
}
