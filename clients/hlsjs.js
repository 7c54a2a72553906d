// hls.js 1.7: settings under which it notices a dead region in time, and a plugin that leaves the region at the first sign.
import { Penalties } from "./penalties.js";
import { timing } from "./timing.js";

/** What hls.js never asks for again by itself, though another region may have it: no answer at all (refused, reset, CORS), and 404. */
const ASKED_AGAIN = new Set([0, 404]);

/** Errors that say something about the region they came from. Keys are asked of the gateway: theirs do not. */
const REGION_FAILURES = new Set([
  "fragLoadError",
  "fragLoadTimeOut",
  "levelLoadError",
  "levelLoadTimeOut",
  "audioTrackLoadError",
  "audioTrackLoadTimeOut",
  "subtitleTrackLoadError",
  "subtitleTrackLoadTimeOut",
]);

const WATCH_MS = 200;
/** Where every pathway has failed, one stays this long before the next: hls.js's own retries, half a second apart, are enough. */
const STAY_MS = 2000;

/**
 * Settings for `new Hls(…)`. Buffer lengths stay yours: say in `bufferSeconds` what they come to.
 * @param {import("./timing.js").BufferOptions} [options]
 * @returns {Partial<import("hls.js").HlsConfig>}
 */
export function hlsConfig(options) {
  const { firstByteMs, loadMs, playlistMs, retryMs } = timing(options);
  const policy = (/** @type {number} */ longestMs, /** @type {number} */ timeouts, /** @type {number} */ errors) => ({
    default: {
      maxTimeToFirstByteMs: firstByteMs,
      maxLoadTimeMs: longestMs,
      timeoutRetry: { maxNumRetry: timeouts, retryDelayMs: 0, maxRetryDelayMs: 0 },
      errorRetry: {
        maxNumRetry: errors,
        retryDelayMs: retryMs,
        maxRetryDelayMs: retryMs,
        backoff: /** @type {const} */ ("linear"),
        shouldRetry: retriedToo,
      },
    },
  });
  return {
    // The gateway's URL: asked again, it may lead to another region.
    manifestLoadPolicy: policy(20_000, 3, 8),
    fragLoadPolicy: policy(loadMs, 4, 8),
    playlistLoadPolicy: policy(playlistMs, 4, 8),
    keyLoadPolicy: policy(loadMs, 4, 16),
    // A poll that hangs must not keep the next one waiting.
    steeringManifestLoadPolicy: policy(firstByteMs, 0, 0),
    // Otherwise a quality that failed once, because its region died, is never chosen again.
    errorPenaltyExpireMs: 30_000,
  };
}

/** @type {NonNullable<import("hls.js").RetryConfig["shouldRetry"]>} */
function retriedToo(config, count, isTimeout, response, retry) {
  return retry || (!isTimeout && count < (config?.maxNumRetry ?? 0) && ASKED_AGAIN.has(response?.code ?? -1));
}

/**
 * @typedef {object} DemotionOptions
 * @property {number} [silenceMs] a request that brings nothing for so long is given up; default: what `hlsConfig` allows for a first byte
 * @property {import("./penalties.js").PenaltyOptions} [penalty]
 * @property {(pathway: string, reason: string) => void} [onDemote]
 *
 * @typedef {import("hls.js").default} Hls
 * @typedef {import("hls.js").Fragment} Fragment
 */

/**
 * Leaves a pathway at its first timeout, error or silence instead of after the last retry of its last quality; requests that hang there are
 * aborted and asked of the next pathway. hls.js alone keeps them until their timeout (measured: 4.1 s of stall, and for ever with half a body).
 * Without pathways, in `anchor` mode, a hanging request is asked of the gateway again. Call it before `loadSource`.
 * @param {Hls} hls
 * @param {DemotionOptions} [options]
 * @returns {() => void} takes it out again; `hls.destroy()` does it too
 */
export function demoteOnTimeout(hls, options = {}) {
  const demotion = new Demotion(hls, options);
  return () => demotion.dispose();
}

class Demotion {
  /**
   * @param {Hls} hls
   * @param {DemotionOptions} options
   */
  constructor(hls, { silenceMs, penalty, onDemote }) {
    this.hls = hls;
    this.silenceMs = silenceMs ?? Math.min(4000, 0.9 * hls.config.fragLoadPolicy.default.maxTimeToFirstByteMs);
    this.onDemote = onDemote;
    this.penalties = new Penalties(penalty);
    /** @type {readonly string[] | null} the gateway's last list */
    this.priority = null;
    /** @type {Map<string, string>} playlist URL, or group id behind its type -> pathway */
    this.pathways = new Map();
    /** @type {Map<Fragment, {loaded: number, at: number}>} what is being loaded, and when it last brought something */
    this.loading = new Map();
    /** @type {number | null} */
    this.reviewAt = null;
    this.movedAt = -Infinity;
    this.listeners = this.listen();
    this.timer = setInterval(() => this.watch(performance.now()), WATCH_MS);
  }

  /** @returns {() => void} */
  listen() {
    const { hls } = this;
    const { Events } = /** @type {typeof import("hls.js").default} */ (hls.constructor);
    /** @type {(() => void)[]} */
    const off = [];
    /**
     * @template {keyof import("hls.js").HlsListeners} E
     * @param {E} event
     * @param {(data: Parameters<import("hls.js").HlsListeners[E]>[1]) => void} handle
     */
    const on = (event, handle) => {
      /** @typedef {Parameters<import("hls.js").HlsListeners[E]>[1]} Data */
      const listener = /** @type {import("hls.js").HlsListeners[E]} */ ((/** @type {E} */ _, /** @type {Data} */ data) => handle(data));
      hls.on(event, listener);
      off.push(() => hls.off(event, listener));
    };
    on(Events.MANIFEST_LOADED, (data) => this.learn(data));
    on(Events.LEVEL_LOADED, ({ details, levelInfo }) => this.pathways.set(details.url, levelInfo.pathwayId));
    on(Events.AUDIO_TRACK_LOADED, ({ details, groupId }) => this.learnTrack(details.url, `audioTrack ${groupId}`));
    on(Events.SUBTITLE_TRACK_LOADED, ({ details, groupId }) => this.learnTrack(details.url, `subtitleTrack ${groupId}`));
    on(Events.FRAG_LOADING, ({ frag }) => this.loading.set(frag, { loaded: 0, at: performance.now() }));
    on(Events.STEERING_MANIFEST_LOADED, ({ steeringManifest }) => this.steered(steeringManifest["PATHWAY-PRIORITY"]));
    on(Events.ERROR, (data) => this.failed(data));
    on(Events.DESTROYING, () => this.dispose());
    return () => off.forEach((remove) => remove());
  }

  dispose() {
    clearInterval(this.timer);
    this.listeners();
    this.loading.clear();
  }

  /** @param {import("hls.js").ManifestLoadedData} data */
  learn({ levels }) {
    this.priority = null;
    this.pathways.clear();
    this.loading.clear();
    for (const { url, attrs } of levels) {
      const pathway = attrs["PATHWAY-ID"] ?? ".";
      this.pathways.set(url, pathway);
      if (attrs.AUDIO !== undefined) this.pathways.set(`audioTrack ${attrs.AUDIO}`, pathway);
      if (attrs.SUBTITLES !== undefined) this.pathways.set(`subtitleTrack ${attrs.SUBTITLES}`, pathway);
    }
  }

  /**
   * @param {string} url of the playlist, after redirects
   * @param {string} group
   */
  learnTrack(url, group) {
    const pathway = this.pathways.get(group);
    if (pathway !== undefined) this.pathways.set(url, pathway);
  }

  /**
   * hls.js applies this very array when the event is over, so it is put in order in place.
   * @param {string[]} priority
   */
  steered(priority) {
    const now = performance.now();
    this.priority = [...priority];
    this.penalties.heard(priority, now);
    this.forgive(this.penalties.forgiven(now));
    priority.splice(0, priority.length, ...this.penalties.order(priority, now));
  }

  /** @param {import("hls.js").ErrorData} data */
  failed({ details, frag, context }) {
    if (!REGION_FAILURES.has(details)) return;
    const pathway = frag === undefined ? this.pathwayOfPlaylist(context) : this.pathways.get(frag.baseurl);
    if (pathway !== undefined) this.demote(pathway, details);
  }

  /** @param {Partial<import("hls.js").PlaylistLoaderContext> | undefined} context */
  pathwayOfPlaylist({ type, groupId, pathwayId, url = "" } = {}) {
    return pathwayId ?? this.pathways.get(`${type} ${groupId}`) ?? this.pathways.get(url);
  }

  /** @param {number} now */
  watch(now) {
    for (const [frag, progress] of this.loading) {
      if (frag.loader === null) this.loading.delete(frag);
      else if (frag.stats.loaded !== progress.loaded) this.loading.set(frag, { loaded: frag.stats.loaded, at: now });
      else if (now - progress.at >= this.silenceMs) this.silent(frag, now);
    }
    if (this.reviewAt !== null && now >= this.reviewAt) this.apply(now);
  }

  /**
   * @param {Fragment} frag
   * @param {number} now
   */
  silent(frag, now) {
    const pathway = this.pathways.get(frag.baseurl);
    if (pathway !== undefined) this.demote(pathway, "silence");
    for (const [other, { at }] of this.loading) {
      if (other !== frag && (this.pathways.get(other.baseurl) !== pathway || now - at < this.silenceMs / 2)) continue;
      this.loading.delete(other);
      other.abortRequests();
    }
  }

  /**
   * @param {string} pathway
   * @param {string} reason
   */
  demote(pathway, reason) {
    const { hls, penalties } = this;
    if (hls.pathways.length < 2) return;
    const now = performance.now();
    const fresh = !penalties.demoted(pathway, now);
    penalties.failed(pathway, now);
    if (hls.pathways.some((other) => !penalties.demoted(other, now))) this.forgive([pathway]);
    else if (now - this.movedAt < STAY_MS) return;
    this.movedAt = now;
    this.apply(now);
    if (fresh) this.onDemote?.(pathway, reason);
  }

  /** @param {number} now */
  apply(now) {
    const { hls, penalties } = this;
    this.forgive(penalties.forgiven(now));
    hls.pathwayPriority = penalties.order(this.priority ?? hls.pathways, now);
    this.reviewAt = penalties.nextEnd(now);
  }

  /**
   * hls.js keeps a penalty of its own, 300 s and not to be configured: the region would be avoided long after its return.
   * @param {readonly string[]} pathways
   */
  forgive(pathways) {
    const { levelController } = /** @type {{levelController?: {steering?: {penalizedPathways?: Record<string, number>}}}} */ (
      /** @type {unknown} */ (this.hls)
    );
    const own = levelController?.steering?.penalizedPathways ?? {};
    for (const pathway of pathways) delete own[pathway];
  }
}
