/** The metrics that every request of a player touches. Recording is array arithmetic; see `flatMetrics.ts`. */
import { Counter, type Registry } from "prom-client";
import {
  DECISION_REASONS,
  PLAYBACK_FALLBACKS,
  REWRITING_MODES,
  type DecisionReason,
  type PlaybackFallback,
  type RequestKind,
  type RewritingMode,
} from "./contracts.ts";
import { FlatHistogram, Tally } from "./flatMetrics.ts";

export const REQUEST_MODES = ["redirect", "proxy", "local", "steer", "anchor"] as const;
export type RequestMode = (typeof REQUEST_MODES)[number];
/** How a manifest that the gateway needed was had. */
export const MANIFEST_READS = ["cached", "shared", "fetched", "failed"] as const;
export type ManifestRead = (typeof MANIFEST_READS)[number];
export const LOOKUPS = ["catalogue", "cached", "asked"] as const;
export type LookupResult = (typeof LOOKUPS)[number];

const ROUTED_KINDS: readonly RequestKind[] = ["manifest", "media", "key"];
const KINDS: readonly (RequestKind | "other")[] = [...ROUTED_KINDS, "other"];
const CODES = ["2xx", "3xx", "4xx", "5xx"];
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

const KIND_NUMBERS = numbered(KINDS);
const MODE_NUMBERS = numbered(REQUEST_MODES);
const REASON_NUMBERS = numbered(DECISION_REASONS);
const LOOKUP_NUMBERS = numbered(LOOKUPS);
const REWRITING_NUMBERS = numbered(REWRITING_MODES);
const FALLBACK_NUMBERS = numbered(PLAYBACK_FALLBACKS);
const READ_NUMBERS = numbered(MANIFEST_READS);

export class RequestMetrics {
  readonly #requests = new Tally(KINDS.flatMap((kind) => REQUEST_MODES.flatMap((mode) => CODES.map((code) => ({ kind, mode, code })))));
  readonly #decisions = new Tally(ROUTED_KINDS.flatMap((kind) => DECISION_REASONS.map((reason) => ({ kind, reason }))));
  readonly #lookups = new Tally(LOOKUPS.map((result) => ({ result })));
  readonly #fallbacks = new Tally(REWRITING_MODES.flatMap((mode) => PLAYBACK_FALLBACKS.map((reason) => ({ mode, reason }))));
  readonly #manifests = new Tally(MANIFEST_READS.map((result) => ({ result })));
  readonly #durations: FlatHistogram;
  /** Per configured region. */
  readonly #routed = new Map<string, Tally>();
  readonly #routedTotal: Counter<"kind" | "origin">;

  constructor(registry: Registry) {
    tallied(registry, this.#requests, {
      name: "paircast_requests_total",
      help: "Answers to players, by kind, mode and class of status.",
      labelNames: ["kind", "mode", "code"],
    });
    this.#durations = new FlatHistogram({
      registry,
      name: "paircast_request_duration_seconds",
      help: "Time from the request's headers to the end of the answer.",
      labels: KINDS.flatMap((kind) => REQUEST_MODES.map((mode) => ({ kind, mode }))),
      bounds: BOUNDS,
    });
    tallied(registry, this.#decisions, {
      name: "paircast_decisions_total",
      help: "Routing decisions, by reason.",
      labelNames: ["kind", "reason"],
    });
    const drainRouted = (): void => {
      for (const tally of this.#routed.values()) this.#drain(tally);
    };
    this.#routedTotal = new Counter({
      name: "paircast_routed_requests_total",
      help: "Requests sent towards an origin region.",
      labelNames: ["kind", "origin"],
      registers: [registry],
      collect: drainRouted,
    });
    tallied(registry, this.#lookups, {
      name: "paircast_locator_lookups_total",
      help: "How the whereabouts of a locator were known.",
      labelNames: ["result"],
    });
    tallied(registry, this.#fallbacks, {
      name: "paircast_playback_fallbacks_total",
      help: "Manifests of routes that steer or anchor that were redirected after all, by reason.",
      labelNames: ["mode", "reason"],
    });
    tallied(registry, this.#manifests, {
      name: "paircast_manifest_reads_total",
      help: "Manifests that the gateway needed itself, by how it had them.",
      labelNames: ["result"],
    });
  }

  request(kind: RequestKind | "other", mode: RequestMode, status: number, seconds: number): void {
    const series = KIND_NUMBERS[kind] * REQUEST_MODES.length + MODE_NUMBERS[mode];
    this.#requests.count(series * CODES.length + Math.floor(status / 100) - 2);
    this.#durations.observe(series, seconds);
  }

  /** A region that is not configured has no series: labels stay bounded. */
  decision(kind: RequestKind, reason: DecisionReason, origin: string | null): void {
    this.#decisions.count(KIND_NUMBERS[kind] * DECISION_REASONS.length + REASON_NUMBERS[reason]);
    if (origin !== null) this.#routed.get(origin)?.count(KIND_NUMBERS[kind]);
  }

  lookup(result: LookupResult): void {
    this.#lookups.count(LOOKUP_NUMBERS[result]);
  }

  playbackFallback(mode: RewritingMode, reason: PlaybackFallback): void {
    this.#fallbacks.count(REWRITING_NUMBERS[mode] * PLAYBACK_FALLBACKS.length + FALLBACK_NUMBERS[reason]);
  }

  manifestRead(result: ManifestRead): void {
    this.#manifests.count(READ_NUMBERS[result]);
  }

  addOrigin(origin: string): void {
    this.#routed.set(origin, new Tally(ROUTED_KINDS.map((kind) => ({ kind, origin }))));
    for (const kind of ROUTED_KINDS) this.#routedTotal.inc({ kind, origin }, 0);
  }

  removeOrigin(origin: string): void {
    this.#routed.delete(origin);
    for (const kind of ROUTED_KINDS) this.#routedTotal.remove({ kind, origin });
  }

  #drain(tally: Tally): void {
    tally.drain((labels, count) => {
      this.#routedTotal.inc({ ...labels }, count);
    });
  }
}

/** A counter, every series of it present from the start, that takes over what was tallied when it is scraped. */
function tallied(registry: Registry, tally: Tally, about: { name: string; help: string; labelNames: string[] }): void {
  const collect = (): void => {
    tally.drain((labels, count) => {
      counter.inc({ ...labels }, count);
    });
  };
  const counter = new Counter({ ...about, registers: [registry], collect });
  for (const labels of tally.labels) counter.inc({ ...labels }, 0);
}

function numbered<W extends string>(words: readonly W[]): Readonly<Record<W, number>> {
  return Object.fromEntries(words.map((word, index) => [word, index])) as Record<W, number>;
}
