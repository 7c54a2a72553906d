/**
 * The short way for proxied keys: from node's request to the key hosts and back, without a Request, a Response or a stream of either. It decides
 * and answers by the same functions as the application (test/integration/hotPath.test.ts), which gets whatever is out of the ordinary.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../core/clock.ts";
import type { PlaybackRequest } from "../core/contracts.ts";
import type { Metrics } from "../core/metrics.ts";
import { recordAccess, type AccessLog } from "./access.ts";
import type { Holdings } from "./eligibility.ts";
import { IncomingWire } from "./incomingWire.ts";
import type { KeyRace } from "./keyRace.ts";
import type { KeyRoute } from "./keyRoute.ts";
import { scanFields, type ScannedFields } from "./rawFields.ts";
import type { RequestIds } from "./requestIds.ts";
import type { Outcome } from "./outcome.ts";
import type { Answer } from "./respond.ts";
import type { PlaybackRouter } from "./router.ts";
import type { TraceContext } from "./trace.ts";
import type { Tracing } from "./tracing.ts";
import { MAX_KEY_BODY } from "./upstream.ts";

export interface KeyPathDeps {
  readonly router: PlaybackRouter;
  readonly keys: KeyRoute;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly requestIds: RequestIds;
  readonly tracing: Tracing;
  /** Null where requests are not logged. */
  readonly accessLog: AccessLog | null;
  /** The answer to an error of the program's own, which it logs. */
  readonly broken: (error: unknown, requestId: string) => Outcome;
  readonly prefix: string;
  /** Lower case; null: none. */
  readonly host: string | null;
}

interface KeyCall {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly method: string;
  readonly target: string;
  readonly request: PlaybackRequest;
  readonly wire: IncomingWire;
  readonly holdings: Holdings | undefined;
  readonly requestId: string;
  readonly trace: TraceContext | null;
  readonly started: number;
}

export class KeyPath {
  readonly #deps: KeyPathDeps;
  readonly #fields: ScannedFields = { host: null, requestId: null, traceparent: null, length: null, plain: false };

  constructor(deps: KeyPathDeps) {
    this.#deps = deps;
  }

  /** False: nothing was done, and the application has to answer. */
  // oxlint-disable-next-line complexity -- as in the hot path.
  answer(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
    const { method = "", url: target = "" } = incoming;
    if (!target.startsWith(this.#deps.prefix) && this.#deps.host === null) return false;
    const started = this.#deps.clock.monotonic();
    const fields = scanFields(incoming.rawHeaders, this.#fields);
    if (!fields.plain || !fitting(method, fields.length)) return false;
    const front = this.#deps.router.read({ method, target, host: fields.host });
    if (front.type !== "playback" || front.request.kind !== "key") return false;
    const { request } = front;
    const wire = new IncomingWire(incoming);
    const holdings = this.#deps.router.keyHoldings(request);
    if (!this.#deps.keys.proxies(method, holdings, wire.header)) return false;
    const requestId = fields.requestId ?? this.#deps.requestIds.next();
    const trace = this.#deps.tracing.context(fields.traceparent);
    const call = { incoming, outgoing, method, target, request, wire, holdings, requestId, trace, started };
    if (method === "POST") this.#withBody(call);
    else this.#forward(call, null);
    return true;
  }

  #withBody(call: KeyCall): void {
    const { incoming, outgoing } = call;
    const chunks: Buffer[] = [];
    const onGone = (): void => {
      incoming.off("end", onEnd);
      this.#record(call, this.#deps.keys.gone(call.requestId, null));
    };
    const onEnd = (): void => {
      outgoing.off("close", onGone);
      const [only] = chunks;
      this.#forward(call, chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks));
    };
    outgoing.once("close", onGone);
    // Its length was announced, and node gives no more than that.
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.once("end", onEnd);
  }

  #forward(call: KeyCall, body: Uint8Array | null): void {
    const { keys, tracing } = this.#deps;
    const { outgoing, requestId, wire, trace } = call;
    let race: KeyRace | null = null;
    const onGone = (): void => {
      race?.cancel();
      this.#record(call, keys.gone(requestId, race?.decision ?? null));
    };
    outgoing.once("close", onGone);
    const done = (outcome: Outcome): void => {
      outgoing.off("close", onGone);
      writeAnswer(outgoing, outcome.answer);
      this.#record(call, outcome);
    };
    try {
      race = keys.forward({ ...call, header: tracing.onward(trace, wire.header), body }, done);
    } catch (error) {
      done(this.#deps.broken(error, requestId));
    }
  }

  #record({ method, target, requestId, trace, started }: KeyCall, { answer, reason, decision, mode }: Outcome): void {
    const { metrics, accessLog, clock } = this.#deps;
    const traceId = trace?.traceId ?? null;
    const origin = decision?.region ?? null;
    const durationMs = clock.monotonic() - started;
    const told = {
      requestId,
      traceId,
      method,
      target,
      kind: "key",
      mode,
      status: answer.status,
      reason,
      origin,
      durationMs,
      decision,
    } as const;
    recordAccess(told, metrics, accessLog);
  }
}

/** True for the methods and bodies of ordinary players. */
function fitting(method: string, length: number | null): boolean {
  if (method === "POST") return length !== null && length <= MAX_KEY_BODY;
  return (method === "GET" || method === "HEAD") && length === null;
}

function writeAnswer(outgoing: ServerResponse, { status, headers, body }: Answer): void {
  const fields: string[] = [];
  for (const [name, value] of Object.entries(headers)) fields.push(name, value);
  // What a GET would have had is not known after a HEAD.
  if (outgoing.req.method !== "HEAD") fields.push("content-length", String(body === null ? 0 : Buffer.byteLength(body)));
  outgoing.writeHead(status, fields);
  outgoing.end(body ?? undefined);
}
