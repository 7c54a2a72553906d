/**
 * Requests to table and queue services: bounded in time, tried again where that may help, as late as the service asks. In the place of the
 * SDKs' own policies, which differ from one another, know no `Clock`, and partly not Retry-After.
 */
import type { Clock, Random } from "../../core/clock.ts";
import { PaircastError } from "../../core/errors.ts";
import { retryAfterMs } from "../../core/retryAfter.ts";

export interface ServiceCallsOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** For all tries and pauses together. Default 15 s. */
  readonly timeoutMs?: number;
  /** For one try. Default 5 s. */
  readonly tryMs?: number;
}

/** As much of an answer as is looked at here; both generations of the SDKs' pipelines have it. */
interface Answer {
  readonly status: number;
  readonly headers: { get(name: string): string | undefined };
}

interface Tried<R> {
  readonly answer: R | null;
  readonly error: unknown;
  /** Null where there was no answer. */
  readonly seen: Answer | null;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** The `Date` header counts whole seconds, and answers take their time: below this clocks are equal. */
const SKEW_NOTICED_MS = 2_000;
/** 408 and 429 by their meaning; what has no answer of the service itself counts as these. */
const PASSING = new Set([408, 429, 500, 502, 503, 504]);

export class ServiceCalls {
  readonly #options: ServiceCallsOptions;
  #skewMs = 0;
  #sent = 0;

  constructor(options: ServiceCallsOptions) {
    this.#options = options;
  }

  /** Milliseconds by which the service's clock is ahead of this machine's, by its last answer; 0 where they are about the same. */
  readonly skewMs = (): number => this.#skewMs;

  /** Requests that went out, tries included: what the service charges for. */
  get sent(): number {
    return this.#sent;
  }

  /** `send` is given the signal that ends a try. Rejects with `state_unavailable` where nothing came that could be an answer. */
  async run<R extends Answer>(what: string, send: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const { clock, timeoutMs = 15_000 } = this.#options;
    const until = clock.monotonic() + timeoutMs;
    for (let count = 0; ; count += 1) {
      const tried = await this.#try(send, until);
      const pause = mayPass(tried) ? this.#pause(tried.seen, count) : null;
      if (pause === null || clock.monotonic() + pause >= until) return result(tried, what);
      await clock.sleep(pause);
    }
  }

  async #try<R extends Answer>(send: (signal: AbortSignal) => Promise<R>, until: number): Promise<Tried<R>> {
    const { clock, tryMs = 5_000 } = this.#options;
    using deadline = clock.deadline(Math.min(tryMs, Math.max(0, until - clock.monotonic())));
    this.#sent += 1;
    try {
      const answer = await send(deadline.signal);
      return this.#looked({ answer, error: null, seen: answer });
    } catch (error) {
      if (deadline.signal.aborted) return { answer: null, error: deadline.signal.reason, seen: null };
      return this.#looked<R>({ answer: null, error, seen: answerIn(error) });
    }
  }

  #looked<R>(tried: Tried<R>): Tried<R> {
    if (tried.seen !== null && isOwn(tried.seen)) this.#observe(tried.seen.headers.get("date"));
    return tried;
  }

  #observe(date: string | undefined): void {
    const there = date === undefined ? Number.NaN : Date.parse(date);
    if (Number.isNaN(there)) return;
    const ahead = there - this.#options.clock.now();
    this.#skewMs = Math.abs(ahead) < SKEW_NOTICED_MS ? 0 : ahead;
  }

  #pause(answer: Answer | null, count: number): number {
    const { clock, random } = this.#options;
    const asked = answer === null ? null : retryAfterMs(answer.headers, clock.now());
    return asked ?? Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** count) * (0.5 + random.next() / 2);
  }
}

function mayPass({ seen, error }: Tried<unknown>): boolean {
  if (seen !== null) return !isOwn(seen) || PASSING.has(seen.status);
  return isConnectionFailure(error);
}

function result<R>({ answer, error, seen }: Tried<R>, what: string): R {
  if (seen !== null && !isOwn(seen)) {
    const advice = "is something between here and the service, a login page for instance?";
    throw new PaircastError("state_unavailable", `${what}: answered ${seen.status} without the headers of a storage service: ${advice}`, {
      retry: "retry",
    });
  }
  if (answer === null) throw error;
  return answer;
}

/** The SDKs throw for some answers, and say in the error what they were. */
function answerIn(error: unknown): Answer | null {
  const response: unknown = error instanceof Error && "response" in error ? error.response : null;
  return typeof response === "object" && response !== null && "status" in response && "headers" in response ? (response as Answer) : null;
}

/** Every answer of the services has one of them, refusals too. */
function isOwn({ headers }: Answer): boolean {
  return headers.get("x-ms-request-id") !== undefined || headers.get("x-ms-version") !== undefined;
}

/** A time-out of a try, a connection that was refused or broke, a name that could not be resolved. */
export function isConnectionFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === "TimeoutError") return true;
  return (
    "code" in error && typeof error.code === "string" && /^(E[A-Z]+|UND_ERR_|ERR_STREAM|REQUEST_SEND_ERROR|PARSE_ERROR)/.test(error.code)
  );
}
