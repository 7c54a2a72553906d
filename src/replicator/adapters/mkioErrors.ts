/** Turns what MK.IO answers into the errors of the `MediaAccount` port. Its form: `{"error": {"code", "detail", "extraDetail"}, "status", "ref"}`. */
import type { Clock } from "../../core/clock.ts";
import { PaircastError } from "../../core/errors.ts";
import { scrub } from "../../core/log.ts";
import { retryAfterMs } from "../../core/retryAfter.ts";

/** A request that was refused (`status`), or that had no proper answer (0). */
export class MkioFailure extends Error {
  readonly status: number;
  /** What the service asks for; null where it asks for nothing. */
  readonly retryAfterMs: number | null;

  constructor(status: number, said: string, retryAfterMs: number | null, cause: unknown) {
    super(said === "" && cause instanceof Error ? oneLine(`${cause.message} ${codeOf(cause)}`) : oneLine(said));
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }

  static of({ status, headers }: Response, body: string, clock: Clock): MkioFailure {
    const named = { get: (name: string): string | undefined => headers.get(name) ?? undefined };
    return new MkioFailure(status, detailOf(body), retryAfterMs(named, clock.now()), null);
  }
}

/** The error for anything thrown by a request. What did not come from a request (a defect of ours) passes unchanged. */
export function mkioError(error: unknown, what: string): unknown {
  if (error instanceof DOMException && error.name === "TimeoutError")
    return unavailable(what, new MkioFailure(0, error.message, null, null));
  return error instanceof MkioFailure ? byStatus(error, what) : error;
}

function byStatus(failure: MkioFailure, what: string): PaircastError {
  const { status } = failure;
  if (status === 0 || status === 408 || status === 429 || status >= 500) return unavailable(what, failure);
  if (status === 401 || status === 403)
    return new PaircastError("account_denied", `${what}: the service refused the token (${status}): check account.token and its rights`, {
      cause: failure,
    });
  return new PaircastError("account_rejected", `${what}: the service answered ${status}${saying(failure)}`, { cause: failure });
}

function unavailable(what: string, failure: MkioFailure): PaircastError {
  const answered = failure.status === 0 ? "the service gave no proper answer" : `the service answered ${failure.status}`;
  return new PaircastError("account_unavailable", `${what}: ${answered}${saying(failure)}`, { retry: "retry", cause: failure });
}

function saying({ message }: MkioFailure): string {
  return message === "" ? "" : `: ${message}`;
}

function detailOf(body: string): string {
  try {
    const { error } = JSON.parse(body) as { readonly error?: unknown };
    if (typeof error === "string") return error;
    if (typeof error !== "object" || error === null) return "";
    const { code, detail } = error as { readonly code?: unknown; readonly detail?: unknown };
    return [code, detail].filter((part) => typeof part === "string" && part !== "").join(": ");
  } catch {
    return "";
  }
}

/** `fetch failed` says nothing; what is inside it does. */
function codeOf(error: Error): string {
  const cause: unknown = error.cause;
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? `(${cause.code})` : "";
}

function oneLine(text: string): string {
  return scrub(text).replace(/\s+/g, " ").trim().slice(0, 500);
}
