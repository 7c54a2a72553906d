/**
 * The short way for manifests that are answered here: what was answered a moment ago, as long as nothing that it was made of has changed. The
 * application answers all else, by way of `RewriteRoute`, and leaves what it answered for the next one.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../../core/clock.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { AccessLog } from "../access.ts";
import { DateField } from "../dateField.ts";
import { IncomingWire } from "../incomingWire.ts";
import { fieldValue, holdsCredentials, scanFields, type ScannedFields } from "../rawFields.ts";
import type { RequestIds } from "../requestIds.ts";
import type { PlaybackRouter } from "../router.ts";
import { logSeen, type Seen } from "../seen.ts";
import type { Tracing } from "../tracing.ts";
import { endWithHead } from "../wholeHead.ts";
import type { Compression } from "./compression.ts";
import type { GatewayUrls } from "./gatewayUrls.ts";
import type { Prepared, PreparedAnswers, Written } from "./prepared.ts";

export interface ManifestPathDeps {
  readonly router: PlaybackRouter;
  readonly prepared: PreparedAnswers;
  readonly compression: Compression;
  readonly urls: GatewayUrls;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly requestIds: RequestIds;
  readonly tracing: Tracing;
  /** Null where requests are not logged. */
  readonly accessLog: AccessLog | null;
}

export class ManifestPath {
  readonly #deps: ManifestPathDeps;
  readonly #fields: ScannedFields = { host: null, requestId: null, traceparent: null, length: null, plain: false };
  /** One for all requests: each is answered before the next is read. */
  readonly #wire = new IncomingWire(null);
  readonly #date = new DateField();

  constructor(deps: ManifestPathDeps) {
    this.#deps = deps;
  }

  /** False: nothing was done, and the application has to answer. */
  answer(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
    const { method, url: target } = incoming;
    if ((method !== "GET" && method !== "HEAD") || target === undefined || !outgoing.shouldKeepAlive) return false;
    const { prepared: answers, clock, requestIds } = this.#deps;
    const known = answers.get(target);
    if (known === undefined) return false;
    const started = clock.monotonic();
    const prepared = this.#fitting(known, incoming);
    if (prepared === null || !this.#holds(prepared, started)) return false;
    const written = this.#form(prepared, incoming);
    if (written === null) return false;
    const now = clock.now();
    const requestId = this.#fields.requestId ?? requestIds.next();
    const head = `${written.head}${this.#date.at(now)}\r\nx-request-id: ${requestId}\r\n\r\n`;
    endWithHead(outgoing, prepared.told.status, head, written.body);
    this.#record(prepared, { method, requestId, now, durationMs: clock.monotonic() - started });
    return true;
  }

  /** The answer for those who ask by this name; null where there is none, or the request is not like any other. */
  #fitting(known: readonly Prepared[], incoming: IncomingMessage): Prepared | null {
    const { rawHeaders } = incoming;
    const { host, plain, length } = scanFields(rawHeaders, this.#fields);
    if (!plain || length !== null || host === null || holdsCredentials(rawHeaders)) return null;
    const { urls } = this.#deps;
    this.#wire.incoming = incoming;
    const gateway = urls.readsProxies ? urls.origin(host, this.#wire) : null;
    return known.find((each) => each.host === host && (gateway === null || each.gateway === gateway)) ?? null;
  }

  /** Null where nobody has asked for this form before. */
  #form({ plain, gzip }: Prepared, { rawHeaders }: IncomingMessage): Written | null {
    if (gzip === "as plain" || !this.#deps.compression.accepts(fieldValue(rawHeaders, "accept-encoding"))) return plain;
    return gzip;
  }

  #holds({ request, epoch, holdings, until }: Prepared, at: number): boolean {
    const { router } = this.#deps;
    return at < until && router.epoch(request) === epoch && (holdings === null || router.known(request)?.holdings === holdings);
  }

  #record({ told, logged }: Prepared, seen: Seen): void {
    const { metrics, accessLog, tracing } = this.#deps;
    const { kind, source, status, mode, reason, region, fallback } = told;
    metrics.lookup(source);
    metrics.request(kind, mode, status, seen.durationMs / 1000);
    metrics.decision(kind, reason, region);
    if (fallback === null) metrics.manifestRead("cached");
    else metrics.playbackFallback(fallback.mode, fallback.reason);
    if (!accessLog?.wants(status, reason)) return;
    logSeen(accessLog, tracing, this.#fields, seen, logged);
  }
}
