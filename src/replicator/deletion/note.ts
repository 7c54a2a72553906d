/** Writes down which copies have lost their source, as the catalogue has it, and forgets those whose source is back. */
import type { CatalogueEntry } from "../../core/contracts.ts";
import type { Deletion, VersionedDeletion } from "../../core/ports/deletions.ts";
import { UNPUBLISHED } from "../withdraw.ts";
import type { DeletionDeps } from "./deps.ts";

/** Says in the catalogue why a target's copy is withdrawn that is being deleted, or was. */
export const DELETED = "it is deleted because its source does not publish it any more";

export interface Noted {
  readonly stored: readonly VersionedDeletion[];
  /** Videos of each target, without those whose deletion was begun. */
  readonly held: ReadonlyMap<string, number>;
}

interface NoteDeps extends Pick<DeletionDeps, "catalogue" | "sources" | "targets" | "clock"> {
  readonly deletions: Pick<DeletionDeps["deletions"], "list" | "put">;
  readonly log: Pick<DeletionDeps["log"], "info">;
}

/** One round of the catalogue. */
export async function noteGone(deps: NoteDeps, stop: AbortSignal): Promise<Noted> {
  const known = new Map<string, VersionedDeletion>();
  for await (const each of deps.deletions.list()) known.set(each.deletion.id, each);
  const held = new Map<string, number>();
  for await (const { entry } of deps.catalogue.list()) {
    stop.throwIfAborted();
    for (const target of deps.targets) {
      const id = `${target}/${entry.locatorId}`;
      const stored = known.get(id) ?? null;
      if (entry.regions[target]?.state === "verified" && !isBegun(stored)) held.set(target, (held.get(target) ?? 0) + 1);
      const next = freshDeletion(deps, entry, target, stored);
      if (next !== null) known.set(id, await note(deps, next, stored));
    }
  }
  return { stored: [...known.values()], held };
}

function isBegun(stored: VersionedDeletion | null): boolean {
  return stored !== null && stored.deletion.begunAt !== null;
}

/** Null where there is nothing to note, or it is noted already. What was deleted once, and carried again since, begins anew. */
function freshDeletion(
  { sources, clock }: Pick<NoteDeps, "sources" | "clock">,
  entry: CatalogueEntry,
  target: string,
  stored: VersionedDeletion | null,
): Deletion | null {
  const goneAt = sources.includes(entry.source) && isLeft(entry, target) ? lossOf(entry) : null;
  if (goneAt === null || (stored !== null && stored.deletion.goneAt >= goneAt)) return null;
  return newDeletion(entry, { target, goneAt, now: clock.now(), former: stored?.deletion ?? null });
}

interface Loss {
  readonly target: string;
  readonly goneAt: number;
  readonly now: number;
  /** Of an earlier loss. */
  readonly former: Deletion | null;
}

function newDeletion({ locatorId, locatorName, assetName, source }: CatalogueEntry, { target, goneAt, now, former }: Loss): Deletion {
  return {
    id: `${target}/${locatorId}`,
    locatorId,
    locatorName,
    assetName,
    source,
    target,
    goneAt,
    notedAt: now,
    word: former?.word === "keep" ? "keep" : null,
    state: "pending",
    at: now,
    // What was begun for the earlier loss counts in its window all the same.
    begunAt: former?.begunAt ?? null,
    detail: null,
    bytes: null,
  };
}

/** Whether the target may have a copy. */
function isLeft({ source, regions }: CatalogueEntry, target: string): boolean {
  const copy = regions[target];
  return target !== source && copy !== undefined && copy.detail !== DELETED;
}

/** When the source was seen to have stopped publishing it; null where it was not. A copy that is withdrawn for another reason is no loss. */
function lossOf({ source, regions }: CatalogueEntry): number | null {
  const original = regions[source];
  return original?.state === "withdrawn" && original.detail === UNPUBLISHED ? original.at : null;
}

async function note({ deletions, log }: NoteDeps, deletion: Deletion, stored: VersionedDeletion | null): Promise<VersionedDeletion> {
  const version = await deletions.put(deletion, stored?.version ?? null);
  const { id, assetName, source, target } = deletion;
  log.info("deletion.noted", { id, asset: assetName, source, target });
  return { deletion, version };
}
