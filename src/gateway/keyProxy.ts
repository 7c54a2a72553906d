/** Carries a key request to the region that was decided on, and to the next one when that fails or is slow. */
import type { Dispatcher } from "undici";
import type { FailureReason, Outcome } from "../core/contracts.ts";
import type { Metrics } from "../core/metrics.ts";
import type { OutcomeSink } from "../core/ports/health.ts";
import { Breaker } from "./breaker.ts";
import { Deadlines } from "./deadlines.ts";
import { judgeKeyAnswer, type KeyVerdict } from "./keyAnswer.ts";
import { KeyRace, type KeyRaceDeps, type KeyRaceTimes } from "./keyRace.ts";
import type { KeyRequest, KeyResult } from "./keyRequest.ts";
import { RetryBudget } from "./retryBudget.ts";
import { headerValue, type UpstreamRequest, type UpstreamResult } from "./upstream.ts";

/** Connection pools of the configured regions; any other origin is refused. */
export interface RegionDispatchers {
  dispatcher(origin: string): Dispatcher;
}

export interface KeyProxyDeps extends KeyRaceTimes {
  readonly pools: RegionDispatchers;
  readonly outcomes: OutcomeSink;
  readonly metrics: Metrics;
  /** Base URL of the keys service of a region. */
  readonly base: (region: string) => string;
}

interface Base {
  readonly origin: string;
  readonly path: string;
}

/** What the races for keys have in common: pools, budget, breaker, deadlines. */
export class KeyProxy implements KeyRaceDeps {
  readonly times: KeyRaceTimes;
  readonly budget = new RetryBudget();
  readonly breaker = new Breaker();
  readonly deadlines: Deadlines;
  readonly #deps: KeyProxyDeps;
  readonly #bases = new Map<string, Base>();

  constructor(deps: KeyProxyDeps) {
    this.times = deps;
    this.#deps = deps;
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
    return { dispatcher: this.#deps.pools.dispatcher(origin), origin, path: path + request.target, method, headers, body };
  }

  /** What an answer or failure means for the player; health, breaker and metrics hear what it means for the region. */
  judge(key: KeyRequest, region: string, result: UpstreamResult, durationMs: number): KeyVerdict {
    const verdict = verdictOn(key, result);
    if (verdict.type === "failure") {
      this.#deps.metrics.upstreamFailure(region, "keys", verdict.reason);
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
    this.breaker.failed(region, this.#deps.clock.monotonic());
    this.#observe(key, region, { ok: false, durationMs, reason, detail });
  }

  #observe({ place }: KeyRequest, region: string, outcome: Outcome): void {
    this.#deps.outcomes.observe(region, "keys", outcome, place ?? undefined);
  }

  #base(region: string): Base {
    const known = this.#bases.get(region);
    if (known !== undefined) return known;
    const { origin, pathname } = new URL(this.#deps.base(region));
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
