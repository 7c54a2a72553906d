// Shaka Player 5.2: settings under which it leaves a dead region in time and comes back to it, for HLS and DASH.
import { Penalties } from "./penalties.js";
import { timing } from "./timing.js";

/** `shaka.net.NetworkingEngine.RequestType.CONTENT_STEERING`. */
const CONTENT_STEERING = 8;
/** What the steering server is told (RFC 8216bis §7.1, ETSI TS 103 998 §6.4). */
const PATHWAY_PARAMETERS = ["_HLS_pathway", "_DASH_pathway"];

/**
 * Settings for `player.configure(…)`. `bufferingGoal` stays yours: say in `bufferSeconds` what it is.
 * @param {import("./timing.js").BufferOptions} [options]
 */
export function shakaConfig(options) {
  const { firstByteMs, silenceMs, loadMs, retryMs } = timing(options);
  const retryParameters = {
    // Attempt n asks the n-th location: the region, the next region, …; the default of 2 ends before the gateway's own pathway.
    maxAttempts: 5,
    baseDelay: retryMs / 2,
    backoffFactor: 1.5,
    fuzzFactor: 0.5,
    connectionTimeout: firstByteMs,
    stallTimeout: silenceMs,
    timeout: loadMs,
  };
  return {
    streaming: { retryParameters },
    manifest: { retryParameters },
    drm: { retryParameters },
  };
}

/**
 * @typedef {object} Request what is used of a `shaka.extern.Request`
 * @property {string[]} uris
 * @property {number} [attempt] 0 for the first
 *
 * @typedef {object} Response
 * @property {ArrayBuffer | ArrayBufferView | null} data
 *
 * @typedef {object} Network what is used of a `shaka.net.NetworkingEngine`
 * @property {(filter: (type: number, request: Request) => void) => void} registerRequestFilter
 * @property {(filter: (type: number, request: Request) => void) => void} unregisterRequestFilter
 * @property {(filter: (type: number, response: Response) => void) => void} registerResponseFilter
 * @property {(filter: (type: number, response: Response) => void) => void} unregisterResponseFilter
 *
 * @typedef {object} DemotionOptions
 * @property {import("./penalties.js").PenaltyOptions} [penalty]
 * @property {(origin: string) => void} [onDemote]
 */

/**
 * Takes over the change from one region to the next. Shaka alone bans the host of each failed attempt for 60 s, whatever is configured and whatever
 * the gateway says: a region that returns stays empty for as long. Here each attempt is given one location, so that Shaka bans none, and a failed
 * one stands behind the others until the gateway has put it last and then first again. Call it before `load`.
 * @param {{getNetworkingEngine: () => Network | null}} player
 * @param {DemotionOptions} [options]
 * @returns {() => void} takes it out again
 */
export function demoteOnFailure(player, options = {}) {
  const network = player.getNetworkingEngine();
  if (network === null) throw new Error("demoteOnFailure: the player has been destroyed");
  const demotion = new Demotion(options);
  const requested = (/** @type {number} */ type, /** @type {Request} */ request) => {
    if (type === CONTENT_STEERING) demotion.report(request);
    else demotion.direct(request, performance.now());
  };
  const responded = (/** @type {number} */ type, /** @type {Response} */ response) => {
    if (type === CONTENT_STEERING && response.data !== null) demotion.steered(new TextDecoder().decode(response.data));
  };
  network.registerRequestFilter(requested);
  network.registerResponseFilter(responded);
  return () => {
    network.unregisterRequestFilter(requested);
    network.unregisterResponseFilter(responded);
  };
}

class Demotion {
  /** @param {DemotionOptions} options */
  constructor({ penalty, onDemote }) {
    this.penalties = new Penalties(penalty);
    this.onDemote = onDemote;
    /** @type {WeakMap<Request, string[]>} all locations of a request, in the order in which they are asked */
    this.locations = new WeakMap();
    /** @type {readonly string[]} pathways, as the gateway last listed them */
    this.priority = [];
    /** @type {Map<string, string>} origin -> pathway */
    this.pathways = new Map();
    /** @type {string | null} origin of the latest request */
    this.used = null;
  }

  /**
   * Shaka calls its filters before every attempt.
   * @param {Request} request
   * @param {number} now
   */
  direct(request, now) {
    const { attempt = 0 } = request;
    const locations = attempt === 0 ? this.inOrder(request.uris, now) : this.locations.get(request);
    if (locations === undefined) return;
    this.locations.set(request, locations);
    if (attempt > 0) this.failed(at(locations, attempt - 1), now);
    const location = at(locations, attempt);
    this.used = originOf(location);
    request.uris = [location];
  }

  /**
   * Shaka lists the locations in the gateway's order.
   * @param {readonly string[]} uris
   * @param {number} now
   */
  inOrder(uris, now) {
    const byOrigin = new Map(uris.map((uri) => [originOf(uri), uri]));
    // One location, or several of one host: there is nothing to choose from.
    if (byOrigin.size < 2 || byOrigin.size < uris.length) return undefined;
    const origins = [...byOrigin.keys()];
    if (origins.length === this.priority.length)
      this.pathways = new Map(origins.map((origin, index) => [origin, this.priority[index] ?? ""]));
    this.penalties.heard(origins, now);
    return this.penalties.order(origins, now).map((origin) => byOrigin.get(origin) ?? "");
  }

  /**
   * @param {string} location
   * @param {number} now
   */
  failed(location, now) {
    const origin = originOf(location);
    const fresh = !this.penalties.demoted(origin, now);
    this.penalties.failed(origin, now);
    if (fresh) this.onDemote?.(origin);
  }

  /** @param {string} text of a steering manifest */
  steered(text) {
    try {
      const { "PATHWAY-PRIORITY": priority } = /** @type {{"PATHWAY-PRIORITY"?: unknown}} */ (JSON.parse(text));
      if (Array.isArray(priority)) this.priority = priority.map(String);
    } catch {
      // Shaka says what it thinks of it.
    }
  }

  /**
   * Shaka believes that it plays from the first location: the gateway is told what is true, or nothing.
   * @param {Request} request
   */
  report(request) {
    const pathway = this.used === null ? undefined : this.pathways.get(this.used);
    request.uris = request.uris.map((uri) => (uri.startsWith("data:") ? uri : withPathway(uri, pathway)));
  }
}

/**
 * @param {string} uri
 * @param {string | undefined} pathway
 */
function withPathway(uri, pathway) {
  const url = new URL(uri);
  for (const name of PATHWAY_PARAMETERS) {
    if (!url.searchParams.has(name)) continue;
    if (pathway === undefined) url.searchParams.delete(name);
    else url.searchParams.set(name, pathway);
  }
  return url.href;
}

/**
 * @param {readonly string[]} locations
 * @param {number} attempt
 */
function at(locations, attempt) {
  return locations[attempt % locations.length] ?? "";
}

/** @param {string} uri */
function originOf(uri) {
  return new URL(uri, "https://relative.invalid").origin;
}
