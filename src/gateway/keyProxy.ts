/** Carries a key request to the region that was decided on, and to the next one when that fails. */
import type { Dispatcher } from "undici";
import type { Clock } from "../core/clock.ts";
import type { Decision, FailureReason, Holding, Outcome, PlaybackRequest } from "../core/contracts.ts";
import type { Metrics } from "../core/metrics.ts";
import type { OutcomeSink } from "../core/ports.ts";
import type { Holdings } from "./decide.ts";
import { playerAnswerHeaders, upstreamRequestHeaders } from "./headers.ts";
import { judgeKeyAnswer, type KeyVerdict } from "./keyAnswer.ts";
import { exchange, type UpstreamAnswer, type UpstreamResult } from "./upstream.ts";

/** Connection pools of the configured regions; any other origin is refused. */
export interface RegionDispatchers {
  dispatcher(origin: string): Dispatcher;
}

export interface KeyProxyDeps {
  readonly pools: RegionDispatchers;
  readonly outcomes: OutcomeSink;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly decide: (request: PlaybackRequest, holdings: Holdings, tried: ReadonlySet<string>) => Decision;
  /** Base URL of the keys service of a region. */
  readonly base: (region: string) => string;
}

export interface KeyRequest {
  readonly request: PlaybackRequest;
  readonly method: "GET" | "HEAD" | "POST";
  readonly header: (name: string) => string | undefined;
  readonly body: Uint8Array | null;
  readonly holdings: Holdings;
  readonly requestId: string;
  readonly peer: string | null;
  readonly signal: AbortSignal;
}

export type KeyResult =
  | {
      readonly type: "key";
      readonly decision: Decision;
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Uint8Array;
    }
  | { readonly type: "refused"; readonly decision: Decision; readonly status: number }
  /** No region is left. `failure` is what the last one that was tried did, null where none was. */
  | { readonly type: "exhausted"; readonly decision: Decision; readonly failure: FailureReason | null }
  | { readonly type: "gone"; readonly decision: Decision };

interface Attempt {
  readonly region: string;
  readonly result: UpstreamResult;
  readonly durationMs: number;
}

export class KeyProxy {
  readonly #deps: KeyProxyDeps;

  constructor(deps: KeyProxyDeps) {
    this.#deps = deps;
  }

  /** Tries each region at most once. POST is repeated too: a licence request has no effect but its answer. Never rejects. */
  async forward(key: KeyRequest): Promise<KeyResult> {
    const tried = new Set<string>();
    const holdings: Record<string, Holding> = { ...key.holdings };
    let failure: FailureReason | null = null;
    for (;;) {
      const decision = this.#deps.decide(key.request, holdings, tried);
      if (decision.region === null) return { type: "exhausted", decision, failure };
      const attempt = await this.#attempt(decision.region, key);
      if (attempt.result.type === "gone") return { type: "gone", decision };
      const verdict = this.#judge(key, attempt);
      if (verdict.type === "absent") holdings[decision.region] = "absent";
      else if (verdict.type !== "failure" && attempt.result.type === "answer") return passOn(verdict, decision, attempt.result.answer);
      else if (verdict.type === "failure") failure = verdict.reason;
      tried.add(decision.region);
    }
  }

  async #attempt(region: string, key: KeyRequest): Promise<Attempt> {
    const base = new URL(this.#deps.base(region));
    const started = this.#deps.clock.monotonic();
    const result = await exchange(
      {
        dispatcher: this.#deps.pools.dispatcher(base.origin),
        origin: base.origin,
        path: (base.pathname === "/" ? "" : base.pathname) + key.request.target,
        method: key.method,
        headers: upstreamRequestHeaders(key.header, { requestId: key.requestId, peer: key.peer }),
        body: key.body,
        timeoutMs: this.#deps.timeoutMs,
        signal: key.signal,
      },
      this.#deps.clock,
    );
    return { region, result, durationMs: this.#deps.clock.monotonic() - started };
  }

  #judge(key: KeyRequest, { region, result, durationMs }: Attempt): KeyVerdict {
    if (result.type !== "answer") {
      const reason = result.type === "failure" ? result.reason : "reset";
      // A licence above the limit may be meant for this player alone; it says nothing of the region.
      const verdict: KeyVerdict = { type: "failure", reason, ill: reason !== "too_large" };
      this.#report(region, verdict, { durationMs, detail: `a key request failed: ${reason}` });
      return verdict;
    }
    const { status, headers, body } = result.answer;
    const contentType = headers.get("content-type") ?? null;
    const verdict = judgeKeyAnswer(key.method, key.request, { status, contentType, encoded: headers.has("content-encoding"), body });
    this.#report(region, verdict, { durationMs, detail: `a key request was answered ${status} (${body.length} bytes)` });
    return verdict;
  }

  #report(region: string, verdict: KeyVerdict, { durationMs, detail }: { readonly durationMs: number; readonly detail: string }): void {
    if (verdict.type === "failure") {
      this.#deps.metrics.upstreamFailure(region, "keys", verdict.reason);
      if (verdict.ill) this.#observe(region, { ok: false, durationMs, reason: verdict.reason, detail });
    } else if (verdict.type === "key") {
      this.#observe(region, { ok: true, durationMs });
    }
  }

  #observe(region: string, outcome: Outcome): void {
    this.#deps.outcomes.observe(region, "keys", outcome);
  }
}

function passOn(verdict: KeyVerdict, decision: Decision, answer: UpstreamAnswer): KeyResult {
  const { status, headers, body } = answer;
  if (verdict.type === "refused") return { type: "refused", decision, status };
  return { type: "key", decision, status, headers: playerAnswerHeaders((name) => headers.get(name)), body };
}
