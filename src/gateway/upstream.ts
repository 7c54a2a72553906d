/** One request to a key host by undici's `dispatch`, the cheapest of its interfaces (a fifth of the CPU time of `fetch`). */
import type { Dispatcher } from "undici";
import type { Clock } from "../core/clock.ts";
import type { FailureReason } from "../core/contracts.ts";
import { failureReason } from "../core/http.ts";

/** Keys have 16 bytes, licences a few thousand. */
export const MAX_KEY_BODY = 65_536;

export interface UpstreamRequest {
  readonly dispatcher: Dispatcher;
  readonly origin: string;
  /** Path and query, byte for byte. */
  readonly path: string;
  readonly method: "GET" | "HEAD" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  /** Milliseconds until the answer's headers, and again until the end of its body. */
  readonly timeoutMs: number;
  /** The client's; when it aborts, so does the request. */
  readonly signal: AbortSignal;
}

export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

export type UpstreamResult =
  | { readonly type: "answer"; readonly answer: UpstreamAnswer }
  | { readonly type: "failure"; readonly reason: FailureReason }
  /** The client went away: nobody's failure. */
  | { readonly type: "gone" };

/** Asks once. Never rejects, and settles when a deadline passes even where the connection is still being made. */
export async function exchange(request: UpstreamRequest, clock: Clock): Promise<UpstreamResult> {
  if (request.signal.aborted) return { type: "gone" };
  const { promise, resolve } = Promise.withResolvers<UpstreamResult>();
  const handler = new AnswerReader(resolve);
  using _headers = watch(request, clock, handler, () => !handler.started);
  handler.onHeaders = () => {
    handler.bodyDeadline = watch(request, clock, handler, () => true);
  };
  const onGone = () => {
    handler.give({ type: "gone" });
  };
  request.signal.addEventListener("abort", onGone, { once: true });
  try {
    request.dispatcher.dispatch(dispatchOptions(request), handler);
    return await promise;
  } catch (error) {
    return { type: "failure", reason: failureReason(error) };
  } finally {
    request.signal.removeEventListener("abort", onGone);
    handler.bodyDeadline?.[Symbol.dispose]();
  }
}

function dispatchOptions({ origin, path, method, headers, body }: UpstreamRequest): Dispatcher.DispatchOptions {
  return { origin, path, method, headers: { ...headers }, body };
}

function watch(request: UpstreamRequest, clock: Clock, handler: AnswerReader, applies: () => boolean): Disposable {
  const deadline = clock.deadline(request.timeoutMs);
  deadline.signal.addEventListener("abort", () => {
    if (applies()) handler.give({ type: "failure", reason: "timeout" });
  });
  return deadline;
}

/** Collects one answer, and lets go of the connection as soon as the result is known. */
class AnswerReader implements Dispatcher.DispatchHandler {
  started = false;
  onHeaders: () => void = () => undefined;
  bodyDeadline: Disposable | null = null;
  readonly #resolve: (result: UpstreamResult) => void;
  #controller: Dispatcher.DispatchController | null = null;
  #settled = false;
  #status = 0;
  #headers = new Map<string, string>();
  #chunks: Uint8Array[] = [];
  #length = 0;

  constructor(resolve: (result: UpstreamResult) => void) {
    this.#resolve = resolve;
  }

  /** The first result counts. One that comes before the answer's end also ends the request. */
  give(result: UpstreamResult): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#resolve(result);
    if (result.type !== "answer") this.#controller?.abort(new Error("no longer wanted"));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#settled) controller.abort(new Error("no longer wanted"));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200 || this.#settled) return;
    this.started = true;
    this.#status = status;
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) this.#headers.set(name.toLowerCase(), Array.isArray(value) ? value.join(", ") : value);
    }
    this.onHeaders();
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#length += chunk.length;
    if (this.#length > MAX_KEY_BODY) this.give({ type: "failure", reason: "too_large" });
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.give({ type: "answer", answer: { status: this.#status, headers: this.#headers, body: joined(this.#chunks, this.#length) } });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const reason = failureReason(error);
    // The connection closed in the middle of the body: the answer was cut, whichever way the socket says it.
    this.give({ type: "failure", reason: this.started && reason === "reset" ? "truncated" : reason });
  }
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
