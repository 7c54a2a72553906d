/** A decision -> the pathways of a session, best first. Pure. */
import { GATEWAY_PATHWAY, type Considered, type Decision, type Verdict } from "../../core/contracts.ts";

/**
 * Best first, and the order matters to the last: a player that fails at one pathway goes on to the next by itself. Those from `drained` on are for
 * nobody while another is left.
 * - A drained region serves when asked. Without keys it serves those who have them. An unhealthy one may still serve this viewer.
 * - A region that does not have the video cannot; a disabled one must not, and its operator's word weighs more than a 404.
 */
const PLACES: readonly Verdict[] = [
  "healthy",
  "degraded",
  "ramping",
  "unknown",
  "drained",
  "no_keys",
  "unhealthy",
  "tried",
  "missing",
  "absent",
  "no_service",
  "disabled",
];
const CHOSEN = -1;
const NOT_ELIGIBLE = PLACES.length;
const NOT_CONFIGURED = 2 * PLACES.length;
const GATEWAY = NOT_CONFIGURED + 1;

/**
 * Every pathway of the session once, whatever is known of it: a player whose list lacks its pathway stops (ETSI TS 103 998 §7). The region that was
 * chosen comes first, then those that may serve, then the others, then ids that are no longer configured, then the gateway's own.
 *
 * `keepsOrder`: the order follows measurements, so that of the session's manifest holds among equals. A session that has begun is not moved for a
 * few milliseconds or for the load of a minute.
 */
export function priorityOf(pathways: readonly string[], decision: Decision, keepsOrder = false): readonly string[] {
  const { considered } = decision;
  const places = new Map(considered.map((each) => [each.region, placeOf(each, decision, keepsOrder)]));
  const session = new Set(pathways);
  const order = keepsOrder ? session : new Set([...considered.map(({ region }) => region).filter((id) => session.has(id)), ...session]);
  const place = (id: string): number => (id === GATEWAY_PATHWAY ? GATEWAY : (places.get(id) ?? NOT_CONFIGURED));
  return [...order].toSorted((one, other) => place(one) - place(other));
}

function placeOf({ region, eligible, verdict }: Considered, decision: Decision, keepsOrder: boolean): number {
  if (region === decision.region && !(keepsOrder && isOrdinary(decision))) return CHOSEN;
  return PLACES.indexOf(verdict) + (eligible ? 0 : NOT_ELIGIBLE);
}

/** Chosen by order and health alone. */
function isOrdinary({ reason }: Decision): boolean {
  return reason === "primary" || reason === "failover";
}
