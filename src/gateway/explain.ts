/** The same path that a player's request takes, with the reasons spelt out. */
import type { Decision, PlaybackRequest } from "../core/contracts.ts";
import type { Holdings } from "./eligibility.ts";
import type { PlaybackExplanation } from "./rewrite/explainPlayback.ts";
import { readRequest, type FrontDoor, type RawRequest, type Rejection } from "./request.ts";

export interface Explanation {
  readonly method: string;
  readonly target: string;
  readonly outcome: "routed" | "refused" | "local";
  readonly request: PlaybackRequest | null;
  readonly rejection: Rejection | null;
  /** `catalogue` and `cached` as in the metrics; `nothing` where the gateway would ask the regions first. */
  readonly source: "catalogue" | "cached" | "nothing" | null;
  readonly holdings: Holdings | null;
  readonly decision: Decision | null;
  readonly routing: RoutingExplanation | null;
  /** What becomes of a request for a manifest; null for all others, and where no region was chosen. */
  readonly playback: PlaybackExplanation | null;
  /** Where the player would be sent, or the key asked for. */
  readonly location: string | null;
}

/** By what the candidates stand in their order. */
export interface RoutingExplanation {
  /** Index into `gateway.routes`; null for the default, `gateway.routing`. */
  readonly route: number | null;
  readonly method: "priority" | "weighted" | "geographic" | "latency" | "hash";
  /** One sentence for people. */
  readonly why: string;
  /** What the policy took to be the viewer's; null where it does not ask, or is not told. */
  readonly session: string | null;
  readonly country: string | null;
}

export interface ExplainQuestion {
  readonly door: FrontDoor;
  readonly known: (request: PlaybackRequest) => { readonly holdings: Holdings; readonly source: "catalogue" | "cached" | "nothing" };
  readonly route: (request: PlaybackRequest, holdings: Holdings) => { readonly decision: Decision; readonly routing: RoutingExplanation };
  readonly playback: (request: PlaybackRequest, holdings: Holdings, decision: Decision) => PlaybackExplanation | null;
  readonly location: (request: PlaybackRequest, region: string) => string;
}

/** A URL of the gateway, or only its path, as the raw request a player would make of it. Null where it is neither. */
export function rawRequestOf(method: string, url: string): RawRequest | null {
  if (url.startsWith("/")) return { method, target: url, host: null };
  const parts = /^https?:\/\/([^/?#\\]+)([^#]*)/i.exec(url);
  const host = parts?.[1];
  if (host === undefined) return null;
  const rest = parts?.[2] ?? "";
  return { method, host, target: rest.startsWith("/") ? rest : `/${rest}` };
}

/** Explains one request. Asks nobody: what memory does not know is `unknown`. */
export function explain(raw: RawRequest, question: ExplainQuestion): Explanation {
  const front = readRequest(raw, question.door);
  const common = {
    method: raw.method,
    target: raw.target,
    request: null,
    rejection: null,
    source: null,
    holdings: null,
    decision: null,
    routing: null,
    playback: null,
    location: null,
  };
  if (front.type === "rejected") return { ...common, outcome: "refused", rejection: front.rejection };
  if (front.type !== "playback") return { ...common, outcome: "local" };
  const { request } = front;
  const { holdings, source } = question.known(request);
  const { decision, routing } = question.route(request, holdings);
  const location = decision.region === null ? null : question.location(request, decision.region);
  const playback = question.playback(request, holdings, decision);
  return { ...common, outcome: "routed", request, holdings, source, decision, routing, playback, location };
}
