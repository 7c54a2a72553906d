/** Turns what the media management API and its SDK throw into the errors of the `EncodingAccount` port. */
import { isRestError } from "@azure/core-rest-pipeline";
import { errorCode, PaircastError } from "../../core/errors.ts";
import { scrub } from "../../core/log.ts";

/** HTTP status of a refused request; 0 where there was no proper answer, null for what did not come from a request. */
export function statusOf(error: unknown): number | null {
  if (!isRestError(error)) return null;
  return error.code === "PARSE_ERROR" ? 0 : (error.statusCode ?? 0);
}

/** The error for anything thrown by a call. What did not come from a request passes unchanged; `signal` says whether we ended it. */
export function accountError(error: unknown, what: string, signal: AbortSignal): unknown {
  signal.throwIfAborted();
  // A credential that asks the account itself for its token.
  if (errorCode(error) === "account_unavailable") return passing("account_unreachable", `${what}: no token could be got`, error);
  if (error instanceof PaircastError) return error;
  if (isCredentialError(error)) return refused("account_denied", `${what}: no token could be got: check the account's credential`, error);
  const status = statusOf(error);
  return status === null ? error : byStatus(status, what, said(error), error);
}

/** The error of a status that no call wants. */
export function byStatus(status: number, what: string, words: string, cause?: unknown): PaircastError {
  if (status === 0) return passing("account_unreachable", `${what}: the management API gave no proper answer`, cause);
  if (status === 429) return passing("account_throttled", `${what}: too many requests (429)`, cause);
  if (status === 408 || status >= 500) return passing("account_failing", `${what}: the management API answered ${status}${words}`, cause);
  if (status === 401 || status === 403)
    return refused("account_denied", `${what}: the management API refused the credential (${status}): check it and its role`, cause);
  return refused("account_rejected", `${what}: the management API answered ${status}${words}`, cause);
}

function passing(code: string, message: string, cause: unknown): PaircastError {
  return new PaircastError(code, message, { retry: "retry", cause: cleaned(cause) });
}

function refused(code: string, message: string, cause: unknown): PaircastError {
  return new PaircastError(code, message, { cause: cleaned(cause) });
}

/** By name: the classes of `@azure/identity` come from several copies of the package. */
function isCredentialError(error: unknown): boolean {
  const names = ["CredentialUnavailableError", "AuthenticationError", "AggregateAuthenticationError", "AuthenticationRequiredError"];
  return error instanceof Error && names.includes(error.name);
}

function said(error: unknown): string {
  const text = error instanceof Error ? oneLine(error.message) : "";
  return text === "" ? "" : `: ${text}`;
}

/** The SDK's error refers to the whole request, input addresses with their SAS included: only its words go on. */
function cleaned(error: unknown): Error | undefined {
  return error instanceof Error ? new Error(oneLine(error.message)) : undefined;
}

/** Words of the service, fit for a message. */
export function oneLine(text: string): string {
  return scrub(text).replace(/\s+/g, " ").trim().slice(0, 500);
}
