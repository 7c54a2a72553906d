// hls.js on the gateway's URL, with the client kit: it leaves a dead region at the first sign, and where the picture still stops, a watchdog
// loads the gateway's URL again at the old position.
import Hls from "hls.js";
import { demoteOnTimeout, hlsConfig } from "paircast/hlsjs.js";
import { watchdog } from "paircast/watchdog.js";

const BUFFER_SECONDS = 10;
const SAME_ERROR_MS = 5000;
/** A region that dies while the first picture is awaited. */
const STARTS_WITHIN_MS = 5000;

/**
 * @typedef {{region: string|null, level: string, keyFrom: string, reloads: number}} PlayerFacts
 */

export class Player {
  /**
   * @param {HTMLVideoElement} video
   * @param {(text: string, tone?: string) => void} report
   * @param {(host: string) => string} nameOf what people call a host
   */
  constructor(video, report, nameOf) {
    this.video = video;
    this.report = report;
    this.nameOf = nameOf;
    /** @type {Hls | null} */
    this.hls = null;
    /** @type {ReturnType<typeof watchdog> | null} */
    this.watchdog = null;
    /** @type {PlayerFacts} */
    this.facts = { region: null, level: "", keyFrom: "", reloads: 0 };
    this.lastError = { text: "", at: 0 };
  }

  /**
   * @param {string} url the gateway's URL of the video
   * @param {string} token for the key, or empty
   * @param {string} keys the gateway's key URL: the token goes there and nowhere else
   */
  play(url, token, keys) {
    this.watchdog?.stop();
    this.load(url, token, keys, -1);
    const again = (/** @type {number} */ position) => {
      this.facts.reloads += 1;
      this.report(`stopped at ${position.toFixed(1)} s: asking the gateway again`, "act");
      this.load(url, token, keys, position);
    };
    this.watchdog = watchdog(this.video, again, { startMs: STARTS_WITHIN_MS });
  }

  /**
   * @param {string} url
   * @param {string} token
   * @param {string} keys
   * @param {number} startPosition seconds, or -1 for where the video begins
   */
  load(url, token, keys, startPosition) {
    const live = this.hls?.latestLevelDetails?.live === true;
    this.hls?.destroy();
    const hls = new Hls({
      ...hlsConfig({ bufferSeconds: BUFFER_SECONDS }),
      startPosition: live ? -1 : startPosition,
      maxBufferLength: BUFFER_SECONDS,
      maxMaxBufferLength: BUFFER_SECONDS,
      maxBufferSize: 0,
      xhrSetup: (xhr, target) => {
        if (token !== "" && target.startsWith(keys)) xhr.setRequestHeader("authorization", `Bearer ${token}`);
      },
    });
    this.hls = hls;
    demoteOnTimeout(hls, { onDemote: (pathway, reason) => this.report(`player: leaves ${pathway} (${reason})`, "act") });
    this.observe(hls);
    hls.loadSource(url);
    hls.attachMedia(this.video);
    this.video.play().catch((error) => this.report(`the browser would not start: ${error}`));
  }

  /** @param {Hls} hls */
  observe(hls) {
    hls.on(Hls.Events.FRAG_LOADED, (_, { frag, networkDetails }) => {
      if (frag.type === "main" && networkDetails instanceof XMLHttpRequest) this.servedBy(new URL(networkDetails.responseURL).host);
    });
    hls.on(Hls.Events.LEVEL_SWITCHED, (_, data) => {
      const level = hls.levels[data.level];
      if (level !== undefined) this.facts.level = `${level.width} × ${level.height}, ${Math.round(level.bitrate / 1000)} kbit/s`;
    });
    hls.on(Hls.Events.KEY_LOADED, (_, data) => {
      const uri = data.frag.decryptdata?.uri;
      if (uri !== undefined && uri !== null) this.facts.keyFrom = new URL(uri).host;
    });
    hls.on(Hls.Events.ERROR, (_, data) => {
      this.reportError(`player: ${data.fatal ? "fatal " : ""}${data.details}`);
      if (data.fatal) this.watchdog?.broken();
    });
  }

  /** @param {string} host */
  servedBy(host) {
    if (host !== this.facts.region) this.report(`playing from ${this.nameOf(host)}`, "good");
    this.facts.region = host;
  }

  /**
   * hls.js tries again many times a second; one line says it.
   * @param {string} text
   */
  reportError(text) {
    const now = performance.now();
    if (text === this.lastError.text && now - this.lastError.at < SAME_ERROR_MS) return;
    this.lastError = { text, at: now };
    this.report(text, "bad");
  }
}
