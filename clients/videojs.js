// video.js 8 with VHS 3.17: options, and a helper that does what VHS leaves undone when a region dies.
import { Penalties } from "./penalties.js";
import { timing } from "./timing.js";

/** What is asked of a region; keys and steering manifests are asked of the gateway. */
const REGION_REQUESTS = new Set(["segment", "segment-media-initialization", "hls-playlist"]);

/** Where every pathway has failed, one stays this long before the next: VHS tries the other qualities meanwhile. */
const STAY_MS = 2000;

/** Options of VHS, for `videojs(element, { html5: { vhs: vhsOptions() } })`. */
export function vhsOptions() {
  // Seconds. With the default of 60, a gateway's playlist that failed once is avoided although it leads elsewhere by now.
  return { playlistExclusionDuration: 5 };
}

/**
 * @typedef {object} VhsDemotionOptions
 * @property {number} [bufferSeconds] as for every player, see timing.js
 * @property {boolean} [live]
 * @property {import("./penalties.js").PenaltyOptions} [penalty]
 * @property {(pathway: string, reason: string) => void} [onDemote]
 *
 * @typedef {object} Player what is used of a video.js player
 * @property {(event: string, listener: () => void) => void} on
 * @property {(event: string, listener: () => void) => void} off
 * @property {(safety: boolean) => object | undefined} tech
 *
 * @typedef {{requestType?: string, timeout?: number, beforeSend?: (request: XMLHttpRequest) => void}} RequestOptions
 * @typedef {XMLHttpRequest & {uri: string, requestType: string, aborted?: boolean}} VhsRequest
 * @typedef {(options: RequestOptions) => RequestOptions} OnRequest
 * @typedef {(request: VhsRequest, error: (Error & {code?: string}) | null, response: {statusCode?: number} | undefined) => void} OnResponse
 *
 * @typedef {object} Vhs
 * @property {{onRequest: (hook: OnRequest) => void, offRequest: (hook: OnRequest) => void, onResponse: (hook: OnResponse) => void, offResponse: (hook: OnResponse) => void}} xhr
 * @property {Controller} playlistController_
 *
 * @typedef {object} Controller
 * @property {() => {playlists: Playlist[]} | undefined} main
 * @property {() => void} changeSegmentPathway_
 * @property {Steering} contentSteeringController_
 *
 * @typedef {object} Steering
 * @property {string | null} currentPathway
 * @property {{priority: string[]}} steeringManifest
 * @property {() => string | null} getPathway
 * @property {(pathway: string) => void} addAvailablePathway
 * @property {(pathway: string) => void} excludePathway
 *
 * @typedef {object} Playlist
 * @property {string} [resolvedUri]
 * @property {Record<string, string>} attributes
 * @property {number} [excludeUntil]
 * @property {string} [lastExcludeReason_]
 */

/**
 * VHS takes a request that hangs for a slow network: it chooses a lower quality in the same region, and audio is never asked for again. And after
 * the last quality has failed it waits for the next steering manifest. With this, silence is a failure, and the first failure moves all
 * qualities to the next pathway. Call it once for each player, before `src`.
 * @param {Player} player of video.js
 * @param {VhsDemotionOptions} [options]
 * @returns {() => void} takes it out again
 */
export function demoteOnFailure(player, options = {}) {
  const demotion = new VhsDemotion(player, options);
  const hook = () => demotion.hook();
  player.on("xhr-hooks-ready", hook);
  return () => {
    player.off("xhr-hooks-ready", hook);
    demotion.unhook();
  };
}

class VhsDemotion {
  /**
   * @param {Player} player
   * @param {VhsDemotionOptions} options
   */
  constructor(player, { penalty, onDemote, ...buffer }) {
    this.player = player;
    this.silenceMs = timing(buffer).silenceMs;
    this.onDemote = onDemote;
    this.penaltyOptions = penalty;
    this.penalties = new Penalties(penalty);
    this.movedAt = -Infinity;
    /** @type {() => void} */
    this.unhook = () => {};
  }

  /** @returns {Vhs | undefined} */
  get vhs() {
    return /** @type {{vhs?: Vhs} | undefined} */ (this.player.tech(true))?.vhs;
  }

  get controller() {
    return this.vhs?.playlistController_;
  }

  /** For each source VHS has new hooks, and new pathways. */
  hook() {
    this.unhook();
    this.penalties = new Penalties(this.penaltyOptions);
    const xhr = this.vhs?.xhr;
    if (xhr === undefined) return;
    /** @type {OnRequest} */
    const onRequest = (options) => {
      // VHS's own timeout, 1.5 segments, would come before a long silence does, and both loaders then wait until the buffer is empty.
      const limit = REGION_REQUESTS.has(options.requestType ?? "") ? { timeout: 0 } : {};
      return { ...options, ...limit, beforeSend: (request) => this.listen(request, options) };
    };
    /** @type {OnResponse} */
    const onResponse = (request, error, response) => this.answered(request, error, response);
    const onSteered = () => this.steered();
    xhr.onRequest(onRequest);
    xhr.onResponse(onResponse);
    this.player.on("contentsteeringparsed", onSteered);
    this.unhook = () => {
      xhr.offRequest(onRequest);
      xhr.offResponse(onResponse);
      this.player.off("contentsteeringparsed", onSteered);
    };
  }

  /**
   * @param {XMLHttpRequest} request
   * @param {RequestOptions} options
   */
  listen(request, { requestType, beforeSend }) {
    beforeSend?.(request);
    if (!REGION_REQUESTS.has(requestType ?? "")) return;
    const silent = () => {
      // video.js's xhr wants an Error here; an abort alone would never be answered.
      const fail = /** @type {((error: Error) => void) | null} */ (/** @type {unknown} */ (request.onerror));
      fail?.call(request, new Error(`no data for ${this.silenceMs} ms`));
      XMLHttpRequest.prototype.abort.call(request);
    };
    let timer = setTimeout(silent, this.silenceMs);
    request.addEventListener("progress", () => {
      clearTimeout(timer);
      timer = setTimeout(silent, this.silenceMs);
    });
    request.addEventListener("loadend", () => clearTimeout(timer));
  }

  /**
   * Called before VHS looks at the answer itself, which then chooses among the playlists that are left.
   * @type {OnResponse}
   */
  answered({ uri, requestType, aborted }, error, response) {
    const reason = failure(error, response);
    if (reason === null || aborted || !REGION_REQUESTS.has(requestType)) return;
    // VHS would take its own timeout for a lack of bandwidth.
    if (error?.code === "ETIMEDOUT") delete error.code;
    this.failed(uri, reason);
  }

  /** @returns {Playlist[]} */
  playlists() {
    return this.controller?.main()?.playlists ?? [];
  }

  /**
   * By the host: VHS resolves the URLs of an audio group's segments without saying whose they are.
   * @param {string} uri
   */
  pathwayOf(uri) {
    const { host } = new URL(uri, location.href);
    const playlist = this.playlists().find(({ resolvedUri }) => resolvedUri !== undefined && new URL(resolvedUri).host === host);
    return playlist?.attributes["PATHWAY-ID"];
  }

  /**
   * @param {string} uri
   * @param {string} reason
   */
  failed(uri, reason) {
    const pathway = this.pathwayOf(uri);
    const known = this.pathways();
    if (pathway === undefined || known.length < 2) return;
    const now = performance.now();
    const fresh = !this.penalties.demoted(pathway, now);
    this.penalties.failed(pathway, now);
    if (known.every((other) => this.penalties.demoted(other, now)) && now - this.movedAt < STAY_MS) return;
    this.movedAt = now;
    this.choose(now);
    if (fresh) this.onDemote?.(pathway, reason);
  }

  pathways() {
    return [...new Set(this.playlists().map(({ attributes }) => attributes["PATHWAY-ID"] ?? "."))];
  }

  steered() {
    const now = performance.now();
    this.penalties.heard(this.controller?.contentSteeringController_.steeringManifest.priority ?? [], now);
    if (this.choose(now)) this.controller?.changeSegmentPathway_();
  }

  /**
   * Only pathways that VHS calls available can be chosen by the next steering manifest.
   * @param {number} now
   * @returns {boolean} whether another one is chosen
   */
  choose(now) {
    const steering = this.controller?.contentSteeringController_;
    if (steering === undefined) return false;
    const known = this.pathways();
    const listed = steering.steeringManifest.priority.filter((pathway) => known.includes(pathway));
    const order = this.penalties.order([...listed, ...known.filter((pathway) => !listed.includes(pathway))], now);
    for (const [at, pathway] of order.entries()) {
      if (at > 0 && this.penalties.demoted(pathway, now)) steering.excludePathway(pathway);
      else steering.addAvailablePathway(pathway);
    }
    const [best] = order;
    if (best === undefined || best === steering.getPathway()) return false;
    steering.currentPathway = best;
    this.offer(best);
    // VHS excludes for a few seconds what has failed; only steering may bring it back.
    setTimeout(() => {
      this.offer(best);
    });
    return true;
  }

  /** @param {string} pathway */
  offer(pathway) {
    for (const playlist of this.playlists()) {
      if (playlist.attributes["PATHWAY-ID"] === pathway) {
        delete playlist.excludeUntil;
        delete playlist.lastExcludeReason_;
      } else {
        playlist.excludeUntil = Infinity;
        playlist.lastExcludeReason_ = "content-steering";
      }
    }
  }
}

/**
 * @param {Error | null | undefined} error
 * @param {{statusCode?: number} | undefined} response
 * @returns {string | null} null where there is none
 */
function failure(error, response) {
  if (error) return "no answer";
  const status = response?.statusCode ?? 0;
  return status >= 400 ? `status ${status}` : null;
}
