/** Turns what table and queue services and their SDKs throw into the errors of the ports. */
import { PaircastError, type RetryClass } from "../../core/errors.ts";
import { scrub } from "../../core/log.ts";
import { isConnectionFailure } from "./serviceCalls.ts";

export interface ServiceRefusal {
  /** 0 where there was no answer. */
  readonly status: number;
  /** The service's own error code, empty where it gave none. */
  readonly code: string;
}

/** Null for what is neither an answer nor a failed connection: a defect of ours. */
export function refusalOf(error: unknown): ServiceRefusal | null {
  if (!(error instanceof Error)) return null;
  const status = "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : 0;
  if (status > 0) return { status, code: codeIn(error) };
  if (isConnectionFailure(error)) return { status: 0, code: "code" in error ? String(error.code) : error.name };
  return isCredentialFailure(error) ? { status: 401, code: error.name } : null;
}

/** Tables say it in the body's `odata.error`, queues in a header; in a transaction the SDK has read it already. */
function codeIn(error: Error): string {
  const details = field(error, "details");
  const said = [field(details, "errorCode"), field(field(details, "odataError"), "code"), field(error, "code")];
  return said.find((code) => typeof code === "string") ?? "";
}

function field(of: unknown, name: string): unknown {
  return typeof of === "object" && of !== null ? (of as Readonly<Record<string, unknown>>)[name] : undefined;
}

/** Of `@azure/identity`: no way to a token, or a refused one. */
function isCredentialFailure({ name }: Error): boolean {
  return /^(CredentialUnavailableError|AuthenticationError|AggregateAuthenticationError|AuthenticationRequiredError)$/.test(name);
}

/** An error of the port. `what` says what was tried and where; the service's words are kept, its URLs and signatures are not. */
export function stateError(error: unknown, what: string): unknown {
  if (error instanceof PaircastError) return error;
  const refusal = refusalOf(error);
  if (refusal === null) return error;
  const [code, retry, advice] = kindOf(refusal);
  const said = refusal.status === 0 ? refusal.code || "no connection" : `${refusal.status} ${refusal.code}`.trimEnd();
  return new PaircastError(code, `${what}: ${advice} (${said})`, { retry, cause: withoutSecrets(error) });
}

function kindOf({ status }: ServiceRefusal): readonly [string, RetryClass, string] {
  if (status < 300 || status === 408 || status === 429 || status >= 500)
    return ["state_unavailable", "retry", "the service did not answer properly"];
  if (status === 401 || status === 403)
    return ["state_denied", "never", "the service refused the credential: check it and its permissions"];
  return ["state_rejected", "never", "the service refused the request"];
}

/** The SDK's error refers to the whole request, SAS included: only its first line goes on. */
function withoutSecrets(error: unknown): Error {
  const text = error instanceof Error ? error.message : "unknown failure";
  return new Error(scrub(text.split("\n", 1)[0] ?? ""));
}
