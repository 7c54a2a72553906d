/** Joins the pure steps with what they decide on: configuration, health, catalogue. Shared by the player listener and the admin API. */
import type { Decision, PlaybackRequest, Region, Service } from "../core/contracts.ts";
import type { Metrics } from "../core/metrics.ts";
import type { HealthView } from "../core/ports.ts";
import { candidatesFor, locationOf, type Candidate } from "./candidates.ts";
import { decide, noneEligible, type Holdings } from "./decide.ts";
import { explain, rawRequestOf, type Explanation } from "./explain.ts";
import type { Located, LocatorDirectory } from "./locate.ts";
import { readRequest, type FrontDoor, type FrontDoorResult, type RawRequest } from "./request.ts";

export interface RouterDeps {
  readonly regions: readonly Region[];
  readonly door: FrontDoor;
  readonly whenNoneEligible: "open" | "closed";
  readonly health: HealthView;
  readonly directory: LocatorDirectory;
  readonly metrics: Metrics;
}

const NOBODY: ReadonlySet<string> = new Set();
const NOTHING_KNOWN: Holdings = {};

export class PlaybackRouter {
  readonly #deps: RouterDeps;
  readonly #candidates: Readonly<Record<Service, readonly Candidate[]>>;

  constructor(deps: RouterDeps) {
    this.#deps = deps;
    this.#candidates = { streaming: candidatesFor("streaming", deps.regions), keys: candidatesFor("keys", deps.regions) };
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

  decide(request: PlaybackRequest, holdings: Holdings, tried: ReadonlySet<string> = NOBODY): Decision {
    const { service } = request;
    const { whenNoneEligible } = this.#deps;
    const health = this.#deps.health.snapshot();
    return decide({ service, candidates: this.#candidates[service], holdings, health, tried, whenNoneEligible });
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
    const health = this.#deps.health.snapshot();
    for (const service of ["streaming", "keys"] as const) {
      const none = noneEligible(service, this.#candidates[service], health);
      this.#deps.metrics.failOpen(service, none && this.#deps.whenNoneEligible === "open");
    }
  }

  /** Null where `url` is neither an http(s) URL nor a path. */
  explain(url: string, method = "GET"): Explanation | null {
    const raw = rawRequestOf(method, url);
    if (raw === null) return null;
    const { door, regions, whenNoneEligible } = this.#deps;
    return explain(raw, {
      door,
      regions,
      whenNoneEligible,
      health: this.#deps.health.snapshot(),
      known: (request) => this.#knownForExplain(request),
    });
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
