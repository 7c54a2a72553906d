/** Carries a key request to the region that was decided on, and to the next one when that fails or is slow. */
import type { Dispatcher } from "undici";
import type { Clock } from "../core/clock.ts";
import type { Decision, FailureReason, Outcome, PlaybackRequest } from "../core/contracts.ts";
import type { Metrics } from "../core/metrics.ts";
import type { OutcomeSink } from "../core/ports/health.ts";
import { Breaker } from "./breaker.ts";
import { Deadlines } from "./deadlines.ts";
import type { Holdings } from "./eligibility.ts";
import { judgeKeyAnswer, type KeyVerdict } from "./keyAnswer.ts";
import { KeyRace } from "./keyRace.ts";
import { RetryBudget } from "./retryBudget.ts";
import { headerValue, type UpstreamHeaders, type UpstreamRequest, type UpstreamResult } from "./upstream.ts";

/** Connection pools of the configured regions; any other origin is refused. */
export interface RegionDispatchers {
  dispatcher(origin: string): Dispatcher;
}

export interface KeyProxyDeps {
  readonly pools: RegionDispatchers;
  readonly outcomes: OutcomeSink;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Milliseconds until an answer's header, and again until the end of its body. */
  readonly timeoutMs: number;
  /** Milliseconds after which a region that has not answered gets company; 0: never. */
  readonly hedgeMs: number;
  /** Whether licence requests (POST) are hedged, too. */
  readonly hedgePost: boolean;
  /** Base URL of the keys service of a region. */
  readonly base: (region: string) => string;
}

/** One player's request for a key. */
export interface KeyRequest {
  readonly request: PlaybackRequest;
  readonly method: "GET" | "HEAD" | "POST";
  /** Header fields for the key host. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  readonly holdings: Holdings;
  /** Where the viewer asks from, behind whatever proxies: tells viewers apart for health, which believes their failures once enough have them. */
  readonly place: string | null;
  /** Decides with what has been learnt since the first try. */
  readonly decide: (holdings: Holdings, tried: ReadonlySet<string>) => Decision;
}

export type KeyResult =
  | {
      readonly type: "key";
      readonly decision: Decision;
      readonly status: number;
      readonly headers: UpstreamHeaders;
      readonly body: Uint8Array;
    }
  | { readonly type: "refused"; readonly decision: Decision; readonly status: number }
  /** No region is left. `failure` is what the last one that was tried did, null where none was. */
  | { readonly type: "exhausted"; readonly decision: Decision; readonly failure: FailureReason | null };

interface Base {
  readonly origin: string;
  readonly path: string;
}

/** What the races for keys have in common: pools, budget, breaker, deadlines. */
export class KeyProxy {
  readonly deps: KeyProxyDeps;
  readonly budget = new RetryBudget();
  readonly breaker = new Breaker();
  readonly deadlines: Deadlines;
  readonly #bases = new Map<string, Base>();

  constructor(deps: KeyProxyDeps) {
    this.deps = deps;
    this.deadlines = new Deadlines(deps.clock);
  }

  /**
   * Tries each region at most once, a slow one together with the next. POST is repeated too: a licence request has no effect but its answer.
   * `done` is called once, unless the race is cancelled.
   */
  forward(key: KeyRequest, done: (result: KeyResult) => void): KeyRace {
    const race = new KeyRace(this, key, done);
    race.start();
    return race;
  }

  upstream(region: string, { request, method, headers, body }: KeyRequest): UpstreamRequest {
    const { origin, path } = this.#base(region);
    return { dispatcher: this.deps.pools.dispatcher(origin), origin, path: path + request.target, method, headers, body };
  }

  /** What an answer or failure means for the player; health, breaker and metrics hear what it means for the region. */
  judge(key: KeyRequest, region: string, result: UpstreamResult, durationMs: number): KeyVerdict {
    const verdict = verdictOn(key, result);
    if (verdict.type === "failure") {
      this.deps.metrics.upstreamFailure(region, "keys", verdict.reason);
      if (verdict.ill) this.#ill(key, region, durationMs, verdict.reason, result);
    } else {
      this.breaker.answered(region, durationMs);
      if (verdict.type === "key") this.#observe(key, region, { ok: true, durationMs });
    }
    return verdict;
  }

  #ill(key: KeyRequest, region: string, durationMs: number, reason: FailureReason, result: UpstreamResult): void {
    const detail =
      result.type === "answer"
        ? `a key request was answered ${result.answer.status} (${result.answer.body.length} bytes)`
        : `a key request failed: ${reason}`;
    this.breaker.failed(region, this.deps.clock.monotonic());
    this.#observe(key, region, { ok: false, durationMs, reason, detail });
  }

  #observe({ place }: KeyRequest, region: string, outcome: Outcome): void {
    this.deps.outcomes.observe(region, "keys", outcome, place ?? undefined);
  }

  #base(region: string): Base {
    const known = this.#bases.get(region);
    if (known !== undefined) return known;
    const { origin, pathname } = new URL(this.deps.base(region));
    const base = { origin, path: pathname === "/" ? "" : pathname };
    this.#bases.set(region, base);
    return base;
  }
}

function verdictOn({ method, request }: KeyRequest, result: UpstreamResult): KeyVerdict {
  // A licence above the limit may be meant for this player alone; it says nothing of the region.
  if (result.type === "failure") return { type: "failure", reason: result.reason, ill: result.reason !== "too_large" };
  const { status, headers, body } = result.answer;
  const contentType = headerValue(headers, "content-type") ?? null;
  return judgeKeyAnswer(method, request, { status, contentType, encoded: headers["content-encoding"] !== undefined, body });
}
