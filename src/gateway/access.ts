/** One line and one count per request. No query and no header of the player's ever gets here. */
import type { Decision, RequestKind } from "../core/contracts.ts";
import type { Log, LogFields } from "../core/log.ts";
import type { Metrics, RequestMode } from "../core/metrics.ts";
import { pathOf } from "./target.ts";

export interface AccessRecord {
  readonly requestId: string;
  readonly method: string;
  readonly target: string;
  readonly kind: RequestKind | "other";
  readonly mode: RequestMode;
  readonly status: number;
  readonly reason: string;
  readonly origin: string | null;
  readonly durationMs: number;
  readonly decision: Decision | null;
}

const MAX_LOGGED_PATH = 512;
/** Some CDNs carry their tokens in the path (`/hdnts=exp=…~hmac=…/`, `/token=…/`). */
const PATH_TOKEN = /(token|hdn[a-z]{1,3}|hmac|sig|signature|jwt|auth|key)=[^/]*/gi;

/** Counts a request, and logs it where `log` is given. */
export function recordAccess(record: AccessRecord, metrics: Metrics, log: Log | null): void {
  const { kind, mode, status, decision } = record;
  metrics.request(kind, mode, status, record.durationMs / 1000);
  if (status === 499) metrics.clientGone();
  if (decision !== null && kind !== "other") metrics.decision(kind, decision.reason, decision.region);
  log?.info("gateway.request", fieldsOf(record));
}

function fieldsOf(record: AccessRecord): LogFields {
  const { requestId, method, target, kind, mode, status, reason, origin, durationMs, decision } = record;
  const fields = {
    requestId,
    method: method.slice(0, 16),
    path: loggablePath(target),
    kind,
    mode,
    status,
    reason,
    origin,
    ms: Math.round(durationMs * 100) / 100,
  };
  if (decision === null || decision.reason === "primary") return fields;
  return { ...fields, considered: decision.considered.map(({ region, verdict }) => `${region}:${verdict}`) };
}

/** The path of a target in origin-form. Any other form may hold a user and a password, so it is not repeated. */
function loggablePath(target: string): string {
  if (!target.startsWith("/") || target.startsWith("//")) return "(not a path)";
  return pathOf(target).slice(0, MAX_LOGGED_PATH).replace(PATH_TOKEN, "$1=[redacted]");
}
