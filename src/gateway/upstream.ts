/** One request to a key host by undici's `dispatch`, the cheapest of its interfaces (a fifth of the CPU time of `fetch`). */
import type { Dispatcher } from "undici";
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
}

export type UpstreamHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface UpstreamAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: UpstreamHeaders;
  readonly body: Uint8Array;
}

export type UpstreamResult =
  | { readonly type: "answer"; readonly answer: UpstreamAnswer }
  | { readonly type: "failure"; readonly reason: FailureReason };

const NO_BODY = new Uint8Array(0);
const UNWANTED = new Error("no longer wanted");

/** Asks once, and tells the result once, never before `send` has returned. Deadlines are the caller's: it calls `cancel`. */
export class UpstreamCall implements Dispatcher.DispatchHandler {
  /** True once the answer's header has come. */
  started = false;
  readonly #settle: (result: UpstreamResult) => void;
  #controller: Dispatcher.DispatchController | null = null;
  #settled = false;
  #status = 0;
  #headers: UpstreamHeaders = {};
  #first: Uint8Array | null = null;
  #more: Uint8Array[] | null = null;
  #length = 0;

  constructor(settle: (result: UpstreamResult) => void) {
    this.#settle = settle;
  }

  send({ dispatcher, origin, path, method, headers, body }: UpstreamRequest): void {
    try {
      dispatcher.dispatch({ origin, path, method, headers: { ...headers }, body, headersTimeout: 0, bodyTimeout: 0 }, this);
    } catch (error) {
      queueMicrotask(() => {
        this.#give({ type: "failure", reason: failureReason(error) });
      });
    }
  }

  /** Ends the request without a result; its connection is not used again. */
  cancel(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#controller?.abort(UNWANTED);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#settled) controller.abort(UNWANTED);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: UpstreamHeaders): void {
    if (status < 200) return;
    this.started = true;
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#length += chunk.length;
    if (this.#length > MAX_KEY_BODY) {
      this.#give({ type: "failure", reason: "too_large" });
      this.#controller?.abort(UNWANTED);
    } else if (this.#first === null) this.#first = chunk;
    else (this.#more ??= []).push(chunk);
  }

  onResponseEnd(): void {
    this.#give({ type: "answer", answer: { status: this.#status, headers: this.#headers, body: this.#body() } });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const reason = failureReason(error);
    // The connection closed in the middle of the body: the answer was cut, whichever way the socket says it.
    this.#give({ type: "failure", reason: this.started && reason === "reset" ? "truncated" : reason });
  }

  #give(result: UpstreamResult): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#settle(result);
  }

  #body(): Uint8Array {
    if (this.#first === null) return NO_BODY;
    return this.#more === null ? this.#first : Buffer.concat([this.#first, ...this.#more], this.#length);
  }
}

/** The value of an answer's header field. */
export function headerValue(headers: UpstreamHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : value?.join(", ");
}
