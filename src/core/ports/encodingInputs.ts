import type { EncodingJob, InputCopy } from "../encoding.ts";
import type { AccountInput } from "./encodingAccount.ts";

/**
 * Says how an account can read a job's input, copies uploaded files, and takes them away.
 * - `open` looks for a place to read from in this order: an address is given as it is. An asset of the account itself, or a kept copy of an uploaded
 *   file there, is read as it is, and so is the copy of an asset that was verified in the account's region, if it is there. Else files
 *   are read by HTTPS URLs, with a SAS that lasts as long as a job may, from the asset's own region, and where that does not answer from the
 *   others that have a verified or kept copy, one after the other. What is answered was there a moment ago.
 * - `copy` makes a copy of an uploaded file, in the asset that is named, from a region that keeps it, and resolves when it is whole there. Done again,
 *   also at the same time, it comes to the same. Rejects with `input_missing` (never) where no region keeps the file as it was uploaded, and with
 *   the errors of media accounts and of storage.
 * - `discard` removes a copy of an uploaded file with its asset, and resolves also where there is none. An asset that somebody has published
 *   meanwhile stays (`media_in_use`, conflict).
 * - Errors: `input_unavailable` (retry: no region that may have the input has answered; nothing is said of the account that was to read it),
 *   `input_missing` (never: all have answered, and none has it). A `signal` that aborts rejects with its reason.
 */
export interface EncodingInputs {
  open(job: Pick<EncodingJob, "input" | "copies">, account: string, signal: AbortSignal): Promise<AccountInput>;
  copy(job: Pick<EncodingJob, "input" | "copies">, to: InputCopy, signal: AbortSignal): Promise<void>;
  discard(copy: InputCopy, signal: AbortSignal): Promise<void>;
}
