/** Errors that carry a stable code. The code is what operators search for and what metrics are labelled with. */

/** What a caller may do about a failure: try again later, never (someone must act), or look at what the other side holds. */
export type RetryClass = "retry" | "never" | "conflict";

export interface PaircastErrorOptions {
  readonly retry?: RetryClass;
  readonly cause?: unknown;
  /** Milliseconds after which the other side wants to be asked again; null or left out: it does not say. */
  readonly retryAfterMs?: number | null;
}

/**
 * The project's error. `message` says what, where and what to do; it never holds a key, a token or a SAS.
 * `code` is stable: prefer it over `instanceof`.
 */
export class PaircastError extends Error {
  readonly code: string;
  readonly retry: RetryClass;
  /** Milliseconds after which the other side wants to be asked again; null: it does not say. */
  readonly retryAfterMs: number | null;

  constructor(code: string, message: string, options: PaircastErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "PaircastError";
    this.code = code;
    this.retry = options.retry ?? "never";
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

/** The stable code of anything thrown; `internal` for what is not ours. */
export function errorCode(error: unknown): string {
  return error instanceof PaircastError ? error.code : "internal";
}

/** The message chain of an error, outermost first, for one log line. */
export function errorChain(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  while (current !== undefined && current !== null && parts.length < 6) {
    parts.push(current instanceof Error ? current.message : typeof current === "string" ? current : typeof current);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(": ");
}
