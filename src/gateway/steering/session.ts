/**
 * What a session says of itself when it asks which region is best: its URL tells everything, so that any gateway can answer it. Pure.
 *
 * `/steering/{protocol}{path of the manifest}?pathways=a,b&session=5eed0001`
 * - the path, under which the session has its route and its policy
 * - `pathways`: the ids that its manifest names, in the manifest's order
 * - `session` or `chance`: 32 bits by which the policy keeps this viewer where it is. They are a number of the session id, not the id itself.
 */
import { STEERING_PREFIX, type PlaybackRequest } from "../../core/contracts.ts";
import { keptOf, type KeptViewer, type Viewer } from "../order/viewer.ts";
import { pathOf, targetProblem } from "../target.ts";
import { readReport, type Report } from "./report.ts";

export type SteeringProtocol = "hls" | "dash";

/** A session has at most so many pathways; a longer list is not believed. */
export const MAX_PATHWAYS = 16;

export interface AskedSession {
  /** As it came, still encoded; null: not said. */
  readonly pathways: string | null;
  /** Null: nothing by which it is known again. */
  readonly kept: KeptViewer | null;
  readonly report: Report;
}

/** Players add parameters of their own, so that the whole stays below what servers accept. */
const MAX_PATH = 4_096;
/** As in the configuration. */
const PATHWAY = /^[a-z0-9][a-z0-9-]{0,39}$/;
const BITS = /^[0-9a-f]{8}$/;

/**
 * Absolute URL by which a session asks for its list: RELOAD-URI, and the server of DASH. `gatewayOrigin` without a slash at its end; `request` is
 * that for the manifest, of which the path is kept; `pathways` as the manifest has them, best first, at most `MAX_PATHWAYS`.
 */
export function steeringUrl(
  protocol: SteeringProtocol,
  gatewayOrigin: string,
  request: Pick<PlaybackRequest, "target">,
  pathways: readonly string[],
  viewer: Viewer,
): string {
  return reloadUrl(gatewayOrigin, STEERING_PREFIX + protocol + pathOf(request.target), pathways, keptOf(viewer));
}

/** The same for the next request of a session, from the path of this one. */
export function reloadUrl(gatewayOrigin: string, path: string, pathways: readonly string[], kept: KeptViewer | null): string {
  // Without its path a session is steered by the default policy.
  const known = path.length > MAX_PATH ? path.slice(0, path.indexOf("/", STEERING_PREFIX.length) + 1) : path;
  return `${gatewayOrigin}${known}?pathways=${pathways.join(",")}${keptField(kept)}`;
}

/** The path of a steering request, if it may be repeated; else one under which the default policy holds. */
export function sanePath(protocol: SteeringProtocol, target: string): string {
  const path = pathOf(target);
  const prefix = STEERING_PREFIX + protocol;
  return path.startsWith(`${prefix}/`) && targetProblem(path.slice(prefix.length)) === null ? path : `${prefix}/`;
}

/** The parameter by which a session is known again; empty where there is nothing to keep. */
export function keptField(kept: KeptViewer | null): string {
  return kept === null ? "" : `&${kept.as}=${(kept.bits >>> 0).toString(16).padStart(8, "0")}`;
}

/** Reads a query, of which nothing is believed. Where a parameter is repeated, the first counts. */
export function readSession(query: string): AskedSession {
  const fields: Partial<Record<string, string>> = {};
  for (const field of query.split("&")) {
    const cut = field.indexOf("=");
    if (cut > 0) fields[field.slice(0, cut)] ??= field.slice(cut + 1);
  }
  const { pathways = null, session, chance } = fields;
  return { pathways, kept: keptAs("session", session) ?? keptAs("chance", chance), report: readReport(fields) };
}

/** The ids in a `pathways` parameter; null where it does not name one to sixteen different ones. */
export function readPathways(text: string): readonly string[] | null {
  // URL parsers write the comma as %2C when they add a parameter.
  const ids = text.replaceAll(/%2c/gi, ",").split(",", MAX_PATHWAYS + 1);
  const good = ids.length <= MAX_PATHWAYS && new Set(ids).size === ids.length && ids.every((id) => PATHWAY.test(id));
  return good ? ids : null;
}

function keptAs(as: KeptViewer["as"], text: string | undefined): KeptViewer | null {
  return text !== undefined && BITS.test(text) ? { as, bits: Number.parseInt(text, 16) } : null;
}
