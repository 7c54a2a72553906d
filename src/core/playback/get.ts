/** The walk's requests: bounded in bytes and redirects, failures in the walk's words. */
import { HttpFailure, withoutQuery } from "../http.ts";
import type { HttpAnswer, HttpClient } from "../ports/http.ts";
import { errorCode } from "../errors.ts";
import { PlaybackFailure, statusReason, type PlaybackStep } from "./failure.ts";
import type { ByteRange } from "./media.ts";

const MAX_REDIRECTS = 3;

export interface GetOptions {
  readonly http: HttpClient;
  /** For each request. The whole walk is bounded by `signal`. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ask once more, at once, after a failure that may be chance: players do. */
  readonly retry?: boolean;
  /** Told of every answer, whatever its status. */
  readonly onAnswer?: (step: PlaybackStep, answer: HttpAnswer) => void;
}

export interface Want {
  readonly step: PlaybackStep;
  readonly url: string;
  readonly range: ByteRange | null;
  readonly maxBytes: number;
}

export interface Got {
  /** Where it was found in the end. */
  readonly url: string;
  readonly answer: HttpAnswer;
}

/** Gets one resource as a player would. Rejects with `PlaybackFailure`, or with the reason of the caller's `signal`. */
export async function get(options: GetOptions, want: Want): Promise<Got> {
  let url = want.url;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const answer =
      options.retry === true ? await askTwice(async () => ask(options, want, url), options.signal) : await ask(options, want, url);
    const location = answer.headers["location"];
    if (answer.status < 300 || answer.status > 399 || location === undefined || !URL.canParse(location, url)) {
      if (answer.status === 200 || answer.status === 206) return { url, answer };
      const reason = statusReason(answer.status, want.step);
      throw new PlaybackFailure(reason, want.step, `${want.step} ${withoutQuery(url)} answered ${answer.status}`);
    }
    url = new URL(location, url).href;
  }
  throw new PlaybackFailure("status", want.step, `${want.step} ${withoutQuery(want.url)} was redirected more than ${MAX_REDIRECTS} times`);
}

/**
 * Asks once more, at once, after an answer of 500 and above or a connection that was given up under way: both may be chance. One that was
 * refused will be again, and a second time-out is one too many.
 */
export async function askTwice(ask: () => Promise<HttpAnswer>, signal?: AbortSignal): Promise<HttpAnswer> {
  try {
    const answer = await ask();
    if (answer.status < 500) return answer;
  } catch (error) {
    if (signal?.aborted === true || !isChance(error)) throw error;
  }
  return ask();
}

function isChance(error: unknown): boolean {
  const failure = error instanceof PlaybackFailure ? error.cause : error;
  return failure instanceof HttpFailure && (failure.reason === "reset" || failure.reason === "truncated");
}

async function ask(options: GetOptions, want: Want, url: string): Promise<HttpAnswer> {
  const { http, timeoutMs, signal } = options;
  try {
    const answer = await http.ask({
      method: "GET",
      url,
      headers: { ...options.headers, ...rangeHeader(want.range) },
      timeoutMs,
      maxBytes: want.maxBytes,
      ...(signal === undefined ? {} : { signal }),
    });
    options.onAnswer?.(want.step, answer);
    return answer;
  } catch (error) {
    throw signal?.aborted === true ? error : described(error, want.step, url);
  }
}

function rangeHeader(range: ByteRange | null): Record<string, string> {
  return range === null ? {} : { range: `bytes=${range.offset}-${range.offset + range.length - 1}` };
}

/** Links that lead away from the configured regions are never followed: what stands there cannot be said. */
function described(error: unknown, step: PlaybackStep, url: string): unknown {
  if (error instanceof HttpFailure) return new PlaybackFailure(error.reason, step, `${step} ${withoutQuery(url)}: ${error.detail}`, error);
  if (errorCode(error) !== "not_configured") return error;
  const reason = statusReason(0, step);
  return new PlaybackFailure(
    reason,
    step,
    `${step} leads to ${new URL(url).origin}, which is not the address of a configured region`,
    error,
  );
}
