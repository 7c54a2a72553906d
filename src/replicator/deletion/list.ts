/** What stands, for people: by the stores alone. No region is asked, and nothing is written. */
import type { Deletion, DeletionStore } from "../../core/ports/deletions.ts";
import { decideDeletions, dueAt, type Candidate, type DeletionVerdict } from "./decide.ts";
import type { DeletionDeps } from "./deps.ts";
import { catalogueEvidence } from "./evidence.ts";
import { noteGone } from "./note.ts";

/** `pending` the grace period runs · `unapproved`, `refused`, `waits` it is over, and something keeps it · `delete` it goes in the next round */
export type DeletionStatus = DeletionVerdict["kind"] | Exclude<Deletion["state"], "pending">;

export interface Listed extends Deletion {
  readonly status: DeletionStatus;
  readonly dueAt: number;
}

/** One word: the state once something was done, else what keeps it. */
export function statusOf({ state }: Pick<Deletion, "state">, { kind }: DeletionVerdict): DeletionStatus {
  if (state === "done" || state === "foreign") return state;
  return state === "deleting" && kind !== "restored" && kind !== "unconfirmed" ? state : kind;
}

type ListDeps = Pick<DeletionDeps, "catalogue" | "deletions" | "sources" | "targets" | "policy" | "clock">;

export async function listDeletions(deps: ListDeps, stop: AbortSignal): Promise<readonly Listed[]> {
  const { policy, clock } = deps;
  const log = { info: () => undefined };
  const { stored, held } = await noteGone({ ...deps, deletions: unwritten(deps.deletions), log }, stop);
  const candidates: Candidate[] = [];
  for (const { deletion } of stored)
    candidates.push({ deletion, evidence: deletion.state === "done" ? "gone" : await catalogueEvidence(deps, deletion) });
  const decisions = decideDeletions(candidates, { held, policy, now: clock.now() });
  return decisions.map(({ deletion, verdict }) => ({ ...deletion, status: statusOf(deletion, verdict), dueAt: dueAt(deletion, policy) }));
}

/** What would be noted in the next round is shown as if it were. */
function unwritten(store: DeletionStore): Pick<DeletionStore, "list" | "put"> {
  return { list: () => store.list(), put: () => Promise.resolve("") };
}
