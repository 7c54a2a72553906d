/** Pure: jobs and attempts as they begin. */
import type { Attempt, AttemptOutput, EncodingInput, EncodingJob, Priority } from "../core/encoding.ts";
import { accountJobName, outputAssetName, outputLabel } from "./names.ts";

export interface NewJob {
  readonly id: string;
  readonly clientId: string;
  readonly transform: string;
  readonly input: EncodingInput;
  readonly priority: Priority;
}

export function newJob(spec: NewJob, now: number): EncodingJob {
  const start = { state: "waiting", createdAt: now, round: 1, attempts: [], waitingFor: "new", placeAt: now } as const;
  return { ...spec, ...start, copies: [], uploads: 0, uploadBy: null, spreadAt: null, result: null, failure: null, finalAt: null };
}

export interface NewAttempt {
  readonly account: string;
  readonly trial: boolean;
  /** How many the transform has. */
  readonly outputs: number;
}

const UNSEEN = {
  state: null,
  submittedAt: null,
  scheduledAt: null,
  processingAt: null,
  finalAt: null,
  progress: 0,
  checkedAt: null,
  checks: 0,
  unanswered: 0,
  failure: null,
  end: null,
  endedAt: null,
  endDetail: null,
  moved: null,
  late: false,
  owed: null,
  owedTries: 0,
} as const;

/** `dueAt`: when somebody else is to submit it, should whoever placed it not do so. */
export function newAttempt(job: EncodingJob, { account, trial, outputs }: NewAttempt, now: number, dueAt: number): Attempt {
  const number = job.attempts.length + 1;
  const made = Array.from({ length: outputs }, (_, index) => newOutput(job, number, index));
  const own = { number, round: job.round, account, jobName: accountJobName(job.id, number), trial };
  return { ...own, ...UNSEEN, placedAt: now, newsAt: now, dueAt, outputs: made };
}

function newOutput(job: EncodingJob, attempt: number, index: number): AttemptOutput {
  const times = { scheduledAt: null, processingAt: null, finalAt: null };
  return { label: outputLabel(index), assetName: outputAssetName(job.id, attempt, index), state: "queued", progress: 0, ...times };
}
