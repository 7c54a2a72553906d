/** The same path that a player's request takes, with the reasons spelt out. */
import type { Decision, HealthSnapshot, PlaybackRequest, Region } from "../core/contracts.ts";
import { candidatesFor, locationOf } from "./candidates.ts";
import { decide, type Holdings } from "./decide.ts";
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
  /** Where the player would be sent, or the key asked for. */
  readonly location: string | null;
}

export interface ExplainQuestion {
  readonly door: FrontDoor;
  readonly regions: readonly Region[];
  readonly health: HealthSnapshot;
  readonly whenNoneEligible: "open" | "closed";
  readonly known: (request: PlaybackRequest) => { readonly holdings: Holdings; readonly source: "catalogue" | "cached" | "nothing" };
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
    location: null,
  };
  if (front.type === "rejected") return { ...common, outcome: "refused", rejection: front.rejection };
  if (front.type === "local") return { ...common, outcome: "local" };
  const { request } = front;
  const { holdings, source } = question.known(request);
  const candidates = candidatesFor(request.service, question.regions);
  const { health, whenNoneEligible } = question;
  const decision = decide({ service: request.service, candidates, holdings, health, tried: new Set(), whenNoneEligible });
  const location = decision.region === null ? null : locationOf(candidates, decision.region, request.target);
  return { ...common, outcome: "routed", request, holdings, source, decision, location };
}
