/** One entity of the target that must equal its source: looked at first, written only where it differs and may be. */
import { errorCode } from "../core/errors.ts";
import type { Tree, TreeObject } from "../core/media.ts";
import type { Fingerprint } from "../core/ports/fingerprint.ts";
import type { Journal } from "../core/ports/journal.ts";
import { ReplicaConflict, type Conflict } from "./conflict.ts";
import { CREATED, recordCreation } from "./deletion/creation.ts";
import { diffUpdatable, type Verdict } from "./diff.ts";
import type { Freshness } from "./commonReads.ts";
import type { JobIdentity } from "./job.ts";
import { canonicalText } from "./normalise.ts";
import type { JobContext } from "./runJob.ts";

/** What tasks are made with; a job's context is one. */
export interface TaskContext {
  readonly deps: {
    /** Null: what both sides agreed on is not remembered, so what differs is a conflict. */
    readonly journal: Pick<Journal, "proof" | "recordProof"> | null;
    readonly fingerprint: Fingerprint;
  };
  readonly identity: Pick<JobIdentity, "source" | "target">;
  readonly signal: AbortSignal;
}

export interface EntityTask {
  /** For people: `content key policy drm-default`. */
  readonly what: string;
  /** Compares source and target. Left out: `shared`, as for all that is only looked at. */
  readonly look: (freshness?: Freshness) => Promise<Verdict>;
  readonly write: () => Promise<void>;
  /** Remembers that both sides are equal now, so that a later change of the source may replace the target's. */
  readonly settled?: () => Promise<void>;
  /** Says what is in the way where the service refuses to create something that is not there under its name. */
  readonly taken?: () => Promise<Conflict>;
  /** The asset does not need it: what is in its way keeps nothing back. */
  readonly optional?: boolean;
}

export interface LookedAt {
  readonly task: EntityTask;
  readonly verdict: Verdict;
}

/** Looks at every task, changing nothing. No copy is withdrawn, and nothing deleted, for a conflict that was read for another job. */
export async function lookAtAll(tasks: readonly EntityTask[]): Promise<readonly LookedAt[]> {
  const seen: LookedAt[] = [];
  for (const task of tasks) {
    const verdict = await task.look("shared");
    seen.push({ task, verdict: verdict.action === "conflict" ? await task.look("anew") : verdict });
  }
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

/** Makes one entity of a job equal, and takes down what was written. Idempotent. */
export async function carryOut(context: JobContext, { task, verdict }: LookedAt): Promise<void> {
  const { tally, identity } = context;
  if (task.optional === true && verdict.action === "conflict") return;
  const wrote = await makeEqual(`${identity.source} to ${identity.target}`, { task, verdict });
  if (wrote !== null) tally.written.push(task.what);
  if (wrote === "create") await recordCreation(context, task.what, CREATED);
  await task.settled?.();
}

/** Looks again right before writing, and after losing a race. Says what was written; null: nothing had to be. */
export async function makeEqual(place: string, { task, verdict }: LookedAt): Promise<"create" | "replace" | null> {
  if (verdict.action === "skip") return null;
  const now = await task.look("anew");
  if (now.action === "conflict") throw new ReplicaConflict(place, [now.conflict]);
  if (now.action === "skip" || !(await writeUnlessRaced(task, place))) return null;
  return now.action;
}

async function writeUnlessRaced(task: EntityTask, place: string): Promise<boolean> {
  try {
    await task.write();
    return true;
  } catch (error) {
    if (!isTaken(error)) throw error;
    const verdict = await task.look("anew");
    refuseConflicts(place, [{ task, verdict }]);
    if (verdict.action === "skip") return false;
    if (task.taken === undefined) throw error;
    throw new ReplicaConflict(place, [await task.taken()]);
  }
}

/** With which status the service refuses a content key id that it has already is not known of every service; its words are. */
function isTaken(error: unknown): boolean {
  const code = errorCode(error);
  return code === "media_exists" || (code === "account_rejected" && error instanceof Error && /already exists/i.test(error.message));
}

export interface UpdatableEntity {
  readonly what: string;
  readonly source: TreeObject;
  /** The target's, null where it has none. */
  readonly read: (freshness?: Freshness) => Promise<TreeObject | null>;
  readonly write: () => Promise<void>;
  readonly optional?: boolean;
}

/** A task for what the service lets one update. What the journal remembers is a keyed fingerprint: the tree holds secrets. */
export function updatableTask(
  { deps, identity }: Pick<TaskContext, "deps" | "identity">,
  { what, source, read, write, optional = false }: UpdatableEntity,
): EntityTask {
  const { journal } = deps;
  const scope = `${identity.source}->${identity.target}`;
  const print = (tree: Tree): string => deps.fingerprint(new TextEncoder().encode(canonicalText(tree)));
  return {
    what,
    optional,
    look: async (freshness) => {
      const target = await read(freshness);
      const proof = target === null || journal === null ? null : await journal.proof(scope, what);
      return diffUpdatable({ what, source, target }, proof, target === null ? null : print(target));
    },
    write,
    settled: async () => {
      if (journal === null) return;
      const proof = print(source);
      if ((await journal.proof(scope, what)) !== proof) await journal.recordProof(scope, what, proof);
    },
  };
}

/**
 * Finds entities by name in a listing that all of them share the first time. Whoever looks a second time, which is right before or after
 * writing, gets a listing of that moment.
 */
export function sharedFirstLook<T extends { readonly name: string }>(
  list: (freshness: Freshness) => Promise<readonly T[]>,
): (name: string) => Promise<T | null> {
  const looked = new Set<string>();
  let first: Promise<readonly T[]> | null = null;
  return async (name) => {
    const isFirst = !looked.has(name);
    looked.add(name);
    const listed = await (isFirst ? (first ??= list("shared")) : list("anew"));
    return listed.find((one) => one.name === name) ?? null;
  };
}
