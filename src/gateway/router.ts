/** Joins the pure steps with what they decide on: configuration, health, catalogue. Shared by the player listener and the admin API. */
import type { Clock, Random } from "../core/clock.ts";
import type { Address } from "../core/address.ts";
import type { CatalogueEntry, Decision, Override, PlaybackRequest, Region, Service } from "../core/contracts.ts";
import type { PlaybackMode } from "../core/config/playback.ts";
import type { Metrics } from "../core/metrics.ts";
import type { HealthView } from "../core/ports/health.ts";
import type { OverrideView } from "../core/ports/overrides.ts";
import { candidatesFor, locationOf, type Candidate } from "./candidates.ts";
import { choose } from "./decide.ts";
import { noneEligible, type Holdings, type KeyNeed } from "./eligibility.ts";
import { explain, rawRequestOf, type Explanation, type RoutingExplanation } from "./explain.ts";
import type { Located, LocatorDirectory } from "./locate.ts";
import { describeOrder } from "./order/describe.ts";
import { orderFor, type Order, type OrderFacts } from "./order/order.ts";
import {
  ANYBODY,
  hintedViewer,
  keptViewer,
  seedOf,
  viewerAddress,
  viewerFor,
  type KeptViewer,
  type Viewer,
  type ViewerHints,
  type WireFacts,
} from "./order/viewer.ts";
import type { Alignments } from "./rewrite/alignments.ts";
import { documentOf } from "./rewrite/document.ts";
import { explainPlayback, keysOf, type PlaybackExplanation } from "./rewrite/explainPlayback.ts";
import { planPlayback, type PlaybackPlan } from "./rewrite/plan.ts";
import type { SeenManifests } from "./rewrite/seenManifests.ts";
import { manifestTarget } from "./rewrite/target.ts";
import { readRequest, type FrontDoor, type FrontDoorResult, type RawRequest } from "./request.ts";
import { RoutePolicies, type RoutePolicy, type RoutingRules } from "./routePolicies.ts";
import { Standings, type Standing } from "./standings.ts";

export interface RouterDeps {
  readonly regions: readonly Region[];
  readonly door: FrontDoor;
  readonly routing: RoutingRules;
  readonly health: HealthView;
  /** Left out: none. */
  readonly overrides?: OverrideView;
  readonly directory: LocatorDirectory;
  /** What was measured of copies that the catalogue does not compare. Left out: nothing. */
  readonly alignments?: Pick<Alignments, "of" | "generation">;
  /** What manifests turned out to be. Left out: nothing is known of it. */
  readonly seen?: Pick<SeenManifests, "of">;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: Random;
}

/** What is decided for a session that is under way. */
export interface SteeredDecision {
  readonly decision: Decision;
  /** The same decision stands for many viewers. */
  readonly shared: boolean;
  /** The order follows measurements, which change while a session lasts. */
  readonly measured: boolean;
}

const NOBODY: ReadonlySet<string> = new Set();
const NOTHING_KNOWN: Holdings = {};
const NOT_MEASURED = (): null => null;
const NO_OVERRIDE: readonly Override[] = [];
const NO_OVERRIDES: OverrideView = { active: () => NO_OVERRIDE };

export class PlaybackRouter {
  readonly #deps: RouterDeps;
  readonly #candidates: Readonly<Record<Service, readonly Candidate[]>>;
  readonly #policies: RoutePolicies;
  readonly #standings: Standings;
  #epoch = { standings: {}, catalogue: {}, alignments: {} };

  constructor(deps: RouterDeps) {
    this.#deps = deps;
    const { regions, routing, health, overrides = NO_OVERRIDES } = deps;
    this.#candidates = { streaming: candidatesFor("streaming", regions), keys: candidatesFor("keys", regions) };
    this.#policies = new RoutePolicies(
      routing,
      regions.map(({ name }) => name),
    );
    this.#standings = new Standings({ candidates: this.#candidates, health, overrides });
  }

  read(raw: RawRequest): FrontDoorResult {
    return readRequest(raw, this.#deps.door);
  }

  /** Whereabouts from memory; undefined where `locate` has to ask. */
  known(request: PlaybackRequest): Located | undefined {
    return this.#deps.directory.known(request);
  }

  /** Whereabouts, asking the regions where memory has none. Never rejects. */
  async locate(request: PlaybackRequest): Promise<Located> {
    return this.#deps.directory.locate(request);
  }

  /** Whereabouts of a key, undefined where they are not known. */
  keyHoldings(request: PlaybackRequest): Holdings | undefined {
    return this.#deps.directory.forKey(request.keyId);
  }

  /** Who asks, as far as the policy for this request depends on it: for most policies nobody in particular. */
  viewer(request: PlaybackRequest, wire: WireFacts): Viewer {
    const policy = this.#policies.of(request);
    if (!policy.knowsViewers && !this.#standings.ramping) return ANYBODY;
    return viewerFor(policy.prepared, wire, this.#deps.routing.believed, this.#deps.random.next());
  }

  /**
   * The same object as long as every decision on a catalogued video is what it is, whoever asks: what follows from one can be kept so long.
   * Null where decisions depend on the viewer, on chance or on one another.
   */
  epoch(request: PlaybackRequest): object | null {
    const policy = this.#policies.of(request);
    if (policy.knowsViewers || !policy.constantOrders || this.#standings.ramping) return null;
    const { generation: standings } = this.#standings;
    const { generation: catalogue } = this.#deps.directory;
    const alignments = this.#deps.alignments?.generation ?? NOT_MEASURED;
    const { standings: before, catalogue: known, alignments: measured } = this.#epoch;
    if (standings !== before || catalogue !== known || alignments !== measured) this.#epoch = { standings, catalogue, alignments };
    return this.#epoch;
  }

  /** What the route answers to a request for a manifest. */
  playback(request: PlaybackRequest): PlaybackMode {
    return this.#policies.of(request).playback;
  }

  /** The catalogue's entry of what is asked for; undefined where it does not know it. */
  entry(request: PlaybackRequest): CatalogueEntry | undefined {
    return this.#deps.directory.entry(request);
  }

  /** What is to become of a request for a manifest under a mode that rewrites it; null for all others, and where no region was chosen. */
  plan(request: PlaybackRequest, holdings: Holdings, decision: Decision): PlaybackPlan | null {
    const mode = this.playback(request);
    const document = mode === "redirect" || request.kind === "key" ? null : documentOf(request.target);
    if (mode === "redirect" || document === null || decision.region === null) return null;
    const { locatorId, target } = request;
    const { alignments } = this.#deps;
    const known = alignments !== undefined && locatorId !== null && document.protocol !== "smooth";
    const measured = known ? alignments.of({ locatorId, protocol: document.protocol }, target) : NOT_MEASURED;
    const route = { mode, document, anchorLast: this.#deps.routing.anchorLast === true };
    return planPlayback(route, decision, { holdings, entry: this.entry(request), measured });
  }

  /** A plain computation on memory. `tried`: regions that failed for this very request. */
  decide(request: PlaybackRequest, holdings: Holdings, viewer: Viewer = this.#somebody(), tried: ReadonlySet<string> = NOBODY): Decision {
    const policy = this.#policies.of(request);
    const order = orderFor(policy.prepared, viewer, this.#orderFacts(request, policy));
    const standing = this.#standing(request, holdings);
    if (policy.constantOrders && tried.size === 0 && !this.#standings.ramping) return settled(policy, order, standing);
    const decision = picked(policy, order, standing, viewer, tried);
    if (policy.window !== null && decision.region !== null && tried.size === 0) {
      policy.window[request.service].record(decision.region, this.#deps.clock.monotonic());
    }
    return decision;
  }

  /** Who asks in a session that is under way: what a request shows of him, and what was kept of him since it began. */
  returning(request: PlaybackRequest, wire: WireFacts, kept: KeptViewer | null): Viewer {
    return keptViewer(this.viewer(request, wire), kept);
  }

  /** The address that counts as the viewer's; null where there is no socket. */
  address(wire: WireFacts): Address | null {
    return viewerAddress(wire, this.#deps.routing.believed.proxies);
  }

  /** As `decide`, for a session that is under way: its viewer was counted when it began. */
  steered(request: PlaybackRequest, holdings: Holdings, viewer: Viewer): SteeredDecision {
    const policy = this.#policies.of(request);
    const { method } = policy.prepared.policy;
    const order = orderFor(policy.prepared, viewer, this.#orderFacts(request, policy));
    const standing = this.#standing(request, holdings);
    const shared = policy.constantOrders && !this.#standings.ramping;
    const decision = shared ? settled(policy, order, standing) : picked(policy, order, standing, viewer, NOBODY);
    return { decision, shared, measured: method === "hash" || method === "latency" };
  }

  location(request: PlaybackRequest, region: string): string {
    return locationOf(this.#candidates[request.service], region, request.target);
  }

  /** Base URL of a service of a region that was decided on. */
  base(service: Service, region: string): string {
    return locationOf(this.#candidates[service], region, "");
  }

  /** Sets the fail-open gauges from the present snapshot; called before each scrape, so that they are right without traffic, too. */
  recordFailOpen(): void {
    const { health, overrides = NO_OVERRIDES, metrics } = this.#deps;
    for (const service of ["streaming", "keys"] as const) {
      const none = noneEligible(service, this.#candidates[service], health.snapshot(), overrides.active());
      metrics.failOpen(service, none && this.#policies.anyOpen);
    }
  }

  /** Null where `url` is neither an http(s) URL nor a path. `hints` stand for what a player's request would tell of the viewer. */
  explain(url: string, method = "GET", hints: ViewerHints = {}): Explanation | null {
    const raw = rawRequestOf(method, url);
    if (raw === null) return null;
    return explain(raw, {
      door: this.#deps.door,
      known: (request) => this.#knownForExplain(request),
      route: (request, holdings) => this.#explained(request, holdings, hints),
      playback: (request, holdings, decision) => this.#explainedPlayback(request, holdings, decision),
      location: (request, region) => this.location(request, region),
    });
  }

  /** The same steps as `decide`, of which nothing is counted or kept. */
  #explained(request: PlaybackRequest, holdings: Holdings, hints: ViewerHints): { decision: Decision; routing: RoutingExplanation } {
    const policy = this.#policies.of(request);
    const viewer = hintedViewer(policy.prepared, hints, request.target, this.#deps.routing.believed, this.#deps.random.next());
    const facts = this.#orderFacts(request, policy);
    const order = orderFor(policy.prepared, viewer, facts);
    const decision = picked(policy, order, this.#standing(request, holdings), viewer, NOBODY);
    const why = describeOrder(policy.prepared, viewer, facts, order);
    const { session, country } = viewer;
    return { decision, routing: { route: request.route ?? null, method: policy.prepared.policy.method, why, session, country } };
  }

  /** Null for keys and segments, and where no region was chosen. */
  #explainedPlayback(request: PlaybackRequest, holdings: Holdings, decision: Decision): PlaybackExplanation | null {
    if (request.kind === "key" || documentOf(request.target) === null) return null;
    const plan = this.plan(request, holdings, decision);
    const { directory, seen } = this.#deps;
    return explainPlayback(
      plan,
      decision,
      keysOf(this.entry(request), directory.keyHost(request)),
      seen?.of(manifestTarget(request.target)),
    );
  }

  #standing(request: PlaybackRequest, holdings: Holdings): Standing {
    return this.#standings.of(request.service, holdings, this.#keyNeed(request));
  }

  #keyNeed(request: PlaybackRequest): KeyNeed {
    if (request.service === "keys") return "none";
    const host = this.#deps.directory.keyHost(request);
    if (host === "none") return "none";
    if (host === "region") return "host";
    return this.#deps.routing.keysMayCross && this.#deps.directory.keysVerified(request) ? "any" : "region";
  }

  #orderFacts({ service, locatorId, keyId }: PlaybackRequest, { window }: RoutePolicy): OrderFacts {
    const counts = window === null ? {} : window[service].counts(this.#deps.clock.monotonic());
    const standings = this.#standings;
    return {
      video: locatorId ?? keyId,
      latencies: standings.latencies(service),
      loads: { counts, able: standings.able(service) },
    };
  }

  /** Where the caller does not say who asks: what depends on the viewer is left to chance. */
  #somebody(): Viewer {
    return { ...ANYBODY, chance: this.#deps.random.next() };
  }

  #knownForExplain(request: PlaybackRequest): { holdings: Holdings; source: "catalogue" | "cached" | "nothing" } {
    if (request.kind === "key") {
      const holdings = this.keyHoldings(request);
      return holdings === undefined ? { holdings: NOTHING_KNOWN, source: "nothing" } : { holdings, source: "catalogue" };
    }
    const known = this.known(request);
    if (known === undefined || known.source === "asked") return { holdings: NOTHING_KNOWN, source: "nothing" };
    return { holdings: known.holdings, source: known.source };
  }
}

/** The decision for everybody with this order, made once. */
function settled(policy: RoutePolicy, order: Order, standing: Standing): Decision {
  const known = standing.decided.get(order.regions);
  if (known !== undefined) return known;
  const decision = picked(policy, order, standing, ANYBODY, NOBODY);
  standing.decided.set(order.regions, decision);
  return decision;
}

function picked(policy: RoutePolicy, order: Order, standing: Standing, viewer: Viewer, tried: ReadonlySet<string>): Decision {
  const assessments = order.regions.flatMap((region) => standing.of[region] ?? []);
  return choose(assessments, { tried, whenNoneEligible: policy.whenNoneEligible, seed: seedOf(viewer), canary: order.canary });
}
