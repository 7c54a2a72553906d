/** The player listener's application: front door -> whereabouts -> decision -> redirect or proxied key. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Hono, type Context } from "hono";
import type { Clock, Random } from "../core/clock.ts";
import { rewritesManifests } from "../core/config/playback.ts";
import type { GatewayConfig } from "../core/config/schema.ts";
import type { Decision, PlaybackRequest } from "../core/contracts.ts";
import { errorChain, errorCode, PaircastError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { Metrics } from "../core/metrics.ts";
import type { OutcomeSink } from "../core/ports/health.ts";
import { AccessLog, recordAccess } from "./access.ts";
import type { Holdings } from "./eligibility.ts";
import { KeyProxy, type RegionDispatchers } from "./keyProxy.ts";
import { KeyRoute } from "./keyRoute.ts";
import type { WireFacts } from "./order/viewer.ts";
import { redirected, type Outcome } from "./outcome.ts";
import { saneRequestId } from "./rawFields.ts";
import { readKeyBody } from "./requestBody.ts";
import { RequestIds } from "./requestIds.ts";
import { Repeats } from "./repeats.ts";
import { Responder, responseOf, type Answer, type AnswerLabels } from "./respond.ts";
import type { LocalAnswer, Rejection, SteeringAsked } from "./request.ts";
import { buildPlayback, type Playback, type PlaybackConfig, type PlaybackParts } from "./rewrite/build.ts";
import type { PlaybackRouter } from "./router.ts";
import type { FetchApp } from "./server.ts";
import { ShortWays } from "./shortWays.ts";
import type { TraceContext } from "./trace.ts";
import { Tracing } from "./tracing.ts";

export interface GatewayDeps {
  readonly router: PlaybackRouter;
  readonly config: PlaybackConfig & Pick<GatewayConfig, "playback" | "routes" | "retryAfter" | "corsOrigin" | "accessLog" | "tracing">;
  /** What steering and anchoring need. Left out: every manifest is redirected. */
  readonly playback?: PlaybackParts;
  readonly pools: RegionDispatchers;
  readonly outcomes: OutcomeSink;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** True once the configuration is loaded and every first probe has answered or timed out. */
  readonly ready: () => boolean;
}

/** What the server tells the application beside the request. All of it may be missing under `app.request()`. */
export interface GatewayBindings {
  /** The request target byte for byte; without it the URL's path and query are taken. */
  readonly target?: string;
  readonly peer?: () => string | undefined;
}

type GatewayContext = Context<{ Bindings: GatewayBindings }>;

/** One request on its way through. */
interface Visit {
  readonly context: GatewayContext;
  readonly method: string;
  readonly target: string;
  readonly requestId: string;
  readonly trace: TraceContext | null;
  readonly started: number;
}

const NOTHING_KNOWN: Holdings = {};

/** The application, without a socket. One handler and no middleware: each would cost microseconds per request (facts, performance). */
export function buildGateway(deps: GatewayDeps): GatewayApp {
  const gateway = new Gateway(deps);
  const app = new Hono<{ Bindings: GatewayBindings }>();
  app.all("*", (context) => gateway.handle(context));
  app.onError((error, context) => gateway.broken(error, context));
  return Object.assign(app, { answerNow: gateway.answerNow });
}

export type GatewayApp = Hono<{ Bindings: GatewayBindings }> & Required<Pick<FetchApp, "answerNow">>;

class Gateway {
  readonly #deps: GatewayDeps;
  readonly #responder: Responder;
  readonly #keys: KeyRoute;
  readonly #accessLog: AccessLog | null;
  readonly #tracing: Tracing;
  readonly #playback: Playback | null;
  readonly #repeats: Repeats;
  readonly #shortWays: ShortWays;
  readonly #requestIds: RequestIds;

  constructor(deps: GatewayDeps) {
    this.#deps = deps;
    const { config, router, pools, outcomes, metrics, clock } = deps;
    this.#responder = new Responder({ corsOrigin: config.corsOrigin, retryAfterMs: config.retryAfter });
    this.#accessLog = AccessLog.of(config.accessLog, deps);
    const { random } = deps;
    this.#tracing = new Tracing(config.tracing, random);
    const { timeout: timeoutMs, hedge: hedgeMs, hedgePost, mode } = config.keys;
    const base = (region: string): string => router.base("keys", region);
    const proxy = new KeyProxy({ pools, outcomes, metrics, clock, timeoutMs, hedgeMs, hedgePost, base });
    const shared = { ...deps, responder: this.#responder };
    const isRewritten = rewritesManifests(config);
    // A session that outlives a region would end by a redirect to that region's key host: players do not ask again where nothing listens.
    this.#keys = new KeyRoute({ ...shared, proxy, mode: isRewritten && mode === "auto" ? "proxy" : mode });
    this.#playback = deps.playback === undefined || !isRewritten ? null : buildPlayback(shared, deps.playback);
    this.#requestIds = new RequestIds(random);
    this.#repeats = new Repeats(deps);
    this.#shortWays = new ShortWays({
      ...shared,
      keys: this.#keys,
      playback: this.#playback,
      ...(isRewritten ? { repeats: this.#repeats } : {}),
      requestIds: this.#requestIds,
      tracing: this.#tracing,
      accessLog: this.#accessLog,
      broken: (error, requestId) => this.#broken(error, requestId),
    });
  }

  /** The short ways; see there. */
  readonly answerNow = (incoming: IncomingMessage, outgoing: ServerResponse): boolean => this.#shortWays.answer(incoming, outgoing);

  /** Answers at once where memory knows everything: a promise costs the hot path a third of its time. */
  handle(context: GatewayContext): Response | Promise<Response> {
    const visit = this.#open(context);
    const front = this.#deps.router.read({ method: visit.method, target: visit.target, host: context.req.header("host") ?? null });
    if (front.type === "rejected") return this.#close(visit, "other", this.#reject(visit, front.rejection));
    if (front.type === "local") return this.#close(visit, "other", this.#local(visit, front.answer));
    if (front.type === "steering") return this.#close(visit, "other", this.#steered(visit, front));
    const { request } = front;
    if (request.kind === "key") return this.#key(visit, request);
    if (this.#playback?.rewrite.takes(request) === true) return this.#rewritten(visit, request, this.#playback);
    const known = this.#deps.router.known(request);
    if (known === undefined) return this.#afterAsking(visit, request);
    this.#deps.metrics.lookup(known.source);
    return this.#close(visit, request.kind, this.#route(visit, request, known.holdings, 302));
  }

  broken(error: unknown, context: GatewayContext): Response {
    const visit = this.#open(context);
    return this.#close(visit, "other", this.#broken(error, visit.requestId));
  }

  /** An error of the program's own: logged once, told to the client without its text. */
  #broken(error: unknown, requestId: string): Outcome {
    this.#deps.log.error("gateway.internal", { requestId, code: errorCode(error), message: errorChain(error) });
    const answer = this.#responder.error(500, "internal", "the gateway failed; its log has the request id", {
      requestId,
      reason: "internal",
      origin: null,
    });
    return { answer, reason: "internal", decision: null, mode: "local" };
  }

  #open(context: GatewayContext): Visit {
    // Under app.request() there are no bindings at all.
    const bindings: GatewayBindings | undefined = context.env;
    const offered = context.req.header("x-request-id");
    return {
      context,
      method: context.req.method,
      target: bindings?.target ?? targetOfUrl(context.req.url),
      requestId: saneRequestId(offered) ?? this.#requestIds.next(),
      trace: this.#tracing.context(context.req.header("traceparent")),
      started: this.#deps.clock.monotonic(),
    };
  }

  #close(visit: Visit, kind: PlaybackRequest["kind"] | "other", outcome: Outcome): Response {
    const { method, target, requestId, trace, started } = visit;
    const traceId = trace?.traceId ?? null;
    const { answer, reason, decision, mode, fallback } = outcome;
    const durationMs = this.#deps.clock.monotonic() - started;
    const origin = decision?.region ?? null;
    const { status } = answer;
    // Health checks come every few seconds and say nothing: they are counted, not logged.
    const log = reason === "probe" ? null : this.#accessLog;
    const told = { requestId, traceId, method, target, kind, mode, status, reason, origin, durationMs, decision, fallback };
    recordAccess(told, this.#deps.metrics, log);
    return responseOf(answer);
  }

  #reject({ requestId }: Visit, { status, reason, code, message, allow }: Rejection): Outcome {
    this.#deps.metrics.rejection(reason);
    const labels = { requestId, reason, origin: null };
    const answer = this.#responder.error(status, code, message, labels, allow === null ? {} : { allow });
    return { answer, reason, decision: null, mode: "local" };
  }

  #local({ requestId }: Visit, answer: LocalAnswer): Outcome {
    const reason = answer === "preflight" ? "preflight" : "probe";
    const labels = { requestId, reason, origin: null };
    return { answer: this.#localAnswer(answer, labels), reason, decision: null, mode: "local" };
  }

  #localAnswer(answer: LocalAnswer, labels: AnswerLabels): Answer {
    if (answer === "preflight") return this.#responder.preflight(labels);
    const ready = answer === "healthz" || this.#deps.ready();
    return this.#responder.local(ready ? 200 : 503, { status: ready ? "ok" : "starting" }, labels);
  }

  async #afterAsking(visit: Visit, request: PlaybackRequest): Promise<Response> {
    const { holdings, source } = await this.#deps.router.locate(request);
    this.#deps.metrics.lookup(source);
    if (visit.context.req.raw.signal.aborted) return this.#close(visit, request.kind, this.#keys.gone(visit.requestId, null));
    return this.#close(visit, request.kind, this.#route(visit, request, holdings, 302));
  }

  #route(visit: Visit, request: PlaybackRequest, holdings: Holdings, status: 302 | 307): Outcome {
    const { requestId } = visit;
    const { router } = this.#deps;
    const wire = wireOf(visit);
    const decision = this.#repeats.covers(request) ? this.#decideAgain(wire, request, holdings) : this.#decide(wire, request, holdings);
    return redirected({ router, responder: this.#responder }, { request, decision, requestId }, status);
  }

  #decide(wire: WireFacts, request: PlaybackRequest, holdings: Holdings, tried?: ReadonlySet<string>): Decision {
    const { router } = this.#deps;
    return router.decide(request, holdings, router.viewer(request, wire), tried);
  }

  /** Away from where the viewer was sent for the same just now, if there is anywhere better than a region that is known to be ill. */
  #decideAgain(wire: WireFacts, request: PlaybackRequest, holdings: Holdings): Decision {
    const tried = this.#repeats.tried(wire);
    const other = tried.size === 0 ? null : this.#decide(wire, request, holdings, tried);
    const isBetter = other !== null && other.region !== null && other.reason !== "failopen";
    const decision = isBetter ? other : this.#decide(wire, request, holdings);
    if (decision.region !== null) this.#repeats.gave(wire, decision.region);
    return decision;
  }

  #steered(visit: Visit, { protocol, request }: SteeringAsked): Outcome {
    const { target, requestId } = visit;
    const wire = wireOf(visit);
    // The front door knows these paths only where a route steers.
    if (this.#playback === null) throw new PaircastError("no_steering", "a steering request, and nothing to answer it with");
    const origin = this.#playback.urls.origin(wire.header("host") ?? null, wire);
    return this.#playback.steering.answer({ protocol, request, target, origin, requestId, wire });
  }

  async #rewritten(visit: Visit, request: PlaybackRequest, { rewrite, prepared, compression, urls }: Playback): Promise<Response> {
    const wire = wireOf(visit);
    const host = wire.header("host") ?? null;
    const rewritten = await rewrite.answer({ request, host, wire, requestId: visit.requestId });
    const { outcome } = rewritten;
    const compressed = compression.accepts(wire.header("accept-encoding")) ? await compression.compressed(outcome.answer) : null;
    if (visit.context.req.raw.signal.aborted) {
      return this.#close(visit, request.kind, this.#keys.gone(visit.requestId, outcome.decision));
    }
    prepared.keep({ request, host, gateway: urls.origin(host, wire) }, rewritten, compressed);
    return this.#close(visit, request.kind, compressed === null ? outcome : { ...outcome, answer: compressed });
  }

  #key(visit: Visit, request: PlaybackRequest): Response | Promise<Response> {
    const holdings = this.#deps.router.keyHoldings(request);
    if (this.#keys.proxies(visit.method, holdings, wireOf(visit).header)) return this.#proxyKey(visit, request, holdings);
    return this.#close(visit, "key", this.#route(visit, request, holdings ?? NOTHING_KNOWN, 307));
  }

  async #proxyKey(visit: Visit, request: PlaybackRequest, holdings: Holdings | undefined): Promise<Response> {
    const { context, method, requestId } = visit;
    const { signal } = context.req.raw;
    const body = await readKeyBody(context.req.raw).catch(() => "gone" as const);
    if (body === "gone" || signal.aborted) return this.#close(visit, "key", this.#keys.gone(requestId, null));
    if (body === "too_large") return this.#close(visit, "key", this.#keys.bodyTooLarge(requestId));
    const wire = wireOf(visit);
    const header = this.#tracing.onward(visit.trace, wire.header);
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const race = this.#keys.forward({ request, method, requestId, wire, header, holdings, body }, resolve);
    const onGone = (): void => {
      race.cancel();
      resolve(this.#keys.gone(requestId, race.decision));
    };
    signal.addEventListener("abort", onGone, { once: true });
    return this.#close(visit, "key", await promise);
  }
}

function wireOf({ context, target }: Visit): WireFacts {
  const bindings: GatewayBindings | undefined = context.env;
  return { target, header: (name) => context.req.header(name), peer: () => bindings?.peer?.() ?? null };
}

/** For `app.request()` only: an URL that has been parsed is no longer byte for byte what the client sent. */
function targetOfUrl(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  return start < 0 ? "/" : url.slice(start);
}
