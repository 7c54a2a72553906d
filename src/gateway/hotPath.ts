/**
 * The short way for what nearly every request is: a manifest or a part of one that memory knows all about. It decides by the same functions
 * as the application and answers byte for byte the same (test/integration/hotPath.test.ts), without a Request, a Response or a Promise. Whatever
 * is out of the ordinary it leaves alone, and the application answers.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock, Random } from "../core/clock.ts";
import type { Decision, PlaybackRequest } from "../core/contracts.ts";
import type { Metrics } from "../core/metrics.ts";
import { accessLine, quoted, type AccessLog } from "./access.ts";
import { scanFields, type ScannedFields } from "./rawFields.ts";
import type { Located } from "./locate.ts";
import type { Responder } from "./respond.ts";
import type { PlaybackRouter } from "./router.ts";
import { IncomingWire } from "./incomingWire.ts";
import { KEEP_ALIVE_MS } from "./server.ts";
import { MAX_TARGET_BYTES } from "./target.ts";
import type { Tracing } from "./tracing.ts";
import { endWithHead } from "./wholeHead.ts";

export interface HotPathDeps {
  readonly router: PlaybackRouter;
  readonly responder: Responder;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: Random;
  readonly tracing: Tracing;
  /** Null where requests are not logged. */
  readonly accessLog: AccessLog | null;
}

/** What depends on host and path alone. */
interface PathFacts {
  readonly host: string;
  /** Its target is the path. */
  readonly request: PlaybackRequest;
  /** By region. */
  readonly answers: Map<string, Prepared>;
}

/** What depends on path and decision: everything but the request's id, its query and the time. */
interface Prepared {
  readonly method: string;
  readonly decision: Decision;
  /** Up to the value of Date. */
  readonly head: string;
  readonly base: string;
  readonly line: string;
}

/** Videos that are watched now; a few hundred bytes each. */
const MAX_PATHS = 4_096;
/** A query that the front door has nothing against, whatever the path: no blank, control, non-ASCII character or fragment. */
const PLAIN_QUERY = /^[!"$-~]*$/;
const STATUS = 302;
const CONNECTION = `Connection: keep-alive\r\nKeep-Alive: timeout=${KEEP_ALIVE_MS / 1000}\r\n`;

export class HotPath {
  readonly #deps: HotPathDeps;
  readonly #paths = new Map<string, PathFacts>();
  readonly #fields: ScannedFields = { host: null, requestId: null, traceparent: null, length: null, plain: false };
  /** One for all requests: each is decided on before the next is read. */
  readonly #wire = new IncomingWire(null);
  #second = -1;
  #date = "";

  constructor(deps: HotPathDeps) {
    this.#deps = deps;
  }

  /** False: nothing was done, and the application has to answer. */
  // oxlint-disable-next-line complexity -- one early return for each case that is not hot; calls between them cost a tenth of the request.
  answer(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
    const { method, url: target } = incoming;
    if ((method !== "GET" && method !== "HEAD") || target === undefined || !outgoing.shouldKeepAlive) return false;
    const started = this.#deps.clock.monotonic();
    const fields = scanFields(incoming.rawHeaders, this.#fields);
    const facts = fields.plain && fields.length === null && fields.host !== null ? this.#pathFacts(target, fields.host) : null;
    const known = facts === null ? undefined : this.#deps.router.known(facts.request);
    if (facts === null || known === undefined) return false;
    const decision = this.#decide(facts.request, known, incoming);
    if (decision.region === null) return false;
    const prepared = this.#prepared(facts, method, decision, decision.region);
    const offered = fields.requestId;
    const requestId = offered ?? this.#deps.random.uuid();
    const own = `${this.#now()}\r\nx-request-id: ${requestId}\r\nlocation: ${prepared.base}${target}\r\n\r\n`;
    endWithHead(outgoing, STATUS, prepared.head + own);
    this.#record(
      facts.request,
      known,
      prepared,
      offered === null ? `"${requestId}"` : quoted(offered),
      this.#deps.clock.monotonic() - started,
    );
    return true;
  }

  /** Null where the front door would not let the target pass, or not as a request for a video. */
  #pathFacts(target: string, host: string): PathFacts | null {
    if (target.length > MAX_TARGET_BYTES) return null;
    const cut = target.indexOf("?");
    if (cut >= 0 && !PLAIN_QUERY.test(target.slice(cut + 1))) return null;
    const path = cut < 0 ? target : target.slice(0, cut);
    const known = this.#paths.get(path);
    return known?.host === host ? known : this.#readPath(path, host);
  }

  #readPath(slice: string, host: string): PathFacts | null {
    // A copy: a slice would keep the whole target in memory.
    const path = Buffer.from(slice, "latin1").toString("latin1");
    const front = this.#deps.router.read({ method: "GET", target: path, host });
    if (front.type !== "playback" || front.request.kind === "key") return null;
    const facts: PathFacts = { host, request: front.request, answers: new Map() };
    if (this.#paths.size >= MAX_PATHS) this.#paths.clear();
    this.#paths.set(path, facts);
    return facts;
  }

  #decide(request: PlaybackRequest, known: Located, incoming: IncomingMessage): Decision {
    const { router } = this.#deps;
    this.#wire.incoming = incoming;
    return router.decide(request, known.holdings, router.viewer(request, this.#wire));
  }

  #prepared(facts: PathFacts, method: string, decision: Decision, region: string): Prepared {
    const ready = facts.answers.get(region);
    return ready?.method === method && saysTheSame(ready.decision, decision) ? ready : this.#prepare(facts, method, decision, region);
  }

  #prepare({ request, answers }: PathFacts, method: string, decision: Decision, region: string): Prepared {
    const { reason } = decision;
    const { headers } = this.#deps.responder.redirect(STATUS, "", { requestId: "", reason, origin: region });
    const shared = Object.entries(headers).filter(([name]) => name !== "location" && name !== "x-request-id");
    const { kind, target } = request;
    const prepared = {
      method,
      decision,
      head: `HTTP/1.1 ${STATUS} Found\r\n${shared.map(([name, value]) => `${name}: ${value}\r\n`).join("")}${CONNECTION}Date: `,
      base: this.#deps.router.base("streaming", region),
      line: accessLine({ method, target, kind, mode: "redirect", status: STATUS, reason, origin: region, decision }),
    };
    answers.set(region, prepared);
    return prepared;
  }

  #record({ kind }: PlaybackRequest, known: Located, { decision, line }: Prepared, loggedId: string, durationMs: number): void {
    const { metrics, accessLog, tracing } = this.#deps;
    metrics.lookup(known.source);
    metrics.request(kind, "redirect", STATUS, durationMs / 1000);
    metrics.decision(kind, decision.reason, decision.region);
    if (accessLog?.wants(STATUS, decision.reason))
      accessLog.write(loggedId, line, durationMs, tracing.context(this.#fields.traceparent)?.traceId ?? null);
  }

  /** As in a Date field (RFC 9110 §5.6.7). */
  #now(): string {
    const second = Math.floor(this.#deps.clock.now() / 1000);
    if (second === this.#second) return this.#date;
    this.#second = second;
    this.#date = new Date(second * 1000).toUTCString();
    return this.#date;
  }
}

/** Only where it was not the first candidate, the others matter. */
function saysTheSame(one: Decision, other: Decision): boolean {
  return one === other || (one.reason === "primary" && other.reason === "primary");
}
