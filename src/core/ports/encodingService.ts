import type {
  AccountState,
  Attempt,
  EncodingInput,
  EncodingJob,
  EncodingResult,
  EncodingState,
  InputCopy,
  OperatorAction,
  Priority,
  Transform,
} from "../encoding.ts";
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
  | "endedAt"
  | "endDetail"
  | "late"
  | "owed"
>;

/** A job for people and programs outside: addresses without their query, which may hold a SAS. */
export interface ShownJob extends Pick<
  EncodingJob,
  "id" | "clientId" | "transform" | "input" | "priority" | "state" | "createdAt" | "round" | "waitingFor" | "failure" | "finalAt"
> {
  /** Where its uploaded file is. */
  readonly copies: readonly Pick<InputCopy, "region" | "upload" | "state">[];
  readonly attempts: readonly ShownAttempt[];
  readonly result: EncodingResult | null;
  /** What operators did with it, oldest first. */
  readonly actions: readonly OperatorAction[];
  /** Empty unless finished, and where outputs are not published. */
  readonly playback: readonly OutputPlayback[];
}

/** What ended in an account lately. Jobs that a customer's file or preset brought down are not counted. */
export interface AccountRates {
  /** The stretch of time that is counted, back from now. */
  readonly windowMs: number;
  readonly finished: number;
  /** By the account's own fault. */
  readonly failed: number;
  /** Taken away because they made no progress. */
  readonly stuck: number;
  readonly finishedPerHour: number;
  /** Share of those that ended that failed or got stuck, 0 to 1; null where none ended. */
  readonly failureShare: number | null;
}

export interface ShownAccount extends Pick<AccountState, "account" | "status" | "since" | "reason" | "detail" | "pausedUntil"> {
  readonly inFlight: number;
  readonly maxInFlight: number;
  /** How many of these it may have now: none while it is out, few at first when it has returned. */
  readonly capacity: number;
  /** It is not tried again before; null: nothing keeps it away for a time. */
  readonly heldUntil: number | null;
  readonly rates: AccountRates;
  /** An operator keeps jobs away from it. */
  readonly disabled: boolean;
  /** The operator who had it used again, since it was out last; null: it came back by itself, or was never out. */
  readonly readmitted: { readonly by: string; readonly at: number } | null;
}

/** A transform that jobs can name. */
export interface ShownTransform extends Pick<Transform, "name" | "description"> {
  /** How many it makes of one input. */
  readonly outputs: number;
}

/**
 * Encoding as an operator or a program sees it.
 * - `submit` takes a job in, once for each client id. Throws `transform_unknown`, `unknown_region`, `upload_too_large` (never) and `client_id_used`
 *   (conflict).
 * - `upload` takes in the file of a job that waits for it, and resolves when it is whole in at least one region; null where there is no such job.
 *   It reads on as it can pass on, and an upload that fails leaves nothing for long. Throws `upload_unwanted` (conflict: the job does not wait for
 *   it, or not any more), `upload_incomplete` (never: it has not as many bytes as were announced), `upload_stalled`, `upload_unavailable` (retry: no
 *   region takes it), `uploads_busy` (retry), what the content throws, and the signal's reason.
 * - `cancel` and `retry` give the job as it is then, null where there is none; what cannot be canceled or tried again stays as it is.
 *   `by` names the operator, for the record and the log; it proves nothing.
 * - `transforms` are those that `submit` knows, in the order of the configuration.
 * - `readmit` uses an account again at once; false where there is no such account.
 * - Errors: those of `EncodingStore`.
 */
export interface EncodingService {
  submit(request: EncodingRequest): Promise<{ readonly job: ShownJob; readonly created: boolean }>;
  upload(id: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<ShownJob | null>;
  job(id: string): Promise<ShownJob | null>;
  list(filter: JobFilter): Promise<readonly ShownJob[]>;
  count(): Promise<Readonly<Record<EncodingState, number>>>;
  cancel(id: string, by: string): Promise<ShownJob | null>;
  retry(id: string, by: string): Promise<ShownJob | null>;
  transforms(): readonly ShownTransform[];
  accounts(): Promise<readonly ShownAccount[]>;
  readmit(account: string, by: string): Promise<boolean>;
}
