/** Answers to players, as data: the application makes a Response of one, the short ways write it as it is. */
import { corsHeaders, preflightHeaders } from "./headers.ts";

export interface AnswerLabels {
  readonly requestId: string;
  /** One word: a decision's reason, a rejection's, or `local`. */
  readonly reason: string;
  /** The region that the answer sends to or comes from; null where there is none. */
  readonly origin: string | null;
}

export interface Answer {
  readonly status: number;
  /** Lower-case names. A plain object: building `Headers` is the largest single cost of an answer (facts: 3 of 17 µs). */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | null;
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

  /** 302 for what is read, 307 where method and body must survive. Without a length node would send the empty body in chunks. */
  redirect(status: 302 | 307, location: string, labels: AnswerLabels): Answer {
    return { status, headers: this.#headers(labels, { location, "content-length": "0" }), body: null };
  }

  preflight(labels: AnswerLabels): Answer {
    return { status: 204, headers: { ...this.#preflight, ...labelHeaders(labels) }, body: null };
  }

  /** A key or licence. */
  key(status: number, body: Uint8Array, headers: ExtraHeaders, labels: AnswerLabels): Answer {
    return { status, headers: this.#headers(labels, headers), body: body.length === 0 ? null : body };
  }

  local(status: 200 | 503, body: ExtraHeaders, labels: AnswerLabels): Answer {
    return { status, headers: this.#headers(labels, { "content-type": "application/json" }), body: JSON.stringify(body) };
  }

  /** A manifest that was rewritten: for this viewer, and for now. Who takes gzip gets it in another form. */
  manifest(text: string, contentType: string, labels: AnswerLabels): Answer {
    const headers = { "content-type": contentType, vary: "accept-encoding", "content-length": String(Buffer.byteLength(text)) };
    return { status: 200, headers: this.#headers(labels, headers), body: text };
  }

  /** A steering manifest; not to be kept, because the next one may say something else. */
  steering(body: string, contentType: string, labels: AnswerLabels): Answer {
    const headers = { "content-type": contentType, "content-length": String(Buffer.byteLength(body)) };
    return { status: 200, headers: this.#headers(labels, headers), body };
  }

  /** Every refusal has the same small JSON body; an upstream's own text is never part of it. */
  error(status: number, code: string, message: string, labels: AnswerLabels, extra: ExtraHeaders = NO_EXTRA): Answer {
    const body = JSON.stringify({ error: code, message, requestId: labels.requestId });
    return { status, headers: this.#headers(labels, { "content-type": "application/json", ...extra }), body };
  }

  /** As `error`, for what may be better in a moment. */
  later(status: 502 | 503 | 504, code: string, message: string, labels: AnswerLabels): Answer {
    return this.error(status, code, message, labels, { "retry-after": this.#retryAfter });
  }

  /** The client has gone; nobody reads this. 499 is nginx's number for it. */
  gone(labels: AnswerLabels): Answer {
    return { status: 499, headers: labelHeaders(labels), body: null };
  }

  #headers(labels: AnswerLabels, extra: ExtraHeaders): Record<string, string> {
    return { "cache-control": "no-store", ...this.#cors, ...labelHeaders(labels), ...extra };
  }
}

function labelHeaders({ requestId, reason, origin }: AnswerLabels): Record<string, string> {
  return { "x-request-id": requestId, "x-paircast-reason": reason, "x-paircast-origin": origin ?? "none" };
}

/** For the application's framework. */
export function responseOf({ status, headers, body }: Answer): Response {
  // A copy with a buffer of its own: what undici hands out may be a view into a shared one.
  const content = body instanceof Uint8Array ? new Uint8Array(body) : body;
  return new Response(content, { status, headers: { ...headers } });
}
