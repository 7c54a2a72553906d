import type { Sighting, Transform } from "../encoding.ts";

/** What an account's job reads. */
export type AccountInput =
  /** They may hold a SAS: a secret. */
  | { readonly kind: "urls"; readonly urls: readonly string[] }
  | { readonly kind: "asset"; readonly assetName: string; readonly files: readonly string[] };

export interface AccountJob {
  readonly transform: string;
  readonly name: string;
  readonly input: AccountInput;
  readonly priority: "high" | "normal" | "low";
  /** One per output of the transform, in its order. */
  readonly outputs: readonly { readonly label: string; readonly assetName: string }[];
}

/**
 * A region's account as encoding sees it.
 * - `ensureTransform` creates or replaces. `submit` creates the output assets and the job, and leaves a job of that name that is there already as
 *   it is: doing it again is harmless.
 * - `job` gives what is known of a job now, the job first and its outputs after it; null where there is none. `jobs` yields the same for every job
 *   of the transform that was created since, in any order, for the price of one question per hundred.
 * - `cancel` asks for it and does not wait; a job that is final or not there is left alone. `removeJob` and `removeAsset` succeed for what is not
 *   there; a job that is not final cannot be removed (`account_rejected`).
 * - `ping` asks something cheap, to see whether the account answers.
 * - Errors tell what the answer says of the account: `account_unreachable` (retry: no connection or no answer in time; what was asked for may have
 *   happened), `account_failing` (retry: 5xx; it may have happened), `account_throttled` (retry: 429; it has not happened), `account_denied` (never:
 *   401, 403; it has not happened), `account_rejected` (never: any other refusal; the request is at fault, and the message carries the
 *   service's own text). `account_throttled` and `account_failing` carry `retryAfterMs` where the service says when it wants to be asked again:
 *   that is the caller's to keep, and not waited for in here. A `signal` that aborts rejects with its reason.
 */
export interface EncodingAccount {
  /** The region's name. */
  readonly name: string;
  ensureTransform(transform: Transform, signal: AbortSignal): Promise<void>;
  submit(job: AccountJob, signal: AbortSignal): Promise<void>;
  job(transform: string, name: string, signal: AbortSignal): Promise<readonly Sighting[] | null>;
  jobs(transform: string, since: number, signal: AbortSignal): AsyncIterable<readonly Sighting[]>;
  cancel(transform: string, name: string, signal: AbortSignal): Promise<void>;
  removeJob(transform: string, name: string, signal: AbortSignal): Promise<void>;
  removeAsset(assetName: string, signal: AbortSignal): Promise<void>;
  ping(signal: AbortSignal): Promise<void>;
}
