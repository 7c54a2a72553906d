/**
 * Pure: the words of encoding. Types, and the lists that they are made of.
 *
 * A job is ours; an attempt is one try of it in one account, and has a job of the account's own, under a name that is derived from both. Units as
 * in `contracts.ts`: every `…At`, `since` and `now` is epoch milliseconds, every `…Ms` a duration.
 */

/** States of an account's own job and of each of its outputs, in the order in which they are passed through; the last three are final. */
export const ACCOUNT_JOB_STATES = ["queued", "scheduled", "processing", "canceling", "finished", "canceled", "error"] as const;
export type AccountJobState = (typeof ACCOUNT_JOB_STATES)[number];

/**
 * Whose fault a failed job is, as the service says: `service` the encoder's · `download` the input could not be read · `upload` the account's
 * storage could not be written · `configuration` the preset does not fit the input · `content` the input is broken · `account` its identity.
 */
export const FAILURE_CATEGORIES = ["service", "download", "upload", "configuration", "content", "account"] as const;
export type FailureCategory = (typeof FAILURE_CATEGORIES)[number];

/** Why an account's job or output failed, in the service's words. */
export interface JobFailure {
  readonly code: string;
  readonly message: string;
  readonly category: FailureCategory;
  /** The service says that the same job may succeed later. */
  readonly mayRetry: boolean;
}

/** What a job reads. */
export type EncodingInput =
  /** An address that every region can read. It may hold a SAS: a secret. */
  | { readonly kind: "url"; readonly url: string }
  /** Files in the container of an asset of one region. Empty: the service chooses. */
  | { readonly kind: "asset"; readonly region: string; readonly assetName: string; readonly files: readonly string[] }
  /** A file that is uploaded once the job is there, and kept in several regions: the job's `copies`. */
  | { readonly kind: "upload"; readonly fileName: string; readonly bytes: number };

/**
 * The asset in which a region keeps an uploaded file, for this job alone: `coming` it is being uploaded, or copied from another region · `kept` it
 * is whole, and can be read · `owed` it is not needed any more, and still has to be removed.
 */
export interface InputCopy {
  readonly region: string;
  /** From 1: each try to upload the file, or to copy it to another region, has assets of its own. */
  readonly upload: number;
  readonly assetName: string;
  readonly state: "coming" | "kept" | "owed";
  /** When to remove it next, and how often that has failed. While it is being copied: until when. */
  readonly dueAt: number;
  readonly tries: number;
}

export const PRIORITIES = ["high", "normal", "low"] as const;
export type Priority = (typeof PRIORITIES)[number];

/** One definition for every account. */
export interface Transform {
  readonly name: string;
  readonly description: string | null;
  /** The service's own JSON, one per output; presets are passed through. */
  readonly outputs: readonly Readonly<Record<string, unknown>>[];
}

/** What was seen of an account's job, or of one of its outputs, by an event or by asking. Late, doubled and unordered ones are normal. */
export interface Sighting {
  readonly account: string;
  readonly jobName: string;
  /** Label of the output that it is about; null: the job as a whole. */
  readonly label: string | null;
  /** Null where only progress is told. */
  readonly state: AccountJobState | null;
  /** Percent; null where it is not told. */
  readonly progress: number | null;
  readonly failure: JobFailure | null;
  /** When the account says that it was so. */
  readonly at: number;
}

/** One output of one attempt. */
export interface AttemptOutput {
  readonly label: string;
  readonly assetName: string;
  readonly state: AccountJobState;
  readonly progress: number;
  readonly scheduledAt: number | null;
  readonly processingAt: number | null;
  readonly finalAt: number | null;
}

/**
 * How an attempt ended: `won` its output is the job's · `failed` the account gave it up · `rejected` the account would not have it, by the
 * job's fault · `refused` the account would not have anything (throttled, denied): there was no job · `withheld` no region gave the input: the
 * account was not asked · `moved` it was taken away · `canceled` by an operator or in the account.
 */
export type AttemptEnd = "won" | "failed" | "rejected" | "refused" | "withheld" | "moved" | "canceled";

/** Why a job was taken away from an account, one word each. */
export const MOVE_REASONS = [
  "account_out",
  "disabled",
  "unsubmitted",
  "queued",
  "scheduled",
  "stalled",
  "unanswered",
  "gone",
  "trial",
] as const;
export type MoveReason = (typeof MOVE_REASONS)[number];

export interface Attempt {
  /** From 1, over all rounds. */
  readonly number: number;
  /** An operator's retry begins a new one; an account is tried once in each. */
  readonly round: number;
  readonly account: string;
  readonly jobName: string;
  /** The attempt with which an account that was out is tried. */
  readonly trial: boolean;
  /** Null: it is not known yet whether the account has the job. */
  readonly state: AccountJobState | null;
  readonly placedAt: number;
  readonly submittedAt: number | null;
  readonly scheduledAt: number | null;
  readonly processingAt: number | null;
  readonly finalAt: number | null;
  /** Percent. */
  readonly progress: number;
  /** When its state or progress last advanced, by our clock. */
  readonly newsAt: number;
  /** When the account last answered a question for it. */
  readonly checkedAt: number | null;
  /** When to ask next, or to submit again. */
  readonly dueAt: number;
  readonly checks: number;
  /** Questions in a row that got no answer. */
  readonly unanswered: number;
  readonly outputs: readonly AttemptOutput[];
  readonly failure: JobFailure | null;
  /** Null while it is the live one. */
  readonly end: AttemptEnd | null;
  /** When it ended for its job, by our clock; `finalAt` is when the account was done. */
  readonly endedAt: number | null;
  /** One sentence for people: why it ended. */
  readonly endDetail: string | null;
  readonly moved: MoveReason | null;
  /** It finished although it had been given up. Its output never counts. */
  readonly late: boolean;
  /** What is left to do in the account: `remove` job and output; `tidy`: the job only, the output is used. Null: nothing. */
  readonly owed: "remove" | "tidy" | null;
  readonly owedTries: number;
}

export const ENCODING_STATES = ["waiting", "running", "finished", "failed", "canceled"] as const;
/** `waiting` for an account · `running` an attempt is live · the others are final. */
export type EncodingState = (typeof ENCODING_STATES)[number];

/**
 * Why a job waits: `upload` its file is not here yet · `new` nobody has looked · `full` every account has enough to do · `none` no account can be
 * used · `again` it was moved.
 */
export const WAITING_FOR = ["upload", "new", "full", "none", "again"] as const;
export type WaitingFor = (typeof WAITING_FOR)[number];

/** What an operator did with a job. `by` is a name that was given; it proves nothing. */
export interface OperatorAction {
  readonly kind: "cancel" | "retry";
  readonly by: string;
  readonly at: number;
}

export interface EncodingJob {
  readonly id: string;
  /** The caller's own: a second job of the same is the first one. */
  readonly clientId: string;
  readonly transform: string;
  readonly input: EncodingInput;
  readonly priority: Priority;
  readonly state: EncodingState;
  readonly createdAt: number;
  readonly round: number;
  /** Of an uploaded file; empty for other inputs. Those that were removed are left out. */
  readonly copies: readonly InputCopy[];
  /** Uploads, and copies to other regions, that were begun. */
  readonly uploads: number;
  /** Until when the upload is waited for; null: it is not. */
  readonly uploadBy: number | null;
  /** When to see to a copy of the file in one region more; null: enough have it, or none. */
  readonly spreadAt: number | null;
  /** Oldest first. */
  readonly attempts: readonly Attempt[];
  readonly waitingFor: WaitingFor | null;
  /** Earliest time to look for an account. */
  readonly placeAt: number | null;
  readonly result: EncodingResult | null;
  /** Null unless failed. */
  readonly failure: { readonly code: string; readonly message: string } | null;
  readonly finalAt: number | null;
  /** The last ones, oldest first; left out: none. */
  readonly actions?: readonly OperatorAction[];
}

/** The one output that counts. */
export interface EncodingResult {
  readonly attempt: number;
  readonly account: string;
  readonly assets: readonly string[];
  readonly at: number;
}

/**
 * What others have to know: `finished` publish the output · `failed` · `canceled` · `superseded` the output of an attempt that did not count was
 * there, and has been removed · `left_behind` what an attempt or an upload left in an account could not be removed.
 */
export type EncodingMessageKind = "finished" | "failed" | "canceled" | "superseded" | "left_behind";

/** `id` is the same whenever the same thing is told again: whoever takes it drops what he has had. */
export interface EncodingMessage {
  readonly id: string;
  readonly kind: EncodingMessageKind;
  readonly jobId: string;
  readonly clientId: string;
  readonly at: number;
  readonly account: string | null;
  readonly assets: readonly string[];
  /** One sentence for people. */
  readonly detail: string;
}

/**
 * What a management call said of the account: `ok` it answered · `unreachable` no connection, no answer · `failing` 5xx · `throttled` 429 ·
 * `denied` 401 or 403.
 */
export const CALL_OUTCOMES = ["ok", "unreachable", "failing", "throttled", "denied"] as const;
export type CallOutcome = (typeof CALL_OUTCOMES)[number];

/** An operator's word on an account: `drain` it gets no new jobs · `disable` those that it has go elsewhere, too. */
export type AccountOverride = "drain" | "disable";

/** Why an account is not used: what its calls said, or what became of its jobs: too many that got stuck, too many that failed retriably. */
export type OutReason = "unreachable" | "failing" | "denied" | "stuck" | "failures";

/** `in` it is used · `out` it is not · `trial` one job at a time tries it. */
export const ACCOUNT_STATUSES = ["in", "out", "trial"] as const;
export type AccountStatus = (typeof ACCOUNT_STATUSES)[number];

/** What ended in an account within one stretch of time. */
export interface AccountBucket {
  readonly at: number;
  readonly well: number;
  readonly failed: number;
  readonly stuck: number;
}

export interface AccountState {
  readonly account: string;
  readonly status: AccountStatus;
  readonly since: number;
  /** Null while `in`. */
  readonly reason: OutReason | null;
  /** For people: the figures. */
  readonly detail: string | null;
  /** Calls in a row of the outcome that was last seen, and when the first of them was made. */
  readonly calls: { readonly outcome: CallOutcome; readonly count: number; readonly since: number };
  /** When it was last called. */
  readonly calledAt: number | null;
  /** Nothing is submitted before: it asked for less. */
  readonly pausedUntil: number | null;
  /** Oldest first. */
  readonly buckets: readonly AccountBucket[];
  /** The job that tries it. */
  readonly trial: { readonly jobId: string; readonly attempt: number; readonly at: number } | null;
  /** Outages that count, when it was last seen ill, and until when it has to stay away; see `damping.ts`. */
  readonly damping: { readonly outages: number; readonly illAt: number | null; readonly until: number | null };
  /** When it came back; null: long ago, or never. */
  readonly returnedAt: number | null;
  /** The operator who had it used again, since it was out last; left out: none. */
  readonly readmitted?: { readonly by: string; readonly at: number } | null;
}
