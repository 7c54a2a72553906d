/** One line and one count per request. No query and no header of the player's ever gets here. */
import type { Clock, Random } from "../core/clock.ts";
import type { GatewayConfig } from "../core/config/schema.ts";
import type { Decision, RequestKind } from "../core/contracts.ts";
import { scrub, type Log } from "../core/log.ts";
import type { Metrics, RequestMode } from "../core/metrics.ts";
import type { Fallback } from "./outcome.ts";
import { pathOf } from "./target.ts";

/** What a line tells that is the same for many requests. */
export interface AccessFacts {
  readonly method: string;
  readonly target: string;
  readonly kind: RequestKind | "other";
  readonly mode: RequestMode;
  readonly status: number;
  readonly reason: string;
  readonly origin: string | null;
  readonly decision: Decision | null;
  /** Why a manifest was redirected although its route has another mode. Left out: it was not. */
  readonly fallback?: Fallback | undefined;
}

export interface AccessRecord extends AccessFacts {
  readonly requestId: string;
  /** 32 hexadecimal digits; null where the request is not traced. */
  readonly traceId: string | null;
  readonly durationMs: number;
}

/** Reasons of answers that nobody looks for in a log. */
const ORDINARY: ReadonlySet<string> = new Set(["primary", "pinned", "canary", "preflight"]);
const MAX_LOGGED_PATH = 512;
/** Some CDNs carry their tokens in the path (`/hdnts=exp=…~hmac=…/`, `/token=…/`). */
const PATH_TOKEN = /(token|hdn[a-z]{1,3}|hmac|sig|signature|jwt|auth|key)=[^/]*/gi;
/** Durations below 10 ms as text, by hundredths of a millisecond. */
const HUNDREDTHS = Array.from({ length: 1_000 }, (_, index) => String(index / 100));

/** Counts a request, and logs it where `log` is given. */
export function recordAccess(record: AccessRecord, metrics: Metrics, log: AccessLog | null): void {
  const { kind, mode, status, decision } = record;
  metrics.request(kind, mode, status, record.durationMs / 1000);
  if (status === 499) metrics.clientGone();
  if (decision !== null && kind !== "other") metrics.decision(kind, decision.reason, decision.region);
  if (record.fallback !== undefined) metrics.playbackFallback(record.fallback.mode, record.fallback.reason);
  if (log?.wants(status, record.reason)) log.write(quoted(record.requestId), accessLine(record), record.durationMs, record.traceId);
}

/** Lines with the fields and the scrubbing of `Log.info("gateway.request", …)`, put together by hand at a tenth of its time. */
export class AccessLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #random: Random;
  /** Share of the ordinary requests that is logged. */
  readonly #sample: number;
  #millisecond = -1;
  #prefix = "";

  constructor({ log, clock, random }: { readonly log: Log; readonly clock: Clock; readonly random: Random }, sample: number) {
    this.#log = log;
    this.#clock = clock;
    this.#random = random;
    this.#sample = sample;
  }

  /** Null where requests are not logged. */
  static of(
    setting: GatewayConfig["accessLog"],
    deps: { readonly log: Log; readonly clock: Clock; readonly random: Random },
  ): AccessLog | null {
    if (setting === false) return null;
    return new AccessLog(deps, setting === true ? 1 : setting.sample);
  }

  /** Whether to log a request: what failed or went past the first region always, the rest by chance. */
  wants(status: number, reason: string): boolean {
    return this.#sample >= 1 || status >= 400 || !ORDINARY.has(reason) || this.#random.next() < this.#sample;
  }

  /** `requestId` as a JSON string, `line` as `accessLine` makes it, `now` in epoch milliseconds. */
  write(requestId: string, line: string, durationMs: number, traceId: string | null, now = this.#clock.now()): void {
    if (now !== this.#millisecond) {
      this.#millisecond = now;
      this.#prefix = `{"level":"info","time":"${new Date(now).toISOString()}","requestId":`;
    }
    const trace = traceId === null ? "" : `,"traceId":"${traceId}"`;
    this.#log.line(`${this.#prefix}${requestId}${trace}${line}${rounded(durationMs)},"event":"gateway.request"}\n`);
  }
}

/** The part of a line between the request's id and its duration. */
export function accessLine(facts: AccessFacts): string {
  return `,"method":${quoted(facts.method.slice(0, 16))},"path":${loggedPath(facts.target)}${accessOutcome(facts)}`;
}

/** The part after the path, which is the same for many videos. */
export function accessOutcome({ kind, mode, status, reason, origin, decision, fallback }: Omit<AccessFacts, "method" | "target">): string {
  const instead = fallback === undefined ? "" : `"fallback":"${fallback.mode}:${fallback.reason}",`;
  const answered = `"kind":"${kind}","mode":"${mode}",${instead}"status":${status},"reason":"${reason}","origin":${JSON.stringify(origin)}`;
  return `,${answered}${consideredField(decision)},"ms":`;
}

/** The path of a target as a JSON string, less what may be a secret in it. */
export function loggedPath(target: string): string {
  return quoted(loggablePath(target));
}

/** Why it was not the first candidate. */
function consideredField(decision: Decision | null): string {
  if (decision === null || decision.reason === "primary") return "";
  return `,"considered":${JSON.stringify(decision.considered.map(({ region, verdict }) => `${region}:${verdict}`))}`;
}

/** The path of a target in origin-form. Any other form may hold a user and a password, so it is not repeated. */
function loggablePath(target: string): string {
  if (!target.startsWith("/") || target.startsWith("//")) return "(not a path)";
  return pathOf(target).slice(0, MAX_LOGGED_PATH).replace(PATH_TOKEN, "$1=[redacted]");
}

const BEYOND_ASCII = /[\u007f-\uffff]/g;

/** As a JSON string in ASCII, without what looks like a secret. */
export function quoted(text: string): string {
  return JSON.stringify(scrub(text)).replace(BEYOND_ASCII, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function rounded(durationMs: number): string {
  const hundredths = Math.round(durationMs * 100);
  return HUNDREDTHS[hundredths] ?? String(hundredths / 100);
}
