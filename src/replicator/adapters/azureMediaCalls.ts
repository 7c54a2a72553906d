/** Calls of the management API through its SDK: bounded in time, their errors those of the `MediaAccount` port. */
import type { Clock } from "../../core/clock.ts";
import { isAbsent, mediaError, mediaExists, mediaInUse, noAnswer, operationFailed, statusOf } from "./azureMediaErrors.ts";

/** What every operation of the SDK takes. */
export interface Abortable {
  readonly abortSignal: AbortSignal;
}

/** The part of the SDK's pagers that is used. */
export interface Pager<T> {
  byPage(settings?: { readonly continuationToken?: string }): AsyncIterator<readonly T[]>;
}

/** The part of the SDK's pollers that is used. */
export interface Operation {
  pollUntilDone(options: Abortable): Promise<unknown>;
}

export interface MediaCallsOptions {
  /** Account and region, for people. */
  readonly place: string;
  readonly clock: Clock;
  /** Time for one call including the SDK's retries. */
  readonly timeoutMs: number;
}

export class MediaCalls {
  readonly #options: MediaCallsOptions;

  constructor(options: MediaCallsOptions) {
    this.#options = options;
  }

  at(what: string): string {
    return `${what} in ${this.#options.place}`;
  }

  /** What is asked for, or null where it is not there. */
  async find<T>(what: string, signal: AbortSignal | undefined, send: (call: Abortable) => Promise<T>): Promise<T | null> {
    return this.call<T | null>(what, signal, async (call) => {
      try {
        return await send(call);
      } catch (error) {
        if (isAbsent(error)) return null;
        throw error;
      }
    });
  }

  /** The service has no conditional writes. The look before and the 409 after leave a gap only for what somebody creates in between. */
  async create(what: string, signal: AbortSignal | undefined, send: (call: Abortable) => Promise<unknown>): Promise<void> {
    await this.call(what, signal, async (call) => {
      try {
        await send(call);
      } catch (error) {
        throw refusedByState(error) ? mediaExists(this.at(what), error) : error;
      }
    });
  }

  /** What is not there need not be deleted. */
  async remove(what: string, signal: AbortSignal | undefined, send: (call: Abortable) => Promise<unknown>): Promise<void> {
    await this.call(what, signal, async (call) => {
      try {
        await send(call);
      } catch (error) {
        if (isAbsent(error)) return;
        throw refusedByState(error) ? mediaInUse(this.at(what), "the service refused", error) : error;
      }
    });
  }

  /** One call: bounded in time, its errors translated. */
  async call<T>(what: string, signal: AbortSignal | undefined, send: (call: Abortable) => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    using deadline = this.#options.clock.deadline(this.#options.timeoutMs);
    const abortSignal = signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]);
    try {
      return await send({ abortSignal });
    } catch (error) {
      signal?.throwIfAborted();
      if (deadline.signal.aborted) throw noAnswer(this.at(what), deadline.signal.reason);
      throw mediaError(error, this.at(what));
    }
  }

  /** Begins something and waits for what the service goes on with after its answer. The SDK tells its failure as a plain error. */
  async finish(what: string, { abortSignal }: Abortable, begin: () => Promise<Operation>): Promise<void> {
    try {
      const operation = await begin();
      await operation.pollUntilDone({ abortSignal });
    } catch (error) {
      const isVerdict = error instanceof Error && statusOf(error) === null && error.message.startsWith("The long-running operation");
      throw isVerdict && !abortSignal.aborted ? operationFailed(this.at(what), error) : error;
    }
  }

  /** Everything, page after page. */
  async *list<T>(what: string, signal: AbortSignal | undefined, start: (call: Abortable) => Pager<T>): AsyncGenerator<T> {
    for await (const page of this.pages(what, signal, start, null)) yield* page;
  }

  /** All pages, each bounded in time; `from` is a continuation token of an earlier page, null the beginning. */
  async *pages<T>(
    what: string,
    signal: AbortSignal | undefined,
    start: (call: Abortable) => Pager<T>,
    from: string | null,
  ): AsyncGenerator<readonly T[]> {
    const stop = new AbortController();
    const pages = start({ abortSignal: stop.signal }).byPage(from === null ? {} : { continuationToken: from });
    for (;;) {
      const page = await this.call(what, signal, ({ abortSignal }) => onAbort(abortSignal, stop, () => pages.next()));
      if (page.done === true) return;
      yield page.value;
    }
  }
}

/** A pager takes one signal for all its pages: `stop` ends it when the signal of the page at hand aborts. */
async function onAbort<T>(signal: AbortSignal, stop: AbortController, run: () => Promise<T>): Promise<T> {
  const abort = (): void => {
    stop.abort(signal.reason);
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await run();
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function refusedByState(error: unknown): boolean {
  const status = statusOf(error);
  return status === 409 || status === 412;
}
