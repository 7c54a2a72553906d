/** The HTTP client with which regions are asked (undici): one connection pool per origin, nothing outside the configured origins. */
import { Pool, type Dispatcher } from "undici";
import type { FailureReason } from "./contracts.ts";
import { PaircastError } from "./errors.ts";
import type { HttpAnswer, HttpClient, HttpQuestion } from "./ports/http.ts";

/** A request that got no complete HTTP answer. `reason` says how it failed. */
export class HttpFailure extends PaircastError {
  readonly reason: FailureReason;

  constructor(reason: FailureReason, message: string, cause?: unknown) {
    super(`http_${reason}`, message, { retry: "retry", cause });
    this.reason = reason;
  }

  /** What the reason does not say yet: the code of the cause (ECONNREFUSED, CERT_HAS_EXPIRED), or a few words. */
  get detail(): string {
    return failureDetail(this.reason, this.cause);
  }
}

const WORDS: Readonly<Partial<Record<FailureReason, string>>> = {
  timeout: "no complete answer in time",
  reset: "the connection was closed",
  truncated: "the answer ended early",
  too_large: "the answer is too long",
};

export function failureDetail(reason: FailureReason, cause: unknown): string {
  const code = property(cause, "code") ?? property(property(cause, "cause"), "code");
  return typeof code === "string" ? code : (WORDS[reason] ?? reason);
}

const REASON_BY_CODE: Readonly<Record<string, FailureReason>> = {
  ECONNREFUSED: "refused",
  EHOSTUNREACH: "refused",
  ENETUNREACH: "refused",
  ENOTFOUND: "dns",
  EAI_AGAIN: "dns",
  ETIMEDOUT: "timeout",
  UND_ERR_CONNECT_TIMEOUT: "timeout",
  UND_ERR_HEADERS_TIMEOUT: "timeout",
  UND_ERR_BODY_TIMEOUT: "timeout",
  ECONNRESET: "reset",
  EPIPE: "reset",
  UND_ERR_SOCKET: "reset",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "truncated",
};

/** Classifies what undici or the socket threw. */
export function failureReason(error: unknown): FailureReason {
  const code = property(error, "code") ?? property(property(error, "cause"), "code");
  if (typeof code !== "string") return property(error, "name") === "TimeoutError" ? "timeout" : "reset";
  const known = REASON_BY_CODE[code];
  if (known !== undefined) return known;
  return /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|EPROTO|HOSTNAME_MISMATCH)/.test(code) ? "tls" : "reset";
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && name in value ? (value as Record<string, unknown>)[name] : undefined;
}

export interface HttpClientOptions {
  /** Base URLs that may be asked, with the PEM of an additional certificate authority where one is configured. */
  readonly origins: readonly { readonly url: string; readonly ca: string | null }[];
}

/** The connections to one origin. Shared by the clients of two configurations while one replaces the other. */
interface SharedPool {
  readonly pool: Pool;
  readonly ca: string | null;
  clients: number;
}

/** Pools for the configured origins. Close it to let the process end. */
export class RegionHttpClient implements HttpClient, AsyncDisposable {
  readonly #pools = new Map<string, SharedPool>();
  #left = false;

  /** Pools of `previous` whose origin and authority are the same are taken up, connections and all; `previous` stays usable. */
  constructor(options: HttpClientOptions, previous: RegionHttpClient | null = null) {
    for (const { url, ca } of options.origins) {
      const origin = new URL(url).origin;
      if (this.#pools.has(origin)) continue;
      const known = previous === null ? undefined : previous.#pools.get(origin);
      const shared = known?.ca === ca ? known : { pool: newPool(origin, ca), ca, clients: 0 };
      shared.clients += 1;
      this.#pools.set(origin, shared);
    }
  }

  /** The pool of a configured origin; anything else is a programming error on the way to a server-side request forgery. */
  dispatcher(origin: string): Dispatcher {
    const shared = this.#pools.get(origin);
    if (shared === undefined)
      throw new PaircastError("not_configured", `refused to ask ${origin}: it is not the address of a configured region`);
    return shared.pool;
  }

  /** PEM of the additional certificate authority of a base URL's origin; null where none is configured. */
  authority(url: string): string | null {
    return this.#pools.get(new URL(url).origin)?.ca ?? null;
  }

  async ask(question: HttpQuestion): Promise<HttpAnswer> {
    const dispatcher = this.dispatcher(new URL(question.url).origin);
    const limit = AbortSignal.timeout(question.timeoutMs);
    const signal = question.signal === undefined ? limit : AbortSignal.any([limit, question.signal]);
    try {
      return await Promise.race([exchange(dispatcher, question, signal), whenAborted(signal)]);
    } catch (error) {
      if (question.signal?.aborted === true) throw error;
      if (error instanceof PaircastError) throw error;
      const reason = limit.aborted ? "timeout" : failureReason(error);
      throw new HttpFailure(reason, `${question.method} ${withoutQuery(question.url)} failed: ${failureDetail(reason, error)}`, error);
    }
  }

  /** Closes the pools that no other client shares, once their requests have ended; takes no new ones for them. */
  async close(): Promise<void> {
    await Promise.all(this.#leave().map(async ({ pool }) => pool.close()));
  }

  /** As `close`, at once. After `close`, ends what it is waiting for. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave();
    const unshared = [...this.#pools.values()].filter(({ clients }) => clients === 0);
    await Promise.all(unshared.map(async ({ pool }) => pool.destroy()));
  }

  /** The pools of which this client was the last. */
  #leave(): SharedPool[] {
    if (this.#left) return [];
    this.#left = true;
    const pools = [...this.#pools.values()];
    for (const pool of pools) pool.clients -= 1;
    return pools.filter(({ clients }) => clients === 0);
  }
}

function newPool(origin: string, ca: string | null): Pool {
  return new Pool(origin, { connect: ca === null ? {} : { ca }, keepAliveTimeout: 30_000, maxResponseSize: -1 });
}

/** undici hears of an abort only once it has a connection, and a host that is down never gives one: it would wait for its own 10 s. */
async function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = () => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) give();
    else signal.addEventListener("abort", give, { once: true });
  });
}

async function exchange(dispatcher: Dispatcher, question: HttpQuestion, signal: AbortSignal): Promise<HttpAnswer> {
  const { origin } = new URL(question.url);
  const askedAt = performance.now();
  const answer = await dispatcher.request({
    origin,
    path: question.url.slice(origin.length) || "/",
    method: question.method,
    headers: { ...question.headers },
    body: question.body ?? null,
    signal,
  });
  const firstByteMs = performance.now() - askedAt;
  const body = await readLimited(answer.body, question).catch((error: unknown) => {
    // Once the answer has begun, "other side closed" is an early end of the body, not a refusal to answer.
    if (property(error, "code") !== "UND_ERR_SOCKET") throw error;
    throw new HttpFailure("truncated", `${question.method} ${withoutQuery(question.url)} ended before its body did`, error);
  });
  const timing = { firstByteMs, totalMs: performance.now() - askedAt };
  return { status: answer.statusCode, headers: plainHeaders(answer.headers), body, timing };
}

async function readLimited(body: Dispatcher.ResponseData["body"], question: HttpQuestion): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > question.maxBytes) {
      body.destroy();
      throw new HttpFailure("too_large", `${question.method} ${withoutQuery(question.url)} answered more than ${question.maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

function plainHeaders(headers: Dispatcher.ResponseData["headers"]): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) plain[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return plain;
}

/** Queries can hold tokens: they never reach a log or an error. */
export function withoutQuery(url: string): string {
  const cut = url.indexOf("?");
  return cut < 0 ? url : url.slice(0, cut);
}
