/** Turns what an S3 service and its SDK throw into the errors of the storage ports. */
import { PaircastError } from "../../core/errors.ts";
import { scrub } from "../../core/log.ts";
import { advised } from "./storageAdvice.ts";

/** Status and error code of a failed request; null for what is not an answer or a failed connection. */
export interface S3Failure {
  /** 0 where there was no proper answer. */
  readonly status: number;
  readonly code: string;
}

/** Stands where the service's own code would. */
export const FOREIGN_ANSWER = "not an answer of an S3 service";

/** By its fields: the classes of the SDK come from several packages. */
export function s3Failure(error: unknown): S3Failure | null {
  if (!(error instanceof Error)) return null;
  const status = statusOf(error);
  if (status !== null) return { status, code: error.name };
  if (error.name === FOREIGN_ANSWER || error.name === "TimeoutError") return { status: 0, code: error.name };
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return /^(E[A-Z_]+|UND_ERR_|ERR_STREAM|HPE_)/.test(code) ? { status: 0, code } : null;
}

function statusOf(error: Error): number | null {
  const metadata: unknown = "$metadata" in error ? error.$metadata : undefined;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata)) return null;
  const { httpStatusCode } = metadata;
  return typeof httpStatusCode === "number" ? httpStatusCode : null;
}

/** True when the service says that a bucket, an object or an upload is not there. A HEAD has no body, so its code is `NotFound` for each. */
export function isNotFound(error: unknown): boolean {
  return s3Failure(error)?.status === 404;
}

const BY_CODE: Readonly<Record<string, string>> = {
  NoSuchBucket: "container_missing",
  InvalidObjectState: "blob_archived",
  PreconditionFailed: "blob_conflict",
  ConditionalRequestConflict: "blob_conflict",
  OperationAborted: "storage_unavailable",
  RequestTimeout: "storage_unavailable",
  SlowDown: "storage_unavailable",
  BadDigest: "storage_unavailable",
  XAmzContentSHA256Mismatch: "storage_unavailable",
  BucketAlreadyExists: "storage_denied",
};

function codeOf({ status, code }: S3Failure): string {
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  // A success that could not be read was no answer of the service.
  if (status < 300 || status === 408 || status === 429 || status >= 500) return "storage_unavailable";
  if (status === 401 || status === 403) return "storage_denied";
  return status === 412 ? "blob_conflict" : "storage_rejected";
}

/** An error of the port. The service's words are kept; URLs and signatures are not. */
export function s3Error(code: string, what: string, cause?: unknown): PaircastError {
  const failure = s3Failure(cause);
  const said = failure === null ? "" : ` (${failure.status === 0 ? failure.code : `${failure.status} ${failure.code}`.trimEnd()})`;
  return advised(code, what, said, withoutSecrets(cause));
}

/** Translates anything thrown by a request; what is neither an answer nor a failed connection (a defect of ours) passes unchanged. */
export function translatedS3(error: unknown, what: string): unknown {
  if (error instanceof PaircastError) return error;
  if (error instanceof Error && /^(CredentialsProviderError|TokenProviderError|ProviderError)$/.test(error.name))
    return new PaircastError("storage_denied", `${what}: no credential could be got: check the region's storage.credential`, {
      cause: withoutSecrets(error),
    });
  const failure = s3Failure(error);
  return failure === null ? error : s3Error(codeOf(failure), what, error);
}

/** The SDK's error refers to the whole request and answer: only its first line goes on. */
function withoutSecrets(cause: unknown): unknown {
  if (cause === undefined || cause instanceof PaircastError) return cause;
  const text = cause instanceof Error ? cause.message : "unknown failure";
  return new Error(scrub(text.split("\n", 1)[0] ?? ""));
}
