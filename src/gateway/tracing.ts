/** Trace context of each request, as `gateway.tracing` says. */
import type { Random } from "../core/clock.ts";
import type { GatewayConfig } from "../core/config/schema.ts";
import { newTrace, readTraceparent, readTracestate, spanIdFrom, writeTraceparent, type TraceContext } from "./trace.ts";

type HeaderReader = (name: string) => string | undefined;

export class Tracing {
  readonly #mode: GatewayConfig["tracing"];
  readonly #random: Random;

  constructor(mode: GatewayConfig["tracing"], random: Random) {
    this.#mode = mode;
    this.#random = random;
  }

  /** Null where the request is not traced. */
  context(traceparent: string | null | undefined): TraceContext | null {
    if (this.#mode === "off") return null;
    const offered = readTraceparent(traceparent);
    return offered === null && this.#mode === "generate" ? newTrace(this.#random.uuid()) : offered;
  }

  /** The request's fields as they go on: with a traceparent that names the gateway's own span, or without any. */
  onward(context: TraceContext | null, read: HeaderReader): HeaderReader {
    const traceparent = context === null ? undefined : writeTraceparent(context, spanIdFrom(this.#random.uuid()));
    // The vendors' part belongs to the traceparent that it came with.
    const own = context !== null && readTraceparent(read("traceparent"))?.traceId === context.traceId;
    const tracestate = own ? (readTracestate(read("tracestate")) ?? undefined) : undefined;
    return (name) => (name === "traceparent" ? traceparent : name === "tracestate" ? tracestate : read(name));
  }
}
