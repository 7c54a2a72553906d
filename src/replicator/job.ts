/** The life of one replication job: one asset to one target region, in steps that can each be done again. Pure. */
import type { ConflictRecord, JobRecord } from "../core/ports/journal.ts";

export type Step = JobRecord["step"];

/** In order. Each is reached only when everything before it was seen to hold in this run; `published` is the catalogue's entry. */
export const STEPS: readonly Step[] = ["planned", "copied", "policed", "located", "verified", "published"];

export interface JobIdentity {
  readonly source: string;
  readonly target: string;
  readonly assetName: string;
}

export type JobEvent =
  | { readonly type: "started" }
  | { readonly type: "reached"; readonly step: Step }
  | {
      readonly type: "failed";
      readonly conflict: boolean;
      readonly code: string;
      readonly message: string;
      readonly conflicts: readonly ConflictRecord[];
    };

/** So many conflicts of a job are kept, and so much of each text: a library at odds with its copy must not fill the journal. */
const MOST_CONFLICTS = 20;
const LONGEST_TEXT = 1_000;

/** `{source}/{assetName}->{target}`; a job whose target is its source verifies and publishes the original. */
export function jobId({ source, target, assetName }: JobIdentity): string {
  return `${source}/${assetName}->${target}`;
}

export function newJob(identity: JobIdentity, now: number): JobRecord {
  return {
    id: jobId(identity),
    source: identity.source,
    target: identity.target,
    assetName: identity.assetName,
    step: "planned",
    state: "running",
    attempts: 0,
    errorCode: null,
    errorMessage: null,
    conflicts: [],
    updatedAt: now,
  };
}

/** The job after an event. A start begins at `planned` again, because only the destination says how far the last run came. */
export function advance(job: JobRecord, event: JobEvent, now: number): JobRecord {
  switch (event.type) {
    case "started":
      return { ...job, step: "planned", state: "running", attempts: job.attempts + 1, errorCode: null, errorMessage: null, updatedAt: now };
    case "reached":
      return {
        ...job,
        step: later(job.step, event.step),
        state: event.step === "published" ? "done" : job.state,
        conflicts: event.step === "published" ? [] : job.conflicts,
        updatedAt: now,
      };
    case "failed":
      return {
        ...job,
        state: event.conflict ? "conflict" : "failed",
        errorCode: event.code,
        errorMessage: event.message,
        // A run that could not come so far tells nothing of those that were found before.
        conflicts: event.conflict ? event.conflicts.slice(0, MOST_CONFLICTS).map(shortened) : job.conflicts,
        updatedAt: now,
      };
  }
}

function shortened(conflict: ConflictRecord): ConflictRecord {
  const cut = (text: string): string => (text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text);
  const { what, source, target, advice } = conflict;
  return { ...conflict, what: cut(what), source: cut(source), target: cut(target), advice: cut(advice) };
}

function later(one: Step, other: Step): Step {
  return STEPS.indexOf(other) > STEPS.indexOf(one) ? other : one;
}
