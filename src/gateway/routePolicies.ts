/** Which policy holds for a request, each prepared once. */
import { steersManifests, type PlaybackMode } from "../core/config/playback.ts";
import type { GatewayConfig } from "../core/config/schema.ts";
import type { PlaybackRequest, Service } from "../core/contracts.ts";
import type { CountryReader } from "../core/ports/http.ts";
import { preparePolicy, type PreparedPolicy, type RoutingPolicy } from "./order/policy.ts";
import { networksOf, type ViewerRules } from "./order/viewer.ts";
import { DecisionWindow } from "./order/window.ts";
import type { FrontDoor } from "./request.ts";

interface RouteRules {
  readonly policy: RoutingPolicy;
  readonly whenNoneEligible?: "open" | "closed" | undefined;
  readonly playback?: PlaybackMode | undefined;
}

/** The routing part of the configuration. */
export interface RoutingRules {
  readonly policy: RoutingPolicy;
  readonly whenNoneEligible: "open" | "closed";
  /** Left out: `redirect`. */
  readonly playback?: PlaybackMode;
  /** Whether the gateway's own path stands last in steered manifests. Left out: it does not. */
  readonly anchorLast?: boolean;
  /** In the order of `FrontDoor.routes`. What is left out: as above. */
  readonly routes: readonly RouteRules[];
  readonly believed: ViewerRules;
  /** Whether keys that come through the gateway may come from another region than the video. */
  readonly keysMayCross: boolean;
}

/** The front door that the configuration describes. */
export function frontDoorOf(config: Pick<GatewayConfig, "prefixes" | "keys" | "routes" | "playback">): FrontDoor {
  const { prefixes, keys, routes } = config;
  const steering = steersManifests(config) ? { steering: true } : {};
  const door = { prefixes, keyPrefix: keys.prefix, keyHost: keys.host ?? null, ...steering };
  if (routes.length === 0) return door;
  return { ...door, routes: routes.map(({ host, prefix }) => ({ host: host ?? null, prefix: prefix ?? null })) };
}

/** The routing that the configuration describes. `countries` reads its country database; null where it names none. */
export function routingRulesOf(config: GatewayConfig, countries: CountryReader | null): RoutingRules {
  const { routing, routes, viewers, keys, whenNoneEligible } = config;
  const { country } = viewers;
  const header = country !== undefined && "header" in country ? { name: country.header, from: networksOf(country.from) } : null;
  return {
    policy: routing,
    whenNoneEligible,
    playback: config.playback,
    anchorLast: config.steering.anchorLast,
    routes: routes.map((route) => ({ policy: route.routing, whenNoneEligible: route.whenNoneEligible, playback: route.playback })),
    believed: { proxies: networksOf(viewers.proxies), countryHeader: header, countries },
    keysMayCross: keys.cross,
  };
}

export interface RoutePolicy {
  readonly prepared: PreparedPolicy;
  readonly whenNoneEligible: "open" | "closed";
  /** True where the order depends on who asks. */
  readonly knowsViewers: boolean;
  /** True where there are only a few orders, each one array that is there from the start. */
  readonly constantOrders: boolean;
  readonly playback: PlaybackMode;
  /** What was decided lately, where the order depends on it. */
  readonly window: Readonly<Record<Service, DecisionWindow>> | null;
}

export class RoutePolicies {
  readonly #default: RoutePolicy;
  readonly #routes: readonly RoutePolicy[];
  /** True where some request may be sent to an ill region. */
  readonly anyOpen: boolean;

  constructor({ policy, whenNoneEligible, playback = "redirect", routes }: RoutingRules, regions: readonly string[]) {
    const otherwise = { whenNoneEligible, playback };
    this.#default = routePolicy({ policy }, otherwise, regions);
    this.#routes = routes.map((route) => routePolicy(route, otherwise, regions));
    this.anyOpen = [this.#default, ...this.#routes].some((each) => each.whenNoneEligible === "open");
  }

  of({ route }: PlaybackRequest): RoutePolicy {
    return route === undefined ? this.#default : (this.#routes[route] ?? this.#default);
  }
}

type Otherwise = Pick<RoutePolicy, "whenNoneEligible" | "playback">;

function routePolicy({ policy, ...own }: RouteRules, otherwise: Otherwise, regions: readonly string[]): RoutePolicy {
  const { method, sticky, canary } = policy;
  return {
    // A copy of the names: decisions are kept by the identity of an order, and two policies may decide differently.
    prepared: preparePolicy(policy, [...regions]),
    whenNoneEligible: own.whenNoneEligible ?? otherwise.whenNoneEligible,
    playback: own.playback ?? otherwise.playback,
    knowsViewers: canary !== undefined || (method === "latency" ? sticky !== undefined : method !== "priority"),
    constantOrders: canary === undefined && (method === "priority" || method === "geographic"),
    window: method === "hash" ? { streaming: new DecisionWindow(), keys: new DecisionWindow() } : null,
  };
}
