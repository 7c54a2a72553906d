// hls.js on the gateway's URL. A redirect pins a session to its region, so a watchdog loads the gateway's URL again where it stopped.
import Hls from "hls.js";

const STUCK_AFTER_MS = 3000;
const SAME_ERROR_MS = 5000;

/**
 * @typedef {{region: string|null, reason: string|null, level: string, keyFrom: string, reloads: number}} PlayerFacts
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
    /** @type {PlayerFacts} */
    this.facts = { region: null, reason: null, level: "", keyFrom: "", reloads: 0 };
    this.progress = { time: 0, at: 0 };
    this.lastError = { text: "", at: 0 };
    this.source = { url: "", token: "", keys: "" };
    setInterval(() => this.watch(), 500);
  }

  /**
   * @param {string} url the gateway's URL of the video
   * @param {string} token for the key, or empty
   * @param {string} keys the gateway's key URL: the token goes there and nowhere else
   * @param {number} [position] seconds
   */
  play(url, token, keys, position = 0) {
    this.hls?.destroy();
    this.source = { url, token, keys };
    this.progress = { time: position, at: performance.now() };
    const hls = new Hls({
      startPosition: position,
      maxBufferLength: 10,
      maxMaxBufferLength: 10,
      maxBufferSize: 0,
      xhrSetup: (xhr, target) => {
        if (token !== "" && target.startsWith(keys)) xhr.setRequestHeader("authorization", `Bearer ${token}`);
      },
    });
    this.hls = hls;
    hls.on(Hls.Events.MANIFEST_LOADED, (_, data) => {
      const host = new URL(data.url).host;
      if (host !== this.facts.region) this.report(`playing from ${this.nameOf(host)}`, "good");
      this.facts.region = host;
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
      if (data.fatal) this.progress.at = performance.now() - STUCK_AFTER_MS;
    });
    hls.loadSource(url);
    hls.attachMedia(this.video);
    this.video.play().catch((error) => this.report(`the browser would not start: ${error}`));
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

  watch() {
    const { video, progress } = this;
    if (this.hls === null || (video.paused && !video.ended && video.readyState > 2)) return;
    if (video.ended || Math.abs(video.currentTime - progress.time) > 0.05) {
      this.progress = { time: video.currentTime, at: performance.now() };
      return;
    }
    if (performance.now() - progress.at < STUCK_AFTER_MS) return;
    this.facts.reloads += 1;
    this.report(`stopped at ${progress.time.toFixed(1)} s: asking the gateway again`, "act");
    this.play(this.source.url, this.source.token, this.source.keys, progress.time);
  }
}
