/** Turns what the media management API and its SDK throw into the errors of the `MediaAccount` port. */
import { isRestError } from "@azure/core-rest-pipeline";
import { PaircastError } from "../../core/errors.ts";
import { scrub } from "../../core/log.ts";

/** HTTP status of a refused request; 0 where there was no answer, null for what did not come from a request. */
export function statusOf(error: unknown): number | null {
  if (isRestError(error)) return error.code === "PARSE_ERROR" ? 0 : (error.statusCode ?? 0);
  return null;
}

/** A parent that is not there (account, resource group, subscription) is a mistake in the configuration, not an absent entity. */
const PARENTS = ["ParentResourceNotFound", "ResourceGroupNotFound", "SubscriptionNotFound", "InvalidSubscriptionId"];
const ACCOUNT = /'Microsoft\.Media\/mediaservices\/[^/']+'/i;

/** True when the service says that the entity asked for is not there. */
export function isAbsent(error: unknown): boolean {
  if (statusOf(error) !== 404 || !isRestError(error)) return false;
  return !PARENTS.includes(error.code ?? "") && !ACCOUNT.test(error.message);
}

/** The error for anything thrown by a request. What did not come from a request (a defect of ours) passes unchanged. */
export function mediaError(error: unknown, what: string): unknown {
  if (error instanceof PaircastError) return error;
  if (isCredentialError(error))
    return new PaircastError("account_denied", `${what}: no token could be got: check the region's credential`, { cause: cleaned(error) });
  const status = statusOf(error);
  return status === null ? error : byStatus(status, what, error);
}

function byStatus(status: number, what: string, error: unknown): PaircastError {
  const said = sayingOf(error);
  const cause = cleaned(error);
  if (status === 0) return noAnswer(what, cause);
  if (status === 408 || status === 429 || status >= 500)
    return new PaircastError("account_unavailable", `${what}: the management API answered ${status}${said}`, { retry: "retry", cause });
  if (status === 401 || status === 403)
    return new PaircastError("account_denied", `${what}: the management API refused the credential (${status}): check it and its role`, {
      cause,
    });
  return new PaircastError("account_rejected", `${what}: the management API answered ${status}${said}`, { cause });
}

/** The error for a connection that failed or an answer that did not come in time. */
export function noAnswer(what: string, cause: unknown): PaircastError {
  return new PaircastError("account_unavailable", `${what}: the management API gave no proper answer`, { retry: "retry", cause });
}

/** The error of a create that found something there. */
export function mediaExists(what: string, cause?: unknown): PaircastError {
  const said = cause === undefined ? "" : sayingOf(cause);
  return new PaircastError("media_exists", `${what}: it exists already${said}; what exists is never replaced`, {
    retry: "conflict",
    cause: cause === undefined ? undefined : cleaned(cause),
  });
}

/** The error of a delete that found something that needs it. */
export function mediaInUse(what: string, why: string, cause?: unknown): PaircastError {
  const said = cause === undefined ? "" : sayingOf(cause);
  return new PaircastError("media_in_use", `${what}: ${why}${said}; nothing was deleted`, {
    retry: "conflict",
    cause: cause === undefined ? undefined : cleaned(cause),
  });
}

/** The error of what the service took on and did not bring to its end. */
export function operationFailed(what: string, cause: unknown): PaircastError {
  return new PaircastError("account_rejected", `${what}: the service began it and gave up${sayingOf(cause)}`, { cause: cleaned(cause) });
}

/** By name: the classes of `@azure/identity` come from several copies of the package. */
function isCredentialError(error: unknown): boolean {
  const names = ["CredentialUnavailableError", "AuthenticationError", "AggregateAuthenticationError", "AuthenticationRequiredError"];
  return error instanceof Error && names.includes(error.name);
}

/** The service's own words. It quotes names and ids, not key values; what looks like a secret is taken out all the same. */
function sayingOf(error: unknown): string {
  const text = error instanceof Error ? oneLine(error.message) : "";
  return text === "" ? "" : `: ${text}`;
}

/** The SDK's error refers to the whole request, keys and Authorization included: only its words go on. */
function cleaned(error: unknown): Error {
  return new Error(error instanceof Error ? oneLine(error.message) : "unknown failure");
}

function oneLine(text: string): string {
  return scrub(text).replace(/\s+/g, " ").trim().slice(0, 500);
}
