/** Jobs and accounts as they are shown: without secrets, and without what only the scheduler needs. */
import type { Attempt, EncodingInput, EncodingJob } from "../core/encoding.ts";
import { scrub } from "../core/log.ts";
import type { OutputPlayback, ShownAttempt, ShownJob } from "../core/ports/encodingService.ts";

export function shownJob(job: EncodingJob, playback: readonly OutputPlayback[]): ShownJob {
  const { id, clientId, transform, priority, state, createdAt, round, waitingFor, finalAt, result } = job;
  const failure = job.failure === null ? null : { code: job.failure.code, message: scrub(job.failure.message) };
  const attempts = job.attempts.map(shownAttempt);
  const own = { id, clientId, transform, priority, state, createdAt, round, waitingFor, finalAt, result };
  return { ...own, input: shownInput(job.input), failure, attempts, playback };
}

function shownAttempt(attempt: Attempt): ShownAttempt {
  const { number, round, account, jobName, trial, state, progress, end, late, owed } = attempt;
  const { placedAt, submittedAt, scheduledAt, processingAt, finalAt } = attempt;
  const endDetail = attempt.endDetail === null ? null : scrub(attempt.endDetail);
  const times = { placedAt, submittedAt, scheduledAt, processingAt, finalAt };
  return { number, round, account, jobName, trial, state, progress, ...times, end, endDetail, late, owed };
}

/** A SAS is in the query; user and password stand before the host. */
function shownInput(input: EncodingInput): EncodingInput {
  if (input.kind !== "url") return input;
  const { origin, pathname, search } = new URL(input.url);
  return { kind: "url", url: `${origin}${pathname}${search === "" ? "" : "?…"}` };
}
