/** The player listener's application: front door -> whereabouts -> decision -> redirect or proxied key. */
import { Hono, type Context } from "hono";
import type { Clock, Random } from "../core/clock.ts";
import type { GatewayConfig } from "../core/config/schema.ts";
import type { Decision, PlaybackRequest } from "../core/contracts.ts";
import { errorChain, errorCode } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
import type { Metrics, RequestMode } from "../core/metrics.ts";
import type { OutcomeSink } from "../core/ports.ts";
import { recordAccess } from "./access.ts";
import type { Holdings } from "./decide.ts";
import { KeyProxy, type KeyResult, type RegionDispatchers } from "./keyProxy.ts";
import { readKeyBody } from "./requestBody.ts";
import { Responder } from "./respond.ts";
import type { LocalAnswer, Rejection } from "./request.ts";
import type { PlaybackRouter } from "./router.ts";

export interface GatewayDeps {
  readonly router: PlaybackRouter;
  readonly config: Pick<GatewayConfig, "keys" | "retryAfter" | "corsOrigin" | "accessLog">;
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
  readonly started: number;
}

interface Outcome {
  readonly response: Response;
  readonly reason: string;
  readonly decision: Decision | null;
  readonly mode: RequestMode;
}

/** Longer or stranger ids are replaced: the id goes into logs and back to the client. */
const SANE_REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{7,63}$/;
const NOTHING_KNOWN: Holdings = {};

/** The application, without a socket. One handler and no middleware: each would cost microseconds per request (facts, performance). */
export function buildGateway(deps: GatewayDeps): Hono<{ Bindings: GatewayBindings }> {
  const gateway = new Gateway(deps);
  const app = new Hono<{ Bindings: GatewayBindings }>();
  app.all("*", (context) => gateway.handle(context));
  app.onError((error, context) => gateway.broken(error, context));
  return app;
}

class Gateway {
  readonly #deps: GatewayDeps;
  readonly #responder: Responder;
  readonly #keys: KeyProxy;
  readonly #accessLog: Log | null;

  constructor(deps: GatewayDeps) {
    this.#deps = deps;
    const { config, router, pools, outcomes, metrics, clock } = deps;
    this.#responder = new Responder({ corsOrigin: config.corsOrigin, retryAfterMs: config.retryAfter });
    this.#accessLog = config.accessLog ? deps.log : null;
    this.#keys = new KeyProxy({
      pools,
      outcomes,
      metrics,
      clock,
      timeoutMs: config.keys.timeout,
      decide: (request, holdings, tried) => router.decide(request, holdings, tried),
      base: (region) => router.base("keys", region),
    });
  }

  /** Answers at once where memory knows everything: a promise costs the hot path a third of its time. */
  handle(context: GatewayContext): Response | Promise<Response> {
    const visit = this.#open(context);
    const front = this.#deps.router.read({ method: visit.method, target: visit.target, host: context.req.header("host") ?? null });
    if (front.type === "rejected") return this.#close(visit, "other", this.#reject(visit, front.rejection));
    if (front.type === "local") return this.#close(visit, "other", this.#local(visit, front.answer));
    const { request } = front;
    if (request.kind === "key") return this.#key(visit, request);
    const known = this.#deps.router.known(request);
    if (known === undefined) return this.#afterAsking(visit, request);
    this.#deps.metrics.lookup(known.source);
    return this.#close(visit, request.kind, this.#route(visit, request, known.holdings, 302));
  }

  /** An error of the program's own: logged once, told to the client without its text. */
  broken(error: unknown, context: GatewayContext): Response {
    const visit = this.#open(context);
    this.#deps.log.error("gateway.internal", { requestId: visit.requestId, code: errorCode(error), message: errorChain(error) });
    const labels = { requestId: visit.requestId, reason: "internal", origin: null };
    const response = this.#responder.error(500, "internal", "the gateway failed; its log has the request id", labels);
    return this.#close(visit, "other", { response, reason: "internal", decision: null, mode: "local" });
  }

  #open(context: GatewayContext): Visit {
    // Under app.request() there are no bindings at all.
    const bindings: GatewayBindings | undefined = context.env;
    const offered = context.req.header("x-request-id");
    return {
      context,
      method: context.req.method,
      target: bindings?.target ?? targetOfUrl(context.req.url),
      requestId: offered !== undefined && SANE_REQUEST_ID.test(offered) ? offered : this.#deps.random.uuid(),
      started: this.#deps.clock.monotonic(),
    };
  }

  #close(visit: Visit, kind: PlaybackRequest["kind"] | "other", outcome: Outcome): Response {
    const { method, target, requestId, started } = visit;
    const { response, reason, decision, mode } = outcome;
    const durationMs = this.#deps.clock.monotonic() - started;
    const origin = decision?.region ?? null;
    const { status } = response;
    // Health checks come every few seconds and say nothing: they are counted, not logged.
    const log = reason === "probe" ? null : this.#accessLog;
    recordAccess({ requestId, method, target, kind, mode, status, reason, origin, durationMs, decision }, this.#deps.metrics, log);
    return response;
  }

  #reject({ requestId }: Visit, { status, reason, code, message, allow }: Rejection): Outcome {
    this.#deps.metrics.rejection(reason);
    const labels = { requestId, reason, origin: null };
    const response = this.#responder.error(status, code, message, labels, allow === null ? {} : { allow });
    return { response, reason, decision: null, mode: "local" };
  }

  #local({ requestId }: Visit, answer: LocalAnswer): Outcome {
    const reason = answer === "preflight" ? "preflight" : "probe";
    const labels = { requestId, reason, origin: null };
    return { response: this.#localResponse(answer, labels), reason, decision: null, mode: "local" };
  }

  #localResponse(answer: LocalAnswer, labels: { requestId: string; reason: string; origin: null }): Response {
    if (answer === "preflight") return this.#responder.preflight(labels);
    const ready = answer === "healthz" || this.#deps.ready();
    return this.#responder.local(ready ? 200 : 503, { status: ready ? "ok" : "starting" }, labels);
  }

  async #afterAsking(visit: Visit, request: PlaybackRequest): Promise<Response> {
    const { holdings, source } = await this.#deps.router.locate(request);
    this.#deps.metrics.lookup(source);
    if (visit.context.req.raw.signal.aborted) return this.#close(visit, request.kind, this.#gone(visit, null));
    return this.#close(visit, request.kind, this.#route(visit, request, holdings, 302));
  }

  #route({ requestId }: Visit, request: PlaybackRequest, holdings: Holdings, status: 302 | 307): Outcome {
    const decision = this.#deps.router.decide(request, holdings);
    const { region, reason } = decision;
    const labels = { requestId, reason, origin: region };
    if (region === null) return { response: this.#nowhere(decision, requestId), reason, decision, mode: "local" };
    const response = this.#responder.redirect(status, this.#deps.router.location(request, region), labels);
    return { response, reason, decision, mode: "redirect" };
  }

  #nowhere({ reason }: Decision, requestId: string): Response {
    const labels = { requestId, reason, origin: null };
    return reason === "not_found"
      ? this.#responder.error(404, "not_found", "no region has it", labels)
      : this.#responder.later(503, "unavailable", "no region can serve it at the moment", labels);
  }

  #gone({ requestId }: Visit, decision: Decision | null): Outcome {
    const response = this.#responder.gone({ requestId, reason: "client_gone", origin: decision?.region ?? null });
    return { response, reason: "client_gone", decision, mode: "proxy" };
  }

  #key(visit: Visit, request: PlaybackRequest): Response | Promise<Response> {
    const holdings = this.#deps.router.keyHoldings(request);
    if (this.#proxies(visit, holdings)) return this.#proxyKey(visit, request, holdings ?? NOTHING_KNOWN);
    return this.#close(visit, "key", this.#route(visit, request, holdings ?? NOTHING_KNOWN, 307));
  }

  /** `auto` proxies what a redirect would lose: credentials, the body of players that turn POST into GET, the second try. */
  #proxies({ context, method }: Visit, holdings: Holdings | undefined): boolean {
    const { mode } = this.#deps.config.keys;
    if (mode !== "auto") return mode === "proxy";
    if (method === "POST" || holdings === undefined) return true;
    return context.req.header("authorization") !== undefined || context.req.header("cookie") !== undefined;
  }

  async #proxyKey(visit: Visit, request: PlaybackRequest, holdings: Holdings): Promise<Response> {
    const { context, method, requestId } = visit;
    const { signal } = context.req.raw;
    const body = await readKeyBody(context.req.raw).catch(() => "gone" as const);
    if (body === "gone") return this.#close(visit, "key", this.#gone(visit, null));
    if (body === "too_large") return this.#close(visit, "key", this.#bodyTooLarge(visit));
    const bindings: GatewayBindings | undefined = context.env;
    const result = await this.#keys.forward({
      request,
      method: method === "POST" || method === "HEAD" ? method : "GET",
      header: (name) => context.req.header(name),
      body,
      holdings,
      requestId,
      peer: bindings?.peer?.() ?? null,
      signal,
    });
    return this.#close(visit, "key", this.#keyOutcome(visit, result));
  }

  #bodyTooLarge({ requestId }: Visit): Outcome {
    const reason = "body_too_large";
    this.#deps.metrics.rejection(reason);
    const labels = { requestId, reason, origin: null };
    return {
      response: this.#responder.error(413, reason, "a key request has at most 64 KB", labels),
      reason,
      decision: null,
      mode: "local",
    };
  }

  #keyOutcome(visit: Visit, result: KeyResult): Outcome {
    const { decision } = result;
    if (result.type === "gone") return this.#gone(visit, decision);
    const labels = { requestId: visit.requestId, reason: decision.reason, origin: decision.region };
    return { response: this.#keyResponse(result, labels), reason: decision.reason, decision, mode: "proxy" };
  }

  #keyResponse(
    result: Exclude<KeyResult, { type: "gone" }>,
    labels: { requestId: string; reason: string; origin: string | null },
  ): Response {
    if (result.type === "key") return this.#responder.key(result.status, result.body, result.headers, labels);
    if (result.type === "refused") {
      const challenge = result.status === 401 ? { "www-authenticate": "Bearer" } : {};
      return this.#responder.error(result.status, "key_refused", "the key server refused this request", labels, challenge);
    }
    if (result.failure === null || result.decision.reason === "not_found") return this.#nowhere(result.decision, labels.requestId);
    const status = result.failure === "timeout" ? 504 : 502;
    return this.#responder.later(status, "key_unavailable", "no key server gave a usable answer", labels);
  }
}

/** For `app.request()` only: an URL that has been parsed is no longer byte for byte what the client sent. */
function targetOfUrl(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  return start < 0 ? "/" : url.slice(start);
}
