/** Requests to MK.IO's API: `{endpoint}/api/ams/{project}/…`, a token in a header field, JSON both ways, its own form of errors. */
import type { Clock } from "../../core/clock.ts";
import { isLoopbackUrl } from "../../core/config/units.ts";
import { PaircastError } from "../../core/errors.ts";
import { percentDecoded } from "../../core/percent.ts";
import { MkioFailure, mkioError } from "./mkioErrors.ts";

export interface MkioClientOptions {
  /** Base URL of the service. Plain http only on a loopback address. */
  readonly endpoint: string;
  readonly project: string;
  readonly token: string;
  readonly tokenHeader: "authorization" | "x-mkio-token";
  /** The region's name, for people. */
  readonly region: string;
  readonly clock: Clock;
  /** Tries in all, for what may pass; as late as the service's Retry-After asks. Default 4. */
  readonly maxAttempts?: number;
  /** Time for one call including all tries. Default 90 s. */
  readonly timeoutMs?: number;
}

export type MkioJson = null | boolean | number | string | readonly MkioJson[] | { readonly [name: string]: MkioJson };
export type MkioObject = { readonly [name: string]: MkioJson };

interface Request {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** Below the project, or, for the next page of a list, as the service wrote it. */
  readonly path: string;
  readonly body?: MkioObject;
}

const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 5_000;
const PASSING = new Set([408, 429, 500, 502, 503, 504]);

export class MkioClient {
  readonly #options: MkioClientOptions;
  readonly #base: string;
  #projectSeen = false;

  /** Throws `insecure_endpoint` for plain http on any other than a loopback address: the token would be readable on the way. */
  constructor(options: MkioClientOptions) {
    const { endpoint, project } = options;
    if (endpoint.startsWith("http:") && !isLoopbackUrl(endpoint))
      throw new PaircastError("insecure_endpoint", `MK.IO endpoint ${endpoint}: use https; plain http is for loopback addresses only`);
    this.#options = options;
    this.#base = `${endpoint}/api/ams/${encodeURIComponent(project)}`;
  }

  at(what: string): string {
    return `${what} in project ${this.#options.project} (${this.#options.region})`;
  }

  /** What is asked for, or null where it is not there. A project that is not there is a mistake in the configuration. */
  async find(what: string, path: string, signal?: AbortSignal, method: "GET" | "POST" = "GET"): Promise<MkioObject | null> {
    try {
      const answer = await this.call(what, { method, path }, signal);
      this.#projectSeen = true;
      return answer;
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
      await this.#assertProject(what, signal);
      return null;
    }
  }

  /** Resolves also where there is nothing. */
  async remove(what: string, path: string, signal?: AbortSignal): Promise<void> {
    try {
      await this.call(what, { method: "DELETE", path }, signal);
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
      await this.#assertProject(what, signal);
    }
  }

  /** All of a list, page after page. */
  async *list(what: string, path: string, signal?: AbortSignal): AsyncGenerator<MkioObject> {
    let next: string | null = path;
    while (next !== null) {
      const page: MkioObject = await this.call(what, { method: "GET", path: next }, signal);
      this.#projectSeen = true;
      const { value } = page;
      if (!isList(value)) throw new PaircastError("account_unavailable", `${this.at(what)}: the answer has no list`, { retry: "retry" });
      for (const item of value) if (isObject(item)) yield item;
      next = this.#nextOf(page, what);
    }
  }

  /** An answer's JSON object, `{}` where it has none. Throws the errors of the `MediaAccount` port; `status` of a refusal is in its cause. */
  async call(what: string, request: Request, signal?: AbortSignal): Promise<MkioObject> {
    signal?.throwIfAborted();
    const { clock, timeoutMs = 90_000 } = this.#options;
    using deadline = clock.deadline(timeoutMs);
    const either = signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]);
    try {
      return await this.#tries(request, clock.monotonic() + timeoutMs, either);
    } catch (error) {
      signal?.throwIfAborted();
      throw mkioError(error, this.at(what));
    }
  }

  async #tries(request: Request, until: number, signal: AbortSignal): Promise<MkioObject> {
    const { clock, maxAttempts = 4 } = this.#options;
    for (let count = 1; ; count += 1) {
      try {
        return await this.#once(request, signal);
      } catch (error) {
        const pause = pauseAfter(error, count);
        if (pause === null || signal.aborted || count >= maxAttempts || clock.monotonic() + pause >= until) throw error;
        await clock.sleep(pause, signal);
      }
    }
  }

  async #once({ method, path, body }: Request, signal: AbortSignal): Promise<MkioObject> {
    const url = path.startsWith("/") ? `${this.#options.endpoint}${path}` : `${this.#base}/${path}`;
    const { token, tokenHeader } = this.#options;
    const headers = {
      accept: "application/json",
      [tokenHeader]: tokenHeader === "authorization" ? `Bearer ${token}` : token,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    };
    const sent = { method, headers, redirect: "error" as const, signal, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const answer = await fetch(url, sent).catch((cause: unknown) => {
      throw new MkioFailure(0, "", null, cause);
    });
    const text = await answer.text().catch((cause: unknown) => {
      throw new MkioFailure(0, "", null, cause);
    });
    if (!answer.ok) throw MkioFailure.of(answer, text, this.#options.clock);
    return this.#content(method, text);
  }

  /** A login page or a captive portal answers 200 with HTML. */
  #content(method: Request["method"], text: string): MkioObject {
    if (text.trim() === "" && method !== "GET") return {};
    const json = parsed(text);
    if (isObject(json)) return json;
    throw new MkioFailure(0, "without the JSON object that belongs there: is something in between, a login page for instance?", null, null);
  }

  /** Relative and percent-encoded as a whole, as the service writes it. A link to anywhere else would be given the token. */
  #nextOf(page: MkioObject, what: string): string | null {
    const link = page["@odata.nextLink"];
    if (typeof link !== "string" || link === "") return null;
    const path = link.startsWith("/") ? link : percentDecoded(link);
    if (path?.startsWith("/api/") === true) return path;
    throw new PaircastError("account_rejected", `${this.at(what)}: the list goes on at a place that is not the service's`);
  }

  /** Of what is not there, and of what is in a project that is not there, the service says the same. */
  async #assertProject(what: string, signal?: AbortSignal): Promise<void> {
    if (this.#projectSeen) return;
    try {
      await this.call(what, { method: "GET", path: "assets?$top=1" }, signal);
      this.#projectSeen = true;
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
      throw new PaircastError("account_rejected", `${this.at(what)}: the service knows no such project: check account.project`, {
        cause: error,
      });
    }
  }
}

/** Milliseconds until the next try; null for what will not pass. */
function pauseAfter(error: unknown, count: number): number | null {
  if (!(error instanceof MkioFailure) || (error.status !== 0 && !PASSING.has(error.status))) return null;
  return error.retryAfterMs ?? Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (count - 1));
}

/** True for an error of `call` that stands for this status. */
export function isStatus(error: unknown, ...statuses: readonly number[]): boolean {
  return error instanceof PaircastError && error.cause instanceof MkioFailure && statuses.includes(error.cause.status);
}

export function isObject(value: MkioJson | undefined): value is MkioObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isList(value: MkioJson | undefined): value is readonly MkioJson[] {
  return Array.isArray(value);
}

function parsed(text: string): MkioJson {
  try {
    return JSON.parse(text) as MkioJson;
  } catch {
    return null;
  }
}
