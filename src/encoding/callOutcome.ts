/** Pure: what an error of an account's call says: of the account, and of what was asked for. */
import type { CallOutcome } from "../core/encoding.ts";
import { errorCode, PaircastError } from "../core/errors.ts";

const OUTCOMES: Readonly<Record<string, CallOutcome>> = {
  account_unreachable: "unreachable",
  account_failing: "failing",
  account_throttled: "throttled",
  account_denied: "denied",
  // It answered.
  account_rejected: "ok",
};

/** Null where the error does not come from the account. */
export function callOutcomeOf(error: unknown): CallOutcome | null {
  if (error instanceof Error && error.name === "TimeoutError") return "unreachable";
  return OUTCOMES[errorCode(error)] ?? null;
}

/** Milliseconds after which the account wants to be called again; null where it does not say. */
export function retryAfterOf(error: unknown): number | null {
  return error instanceof PaircastError ? error.retryAfterMs : null;
}

/** The call was not made: the account did not answer lately, or asked to be left alone. */
export const RESTING = "account_resting";

export function isResting(error: unknown): boolean {
  return errorCode(error) === RESTING;
}
