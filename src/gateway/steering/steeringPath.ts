/**
 * The short way for steering requests: every viewer of a steered route asks again and again, so they are most of what there is to answer. It
 * answers by the same functions as the application, without a Request or a Response; whatever is out of the ordinary it leaves to that.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../../core/clock.ts";
import { STEERING_PREFIX, type Decision } from "../../core/contracts.ts";
import type { Metrics } from "../../core/metrics.ts";
import { accessOutcome, loggedPath, type AccessLog } from "../access.ts";
import { DateField } from "../dateField.ts";
import { IncomingWire } from "../incomingWire.ts";
import type { WireFacts } from "../order/viewer.ts";
import { PathMemory } from "../pathMemory.ts";
import { scanFields, type ScannedFields } from "../rawFields.ts";
import type { RequestIds } from "../requestIds.ts";
import type { SteeringAsked } from "../request.ts";
import type { Responder } from "../respond.ts";
import type { PlaybackRouter } from "../router.ts";
import { logSeen, type Seen } from "../seen.ts";
import type { Tracing } from "../tracing.ts";
import { canWriteWholeHead, endWithHead, headUpToDate } from "../wholeHead.ts";
import type { SteeringRoute, Told } from "./steeringRoute.ts";

export interface SteeringPathDeps {
  readonly router: PlaybackRouter;
  readonly route: SteeringRoute;
  readonly responder: Responder;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly requestIds: RequestIds;
  readonly tracing: Tracing;
  /** Null where requests are not logged. */
  readonly accessLog: AccessLog | null;
  /** Origin by which players reach the gateway, without a slash at its end; null where it is not known. */
  readonly originOf: (host: string | null, wire: WireFacts) => string | null;
}

/** What depends on host and path alone. */
interface PathFacts {
  readonly host: string | null;
  readonly asked: SteeringAsked;
  /** The path as the log has it. */
  readonly logged: string;
}

/** What answers have in common. */
interface Shared {
  /** Up to the value of Date. */
  readonly head: string;
  readonly decision: Decision;
  /** The part of the log line after the path. */
  readonly outcome: string;
}

/** Combinations of protocol, region and reason. */
const MAX_SHARED = 256;
const STATUS = 200;

export class SteeringPath {
  readonly #deps: SteeringPathDeps;
  readonly #paths = new PathMemory<PathFacts>((path, host) => this.#readPath(path, host));
  readonly #shared = new Map<string, Shared>();
  readonly #fields: ScannedFields = { host: null, requestId: null, traceparent: null, length: null, plain: false };
  /** One for all requests: each is answered before the next is read. */
  readonly #wire = new IncomingWire(null);
  readonly #date = new DateField();

  constructor(deps: SteeringPathDeps) {
    this.#deps = deps;
  }

  /** False: nothing was done, and the application has to answer. */
  answer(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
    const { method = "", url: target = "" } = incoming;
    if (!target.startsWith(STEERING_PREFIX) || !isOrdinary(method, outgoing)) return false;
    const { route, clock, requestIds, originOf } = this.#deps;
    const started = clock.monotonic();
    const fields = scanFields(incoming.rawHeaders, this.#fields);
    if (!fields.plain || fields.length !== null) return false;
    const facts = this.#paths.of(target, fields.host);
    if (facts === null) return false;
    const wire = this.#wire;
    wire.incoming = incoming;
    const { protocol, request } = facts.asked;
    const told = route.told({ protocol, request, target, origin: originOf(fields.host, wire), wire });
    const shared = this.#sharedOf(told);
    const now = clock.now();
    const requestId = fields.requestId ?? requestIds.next();
    const own = `${this.#date.at(now)}\r\ncontent-length: ${told.body.length}\r\nx-request-id: ${requestId}\r\n\r\n`;
    endWithHead(outgoing, STATUS, shared.head + own, told.body);
    this.#record(shared, facts.logged, { method, requestId, now, durationMs: clock.monotonic() - started });
    return true;
  }

  #readPath(path: string, host: string | null): PathFacts | null {
    const asked = this.#deps.router.read({ method: "GET", target: path, host });
    return asked.type === "steering" ? { host, asked, logged: loggedPath(path) } : null;
  }

  #sharedOf({ contentType, head, decision }: Told): Shared {
    const { reason } = decision;
    const key = `${contentType} ${head} ${reason}`;
    const known = this.#shared.get(key);
    // Only where it was not the first candidate, the log tells of the others.
    if (known !== undefined && (known.decision === decision || reason === "primary")) return known;
    const { headers } = this.#deps.responder.steering("", contentType, { requestId: "", reason, origin: head });
    const fields = Object.entries(headers).filter(([name]) => name !== "content-length");
    const outcome = accessOutcome({ kind: "other", mode: "steer", status: STATUS, reason, origin: head, decision });
    const shared = { head: headUpToDate(STATUS, fields), decision, outcome };
    if (this.#shared.size >= MAX_SHARED) this.#shared.clear();
    this.#shared.set(key, shared);
    return shared;
  }

  #record({ decision: { reason }, outcome }: Shared, logged: string, seen: Seen): void {
    const { metrics, accessLog, tracing } = this.#deps;
    metrics.request("other", "steer", STATUS, seen.durationMs / 1000);
    if (!accessLog?.wants(STATUS, reason)) return;
    logSeen(accessLog, tracing, this.#fields, seen, `,"path":${logged}${outcome}`);
  }
}

function isOrdinary(method: string, outgoing: ServerResponse): boolean {
  return (method === "GET" || method === "HEAD") && outgoing.shouldKeepAlive && canWriteWholeHead();
}
