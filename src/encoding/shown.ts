/** Jobs and accounts as they are shown: without secrets, and without what only the scheduler needs. */
import type { AccountState, Attempt, EncodingInput, EncodingJob } from "../core/encoding.ts";
import { scrub } from "../core/log.ts";
import type { OutputPlayback, ShownAccount, ShownAttempt, ShownJob } from "../core/ports/encodingService.ts";
import { capacityOf } from "./account.ts";
import type { AccountPolicy } from "./policy.ts";
import { ratesOf } from "./rates.ts";

export function shownJob(job: EncodingJob, playback: readonly OutputPlayback[]): ShownJob {
  const { id, clientId, transform, priority, state, createdAt, round, waitingFor, finalAt, result, actions = [] } = job;
  const failure = job.failure === null ? null : { code: job.failure.code, message: scrub(job.failure.message) };
  const attempts = job.attempts.map(shownAttempt);
  const own = { id, clientId, transform, priority, state, createdAt, round, waitingFor, finalAt, result, actions };
  const copies = job.copies.map(({ region, upload, state: kept }) => ({ region, upload, state: kept }));
  return { ...own, input: shownInput(job.input), copies, failure, attempts, playback };
}

function shownAttempt(attempt: Attempt): ShownAttempt {
  const { number, round, account, jobName, trial, state, progress, end, late, owed } = attempt;
  const { placedAt, submittedAt, scheduledAt, processingAt, finalAt, endedAt } = attempt;
  const endDetail = attempt.endDetail === null ? null : scrub(attempt.endDetail);
  const times = { placedAt, submittedAt, scheduledAt, processingAt, finalAt, endedAt };
  return { number, round, account, jobName, trial, state, progress, ...times, end, endDetail, late, owed };
}

/** A SAS is in the query; user and password stand before the host. */
function shownInput(input: EncodingInput): EncodingInput {
  if (input.kind !== "url") return input;
  const { origin, pathname, search } = new URL(input.url);
  return { kind: "url", url: `${origin}${pathname}${search === "" ? "" : "?…"}` };
}

type AccountUse = Pick<ShownAccount, "inFlight" | "maxInFlight" | "disabled">;

export function shownAccount(state: AccountState, use: AccountUse, policy: AccountPolicy, now: number): ShownAccount {
  const { account, status, since, reason, detail, pausedUntil, damping, readmitted = null } = state;
  const heldUntil = status === "out" && damping.until !== null && damping.until > now ? damping.until : null;
  const capacity = capacityOf(state, use.maxInFlight, policy, now);
  const own = { account, status, since, reason, detail, pausedUntil, readmitted };
  return { ...own, ...use, capacity, heldUntil, rates: ratesOf(state, policy, now) };
}
