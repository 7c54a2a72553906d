/** Turns what the blob service and its SDK throw into the errors of the `BlobContainer` port. */
import { RestError } from "@azure/storage-blob";
import { PaircastError } from "../../core/errors.ts";
import { scrub } from "../../core/log.ts";
import { advised } from "./storageAdvice.ts";
import { FOREIGN, isOwnAnswer } from "./storageAnswers.ts";

/** Status and error code of a failed request; null for what is not an answer or a failed connection. */
export interface ServiceFailure {
  /** 0 where there was no answer. */
  readonly status: number;
  /** The service's own error code, empty where it gave none. */
  readonly code: string;
}

export function serviceFailure(error: unknown): ServiceFailure | null {
  if (error instanceof RestError) return restFailure(error);
  if (error instanceof Error && "code" in error && typeof error.code === "string" && /^(E[A-Z]+|UND_ERR_|ERR_STREAM)/.test(error.code))
    return { status: 0, code: error.code };
  return null;
}

/** A 404 of somebody in between does not say that something is not there. */
function restFailure(error: RestError): ServiceFailure {
  const { statusCode = 0, response } = error;
  if (statusCode === 404 && response !== undefined && !isOwnAnswer(response.headers)) return { status: 0, code: FOREIGN };
  return { status: statusCode, code: serviceCode(error) };
}

/** A HEAD has no body: its error code is in a header only, which the SDK leaves in `details`. */
function serviceCode(error: RestError): string {
  const details: unknown = error.details;
  const detail = typeof details === "object" && details !== null && "errorCode" in details ? details.errorCode : undefined;
  if (typeof detail === "string") return detail;
  return error.response?.headers.get("x-ms-error-code") ?? error.code ?? "";
}

/** True when there is no such blob; a container that is missing is another matter. */
export function isNotFound(error: unknown): boolean {
  const failure = serviceFailure(error);
  return failure?.status === 404 && (failure.code === "BlobNotFound" || failure.code === "ResourceNotFound" || failure.code === "");
}

/** True when the access that was used has run out or was revoked, so that fresh access may help. */
export function isAccessExpired(error: unknown): boolean {
  const failure = serviceFailure(error);
  return failure?.status === 403 && (failure.code === "AuthenticationFailed" || failure.code === "AuthorizationFailure");
}

/** The target service could not, or may not, read the source by URL: the bytes have to pass through this process. */
export class CannotCopyByUrl extends Error {}

/** The target service does not know Put Blob From URL. */
export class CannotPutByUrl extends Error {}

/** A request in which the target service reads the source; throws `CannotCopyByUrl` when it says that it cannot, `Unknown` when it has no such request. */
export async function byUrl<T>(send: () => Promise<T>, Unknown: new () => Error = CannotCopyByUrl): Promise<T> {
  try {
    return await send();
  } catch (error) {
    const failure = serviceFailure(error);
    if (failure?.status === 501) throw new Unknown();
    const cannot = failure !== null && failure.status < 500 && UNREADABLE.has(failure.code);
    throw cannot ? new CannotCopyByUrl() : error;
  }
}

/** What the service says of a source that it cannot reach, or that does not let it read. */
const UNREADABLE: ReadonlySet<string> = new Set(["CannotVerifyCopySource", "CopyAcrossAccountsNotSupported"]);

const BY_CODE: Readonly<Record<string, string>> = {
  ContainerNotFound: "container_missing",
  ContainerBeingDeleted: "container_missing",
  ContainerDisabled: "container_missing",
  BlobArchived: "blob_archived",
  BlobBeingRehydrated: "blob_archived",
  BlobAlreadyExists: "blob_conflict",
  PendingCopyOperation: "blob_conflict",
  Md5Mismatch: "copy_mismatch",
};

function codeOf({ status, code }: ServiceFailure): string {
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  // A success that could not be read was no answer of the service.
  if (status < 300 || status === 408 || status === 429 || status >= 500) return "storage_unavailable";
  if (status === 401 || status === 403) return "storage_denied";
  return status === 412 ? "blob_conflict" : "storage_rejected";
}

/** An error of the port. `what` says what was tried and where; the service's words are kept, its URLs and signatures are not. */
export function storageError(code: string, what: string, cause?: unknown): PaircastError {
  return advised(code, what, answered(cause), withoutSecrets(cause));
}

function answered(cause: unknown): string {
  const failure = serviceFailure(cause);
  if (failure === null) return "";
  return failure.status === 0 ? ` (${failure.code || "no connection"})` : ` (${failure.status} ${failure.code})`.trimEnd();
}

/** Translates anything thrown by a request; what is neither an answer nor a failed connection (a defect of ours) passes unchanged. */
export function translated(error: unknown, what: string): unknown {
  if (error instanceof PaircastError) return error;
  const failure = serviceFailure(error);
  return failure === null ? error : storageError(codeOf(failure), what, error);
}

/** The SDK's error refers to the whole request, SAS included: only its first line goes on. */
function withoutSecrets(cause: unknown): unknown {
  if (cause === undefined || cause instanceof PaircastError) return cause;
  const text = cause instanceof Error ? cause.message : "unknown failure";
  return new Error(scrub(text.split("\n", 1)[0] ?? ""));
}
