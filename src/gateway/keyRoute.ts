/** Key requests: redirected or proxied, and what the player is told. The same for both ways into the gateway. */
import type { GatewayConfig } from "../core/config/schema.ts";
import type { Decision, PlaybackRequest } from "../core/contracts.ts";
import type { Metrics } from "../core/metrics.ts";
import type { Holdings } from "./eligibility.ts";
import { playerAnswerHeaders, upstreamRequestHeaders } from "./headers.ts";
import type { KeyProxy } from "./keyProxy.ts";
import type { KeyRace } from "./keyRace.ts";
import type { KeyResult } from "./keyRequest.ts";
import type { WireFacts } from "./order/viewer.ts";
import { nowhere, type Outcome } from "./outcome.ts";
import type { Answer, AnswerLabels, Responder } from "./respond.ts";
import type { PlaybackRouter } from "./router.ts";
import { viewerPlace } from "./steering/viewers.ts";
import { headerValue } from "./upstream.ts";

export interface KeyRouteDeps {
  readonly router: PlaybackRouter;
  readonly responder: Responder;
  readonly proxy: KeyProxy;
  readonly metrics: Metrics;
  readonly mode: GatewayConfig["keys"]["mode"];
}

/** A key request with its body. */
export interface KeyVisit {
  readonly request: PlaybackRequest;
  readonly method: string;
  readonly requestId: string;
  readonly wire: WireFacts;
  /** The request's fields as they go on to a key host. */
  readonly header: WireFacts["header"];
  readonly holdings: Holdings | undefined;
  readonly body: Uint8Array | null;
}

const NOTHING_KNOWN: Holdings = {};

export class KeyRoute {
  readonly #deps: KeyRouteDeps;

  constructor(deps: KeyRouteDeps) {
    this.#deps = deps;
  }

  /** `auto` proxies what a redirect would lose: credentials, the body of players that turn POST into GET, the second try. */
  proxies(method: string, holdings: Holdings | undefined, header: WireFacts["header"]): boolean {
    const { mode } = this.#deps;
    if (mode !== "auto") return mode === "proxy";
    if (method === "POST" || holdings === undefined) return true;
    return header("authorization") !== undefined || header("cookie") !== undefined;
  }

  /** Asks the regions; `done` is called once, unless the race is cancelled. */
  forward(visit: KeyVisit, done: (outcome: Outcome) => void): KeyRace {
    const { router, proxy } = this.#deps;
    const { request, method, requestId, wire, header, holdings = NOTHING_KNOWN, body } = visit;
    const viewer = router.viewer(request, wire);
    const address = router.address(wire);
    const key = {
      request,
      method: method === "POST" || method === "HEAD" ? method : "GET",
      headers: upstreamRequestHeaders(header, { requestId, peer: wire.peer() }),
      body,
      holdings,
      place: address === null ? null : viewerPlace(address),
      decide: (known: Holdings, tried: ReadonlySet<string>) => router.decide(request, known, viewer, tried),
    } as const;
    return proxy.forward(key, (result) => {
      done(this.#outcome(requestId, result));
    });
  }

  /** The player has gone before there was an answer. */
  gone(requestId: string, decision: Decision | null): Outcome {
    const answer = this.#deps.responder.gone({ requestId, reason: "client_gone", origin: decision?.region ?? null });
    return { answer, reason: "client_gone", decision, mode: "proxy" };
  }

  bodyTooLarge(requestId: string): Outcome {
    const reason = "body_too_large";
    this.#deps.metrics.rejection(reason);
    const answer = this.#deps.responder.error(413, reason, "a key request has at most 64 KB", { requestId, reason, origin: null });
    return { answer, reason, decision: null, mode: "local" };
  }

  #outcome(requestId: string, result: KeyResult): Outcome {
    const { decision } = result;
    const labels = { requestId, reason: decision.reason, origin: decision.region };
    return { answer: this.#answer(result, labels), reason: decision.reason, decision, mode: "proxy" };
  }

  #answer(result: KeyResult, labels: AnswerLabels): Answer {
    const { responder } = this.#deps;
    if (result.type === "key") {
      const headers = playerAnswerHeaders((name) => headerValue(result.headers, name));
      return responder.key(result.status, result.body, headers, labels);
    }
    if (result.type === "refused") {
      const challenge = result.status === 401 ? { "www-authenticate": "Bearer" } : {};
      return responder.error(result.status, "key_refused", "the key server refused this request", labels, challenge);
    }
    if (result.failure === null || result.decision.reason === "not_found") return nowhere(responder, result.decision, labels.requestId);
    const status = result.failure === "timeout" ? 504 : 502;
    return responder.later(status, "key_unavailable", "no key server gave a usable answer", labels);
  }
}
