/** Where a video is: the catalogue's word first; for what it does not know, the candidates themselves are asked and the answer remembered. */
import { LRUCache } from "lru-cache";
import type { Clock } from "../core/clock.ts";
import type { CatalogueEntry, Holding, PlaybackRequest } from "../core/contracts.ts";
import { PREDEFINED_POLICY_PREFIX } from "../core/media.ts";
import type { LookupResult } from "../core/metrics.ts";
import type { CatalogueView } from "../core/ports/catalogue.ts";
import type { HealthView } from "../core/ports/health.ts";
import type { OverrideView } from "../core/ports/overrides.ts";
import type { LocatorAsker } from "./ask.ts";
import type { Candidate } from "./candidates.ts";
import { isUnder, type Holdings } from "./eligibility.ts";
import { pathOf } from "./target.ts";

export interface LocateOptions {
  /** Milliseconds. */
  readonly foundFor: number;
  /** Milliseconds; also for answers that are incomplete because a region could not be asked. */
  readonly absentFor: number;
  readonly entries: number;
}

export interface LocateDeps {
  readonly catalogue: CatalogueView;
  readonly health: HealthView;
  /** Left out: none. */
  readonly overrides?: OverrideView;
  readonly clock: Clock;
  readonly asker: LocatorAsker;
  /** Regions with a streaming endpoint. */
  readonly candidates: readonly Candidate[];
  readonly options: LocateOptions;
}

export interface Located {
  readonly holdings: Holdings;
  readonly source: LookupResult;
}

/** Whose key host the keys of a catalogued video come from; `none` for a clear video. */
export type KeyHost = "none" | "region" | "gateway";

const NOTHING_KNOWN: Holdings = {};

/** Once a region has shown the video, the others have this long to answer too before the viewer is sent off. */
const GRACE_MS = 250;

/**
 * Holdings of locators and keys. `known` and `forKey` are reads of memory; `locate` may ask the regions.
 *
 * What was found is remembered by locator; what was not is remembered by path, so that a request for a file that does not exist cannot
 * hide the video it names. One path is asked for once at a time, whatever the number of viewers.
 */
export class LocatorDirectory {
  readonly #deps: LocateDeps;
  readonly #found: LRUCache<string, Holdings>;
  readonly #absent: LRUCache<string, Holdings>;
  readonly #flights = new Map<string, Promise<Holdings>>();
  /** Entries are replaced, never edited, so what is made of one holds as long as it does. */
  readonly #catalogued = new WeakMap<CatalogueEntry, Located>();

  constructor(deps: LocateDeps) {
    this.#deps = deps;
    const { options, clock } = deps;
    const perf = { now: () => clock.monotonic() };
    // ttlResolution 0: lru-cache otherwise keeps one reading of the clock for a millisecond by a timer of its own.
    const bounds = { max: options.entries, perf, ttlResolution: 0 };
    this.#found = new LRUCache({ ...bounds, ttl: options.foundFor });
    this.#absent = new LRUCache({ ...bounds, ttl: options.absentFor });
  }

  /** The same object as long as the catalogue says what it says. */
  get generation(): object {
    return this.#deps.catalogue.entries();
  }

  /** The catalogue's entry of a video; undefined where it does not know it. */
  entry({ locatorId }: PlaybackRequest): CatalogueEntry | undefined {
    return locatorId === null ? undefined : this.#deps.catalogue.byLocator(locatorId);
  }

  /** What is known without asking; undefined where nothing is. */
  known(request: PlaybackRequest): Located | undefined {
    if (request.locatorId === null) return undefined;
    const entry = this.#deps.catalogue.byLocator(request.locatorId);
    if (entry !== undefined) return this.#ofEntry(entry);
    const holdings = this.#found.get(request.locatorId) ?? this.#absent.get(pathOf(request.target));
    return holdings === undefined ? undefined : { holdings, source: "cached" };
  }

  /** What is known, after asking the regions where nothing was. Never rejects: a region that does not answer is `unknown`. */
  async locate(request: PlaybackRequest): Promise<Located> {
    const known = this.known(request);
    if (known !== undefined) return known;
    if (request.locatorId === null) return { holdings: NOTHING_KNOWN, source: "cached" };
    return { holdings: await this.#shared(request, request.locatorId), source: "asked" };
  }

  /** Holdings of a content key by the catalogue; undefined where it does not know the key, or the request names none. */
  forKey(keyId: string | null): Holdings | undefined {
    const entry = keyId === null ? undefined : this.#deps.catalogue.byKey(keyId);
    return entry === undefined ? undefined : this.#ofEntry(entry).holdings;
  }

  /**
   * A predefined policy writes the region's own key host into the manifest. A custom one names a host that was chosen, and the gateway is
   * what one chooses here. Of a packaged video its playlists have told. A key beside the video comes with it, and one at a host that is the same
   * for every region speaks for none. Of a video that the catalogue does not know nothing is known.
   */
  keyHost({ locatorId }: PlaybackRequest): KeyHost {
    const entry = locatorId === null ? undefined : this.#deps.catalogue.byLocator(locatorId);
    if (entry === undefined || entry.keys.length === 0) return "none";
    const { keyHost } = entry;
    if (keyHost !== undefined) return keyHost === "region" || keyHost === "gateway" ? keyHost : "none";
    return entry.streamingPolicyName?.startsWith(PREDEFINED_POLICY_PREFIX) === true ? "region" : "gateway";
  }

  /** True where the regions' keys of a catalogued video were seen to be the same. */
  keysVerified({ locatorId }: PlaybackRequest): boolean {
    const entry = locatorId === null ? undefined : this.#deps.catalogue.byLocator(locatorId);
    return entry?.keys.every(({ fingerprint }) => fingerprint !== null) === true;
  }

  #ofEntry(entry: CatalogueEntry): Located {
    const known = this.#catalogued.get(entry);
    if (known !== undefined) return known;
    const holdings: Record<string, Holding> = {};
    for (const { region } of this.#deps.candidates) holdings[region] = entry.regions[region]?.state === "verified" ? "verified" : "missing";
    const located: Located = { holdings, source: "catalogue" };
    this.#catalogued.set(entry, located);
    return located;
  }

  #shared(request: PlaybackRequest, locatorId: string): Promise<Holdings> {
    const path = pathOf(request.target);
    const running = this.#flights.get(path);
    if (running !== undefined) return running;
    const flight = this.#ask(request, locatorId).finally(() => {
      this.#flights.delete(path);
    });
    this.#flights.set(path, flight);
    return flight;
  }

  /** Asks all at once; a region known to be ill, or disabled, is left out, its copy stays `unknown` and counts only where nobody else has the video. */
  async #ask(request: PlaybackRequest, locatorId: string): Promise<Holdings> {
    const health = this.#deps.health.snapshot();
    const holdings: Record<string, Holding> = {};
    for (const { region } of this.#deps.candidates) holdings[region] = "unknown";
    const words = { service: "streaming", overrides: this.#deps.overrides?.active() ?? [] } as const;
    const asked = this.#deps.candidates.filter(
      ({ region }) => health.regions[region]?.streaming?.status !== "unhealthy" && !isUnder("disable", region, words),
    );
    const firstFound = Promise.withResolvers<void>();
    const answers = asked.map(async (candidate) => {
      const holding = await this.#deps.asker.ask(candidate, request);
      holdings[candidate.region] = holding;
      if (holding === "found") firstFound.resolve();
    });
    const all = Promise.all(answers).then(() => {
      this.#remember(request, locatorId, holdings);
    });
    await Promise.race([all, this.#graceAfter(firstFound.promise, all)]);
    return { ...holdings };
  }

  async #graceAfter(found: Promise<void>, all: Promise<void>): Promise<void> {
    await found;
    const enough = new AbortController();
    const over = () => {
      enough.abort();
    };
    all.then(over, over);
    await this.#deps.clock.sleep(GRACE_MS, enough.signal).catch(() => undefined);
  }

  #remember(request: PlaybackRequest, locatorId: string, holdings: Holdings): void {
    const values = Object.values(holdings);
    const kept = { ...holdings };
    if (!values.includes("found")) this.#absent.set(pathOf(request.target), kept);
    else if (values.includes("unknown")) this.#found.set(locatorId, kept, { ttl: this.#deps.options.absentFor });
    else this.#found.set(locatorId, kept);
  }
}
