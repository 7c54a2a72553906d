import type { EncodingInput } from "../encoding.ts";
import type { AccountInput } from "./encodingAccount.ts";

/**
 * Says how an account can read a job's input: an asset of its own as it is, another region's by an HTTPS URL with a SAS that lasts as long as a
 * job may.
 * Errors: `input_unavailable` (retry: the region that has the input does not answer now; nothing is said of the account that was to read it),
 * `input_missing` (never).
 */
export interface EncodingInputs {
  open(input: EncodingInput, account: string, signal: AbortSignal): Promise<AccountInput>;
}
