/** Turns what the media management API and its SDK throw into the errors of the `EncodingAccount` port. */
import { isRestError, type PipelinePolicy } from "@azure/core-rest-pipeline";
import type { Clock } from "../../core/clock.ts";
import { errorCode, PaircastError } from "../../core/errors.ts";
import { scrub } from "../../core/log.ts";
import { retryAfterMs } from "../../core/retryAfter.ts";

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
  if (error instanceof AskedToWait) return byStatus(error.status, what, { words: said(error), retryAfterMs: error.retryAfterMs });
  const status = statusOf(error);
  return status === null ? error : byStatus(status, what, { words: said(error), retryAfterMs: null, cause: error });
}

/** An answer that says when to ask again. The SDK would wait for as long as it says, which may be longer than the call may take. */
export class AskedToWait extends Error {
  readonly status: number;
  readonly retryAfterMs: number;

  constructor(status: number, retryAfterMs: number, words: string) {
    super(words);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Within the SDK's tries: hands on what an answer asks for in the place of waiting for it. */
export function waitingIsTold(clock: Clock): PipelinePolicy {
  return {
    name: "paircastWaitingIsTold",
    sendRequest: async (request, next) => {
      const response = await next(request);
      const { status, headers, bodyAsText } = response;
      const wait = status === 429 || status === 503 ? retryAfterMs(headers, clock.now()) : null;
      if (wait !== null) throw new AskedToWait(status, wait, oneLine(bodyAsText ?? ""));
      return response;
    },
  };
}

/** What is known of an answer beside its status. */
export interface AnswerDetails {
  /** The service's own, behind a colon; empty where there are none. */
  readonly words: string;
  readonly retryAfterMs: number | null;
  readonly cause?: unknown;
}

/** The error of a status that no call wants. */
export function byStatus(status: number, what: string, { words, retryAfterMs, cause }: AnswerDetails): PaircastError {
  if (status === 0) return passing("account_unreachable", `${what}: the management API gave no proper answer`, cause);
  if (status === 429) return passing("account_throttled", `${what}: too many requests (429)`, cause, retryAfterMs);
  if (status === 408 || status >= 500)
    return passing("account_failing", `${what}: the management API answered ${status}${words}`, cause, retryAfterMs);
  if (status === 401 || status === 403)
    return refused("account_denied", `${what}: the management API refused the credential (${status}): check it and its role`, cause);
  return refused("account_rejected", `${what}: the management API answered ${status}${words}`, cause);
}

function passing(code: string, message: string, cause: unknown, retryAfter: number | null = null): PaircastError {
  return new PaircastError(code, message, { retry: "retry", cause: cleaned(cause), retryAfterMs: retryAfter });
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
