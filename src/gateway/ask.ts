/** Asks one region whether it has a video, as a player would ask. */
import type { Clock } from "../core/clock.ts";
import type { FailureReason, Holding, PlaybackRequest } from "../core/contracts.ts";
import { HttpFailure } from "../core/http.ts";
import type { Metrics } from "../core/metrics.ts";
import type { OutcomeSink } from "../core/ports/health.ts";
import type { HttpAnswer, HttpClient } from "../core/ports/http.ts";
import type { Candidate } from "./candidates.ts";

export interface AskDeps {
  readonly http: HttpClient;
  readonly outcomes: OutcomeSink;
  readonly metrics: Metrics;
  readonly clock: Clock;
  /** Milliseconds for one region. */
  readonly timeoutMs: number;
}

export interface LocatorAsker {
  /** Never rejects. `found` or `absent` by the region's word, else `unknown`. */
  ask(candidate: Candidate, request: PlaybackRequest): Promise<Holding>;
}

/** Origins without HEAD are asked by GET; manifests of long live windows reach some hundred KB. */
const MANIFEST_LIMIT = 2 * 1024 * 1024;

/** Asks by HEAD, by GET where HEAD is not served, and reports to health what speaks against the region. A 404 for one video does not. */
export class HttpLocatorAsker implements LocatorAsker {
  readonly #deps: AskDeps;

  constructor(deps: AskDeps) {
    this.#deps = deps;
  }

  async ask(candidate: Candidate, request: PlaybackRequest): Promise<Holding> {
    if (candidate.base === null) return "absent";
    const started = this.#deps.clock.monotonic();
    try {
      const answer = await this.#question(candidate.base + request.target);
      const { holding, failure } = judge(answer, request);
      if (failure !== null) this.#report(candidate.region, started, failure, `a locator look-up was answered ${answer.status}`);
      return holding;
    } catch (error) {
      // A manifest above the limit is a manifest.
      if (error instanceof HttpFailure && error.reason === "too_large") return "found";
      if (error instanceof HttpFailure) this.#report(candidate.region, started, error.reason, `a locator look-up failed: ${error.detail}`);
      return "unknown";
    }
  }

  async #question(url: string): Promise<HttpAnswer> {
    const limits = { url, timeoutMs: this.#deps.timeoutMs, maxBytes: MANIFEST_LIMIT };
    const head = await this.#deps.http.ask({ method: "HEAD", ...limits });
    return head.status === 405 || head.status === 501 ? this.#deps.http.ask({ method: "GET", ...limits }) : head;
  }

  #report(region: string, started: number, reason: FailureReason, detail: string): void {
    this.#deps.metrics.upstreamFailure(region, "streaming", reason);
    this.#deps.outcomes.observe(region, "streaming", { ok: false, durationMs: this.#deps.clock.monotonic() - started, reason, detail });
  }
}

/** 401 and 403 say nothing of the video (a token may be wanted), and a redirect may lead to a login: both leave it unknown. */
function judge({ status, headers }: HttpAnswer, request: PlaybackRequest): { holding: Holding; failure: FailureReason | null } {
  if (status >= 500) return { holding: "unknown", failure: "status" };
  if (status === 404 || status === 410) return { holding: "absent", failure: null };
  if (status < 200 || status > 299) return { holding: "unknown", failure: null };
  const html = headers["content-type"]?.toLowerCase().startsWith("text/html") === true;
  return request.kind === "manifest" && html ? { holding: "unknown", failure: "body" } : { holding: "found", failure: null };
}
