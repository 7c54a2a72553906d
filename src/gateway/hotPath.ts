/**
 * The short way for what nearly every request is: a manifest or a part of one that memory knows all about. It decides by the same functions
 * as the application and answers the same, field by field (test/integration/hotPath.test.ts), without a Request, a Response or a Promise.
 * Whatever is out of the ordinary it leaves alone, and the application answers.
 *
 * What is the same for many requests is put together once: heads and ends of log lines for each region and reason, the rest for each path. Memory
 * that is far away costs as much as code here, so the paths keep little.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../core/clock.ts";
import type { Decision, PlaybackRequest } from "../core/contracts.ts";
import type { Metrics } from "../core/metrics.ts";
import { accessOutcome, loggedPath, type AccessLog } from "./access.ts";
import { DateField } from "./dateField.ts";
import { IncomingWire } from "./incomingWire.ts";
import type { Located } from "./locate.ts";
import { PathMemory } from "./pathMemory.ts";
import { scanFields, type ScannedFields } from "./rawFields.ts";
import type { Repeats } from "./repeats.ts";
import type { RequestIds } from "./requestIds.ts";
import type { Responder } from "./respond.ts";
import type { PlaybackRouter } from "./router.ts";
import { logSeen, type Seen } from "./seen.ts";
import type { Tracing } from "./tracing.ts";
import { endWithHead, headUpToDate } from "./wholeHead.ts";

export interface HotPathDeps {
  readonly router: PlaybackRouter;
  readonly responder: Responder;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly requestIds: RequestIds;
  readonly tracing: Tracing;
  /** Null where requests are not logged. */
  readonly accessLog: AccessLog | null;
  /** True for requests that are not redirected by their path alone. Left out: there are none. */
  readonly leaves?: (request: PlaybackRequest) => boolean;
  /** Left out: no answer depends on the one before. */
  readonly repeats?: Repeats;
}

/** What depends on host and path alone. */
interface PathFacts {
  readonly host: string;
  /** Its target is the path. */
  readonly request: PlaybackRequest;
  /** A repetition of it is left to the application. */
  readonly watched: boolean;
  /** The path as the log has it, where that is not simply the path between quotes. */
  readonly logged: string | null;
  /** `answer` is everybody's as long as this is the router's epoch; null where it is not. */
  epoch: object | null;
  answer: Answer | null;
}

/** What depends on kind, region and reason. */
interface Answer {
  readonly region: string;
  readonly decision: Decision;
  readonly source: Located["source"];
  /** Up to the value of Date. */
  readonly head: string;
  readonly base: string;
  readonly outcome: string;
}

/** Combinations of kind, region, reason and source; more only where the reasons for a second choice change all the time. */
const MAX_ANSWERS = 256;
const STATUS = 302;

export class HotPath {
  readonly #deps: HotPathDeps;
  readonly #paths = new PathMemory<PathFacts>((path, host) => this.#readPath(path, host));
  readonly #answers = new Map<string, Answer>();
  readonly #fields: ScannedFields = { host: null, requestId: null, traceparent: null, length: null, plain: false };
  /** One for all requests: each is decided on before the next is read. */
  readonly #wire = new IncomingWire(null);
  readonly #date = new DateField();

  constructor(deps: HotPathDeps) {
    this.#deps = deps;
  }

  /** False: nothing was done, and the application has to answer. */
  // oxlint-disable-next-line complexity -- one early return for each case that is not hot; calls between them cost a tenth of the request.
  answer(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
    const { method, url: target } = incoming;
    if ((method !== "GET" && method !== "HEAD") || target === undefined || !outgoing.shouldKeepAlive) return false;
    const { clock, requestIds } = this.#deps;
    const started = clock.monotonic();
    const fields = scanFields(incoming.rawHeaders, this.#fields);
    if (!fields.plain || fields.length !== null || fields.host === null) return false;
    const facts = this.#paths.of(target, fields.host);
    const answer = facts === null ? null : (this.#settled(facts) ?? this.#decided(facts, incoming));
    if (facts === null || answer === null || (facts.watched && this.#isRepeated(incoming, answer.region))) return false;
    const now = clock.now();
    const requestId = fields.requestId ?? requestIds.next();
    const own = `${this.#date.at(now)}\r\nx-request-id: ${requestId}\r\nlocation: ${answer.base}${target}\r\n\r\n`;
    endWithHead(outgoing, STATUS, answer.head + own);
    this.#record(facts, answer, { method, requestId, now, durationMs: clock.monotonic() - started });
    return true;
  }

  #readPath(path: string, host: string): PathFacts | null {
    const front = this.#deps.router.read({ method: "GET", target: path, host });
    if (front.type !== "playback" || front.request.kind === "key" || this.#deps.leaves?.(front.request) === true) return null;
    const logged = loggedPath(path);
    const { request } = front;
    const watched = this.#deps.repeats?.covers(request) ?? false;
    return { host, request, watched, logged: logged === `"${path}"` ? null : logged, epoch: null, answer: null };
  }

  #isRepeated(incoming: IncomingMessage, region: string): boolean {
    this.#wire.incoming = incoming;
    return this.#deps.repeats?.isRepeated(this.#wire, region) ?? false;
  }

  #settled({ request, epoch, answer }: PathFacts): Answer | null {
    return epoch !== null && epoch === this.#deps.router.epoch(request) ? answer : null;
  }

  /** Null where memory does not know the video, or no region may serve it. */
  #decided(facts: PathFacts, incoming: IncomingMessage): Answer | null {
    const { router } = this.#deps;
    const { request } = facts;
    const epoch = router.epoch(request);
    const known = router.known(request);
    if (known === undefined) return null;
    this.#wire.incoming = incoming;
    const decision = router.decide(request, known.holdings, router.viewer(request, this.#wire));
    if (decision.region === null) return null;
    facts.answer = this.#answer(request, known, decision, decision.region);
    // What regions said when they were asked is forgotten without notice.
    facts.epoch = known.source === "catalogue" ? epoch : null;
    return facts.answer;
  }

  #answer({ kind }: PlaybackRequest, { source }: Located, decision: Decision, region: string): Answer {
    const key = `${kind} ${region} ${decision.reason} ${source}`;
    const ready = this.#answers.get(key);
    if (ready !== undefined && saysTheSame(ready.decision, decision)) return ready;
    const { reason } = decision;
    const { headers } = this.#deps.responder.redirect(STATUS, "", { requestId: "", reason, origin: region });
    const shared = Object.entries(headers).filter(([name]) => name !== "location");
    const answer = {
      region,
      decision,
      source,
      head: headUpToDate(STATUS, shared),
      base: this.#deps.router.base("streaming", region),
      outcome: accessOutcome({ kind, mode: "redirect", status: STATUS, reason, origin: region, decision }),
    };
    if (this.#answers.size >= MAX_ANSWERS) this.#answers.clear();
    this.#answers.set(key, answer);
    return answer;
  }

  #record({ request: { kind, target }, logged }: PathFacts, { decision, source, region, outcome }: Answer, seen: Seen): void {
    const { metrics, accessLog, tracing } = this.#deps;
    metrics.lookup(source);
    metrics.request(kind, "redirect", STATUS, seen.durationMs / 1000);
    metrics.decision(kind, decision.reason, region);
    if (!accessLog?.wants(STATUS, decision.reason)) return;
    logSeen(accessLog, tracing, this.#fields, seen, `,"path":${logged ?? `"${target}"`}${outcome}`);
  }
}

/** Only where it was not the first candidate, the others matter. */
function saysTheSame(one: Decision, other: Decision): boolean {
  return one === other || (one.reason === "primary" && other.reason === "primary");
}
