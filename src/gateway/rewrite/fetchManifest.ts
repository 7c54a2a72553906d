/** Reads a manifest from one region, and tells health what speaks for or against the region. */
import type { Clock } from "../../core/clock.ts";
import type { FailureReason } from "../../core/contracts.ts";
import { HttpFailure } from "../../core/http.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { OutcomeSink } from "../../core/ports/health.ts";
import type { HttpAnswer, HttpClient } from "../../core/ports/http.ts";
import { sniff, type Sniffed } from "./sniff.ts";

export interface FetchDeps {
  readonly http: HttpClient;
  readonly outcomes: OutcomeSink;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly maxBytes: number;
}

export interface ManifestQuestion {
  readonly region: string;
  /** Absolute. */
  readonly url: string;
  readonly protocol: "hls" | "dash";
  readonly timeoutMs: number;
}

/** A manifest as a region gave it. */
export interface ManifestText extends Sniffed {
  readonly region: string;
  readonly text: string;
}

/** Why a region's word for a manifest is no manifest: what holds of the video, and not of the region's health. */
export type Refusal = "absent" | "denied" | "moved" | "too_large";

export type Fetched =
  | { readonly type: "text"; readonly manifest: ManifestText }
  | { readonly type: "refused"; readonly reason: Refusal }
  | { readonly type: "failed" };

type Judged = { readonly type: "ill"; readonly reason: FailureReason; readonly detail: string } | Exclude<Fetched, { type: "failed" }>;

/** Never rejects. */
export async function fetchManifest(deps: FetchDeps, question: ManifestQuestion): Promise<Fetched> {
  const { url, timeoutMs, region } = question;
  const started = deps.clock.monotonic();
  const judged = await deps.http
    .ask({ method: "GET", url, headers: { "accept-encoding": "identity" }, timeoutMs, maxBytes: deps.maxBytes })
    .then((answer) => judge(answer, question), failed);
  const durationMs = deps.clock.monotonic() - started;
  if (judged.type === "ill") {
    const { reason, detail } = judged;
    deps.metrics.upstreamFailure(region, "streaming", reason);
    deps.outcomes.observe(region, "streaming", { ok: false, durationMs, reason, detail });
    return { type: "failed" };
  }
  if (judged.type === "text") deps.outcomes.observe(region, "streaming", { ok: true, durationMs });
  return judged;
}

function failed(error: unknown): Judged {
  if (!(error instanceof HttpFailure)) throw error;
  if (error.reason === "too_large") return { type: "refused", reason: "too_large" };
  return { type: "ill", reason: error.reason, detail: `a manifest could not be read: ${error.detail}` };
}

function judge({ status, headers, body }: HttpAnswer, { region, protocol }: ManifestQuestion): Judged {
  const refusal = refusalOf(status);
  if (refusal !== null) return { type: "refused", reason: refusal };
  if (status !== 200) return { type: "ill", reason: "status", detail: `a manifest was answered ${status}` };
  const encoding = headers["content-encoding"] ?? "identity";
  const text = encoding === "identity" ? new TextDecoder().decode(body) : "";
  const sniffed = sniff(text, protocol);
  if (sniffed === null) return { type: "ill", reason: "body", detail: `what was answered for a manifest is none (${body.length} bytes)` };
  return { type: "text", manifest: { region, text, ...sniffed } };
}

/** A redirect may lead to a login; what stands there has another base URL in any case. */
function refusalOf(status: number): Refusal | null {
  if (status === 404 || status === 410) return "absent";
  if (status >= 300 && status < 400) return "moved";
  return status >= 400 && status < 500 ? "denied" : null;
}
