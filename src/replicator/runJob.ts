/** Runs one job's steps under its lease, with the journal after each step. Which steps, the driver says. */
import { errorChain, errorCode, PaircastError } from "../core/errors.ts";
import { scrub } from "../core/log.ts";
import type { JobResult as Outcome } from "../core/metrics.ts";
import type { Fence, JobRecord } from "../core/ports/journal.ts";
import type { Conflict } from "./conflict.ts";
import { ReplicaConflict } from "./conflict.ts";
import { advance, jobId, newJob, type JobEvent, type JobIdentity, type Step } from "./job.ts";
import type { JobDeps } from "./jobDeps.ts";
import { withLease, type LeaseOptions } from "./lease.ts";

/** What the job has done so far. */
export interface Tally {
  blobsCopied: number;
  bytesCopied: number;
  /** Found on the target, equal, and new to the journal. */
  blobsAdopted: number;
  /** Entities created or replaced on the target, for people: `asset intro`, `locator intro-1`. */
  written: string[];
  /** Catalogue entries written. */
  published: number;
  /** For people: what was noticed and left alone. */
  notes: string[];
}

export interface JobResult extends JobIdentity {
  readonly id: string;
  readonly result: Outcome;
  /** Steps reached, in order. */
  readonly steps: readonly Step[];
  readonly counts: Readonly<Tally>;
  readonly error: JobError | null;
  /** Another process is at it, or has done it meanwhile: nothing was done here. Left out: it was done, or tried, here. */
  readonly elsewhere?: "busy" | "done";
}

/** How a job is shared with other processes. */
export interface Sharing {
  /** What was done since then, by the journal, is not done again. */
  readonly since: number;
  /** Whether a process that is at it is waited for: a crashed one leaves its lease behind. */
  readonly wait: boolean;
}

export interface JobError {
  readonly code: string;
  readonly message: string;
  readonly conflicts: readonly Conflict[];
}

export interface JobContext {
  readonly deps: JobDeps;
  readonly identity: JobIdentity;
  readonly jobId: string;
  /** What is published only counts while the lease is held. */
  readonly fence: Fence;
  /** Aborts what is under way: the lease was lost. */
  readonly signal: AbortSignal;
  /** Asks to end between two blobs or steps. */
  readonly stop: AbortSignal | undefined;
  readonly tally: Tally;
}

export interface JobStep {
  readonly step: Step;
  readonly run: () => Promise<void>;
}

/** For who only looks: without a lease, so that nothing may be written under it. */
export function planningContext(deps: JobDeps, identity: JobIdentity, signal: AbortSignal): JobContext {
  const fence = { jobId: jobId(identity), owner: deps.owner };
  return { deps, identity, jobId: fence.jobId, fence, signal, stop: signal, tally: newTally() };
}

function newTally(): Tally {
  return { blobsCopied: 0, bytesCopied: 0, blobsAdopted: 0, written: [], published: 0, notes: [] };
}

/** Never rejects: a failure is part of the result. Logged and counted here, once. */
export async function runJob(
  deps: JobDeps,
  identity: JobIdentity,
  steps: (context: JobContext) => readonly JobStep[],
  stop?: AbortSignal,
  sharing?: Sharing,
): Promise<JobResult> {
  const id = jobId(identity);
  const tally = newTally();
  const reached: Step[] = [];
  let error: JobError | null = null;
  let elsewhere: "busy" | "done" | null = null;
  try {
    if (isDone(sharing === undefined ? null : await deps.journal.load(id), sharing)) elsewhere = "done";
    else {
      await withLease(leaseOptions(deps, sharing), id, stop, async (lost, owner) => {
        const fence = { jobId: id, owner };
        const context: JobContext = { deps, identity, jobId: id, fence, signal: lost, stop, tally };
        const stored = await deps.journal.load(id);
        if (isDone(stored, sharing)) elsewhere = "done";
        else await runSteps(context, stored ?? newJob(identity, deps.clock.now()), steps(context), reached);
      });
    }
  } catch (cause) {
    if (sharing !== undefined && errorCode(cause) === "job_busy") elsewhere = "busy";
    else error = describe(cause, stop);
  }
  const result: JobResult = { ...identity, id, result: outcome(error, tally), steps: reached, counts: tally, error };
  tell(deps, result, elsewhere);
  if (elsewhere !== null) return { ...result, elsewhere };
  report(deps, result);
  return result;
}

function leaseOptions({ journal, clock, owner, options }: JobDeps, sharing: Sharing | undefined): LeaseOptions {
  return { journal, clock, owner, leaseMs: options.leaseMs ?? 15_000, wait: sharing?.wait ?? true };
}

/** Whether the journal says that it was done meanwhile. */
export function isDone(job: JobRecord | null, sharing: Sharing | undefined): boolean {
  return sharing !== undefined && job?.state === "done" && job.updatedAt > sharing.since;
}

async function runSteps(context: JobContext, stored: JobRecord, steps: readonly JobStep[], reached: Step[]): Promise<void> {
  const { deps, stop, signal } = context;
  let job = await save(deps, stored, { type: "started" });
  try {
    for (const { step, run } of steps) {
      stop?.throwIfAborted();
      signal.throwIfAborted();
      await run();
      reached.push(step);
      job = await save(deps, job, { type: "reached", step });
    }
  } catch (cause) {
    // A job that was asked to stop, or taken over, stays as it is: whoever continues finds the destination.
    if (stop?.aborted !== true && !signal.aborted) {
      const { code, message, conflicts } = describe(cause, stop);
      await save(deps, job, { type: "failed", conflict: isConflict(cause), code, message, conflicts });
    }
    throw signal.aborted ? signal.reason : cause;
  }
}

async function save(deps: JobDeps, job: JobRecord, event: JobEvent): Promise<JobRecord> {
  const next = advance(job, event, deps.clock.now());
  await deps.journal.save(next);
  return next;
}

function isConflict(error: unknown): boolean {
  return error instanceof PaircastError && error.retry === "conflict";
}

function describe(error: unknown, stop: AbortSignal | undefined): JobError {
  if (stop?.aborted === true) return { code: "stopped", message: "stopped before it was done; the next run continues", conflicts: [] };
  const message = scrub(errorChain(error));
  if (error instanceof ReplicaConflict) return { code: error.code, message, conflicts: error.conflicts.map(scrubbed) };
  if (!isConflict(error)) return { code: errorCode(error), message, conflicts: [] };
  const conflict = {
    what: "the target",
    source: "nothing of it",
    target: message,
    advice: "replicate again; if it comes again, look there",
  };
  return { code: "replica_conflict", message, conflicts: [conflict] };
}

function scrubbed(conflict: Conflict): Conflict {
  const { what, source, target, advice } = conflict;
  return { ...conflict, what: scrub(what), source: scrub(source), target: scrub(target), advice: scrub(advice) };
}

function outcome(error: JobError | null, tally: Tally): Outcome {
  if (error !== null) return error.code === "replica_conflict" ? "conflict" : "failed";
  return tally.blobsCopied > 0 || tally.written.length > 0 || tally.published > 0 ? "changed" : "unchanged";
}

/** What is done elsewhere is done; what was stopped, or is being done elsewhere, is not. */
function tell({ progress }: JobDeps, { source, target, assetName, result, error }: JobResult, elsewhere: "busy" | "done" | null): void {
  if (elsewhere !== "busy" && error?.code !== "stopped") progress?.({ type: "done", source, target, assetName, result });
}

function report({ log, metrics }: JobDeps, { assetName, source, target, result, counts, error, steps }: JobResult): void {
  metrics?.job(target, result);
  const fields = { asset: assetName, source, target, step: steps.at(-1) ?? "none" };
  for (const note of counts.notes) log.info("replication.note", { ...fields, note });
  if (error !== null && error.code === "stopped") log.info("replication.stopped", fields);
  else if (error !== null) log.warn(`replication.${result}`, { ...fields, code: error.code, error: error.message });
  else if (result === "changed")
    log.info("replication.done", {
      ...fields,
      blobs: counts.blobsCopied,
      bytes: counts.bytesCopied,
      adopted: counts.blobsAdopted,
      written: counts.written,
      published: counts.published,
    });
  else log.debug("replication.unchanged", fields);
}
