import type { AccountState, Attempt, EncodingInput, EncodingJob, EncodingResult, EncodingState, Priority } from "../encoding.ts";
import type { JobFilter } from "./encodingStore.ts";

export interface EncodingRequest {
  /** The caller's own id; null: none, and each request is another job. */
  readonly clientId: string | null;
  readonly transform: string;
  readonly input: EncodingInput;
  readonly priority: Priority;
}

/** Where one output plays: paths on the player listener; null until a copy of it is verified. */
export interface OutputPlayback {
  readonly locatorId: string;
  readonly hls: string | null;
  readonly dash: string | null;
}

export type ShownAttempt = Pick<
  Attempt,
  | "number"
  | "round"
  | "account"
  | "jobName"
  | "trial"
  | "state"
  | "progress"
  | "placedAt"
  | "submittedAt"
  | "scheduledAt"
  | "processingAt"
  | "finalAt"
  | "end"
  | "endDetail"
  | "late"
  | "owed"
>;

/** A job for people and programs outside: addresses without their query, which may hold a SAS. */
export interface ShownJob extends Pick<
  EncodingJob,
  "id" | "clientId" | "transform" | "input" | "priority" | "state" | "createdAt" | "round" | "waitingFor" | "failure" | "finalAt"
> {
  readonly attempts: readonly ShownAttempt[];
  readonly result: EncodingResult | null;
  /** Empty unless finished, and where outputs are not published. */
  readonly playback: readonly OutputPlayback[];
}

export interface ShownAccount extends Pick<AccountState, "account" | "status" | "since" | "reason" | "detail" | "pausedUntil"> {
  readonly inFlight: number;
  readonly maxInFlight: number;
  /** An operator keeps jobs away from it. */
  readonly disabled: boolean;
}

/**
 * Encoding as an operator or a program sees it.
 * - `submit` takes a job in, once for each client id. Throws `transform_unknown`, `unknown_region` (never) and `client_id_used` (conflict).
 * - `cancel` and `retry` give the job as it is then, null where there is none; what cannot be canceled or tried again stays as it is.
 * - `readmit` uses an account again at once; false where there is no such account.
 * - Errors: those of `EncodingStore`.
 */
export interface EncodingService {
  submit(request: EncodingRequest): Promise<{ readonly job: ShownJob; readonly created: boolean }>;
  job(id: string): Promise<ShownJob | null>;
  list(filter: JobFilter): Promise<readonly ShownJob[]>;
  count(): Promise<Readonly<Record<EncodingState, number>>>;
  cancel(id: string, by: string): Promise<ShownJob | null>;
  retry(id: string): Promise<ShownJob | null>;
  accounts(): Promise<readonly ShownAccount[]>;
  readmit(account: string): Promise<boolean>;
}
