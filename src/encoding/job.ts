/**
 * Pure: the life of a job. Commands and events go in, doubled, unordered, late or never; out come the job as it is then, what others have to be
 * told, and what is now known of accounts. Only the live attempt can win: what an older one does later is fenced, and its output removed.
 */
import type { Attempt, EncodingJob, EncodingMessage, JobFailure, MoveReason, OperatorAction, Sighting } from "../core/encoding.ts";
import { isFinalState, sighted } from "./attempt.ts";
import { evidenceOf, type Evidence } from "./evidence.ts";
import { attemptMessage, endMessage } from "./messages.ts";
import { nextLook } from "./limits.ts";
import { newAttempt, type NewAttempt } from "./newAttempt.ts";
import { pauseAfter } from "./pause.ts";
import type { JobPolicy } from "./policy.ts";
import { isOfSpread } from "./spread.ts";
import { applyToUpload, awaitingUpload, released, type UploadEvent } from "./uploads.ts";

export type JobEvent =
  | ({ readonly type: "placed" } & NewAttempt)
  | { readonly type: "unplaced"; readonly why: "full" | "none" }
  /** Nowhere is left to try. */
  | { readonly type: "exhausted"; readonly detail: string }
  /** No attempt can help: no such transform, an input that is gone. */
  | { readonly type: "impossible"; readonly code: string; readonly detail: string }
  | UploadEvent
  /** Nobody has uploaded its file in time. */
  | { readonly type: "unsent" }
  | { readonly type: "submitted"; readonly attempt: number }
  | { readonly type: "refused"; readonly attempt: number; readonly detail: string }
  | { readonly type: "rejected"; readonly attempt: number; readonly detail: string }
  /** No region gives the input now. */
  | { readonly type: "withheld"; readonly attempt: number; readonly detail: string }
  /** A call for it got no answer, or none that says what happened. */
  | { readonly type: "unanswered"; readonly attempt: number }
  /** `asked`: the account's own answer, not an event. */
  | { readonly type: "seen"; readonly attempt: number; readonly sightings: readonly Sighting[]; readonly asked: boolean }
  /** The account has no such job. */
  | { readonly type: "gone"; readonly attempt: number }
  | { readonly type: "moved"; readonly attempt: number; readonly reason: MoveReason; readonly detail: string }
  | { readonly type: "postponed"; readonly attempt: number; readonly until: number }
  | { readonly type: "cleaned"; readonly attempt: number }
  | { readonly type: "uncleaned"; readonly attempt: number }
  | { readonly type: "cancel"; readonly by: string }
  | { readonly type: "retry"; readonly by: string };

export interface Applied {
  /** The same object where nothing has changed. */
  readonly job: EncodingJob;
  readonly messages: readonly EncodingMessage[];
  readonly evidence: readonly Evidence[];
}

export function isFinal({ state }: EncodingJob): boolean {
  return state === "finished" || state === "failed" || state === "canceled";
}

/** The attempt that may win; null where there is none. */
export function liveAttempt(job: EncodingJob): Attempt | null {
  const last = job.attempts.at(-1);
  return last !== undefined && last.end === null ? last : null;
}

export function apply(job: EncodingJob, event: JobEvent, policy: JobPolicy, now: number): Applied {
  const applied = step(job, event, policy, now);
  return isFinal(applied.job) && !isFinal(job) ? { ...applied, job: released(applied.job, now) } : applied;
}

function step(job: EncodingJob, event: JobEvent, policy: JobPolicy, now: number): Applied {
  if (isOfUpload(event)) return { ...applyToUpload(job, event, policy, now), evidence: [] };
  if (!("attempt" in event)) return applyToJob(job, event, policy, now);
  const attempt = job.attempts[event.attempt - 1];
  return attempt === undefined ? unchanged(job) : applyToAttempt({ job, attempt, policy, now }, event);
}

type JobWideEvent = Exclude<JobEvent, UploadEvent | { readonly attempt: number }>;

const OF_UPLOADS: readonly string[] = [
  "uploading",
  "uploaded",
  "abandoned",
  "discarded",
  "undiscarded",
  "deferred",
] satisfies readonly UploadEvent["type"][];

function isOfUpload(event: JobEvent): event is UploadEvent {
  return OF_UPLOADS.includes(event.type) || isOfSpread(event);
}

function applyToJob(job: EncodingJob, event: JobWideEvent, policy: JobPolicy, now: number): Applied {
  if (!mattersIn(job, event)) return unchanged(job);
  switch (event.type) {
    case "placed":
      return only(placed(job, event, policy, now));
    case "unplaced":
      return only({ ...job, waitingFor: event.why, placeAt: now + policy.placeMs });
    case "exhausted":
      return failed(job, "attempts_exhausted", event.detail, now);
    case "impossible":
      return impossible(job, event, now);
    case "cancel":
      return canceled(withAction(job, "cancel", event.by, now), `by ${event.by}`, now);
    case "unsent":
      return failed(job, "upload_missing", "its file was not uploaded in time: submit it again, or retry it and upload then", now);
    case "retry":
      return only(awaitingUpload(anew(withAction(job, "retry", event.by, now), now), policy, now));
  }
}

function mattersIn(job: EncodingJob, { type }: JobWideEvent): boolean {
  if (type === "retry") return job.state === "failed" || job.state === "canceled";
  if (type === "unsent") return job.waitingFor === "upload";
  return type === "impossible" || type === "cancel" ? !isFinal(job) : job.state === "waiting" && job.waitingFor !== "upload";
}

type AttemptEvent = Extract<JobEvent, { readonly attempt: number }>;

interface Scene {
  readonly job: EncodingJob;
  readonly attempt: Attempt;
  readonly policy: JobPolicy;
  readonly now: number;
}

function applyToAttempt(scene: Scene, event: AttemptEvent): Applied {
  const { job, attempt, policy, now } = scene;
  switch (event.type) {
    case "seen":
      return seen(scene, event);
    case "postponed":
      return only(withAttempt(job, { ...attempt, dueAt: event.until }));
    case "unanswered":
      return only(withAttempt(job, unanswered(attempt, policy, now)));
    case "cleaned":
    case "uncleaned":
      return attempt.owed === null ? unchanged(job) : event.type === "cleaned" ? cleaned(scene) : uncleaned(scene);
    default:
      // Nothing of the rest matters to an attempt that has been given up.
      return attempt.end === null ? applyToLive(scene, event) : unchanged(job);
  }
}

type LiveEvent = Extract<JobEvent, { readonly type: "submitted" | "refused" | "rejected" | "withheld" | "gone" | "moved" }>;

function applyToLive(scene: Scene, event: LiveEvent): Applied {
  const { job, attempt, policy, now } = scene;
  switch (event.type) {
    case "submitted":
      return only(withAttempt(job, submitted(attempt, policy, now)));
    case "refused":
      return again({
        ...scene,
        attempt: { ...attempt, end: "refused", endedAt: now, endDetail: event.detail, owed: "remove", dueAt: now },
      });
    case "rejected": {
      const over = { ...attempt, end: "rejected", endedAt: now, endDetail: event.detail, owed: "remove", dueAt: now } as const;
      return failed(withAttempt(job, over), "job_rejected", event.detail, now);
    }
    case "withheld":
      return withheld(scene, event.detail);
    case "gone":
      // Not there yet: a submission whose answer was lost may not have come through.
      if (attempt.submittedAt === null) return only(withAttempt(job, { ...attempt, dueAt: now, checkedAt: now }));
      return again(moved(scene, "gone", `${attempt.account} has no job ${attempt.jobName} any more`));
    case "moved":
      return again(moved(scene, event.reason, event.detail));
  }
}

function placed(job: EncodingJob, spec: NewAttempt, policy: JobPolicy, now: number): EncodingJob {
  // Who placed it submits it at once; if that one dies, another does.
  const attempt = newAttempt(job, spec, now, now + policy.resubmitMs * 2);
  return { ...job, state: "running", attempts: [...job.attempts, attempt], waitingFor: null, placeAt: null };
}

/** It gives its place in the account back: the account is not at fault, and others have inputs. */
function withheld(scene: Scene, endDetail: string): Applied {
  const { job, attempt, policy, now } = scene;
  // The account may have the job all the same, from a submission that got no answer.
  if (attempt.submittedAt !== null || attempt.unanswered > 0) return only(withAttempt(job, { ...attempt, dueAt: now + policy.resubmitMs }));
  const applied = again({ ...scene, attempt: { ...attempt, end: "withheld", endedAt: now, endDetail, dueAt: now } });
  const inARow = job.attempts.length - 1 - job.attempts.findLastIndex(({ end, number }) => end !== "withheld" && number < attempt.number);
  const pause = pauseAfter(inARow, policy.inputMs, policy.inputLongestMs);
  return { ...applied, job: { ...applied.job, placeAt: now + pause } };
}

function submitted(attempt: Attempt, policy: JobPolicy, now: number): Attempt {
  if (attempt.submittedAt !== null) return attempt;
  const taken: Attempt = { ...attempt, submittedAt: now, state: attempt.state ?? "queued", newsAt: now, unanswered: 0 };
  return { ...taken, dueAt: nextLook(taken, policy, now) };
}

function unanswered(attempt: Attempt, policy: JobPolicy, now: number): Attempt {
  const pause = attempt.submittedAt === null ? policy.resubmitMs : policy.recheckMs;
  return { ...attempt, unanswered: attempt.unanswered + 1, dueAt: now + pause };
}

function seen(scene: Scene, { sightings, asked }: Extract<JobEvent, { readonly type: "seen" }>): Applied {
  const { job, attempt, now } = scene;
  const known = sightings.reduce((before, sighting) => sighted(before, sighting, now), attempt);
  if (known === attempt && !asked) return unchanged(job);
  // A sighting proves that the account has the job, whatever became of the submission's answer.
  const there: Attempt = { ...known, submittedAt: known.submittedAt ?? now };
  const next: Attempt = asked ? { ...there, checks: there.checks + 1, checkedAt: now, unanswered: 0 } : there;
  if (attempt.end !== null) return seenAfterwards(scene, next);
  return isFinalState(next.state) ? ended({ ...scene, attempt: next }, asked) : progressed(scene, next);
}

/** It was given up. Should it finish all the same, its output goes at once; should a trial get going, its account is well again. */
function seenAfterwards({ job, attempt: before, now }: Scene, after: Attempt): Applied {
  const late = before.end !== "won" && before.state !== "finished" && after.state === "finished";
  const next = withAttempt(job, late ? { ...after, late, dueAt: now } : after);
  return { job: next, messages: [], evidence: progressEvidence(job, before, after, now) };
}

function progressEvidence(job: EncodingJob, before: Attempt, after: Attempt, at: number): readonly Evidence[] {
  const works = after.state === "processing" && (before.state !== "processing" || after.progress > before.progress);
  const { account, number, trial } = after;
  return works && trial ? [{ account, kind: "progress", jobId: job.id, attempt: number, trial, at }] : [];
}

function progressed({ job, attempt: before, policy, now }: Scene, after: Attempt): Applied {
  const next = withAttempt(job, { ...after, dueAt: nextLook(after, policy, now) });
  return { job: next, messages: [], evidence: progressEvidence(job, before, after, now) };
}

const UNEXPLAINED: JobFailure = { code: "unknown", message: "the account did not say why", category: "service", mayRetry: true };

/** The account's job is final. */
function ended(scene: Scene, asked: boolean): Applied {
  const { job, attempt, now } = scene;
  // Whose fault it was only the account can tell.
  if (attempt.state === "error" && attempt.failure === null && !asked) return only(withAttempt(job, { ...attempt, dueAt: now }));
  if (attempt.state === "finished") return won(job, attempt, now);
  if (attempt.state === "canceled") return canceled(withAttempt(job, attempt), `in ${attempt.account}`, now);
  const failure = attempt.failure ?? UNEXPLAINED;
  const endDetail = `${failure.code}: ${failure.message}`;
  const over: Attempt = { ...attempt, failure, end: "failed", endedAt: now, endDetail, owed: "remove", dueAt: now };
  if (failure.mayRetry) return again({ ...scene, attempt: over });
  const evidence = [evidenceOf(withAttempt(job, over), over, now)];
  return { ...failed(withAttempt(job, over), failure.code, failure.message, now), evidence };
}

function won(job: EncodingJob, attempt: Attempt, now: number): Applied {
  const over: Attempt = { ...attempt, end: "won", endedAt: now, owed: "tidy", dueAt: now };
  const assets = attempt.outputs.map(({ assetName }) => assetName);
  const result = { attempt: attempt.number, account: attempt.account, assets, at: now };
  const next: EncodingJob = { ...withAttempt(job, over), state: "finished", result, finalAt: now };
  return { job: next, messages: [endMessage(next, now, `finished in ${attempt.account}`)], evidence: [evidenceOf(next, over, now)] };
}

/** The attempt is over, the job goes on elsewhere. */
function again({ job, attempt, now }: Scene): Applied {
  const next: EncodingJob = { ...withAttempt(job, attempt), state: "waiting", waitingFor: "again", placeAt: now };
  return { job: next, messages: [], evidence: [evidenceOf(next, attempt, now)] };
}

function moved(scene: Scene, reason: MoveReason, detail: string): Scene {
  const { attempt, policy, now } = scene;
  // What tried the account stays there for a while, and tells by itself when it works again.
  const dueAt = reason === "trial" ? now + policy.lookoutMs : now;
  return { ...scene, attempt: { ...attempt, end: "moved", endedAt: now, endDetail: detail, moved: reason, owed: "remove", dueAt } };
}

function cleaned({ job, attempt, now }: Scene): Applied {
  const next = withAttempt(job, { ...attempt, owed: null });
  return { ...only(next), messages: attempt.late ? [attemptMessage(next, attempt, "superseded", now)] : [] };
}

function uncleaned({ job, attempt, policy, now }: Scene): Applied {
  const owedTries = attempt.owedTries + 1;
  if (owedTries >= policy.cleanTries) {
    const next = withAttempt(job, { ...attempt, owedTries, owed: null });
    return { ...only(next), messages: [attemptMessage(next, attempt, "left_behind", now)] };
  }
  const pause = pauseAfter(owedTries, policy.cleanMs, policy.cleanLongestMs);
  return only(withAttempt(job, { ...attempt, owedTries, dueAt: now + pause }));
}

function failed(job: EncodingJob, code: string, message: string, now: number): Applied {
  const failure = { code, message };
  const next: EncodingJob = { ...job, state: "failed", failure, waitingFor: null, placeAt: null, finalAt: now };
  return { ...only(next), messages: [endMessage(next, now, `${code}: ${message}`)] };
}

function impossible(job: EncodingJob, event: Extract<JobEvent, { readonly type: "impossible" }>, now: number): Applied {
  return failed(withLiveEnded(job, "rejected", event.detail, now), event.code, event.detail, now);
}

function canceled(job: EncodingJob, detail: string, now: number): Applied {
  const over = withLiveEnded(job, "canceled", `canceled ${detail}`, now);
  const next: EncodingJob = { ...over, state: "canceled", waitingFor: null, placeAt: null, finalAt: now };
  return { ...only(next), messages: [endMessage(next, now, `canceled ${detail}`)] };
}

function withLiveEnded(job: EncodingJob, end: "rejected" | "canceled", endDetail: string, now: number): EncodingJob {
  const live = liveAttempt(job);
  return live === null ? job : withAttempt(job, { ...live, end, endedAt: now, endDetail, owed: "remove", dueAt: now });
}

function anew(job: EncodingJob, now: number): EncodingJob {
  return { ...job, state: "waiting", waitingFor: "new", placeAt: now, round: job.round + 1, failure: null, finalAt: null };
}

/** An operator who does it over and over does not fill the record. */
const MOST_ACTIONS = 20;

function withAction(job: EncodingJob, kind: OperatorAction["kind"], by: string, at: number): EncodingJob {
  return { ...job, actions: [...(job.actions ?? []), { kind, by, at }].slice(-MOST_ACTIONS) };
}

function withAttempt(job: EncodingJob, attempt: Attempt): EncodingJob {
  if (job.attempts[attempt.number - 1] === attempt) return job;
  return { ...job, attempts: job.attempts.with(attempt.number - 1, attempt) };
}

function unchanged(job: EncodingJob): Applied {
  return { job, messages: [], evidence: [] };
}

const only = unchanged;
