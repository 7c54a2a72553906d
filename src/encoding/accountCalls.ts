/**
 * Calls of one account: a few at a time, bounded in time, none before the time that it has named, and none while it does not answer, except to
 * see whether it does.
 */
import type { Clock } from "../core/clock.ts";
import { PaircastError } from "../core/errors.ts";
import type { CallSaid } from "./account.ts";
import { callOutcomeOf, RESTING, retryAfterOf } from "./callOutcome.ts";

export interface AccountCallsOptions {
  readonly account: string;
  readonly clock: Clock;
  readonly concurrency: number;
  /** For one call. */
  readonly timeoutMs: number;
  /** Told of each call that was made. */
  readonly observe: (said: CallSaid) => void;
  /** The longest that the account may ask to be left alone. */
  readonly longestRestMs: number;
  /** Ends calls that are under way. */
  readonly stop: AbortSignal;
}

/** Calls in a row without an answer, after which it is left alone. */
const BREAK_AFTER = 3;

export class AccountCalls {
  readonly #options: AccountCallsOptions;
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #unanswered = 0;
  /** Of the clock that never goes back. */
  #restsUntil = 0;

  constructor(options: AccountCallsOptions) {
    this.#options = options;
  }

  /** Rejects with what `work` rejects with, with a `TimeoutError`, or with `account_resting` where it was not called. */
  async call<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    await this.#enter();
    try {
      this.#assertAwake();
      return await this.#made(work);
    } finally {
      this.#leave();
    }
  }

  /** The call that is made in any case: it tells whether the others may be. */
  async probe(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      await this.#made(work);
    } catch (error) {
      if (callOutcomeOf(error) === null && !this.#options.stop.aborted) throw error;
    }
  }

  async #made<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, timeoutMs, stop } = this.#options;
    stop.throwIfAborted();
    using deadline = clock.deadline(timeoutMs);
    try {
      const result = await work(AbortSignal.any([deadline.signal, stop]));
      this.#noted({ outcome: "ok", retryAfterMs: null });
      return result;
    } catch (error) {
      const outcome = callOutcomeOf(error);
      if (outcome !== null && !stop.aborted) this.#noted({ outcome, retryAfterMs: retryAfterOf(error) });
      throw error;
    }
  }

  #noted(said: CallSaid): void {
    const { clock, longestRestMs, observe } = this.#options;
    this.#unanswered = said.outcome === "unreachable" ? this.#unanswered + 1 : 0;
    if (said.retryAfterMs !== null)
      this.#restsUntil = Math.max(this.#restsUntil, clock.monotonic() + Math.min(said.retryAfterMs, longestRestMs));
    observe(said);
  }

  #assertAwake(): void {
    const why =
      this.#unanswered >= BREAK_AFTER
        ? "it does not answer; it is asked again when it does"
        : this.#restsUntil > this.#options.clock.monotonic()
          ? "it asked to be left alone for a while"
          : null;
    if (why !== null) throw new PaircastError(RESTING, `call ${this.#options.account}: ${why}`, { retry: "retry" });
  }

  async #enter(): Promise<void> {
    if (this.#running < this.#options.concurrency) {
      this.#running += 1;
      return;
    }
    const turn = Promise.withResolvers<void>();
    this.#waiting.push(turn.resolve);
    await turn.promise;
  }

  /** Hands its turn on. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }
}
