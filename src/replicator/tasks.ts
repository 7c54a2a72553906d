/** One entity of the target that must equal its source: looked at first, written only where it differs and may be. */
import { errorCode } from "../core/errors.ts";
import type { Tree, TreeObject } from "../core/media.ts";
import { ReplicaConflict, type Conflict } from "./conflict.ts";
import { diffImmutable, diffUpdatable, type Verdict } from "./diff.ts";
import { canonicalText } from "./normalise.ts";
import type { JobContext } from "./runJob.ts";

export interface EntityTask {
  /** For people: `content key policy drm-default`. */
  readonly what: string;
  /** Compares source and target, reading the target anew. */
  readonly look: () => Promise<Verdict>;
  readonly write: () => Promise<void>;
  /** Remembers that both sides are equal now, so that a later change of the source may replace the target's. */
  readonly settled?: () => Promise<void>;
}

export interface LookedAt {
  readonly task: EntityTask;
  readonly verdict: Verdict;
}

/** Looks at every task, changing nothing. */
export async function lookAtAll(tasks: readonly EntityTask[]): Promise<readonly LookedAt[]> {
  const seen: LookedAt[] = [];
  for (const task of tasks) seen.push({ task, verdict: await task.look() });
  return seen;
}

/** Throws `replica_conflict` naming everything that is in the way. */
export function refuseConflicts(place: string, seen: readonly LookedAt[]): void {
  refuse(
    place,
    seen.flatMap(({ verdict }) => (verdict.action === "conflict" ? [verdict.conflict] : [])),
  );
}

export function refuse(place: string, conflicts: readonly Conflict[]): void {
  if (conflicts.length > 0) throw new ReplicaConflict(place, conflicts);
}

/** Makes one entity equal: looks again right before writing, and after losing a race. Idempotent. */
export async function carryOut({ tally, identity }: JobContext, { task, verdict }: LookedAt): Promise<void> {
  if (verdict.action !== "skip") {
    const place = `${identity.source} to ${identity.target}`;
    const now = await task.look();
    refuseConflicts(place, [{ task, verdict: now }]);
    if (now.action !== "skip") {
      const wrote = await writeUnlessRaced(task, place);
      if (wrote) tally.written.push(task.what);
    }
  }
  await task.settled?.();
}

async function writeUnlessRaced(task: EntityTask, place: string): Promise<boolean> {
  try {
    await task.write();
    return true;
  } catch (error) {
    if (errorCode(error) !== "media_exists") throw error;
    const verdict = await task.look();
    refuseConflicts(place, [{ task, verdict }]);
    if (verdict.action !== "skip") throw error;
    return false;
  }
}

export interface UpdatableEntity {
  readonly what: string;
  readonly source: TreeObject;
  /** The target's, null where it has none. */
  readonly read: () => Promise<TreeObject | null>;
  readonly write: () => Promise<void>;
}

/** A task for what the service lets one update. What the journal remembers is a keyed fingerprint: the tree holds secrets. */
export function updatableTask({ deps, identity }: JobContext, entity: UpdatableEntity): EntityTask {
  const { journal } = deps;
  const scope = `${identity.source}->${identity.target}`;
  const print = (tree: Tree): string => deps.fingerprint(new TextEncoder().encode(canonicalText(tree)));
  return {
    what: entity.what,
    look: async () => {
      const target = await entity.read();
      const proof = target === null ? null : await journal.proof(scope, entity.what);
      return diffUpdatable({ what: entity.what, source: entity.source, target }, proof, target === null ? null : print(target));
    },
    write: entity.write,
    settled: async () => {
      const proof = print(entity.source);
      if ((await journal.proof(scope, entity.what)) !== proof) await journal.recordProof(scope, entity.what, proof);
    },
  };
}

/** A task for what can only be created. */
export function immutableTask({ what, source, read, write }: UpdatableEntity): EntityTask {
  return { what, look: async () => diffImmutable({ what, source, target: await read() }), write };
}
