/**
 * Requests to the blob service as they go out: paced by account, tried again where that may help and as late as the service asks, and only its own
 * answers believed. A login page or a captive portal answers 200 with HTML to everything: as a listing it is empty, as a blob's properties it is
 * a blob of the page's length, and as the answer to a write it is a success.
 */
import { newPipeline, RestError, type RequestPolicyFactory, type StoragePipelineOptions } from "@azure/storage-blob";
import type { Clock } from "../../core/clock.ts";
import { AccountPace } from "./accountPace.ts";
import { retryAfterMs } from "../../core/retryAfter.ts";
import { isConnectionFailure } from "./serviceCalls.ts";

type PipelineCredential = Parameters<typeof newPipeline>[0];
type Pipeline = ReturnType<typeof newPipeline>;
type Policy = ReturnType<RequestPolicyFactory["create"]>;
type Request = Parameters<Policy["sendRequest"]>[0];
type Response = Awaited<ReturnType<Policy["sendRequest"]>>;

/** Tries of what may pass within seconds, and of what a busy service puts off. */
const TRIES = 4;
const BUSY_TRIES = 12;
const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 5_000;
const PASSING: ReadonlySet<number> = new Set([408, 500, 502, 504]);
const BUSY: ReadonlySet<number> = new Set([429, 503]);
/** What the target service says of a source that may answer later. */
const PASSING_SOURCE: ReadonlySet<string | undefined> = new Set(["InternalError", "OperationTimedOut", "ServerBusy"]);

/** The paces of the accounts that one adapter talks to, by account. */
export class StorageCalls {
  readonly clock: Clock;
  readonly #paces = new Map<string, AccountPace>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  pace(url: string): AccountPace {
    const account = accountOf(url);
    const pace = this.#paces.get(account) ?? new AccountPace(this.clock);
    this.#paces.set(account, pace);
    return pace;
  }
}

/** Host names begin with the account; at addresses, and where ports tell services apart, it is the first segment of the path. */
function accountOf(url: string): string {
  const { host, hostname, pathname } = new URL(url);
  return /^[\d.]+$|^\[|^localhost$/.test(hostname) ? `${host}/${pathname.split("/")[1] ?? ""}` : host;
}

/** The SDK's pipeline with these policies in the place of its own retries, which know neither `Clock` nor Retry-After. */
export function storagePipeline(credential: PipelineCredential, options: StoragePipelineOptions, calls: StorageCalls): Pipeline {
  const tries = options.retryOptions?.maxTries ?? TRIES;
  const pipeline = newPipeline(credential, { ...options, retryOptions: { maxTries: 1 } });
  pipeline.factories.push({ create: (next) => ({ sendRequest: async (request) => new Attempts(next, request, calls, tries).run() }) });
  return pipeline;
}

/** As much of an answer as is looked at here. */
interface Answer {
  readonly status: number;
  readonly headers: { get(name: string): string | undefined };
}

interface Attempt {
  readonly response: Response | null;
  readonly error: unknown;
  /** Of the response, or of the error as which the SDK throws it; null where there was none. */
  readonly answer: Answer | null;
}

class Attempts {
  readonly #next: Policy;
  readonly #request: Request;
  readonly #calls: StorageCalls;
  readonly #pace: AccountPace;
  readonly #tries: number;
  #failed = 0;
  #busy = 0;

  constructor(next: Policy, request: Request, calls: StorageCalls, tries: number) {
    this.#next = next;
    this.#request = request;
    this.#calls = calls;
    this.#pace = calls.pace(request.url);
    this.#tries = tries;
  }

  async run(): Promise<Response> {
    for (;;) {
      const attempt = await this.#send();
      const pause = this.#pauseAfter(attempt);
      if (pause === null) return ownAnswer(attempt, this.#request);
      if (pause > 0) await this.#calls.clock.sleep(pause, signalOf(this.#request));
    }
  }

  async #send(): Promise<Attempt> {
    const { clock } = this.#calls;
    await this.#pace.begin(signalOf(this.#request));
    const sentAt = clock.monotonic();
    const attempt = await this.#next.sendRequest(this.#request).then(
      (response): Attempt => ({ response, error: null, answer: response }),
      (error: unknown): Attempt => ({ response: null, error, answer: answerIn(error) }),
    );
    const busy = attempt.answer !== null && isBusy(attempt.answer) ? attempt.answer : null;
    this.#pace.end(sentAt, busy === null ? undefined : { retryAfterMs: retryAfterMs(busy.headers, clock.now()) });
    return attempt;
  }

  /** Milliseconds until the next try; null where there is none. The pause of a busy account is its pace's. */
  #pauseAfter({ answer, error }: Attempt): number | null {
    if (answer !== null && isBusy(answer)) {
      this.#busy += 1;
      return this.#tries > 1 && this.#busy < BUSY_TRIES ? 0 : null;
    }
    if (answer === null ? !isConnectionFailure(error) : !mayPass(answer)) return null;
    this.#failed += 1;
    return this.#failed < this.#tries ? Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.#failed - 1)) : null;
  }
}

function isBusy({ status, headers }: Answer): boolean {
  return BUSY.has(status) && isOwnAnswer(headers);
}

function mayPass({ status, headers }: Answer): boolean {
  return PASSING.has(status) || BUSY.has(status) || (status >= 400 && PASSING_SOURCE.has(headers.get("x-ms-copy-source-error-code")));
}

function ownAnswer({ response, error }: Attempt, { method }: Request): Response {
  if (response === null) throw error;
  if (isOwnAnswer(response.headers)) return response;
  const advice = "is something between here and the blob service, a login page for instance?";
  throw new RestError(`${method} answered ${response.status} without the headers of a blob service: ${advice}`, { code: FOREIGN });
}

function signalOf({ abortSignal }: Request): AbortSignal | undefined {
  return abortSignal instanceof AbortSignal ? abortSignal : undefined;
}

/** The SDK throws for refusals, and says in the error what they were. */
function answerIn(error: unknown): Answer | null {
  return error instanceof RestError ? (error.response ?? null) : null;
}

/** Stands where the service's own code, or an errno, would. */
export const FOREIGN = "not an answer of a blob service";

/** Every answer of the service has both headers, refusals too. */
export function isOwnAnswer(headers: { get(name: string): string | undefined }): boolean {
  return headers.get("x-ms-request-id") !== undefined || headers.get("x-ms-version") !== undefined;
}
