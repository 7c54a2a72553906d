/** Pure: how long encoding waits for what, where it keeps files, and how much it takes to believe ill of an account. */
import type { DampingPolicy } from "../core/damping.ts";

export interface JobPolicy {
  /** How long the upload of a job's file is waited for, from when it was begun last. */
  readonly uploadMs: number;
  /** Regions that can keep an uploaded file, those that encode first; and how many of them shall. */
  readonly keep: { readonly regions: readonly string[]; readonly copies: number };
  /** Pause before another look for a region that takes a copy: doubled with each try, up to the longest. */
  readonly spreadMs: number;
  readonly spreadLongestMs: number;
  /** An account that has not taken a job by then is not waited for. */
  readonly submitMs: number;
  readonly resubmitMs: number;
  /** Longest time in a state without news: accepted, waiting for an encoder, encoding without progress. */
  readonly queuedMs: number;
  readonly scheduledMs: number;
  readonly stalledMs: number;
  /** The same for the job that tries an account, whatever its state. */
  readonly trialMs: number;
  /** How long that job stays there after it has been moved: when it gets going, the account is well. */
  readonly lookoutMs: number;
  /** How long the silence of a job is before the account is asked. */
  readonly checkMs: number;
  /** A job is moved for being stuck only if the account has confirmed it this lately: events may be lost. */
  readonly confirmMs: number;
  /** A job with news this lately stays in an account that does not answer any more. */
  readonly aliveMs: number;
  /** Pause after a question without an answer, and how many of them in a row make the job move. */
  readonly recheckMs: number;
  readonly unansweredLimit: number;
  /** Accounts that a job is tried in, per round. */
  readonly maxAttempts: number;
  /** How long an account that refused a job (too many requests, no access) is not asked for this one. */
  readonly refusedMs: number;
  /** Pause before another look for an account. */
  readonly placeMs: number;
  /** Pause before another look for an input that no region gave: doubled each time in a row, up to the longest. */
  readonly inputMs: number;
  readonly inputLongestMs: number;
  /** Pause before another try to clean up: doubled each time, up to the longest; and how many tries. */
  readonly cleanMs: number;
  readonly cleanLongestMs: number;
  readonly cleanTries: number;
  /** How long records of final jobs are kept. */
  readonly retentionMs: number;
}

export interface AccountPolicy {
  /** How often an account is asked whether it answers. */
  readonly pingMs: number;
  /** Calls in a row, and at least how long a row, until the account is out; calls that succeed in a row until it is back. */
  readonly fall: number;
  readonly fallMs: number;
  readonly deniedFall: number;
  readonly rise: number;
  /** Nothing is submitted for so long after a 429 that does not say how long; and the longest, whatever it says. */
  readonly throttleMs: number;
  readonly throttleLongestMs: number;
  /** Jobs that ended in this stretch of time are counted, in pieces of `bucketMs`. */
  readonly windowMs: number;
  readonly bucketMs: number;
  /** So many, and so great a share of those that ended, must have got stuck or failed retriably. */
  readonly stuckLeast: number;
  readonly stuckShare: number;
  readonly failedLeast: number;
  readonly failedShare: number;
  /** Pause before an account whose jobs went wrong is tried; an account that flaps waits longer. */
  readonly holdMs: number;
  readonly damping: DampingPolicy;
  /** A trial of which nothing was heard for so long is forgotten. */
  readonly trialLostMs: number;
  /** Time in which an account that is back gets all of its capacity. */
  readonly rampMs: number;
}

export interface EncodingPolicy {
  readonly job: JobPolicy;
  readonly account: AccountPolicy;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export const DEFAULT_POLICY: EncodingPolicy = {
  job: {
    uploadMs: 24 * HOUR,
    keep: { regions: [], copies: 2 },
    spreadMs: 30 * SECOND,
    spreadLongestMs: 10 * MINUTE,
    submitMs: 2 * MINUTE,
    resubmitMs: 15 * SECOND,
    queuedMs: 15 * MINUTE,
    scheduledMs: 15 * MINUTE,
    stalledMs: 20 * MINUTE,
    trialMs: 4 * MINUTE,
    lookoutMs: 30 * MINUTE,
    checkMs: 5 * MINUTE,
    confirmMs: MINUTE,
    aliveMs: 3 * MINUTE,
    recheckMs: 30 * SECOND,
    unansweredLimit: 8,
    maxAttempts: 5,
    refusedMs: 5 * MINUTE,
    placeMs: 15 * SECOND,
    inputMs: 30 * SECOND,
    inputLongestMs: 30 * MINUTE,
    cleanMs: 15 * SECOND,
    cleanLongestMs: 10 * MINUTE,
    cleanTries: 500,
    retentionMs: 30 * 24 * HOUR,
  },
  account: {
    pingMs: 30 * SECOND,
    fall: 3,
    fallMs: 45 * SECOND,
    deniedFall: 2,
    rise: 3,
    throttleMs: 30 * SECOND,
    throttleLongestMs: 10 * MINUTE,
    windowMs: 30 * MINUTE,
    bucketMs: MINUTE,
    stuckLeast: 3,
    stuckShare: 0.3,
    failedLeast: 5,
    failedShare: 0.5,
    holdMs: 2 * MINUTE,
    damping: { window: HOUR, base: MINUTE, cap: 4 * MINUTE },
    trialLostMs: 6 * MINUTE,
    rampMs: 5 * MINUTE,
  },
};
