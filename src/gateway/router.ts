/** Joins the pure steps with what they decide on: configuration, health, catalogue. Shared by the player listener and the admin API. */
import type { Clock, Random } from "../core/clock.ts";
import type { Decision, Override, PlaybackRequest, Region, Service } from "../core/contracts.ts";
import type { Metrics } from "../core/metrics.ts";
import type { HealthView, OverrideView } from "../core/ports.ts";
import { candidatesFor, locationOf, type Candidate } from "./candidates.ts";
import { choose } from "./decide.ts";
import { noneEligible, type Holdings, type KeyNeed } from "./eligibility.ts";
import { explain, rawRequestOf, type Explanation, type RoutingExplanation } from "./explain.ts";
import type { Located, LocatorDirectory } from "./locate.ts";
import { describeOrder } from "./order/describe.ts";
import { orderFor, type Order, type OrderFacts } from "./order/order.ts";
import { ANYBODY, hintedViewer, seedOf, viewerFor, type Viewer, type ViewerHints, type WireFacts } from "./order/viewer.ts";
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
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: Random;
}

const NOBODY: ReadonlySet<string> = new Set();
const NOTHING_KNOWN: Holdings = {};
const NO_OVERRIDE: readonly Override[] = [];
const NO_OVERRIDES: OverrideView = { active: () => NO_OVERRIDE };

export class PlaybackRouter {
  readonly #deps: RouterDeps;
  readonly #candidates: Readonly<Record<Service, readonly Candidate[]>>;
  readonly #policies: RoutePolicies;
  readonly #standings: Standings;
  #epoch: { readonly standings: object; readonly catalogue: object } = { standings: {}, catalogue: {} };

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
    if (standings !== this.#epoch.standings || catalogue !== this.#epoch.catalogue) this.#epoch = { standings, catalogue };
    return this.#epoch;
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

  #standing(request: PlaybackRequest, holdings: Holdings): Standing {
    return this.#standings.of(request.service, holdings, this.#keyNeed(request));
  }

  #keyNeed(request: PlaybackRequest): KeyNeed {
    if (request.service === "keys") return "none";
    const host = this.#deps.directory.keyHost(request);
    if (host === "none") return "none";
    if (host === "region") return "host";
    return this.#deps.routing.keysMayCross ? "any" : "region";
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
