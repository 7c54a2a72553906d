/** What replication itself made on a target, as the journal remembers it: nothing else is ever deleted there. */
import type { Journal } from "../../core/ports/journal.ts";
import type { JobContext } from "../runJob.ts";

/** Of an entity that was deleted, and may be somebody else's when it is there again. */
const FORGOTTEN = "";

/** Right after the service has created it. After a crash in between nobody knows, and it stays. */
export async function recordCreation({ deps, identity }: JobContext, what: string, mark: string): Promise<void> {
  await deps.journal.recordProof(scopeOf(identity.source, identity.target), entityOf(what), mark);
}

export interface CreationOptions {
  readonly journal: Journal;
  /** Regions from which it may have been carried. */
  readonly sources: readonly string[];
  readonly target: string;
  /** As the journal of jobs has it: `asset intro`. */
  readonly what: string;
}

export async function wasCreated({ journal, sources, target, what }: CreationOptions, mark: string): Promise<boolean> {
  for (const source of sources) if ((await journal.proof(scopeOf(source, target), entityOf(what))) === mark) return true;
  return false;
}

export async function forgetCreation({ journal, sources, target, what }: CreationOptions): Promise<void> {
  for (const source of sources) {
    const scope = scopeOf(source, target);
    const mark = await journal.proof(scope, entityOf(what));
    if (mark !== null && mark !== FORGOTTEN) await journal.recordProof(scope, entityOf(what), FORGOTTEN);
  }
}

/** The mark of what is told apart by its name only. */
export const CREATED = "created";

function scopeOf(source: string, target: string): string {
  return `${source}->${target}`;
}

function entityOf(what: string): string {
  return `created ${what}`;
}
