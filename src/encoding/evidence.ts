/** Pure: what the end of an attempt says of its account. Customers' broken files, presets and addresses say nothing. */
import type { Attempt, EncodingJob, FailureCategory, MoveReason } from "../core/encoding.ts";

/** `well` it did what it should · `failed`, `stuck` by its own fault · `progress` it works · `neutral` it ended, and that says nothing. */
export type EvidenceKind = "well" | "failed" | "stuck" | "progress" | "neutral";

export interface Evidence {
  readonly account: string;
  readonly kind: EvidenceKind;
  readonly jobId: string;
  readonly attempt: number;
  readonly trial: boolean;
  readonly at: number;
}

/** The encoder itself, and the account's own storage. The source of an input is the customer's or another region's. */
const ITS_OWN: ReadonlySet<FailureCategory> = new Set(["service", "upload"]);
const STUCK: ReadonlySet<MoveReason> = new Set(["queued", "scheduled", "stalled", "trial"]);

export function evidenceOf(job: EncodingJob, attempt: Attempt, at: number): Evidence {
  const { account, number, trial } = attempt;
  return { account, kind: kindOf(job, attempt), jobId: job.id, attempt: number, trial, at };
}

function kindOf(job: EncodingJob, attempt: Attempt): EvidenceKind {
  if (attempt.end === "won") return "well";
  const against = ill(attempt);
  if (against === null) return "neutral";
  // A job that went wrong like this elsewhere, too, carries its trouble with it.
  return job.attempts.some((other) => other.account !== attempt.account && ill(other) !== null) ? "neutral" : against;
}

function ill({ end, failure, moved }: Attempt): "failed" | "stuck" | null {
  if (end === "failed" && failure !== null && failure.mayRetry && ITS_OWN.has(failure.category)) return "failed";
  return end === "moved" && moved !== null && STUCK.has(moved) ? "stuck" : null;
}
