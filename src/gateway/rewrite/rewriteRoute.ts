/** Manifests of routes that steer or anchor: read from a region, rewritten, answered here; or redirected, with the reason why. */
import type { Clock } from "../../core/clock.ts";
import {
  GATEWAY_PATHWAY,
  type CatalogueEntry,
  type Decision,
  type PlaybackFallback,
  type PlaybackRequest,
  type RewritingMode,
} from "../../core/contracts.ts";
import type { Metrics } from "../../core/metrics.ts";
import type { Located } from "../locate.ts";
import { ANYBODY, type Viewer, type WireFacts } from "../order/viewer.ts";
import { redirected, type Outcome } from "../outcome.ts";
import type { RewriteRefusal, Rewritten as RewrittenText } from "../pathway.ts";
import type { Responder } from "../respond.ts";
import type { PlaybackRouter } from "../router.ts";
import { steeringUrl } from "../steering/session.ts";
import type { Alignments } from "./alignments.ts";
import { documentOf } from "./document.ts";
import type { GatewayUrls } from "./gatewayUrls.ts";
import type { ManifestSource, NotRead, Read } from "./manifestSource.ts";
import { plannedFallback, type PlaybackPlan } from "./plan.ts";
import type { Rewriter } from "./rewriter.ts";
import type { SeenManifest, SeenManifests } from "./seenManifests.ts";
import { manifestTarget } from "./target.ts";

export interface RewriteDeps {
  readonly router: PlaybackRouter;
  readonly responder: Responder;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly source: ManifestSource;
  readonly rewriter: Rewriter;
  readonly alignments: Alignments;
  readonly urls: GatewayUrls;
  /** Whole seconds for the list that stands in the manifest itself. */
  readonly ttlSeconds: (decision: Decision, regions: readonly string[]) => number;
  readonly seen: SeenManifests;
}

export interface RewriteVisit {
  readonly request: PlaybackRequest;
  /** The Host field, which passed the front door. */
  readonly host: string | null;
  readonly wire: WireFacts;
  readonly requestId: string;
}

/** What is known once a region was chosen. */
interface Asked extends RewriteVisit {
  readonly target: string;
  readonly located: Located;
  readonly viewer: Viewer;
  readonly decision: Decision;
  readonly plan: PlaybackPlan;
  readonly epoch: object | null;
}

export interface Rewritten {
  readonly outcome: Outcome;
  readonly located: Located;
  /** The router's at the time of the decision; null where that was this viewer's own. */
  readonly epoch: object | null;
  /** Until when others get the same, in monotonic milliseconds; null: they may not. */
  readonly until: number | null;
}

const CONTENT_TYPES = {
  hls: "application/vnd.apple.mpegurl",
  dash: "application/dash+xml",
  smooth: "application/vnd.ms-sstr+xml",
} as const;
/** What is found out anew by the next request after so long. */
const FALLBACK_MS = 1_000;
/** Of a video that cannot be asked for at the moment. */
const PASSING: ReadonlySet<PlaybackFallback> = new Set(["credentials", "unfetchable", "busy"]);
/** What comparing the copies may change. */
const COMPARED: ReadonlySet<PlaybackFallback> = new Set(["unmeasured", "unaligned", "single_region"]);

export class RewriteRoute {
  readonly #deps: RewriteDeps;

  constructor(deps: RewriteDeps) {
    this.#deps = deps;
  }

  /** True where a request is answered here; everything else is redirected whatever the route's mode. */
  takes(request: PlaybackRequest): boolean {
    return this.#deps.router.playback(request) !== "redirect" && documentOf(request.target) !== null;
  }

  /** For requests that it takes. */
  async answer(visit: RewriteVisit): Promise<Rewritten> {
    const { router, metrics } = this.#deps;
    const { request } = visit;
    const located = router.known(request) ?? (await router.locate(request));
    metrics.lookup(located.source);
    const viewer = router.viewer(request, visit.wire);
    const decision = router.decide(request, located.holdings, viewer);
    const epoch = router.epoch(request);
    const plan = router.plan(request, located.holdings, decision);
    if (plan === null) return { outcome: redirected(this.#deps, { ...visit, decision }, 302), located, epoch, until: null };
    const asked = { ...visit, target: manifestTarget(request.target), located, viewer, decision, plan, epoch };
    const fallback = carriesCredentials(visit.wire) ? "credentials" : plannedFallback(plan);
    return fallback === null ? this.#read(asked) : this.#fallenBack(asked, fallback);
  }

  async #read(asked: Asked): Promise<Rewritten> {
    const { router, source, urls } = this.#deps;
    const { request, target, located, viewer, plan } = asked;
    const { protocol } = plan.document;
    const gateway = urls.origin(asked.host, asked.wire);
    if (gateway === null || protocol === "smooth") return this.#fallenBack(asked, "unsteerable");
    const regions = () =>
      inTurn(asked.decision.region, plan.aligned, (tried) => router.decide(request, located.holdings, viewer, tried).region);
    const version = versionOf(router.entry(request));
    const reading = await source.read({ target, protocol, version, regions, from: plan.aligned });
    return reading.type === "read" ? this.#rewritten(asked, gateway, reading.read) : this.#notRead(asked, reading.reason);
  }

  #rewritten(asked: Asked, gateway: string, { manifest, until }: Read): Rewritten {
    const { rewriter, responder } = this.#deps;
    const { plan, target, decision, requestId } = asked;
    if (manifest.kind !== "media") this.#measure(asked);
    const mode = manifest.kind === "media" ? "anchor" : plan.mode;
    const unsound = plan.unsound[mode];
    if (unsound !== null) return this.#fallenBack(asked, unsound);
    const rewritten = rewriter.rewritten({ mode, manifest, target, gateway, steering: this.#steering(asked, gateway) });
    this.#deps.seen.note(target, seenIn(rewritten));
    if (!rewritten.ok) return this.#fallenBack(asked, REFUSALS[rewritten.reason]);
    const origin = mode === "steer" ? decision.region : manifest.region;
    const labels = { requestId, reason: decision.reason, origin };
    const answer = responder.manifest(rewritten.text, CONTENT_TYPES[plan.document.protocol], labels);
    return {
      ...asked,
      outcome: { answer, reason: decision.reason, decision, mode },
      until: target === asked.request.target ? until : null,
    };
  }

  #steering({ plan, viewer, request, decision }: Asked, gateway: string) {
    const { aligned: regions, exit, document } = plan;
    const ids = exit ? [...regions, GATEWAY_PATHWAY] : regions;
    const reloadUri = steeringUrl(document.protocol === "dash" ? "dash" : "hls", gateway, request, ids, viewer);
    return { regions, reloadUri, isOwn: viewer !== ANYBODY, ttlSeconds: this.#deps.ttlSeconds(decision, regions), anchorLast: exit };
  }

  /** A player that is told nothing new of a region it cannot reach gives up; one that is told to wait comes back (status 0 is never tried again). */
  #notRead(asked: Asked, reason: NotRead): Rewritten {
    const { responder } = this.#deps;
    const { plan, requestId, decision } = asked;
    const mode: RewritingMode = plan.document.isPlaylist ? "anchor" : plan.mode;
    const refusal = { requestId, reason: reason === "absent" ? "not_found" : reason, origin: null };
    const refused = { reason: refusal.reason, decision: { ...decision, region: null }, mode: "local" } as const;
    if (reason === "absent") {
      return { ...asked, outcome: { ...refused, answer: responder.error(404, "not_found", "no region has it", refusal) }, until: null };
    }
    if (mode === "anchor" && (reason === "unfetchable" || reason === "busy")) {
      const answer = responder.later(503, "unavailable", "no region gave this manifest", refusal);
      return { ...asked, outcome: { ...refused, answer }, until: null };
    }
    this.#deps.seen.note(asked.target, { fallback: reason, detail: null, boundKeys: 0 });
    return this.#fallenBack(asked, reason);
  }

  #fallenBack(asked: Asked, reason: PlaybackFallback): Rewritten {
    if (COMPARED.has(reason)) this.#measure(asked);
    const outcome = redirected(this.#deps, asked, 302, { mode: asked.plan.mode, reason });
    const isOthers = !PASSING.has(reason) && asked.target === asked.request.target;
    return { ...asked, outcome, until: isOthers ? this.#deps.clock.monotonic() + FALLBACK_MS : null };
  }

  /** Compares the regions in the background where the catalogue does not. A playlist of one track says little of the others. */
  #measure({ request, target, plan, decision }: Asked): void {
    const { router, alignments } = this.#deps;
    const { protocol, isPlaylist } = plan.document;
    if (protocol === "smooth" || isPlaylist || request.locatorId === null) return;
    if (plan.unmeasured.length === 0 && router.entry(request) !== undefined) return;
    const { locatorId } = request;
    const able = decision.considered.filter(({ eligible }) => eligible);
    alignments.measure(
      { locatorId, protocol },
      target,
      able.map(({ region }) => ({ region, base: router.base("streaming", region) })),
    );
  }
}

/** The regions to ask: as they are decided on, those that failed left out, and no others than these. */
function inTurn(
  chosen: string | null,
  regions: readonly string[],
  decide: (tried: ReadonlySet<string>) => string | null,
): () => string | null {
  const tried = new Set<string>();
  return () => {
    for (;;) {
      const region = tried.size === 0 ? chosen : decide(tried);
      if (region === null || tried.has(region)) return null;
      tried.add(region);
      if (regions.includes(region)) return region;
    }
  };
}

const VERSIONS = new WeakMap<CatalogueEntry, string>();

/** Another publication is another text. */
function versionOf(entry: CatalogueEntry | undefined): string {
  if (entry === undefined) return "";
  const known = VERSIONS.get(entry);
  if (known !== undefined) return known;
  const copies = Object.entries(entry.regions).map(([region, { state, at }]) => `${region} ${state} ${at}`);
  const version = [entry.publishedAt, entry.streamingPolicyName, ...copies].join();
  VERSIONS.set(entry, version);
  return version;
}

const REFUSALS: Readonly<Record<RewriteRefusal, PlaybackFallback>> = {
  not_playlist: "malformed",
  not_multivariant: "malformed",
  not_mpd: "malformed",
  malformed: "malformed",
  foreign_uri: "foreign_uri",
  unsteerable: "unsteerable",
};

function seenIn(rewritten: RewrittenText): SeenManifest {
  if (rewritten.ok) return { fallback: null, detail: null, boundKeys: rewritten.boundKeys };
  return { fallback: REFUSALS[rewritten.reason], detail: rewritten.detail, boundKeys: 0 };
}

/** What a region says to one viewer must not be told to others, and what it says to nobody in particular may be wrong for this one. */
function carriesCredentials({ header }: WireFacts): boolean {
  return header("authorization") !== undefined || header("cookie") !== undefined;
}
