/** What a request came to, and the answers that several ways have in common. */
import type { Decision, PlaybackFallback, PlaybackRequest, RewritingMode } from "../core/contracts.ts";
import type { RequestMode } from "../core/metrics.ts";
import type { Answer, Responder } from "./respond.ts";
import type { PlaybackRouter } from "./router.ts";

/** The answer, and what is recorded of it. */
export interface Outcome {
  readonly answer: Answer;
  readonly reason: string;
  readonly decision: Decision | null;
  readonly mode: RequestMode;
  /** Why a manifest was redirected although its route has another mode. Left out: it was not. */
  readonly fallback?: Fallback;
}

export interface Fallback {
  readonly mode: RewritingMode;
  readonly reason: PlaybackFallback;
}

/** To the region that was decided on, or the refusal where there is none. */
export function redirected(
  { router, responder }: { readonly router: PlaybackRouter; readonly responder: Responder },
  asked: { readonly request: PlaybackRequest; readonly decision: Decision; readonly requestId: string },
  status: 302 | 307,
  fallback?: Fallback,
): Outcome {
  const { request, decision, requestId } = asked;
  const { region, reason } = decision;
  if (region === null) return { answer: nowhere(responder, decision, requestId), reason, decision, mode: "local" };
  const answer = responder.redirect(status, router.location(request, region), { requestId, reason, origin: region });
  return { answer, reason, decision, mode: "redirect", ...(fallback === undefined ? {} : { fallback }) };
}

/** The answer where no region was chosen. */
export function nowhere(responder: Responder, { reason }: Pick<Decision, "reason">, requestId: string): Answer {
  const labels = { requestId, reason, origin: null };
  return reason === "not_found"
    ? responder.error(404, "not_found", "no region has it", labels)
    : responder.later(503, "unavailable", "no region can serve it at the moment", labels);
}
