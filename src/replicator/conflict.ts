/** What replication refuses to overwrite: something on the target that differs and that nothing proves to be ours. Pure. */
import { PaircastError } from "../core/errors.ts";
import type { ConflictRecord } from "../core/ports/journal.ts";

export type Conflict = ConflictRecord;

export function conflictText({ what, source, target, advice }: Conflict): string {
  return `${what}: the source has ${source}, the target has ${target}; ${advice}`;
}

/** Thrown before anything was overwritten; names at most five conflicts, and how many there are. */
export class ReplicaConflict extends PaircastError {
  readonly conflicts: readonly Conflict[];

  constructor(place: string, conflicts: readonly Conflict[]) {
    const named = conflicts.slice(0, 5).map(conflictText).join(" | ");
    const more = conflicts.length > 5 ? ` | and ${conflicts.length - 5} more` : "";
    super("replica_conflict", `replicate ${place}: ${named}${more}`, { retry: "conflict" });
    this.conflicts = conflicts;
  }
}
