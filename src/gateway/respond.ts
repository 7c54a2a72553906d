/** Answers to players. Header fields are plain objects: building `Headers` is the largest single cost of an answer (facts: 3 of 17 µs). */
import { corsHeaders, preflightHeaders } from "./headers.ts";

export interface AnswerLabels {
  readonly requestId: string;
  /** One word: a decision's reason, a rejection's, or `local`. */
  readonly reason: string;
  /** The region that the answer sends to or comes from; null where there is none. */
  readonly origin: string | null;
}

type ExtraHeaders = Readonly<Record<string, string>>;
const NO_EXTRA: ExtraHeaders = {};

export class Responder {
  readonly #cors: ExtraHeaders;
  readonly #preflight: ExtraHeaders;
  readonly #retryAfter: string;

  constructor(options: { readonly corsOrigin: string; readonly retryAfterMs: number }) {
    this.#cors = corsHeaders(options.corsOrigin);
    this.#preflight = preflightHeaders(options.corsOrigin);
    this.#retryAfter = String(Math.ceil(options.retryAfterMs / 1000));
  }

  /** 302 for what is read, 307 where method and body must survive. */
  redirect(status: 302 | 307, location: string, labels: AnswerLabels): Response {
    // Without a length node would send the empty body in chunks.
    return new Response(null, { status, headers: this.#headers(labels, { location, "content-length": "0" }) });
  }

  preflight(labels: AnswerLabels): Response {
    return new Response(null, { status: 204, headers: { ...this.#preflight, ...labelHeaders(labels) } });
  }

  /** A key or licence. */
  key(status: number, body: Uint8Array, headers: ExtraHeaders, labels: AnswerLabels): Response {
    // A copy with a buffer of its own: what undici hands out may be a view into a shared one.
    const content = body.length === 0 ? null : new Uint8Array(body);
    return new Response(content, { status, headers: this.#headers(labels, headers) });
  }

  local(status: 200 | 503, body: ExtraHeaders, labels: AnswerLabels): Response {
    return new Response(JSON.stringify(body), { status, headers: this.#headers(labels, { "content-type": "application/json" }) });
  }

  /** Every refusal has the same small JSON body; an upstream's own text is never part of it. */
  error(status: number, code: string, message: string, labels: AnswerLabels, extra: ExtraHeaders = NO_EXTRA): Response {
    const body = JSON.stringify({ error: code, message, requestId: labels.requestId });
    return new Response(body, { status, headers: this.#headers(labels, { "content-type": "application/json", ...extra }) });
  }

  /** As `error`, for what may be better in a moment. */
  later(status: 502 | 503 | 504, code: string, message: string, labels: AnswerLabels): Response {
    return this.error(status, code, message, labels, { "retry-after": this.#retryAfter });
  }

  /** The client has gone; nobody reads this. 499 is nginx's number for it. */
  gone(labels: AnswerLabels): Response {
    return new Response(null, { status: 499, headers: labelHeaders(labels) });
  }

  #headers(labels: AnswerLabels, extra: ExtraHeaders): Record<string, string> {
    return { "cache-control": "no-store", ...this.#cors, ...labelHeaders(labels), ...extra };
  }
}

function labelHeaders({ requestId, reason, origin }: AnswerLabels): Record<string, string> {
  return { "x-request-id": requestId, "x-paircast-reason": reason, "x-paircast-origin": origin ?? "none" };
}
