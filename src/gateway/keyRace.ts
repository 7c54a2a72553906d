/** One key request on its way through the regions: the first good answer wins, and the others are called off. */
import type { Clock } from "../core/clock.ts";
import type { Decision, FailureReason, Holding } from "../core/contracts.ts";
import type { Breaker } from "./breaker.ts";
import type { Deadlines, Timed } from "./deadlines.ts";
import type { KeyVerdict } from "./keyAnswer.ts";
import type { KeyRequest, KeyResult } from "./keyRequest.ts";
import type { RetryBudget } from "./retryBudget.ts";
import { UpstreamCall, type UpstreamRequest, type UpstreamResult } from "./upstream.ts";

export interface KeyRaceTimes {
  readonly clock: Clock;
  /** Milliseconds until an answer's header, and again until the end of its body. */
  readonly timeoutMs: number;
  /** Milliseconds after which a region that has not answered gets company; 0: never. */
  readonly hedgeMs: number;
  /** Whether licence requests (POST) are hedged, too. */
  readonly hedgePost: boolean;
}

/** What a race has in common with the others. */
export interface KeyRaceDeps {
  readonly times: KeyRaceTimes;
  readonly budget: RetryBudget;
  readonly breaker: Breaker;
  readonly deadlines: Deadlines;
  /** The request as it goes to a region. */
  upstream(region: string, key: KeyRequest): UpstreamRequest;
  /** What an answer or failure after so many milliseconds means for the player. */
  judge(key: KeyRequest, region: string, result: UpstreamResult, durationMs: number): KeyVerdict;
}

interface Attempt {
  readonly region: string;
  readonly decision: Decision;
  readonly call: UpstreamCall;
  readonly startedAt: number;
  /** When the answer's header was seen to be there; null before. */
  answeringSince: number | null;
  /** True where it takes a place of the budget. */
  readonly extra: boolean;
}

export class KeyRace implements Timed {
  readonly #deps: KeyRaceDeps;
  readonly #key: KeyRequest;
  readonly #done: (result: KeyResult) => void;
  readonly #tried = new Set<string>();
  #running: Attempt[] = [];
  #learnt: Record<string, Holding> | null = null;
  #failure: FailureReason | null = null;
  #latest: Decision | null = null;
  /** When the request began to wait for a place of the budget, with nothing under way; null while it does not. */
  #waitingSince: number | null = null;
  #over = false;

  constructor(deps: KeyRaceDeps, key: KeyRequest, done: (result: KeyResult) => void) {
    this.#deps = deps;
    this.#key = key;
    this.#done = done;
  }

  /** The decision that was taken last. */
  get decision(): Decision | null {
    return this.#latest;
  }

  start(): void {
    const decision = this.#firstDecision();
    this.#deps.budget.begin();
    if (decision.region === null) this.#finish({ type: "exhausted", decision, failure: null });
    else {
      this.#launch(decision, decision.region, false);
      this.#deps.deadlines.add(this);
    }
  }

  /** The player has gone: nobody's failure. */
  cancel(): void {
    if (!this.#over) this.#end();
  }

  tick(now: number): void {
    for (const attempt of this.#running) this.#checkTime(attempt, now);
    if (this.#over) return;
    if (this.#running.length === 0) this.#retry(now);
    else if (this.#isSlow(now)) this.#another();
  }

  /** A region that has just failed a few times is asked last, though health does not know it yet. */
  #firstDecision(): Decision {
    const { holdings, decide } = this.#key;
    const { breaker, times } = this.#deps;
    let decision = (this.#latest = decide(holdings, this.#tried));
    const now = times.clock.monotonic();
    const avoided = new Set<string>();
    while (decision.region !== null && decision.reason !== "failopen") {
      if (breaker.admits(decision.region, now)) return (this.#latest = decision);
      avoided.add(decision.region);
      decision = decide(holdings, avoided);
    }
    return this.#latest;
  }

  #launch(decision: Decision, region: string, extra: boolean): void {
    this.#latest = decision;
    const upstream = this.#deps.upstream(region, this.#key);
    const startedAt = this.#deps.times.clock.monotonic();
    const call = new UpstreamCall((result) => {
      this.#settled(attempt, result);
    });
    const attempt: Attempt = { region, decision, call, startedAt, answeringSince: null, extra };
    this.#running.push(attempt);
    this.#tried.add(region);
    call.send(upstream);
  }

  #checkTime(attempt: Attempt, now: number): void {
    if (attempt.call.started) attempt.answeringSince ??= now;
    if (now - (attempt.answeringSince ?? attempt.startedAt) < this.#deps.times.timeoutMs) return;
    attempt.call.cancel();
    this.#settled(attempt, { type: "failure", reason: "timeout" });
  }

  /** True where the newest try takes longer than its region usually does. Keys are small: what has begun to come should be there. */
  #isSlow(now: number): boolean {
    const { hedgeMs, hedgePost } = this.#deps.times;
    if (hedgeMs === 0 || (this.#key.method === "POST" && !hedgePost)) return false;
    const newest = this.#running.at(-1);
    if (newest === undefined) return false;
    return now - newest.startedAt >= Math.max(hedgeMs, this.#deps.breaker.usualMs(newest.region));
  }

  /** Asks the next region beside those that are under way, where there is one and the budget allows. */
  #another(): void {
    const decision = this.#decide();
    if (decision.region !== null && this.#deps.budget.take()) this.#launch(decision, decision.region, true);
  }

  /** Asks the next region after the last one failed. Waits its turn where too many others do the same. */
  #retry(now: number): void {
    const decision = this.#decide();
    const { budget, times } = this.#deps;
    if (decision.region === null) this.#exhausted(decision);
    else if (budget.take()) {
      this.#waitingSince = null;
      this.#launch(decision, decision.region, true);
    } else {
      this.#waitingSince ??= now;
      if (now - this.#waitingSince >= times.timeoutMs) this.#exhausted({ ...decision, region: null, reason: "unavailable" });
    }
  }

  #decide(): Decision {
    return this.#key.decide(this.#learnt ?? this.#key.holdings, this.#tried);
  }

  #settled(attempt: Attempt, result: UpstreamResult): void {
    if (this.#over || !this.#running.includes(attempt)) return;
    this.#remove(attempt);
    const now = this.#deps.times.clock.monotonic();
    const verdict = this.#deps.judge(this.#key, attempt.region, result, now - attempt.startedAt);
    const { region, decision } = attempt;
    if (verdict.type === "absent") this.#learnt = { ...(this.#learnt ?? this.#key.holdings), [region]: "absent" };
    else if (verdict.type === "failure") this.#failure = verdict.reason;
    else if (result.type === "answer") {
      const { status, headers, body } = result.answer;
      this.#overtake(now);
      this.#finish(verdict.type === "refused" ? { type: "refused", decision, status } : { type: "key", decision, status, headers, body });
      return;
    }
    // What is still under way may yet answer; where nothing is, the next region is asked at once.
    if (this.#running.length === 0) this.#retry(now);
    else this.#another();
  }

  /** Those that lose against one that was asked later are slow, whatever they would have answered. */
  #overtake(now: number): void {
    for (const { region, startedAt } of this.#running) {
      if (now - startedAt >= this.#deps.times.hedgeMs) this.#deps.breaker.failed(region, now);
    }
  }

  #exhausted(decision: Decision): void {
    this.#finish({ type: "exhausted", decision, failure: this.#failure });
  }

  #finish(result: KeyResult): void {
    this.#end();
    this.#done(result);
  }

  #end(): void {
    this.#over = true;
    this.#deps.deadlines.delete(this);
    for (const attempt of this.#running) {
      attempt.call.cancel();
      if (attempt.extra) this.#deps.budget.give();
    }
    this.#running = [];
    this.#deps.budget.end();
  }

  #remove(attempt: Attempt): void {
    this.#running = this.#running.filter((each) => each !== attempt);
    if (attempt.extra) this.#deps.budget.give();
  }
}
