import videojs from "video.js";
import { reloadVideojs } from "../../../clients/reload.js";
import { demoteOnFailure, vhsOptions } from "../../../clients/videojs.js";
import { watchdog } from "../../../clients/watchdog.js";
import { authorized } from "./keys.js";

/**
 * @typedef {{uri: string, headers?: Record<string, string>}} RequestOptions
 * @typedef {{GOAL_BUFFER_LENGTH: number, MAX_GOAL_BUFFER_LENGTH: number}} GlobalVhs settings for every player on the page
 * @typedef {{vhs?: {xhr: {onRequest: (hook: (options: RequestOptions) => RequestOptions) => void}}}} Tech
 */

/** @type {import("./types.d.ts").StartPlayer} */
export async function start(video, { url, token, buffer, live, kit }, report) {
  const { Vhs } = /** @type {{ Vhs: GlobalVhs }} */ (/** @type {unknown} */ (videojs));
  Vhs.GOAL_BUFFER_LENGTH = buffer;
  Vhs.MAX_GOAL_BUFFER_LENGTH = buffer;
  const player = videojs(video, { html5: { vhs: { overrideNative: true, ...(kit ? vhsOptions() : {}) } } });
  // The hooks of a player take the place of those that hold for all, and the kit has hooks of its own.
  player.on("xhr-hooks-ready", () => {
    /** @type {Tech} */ (player.tech(true)).vhs?.xhr.onRequest((options) => {
      const headers = authorized(options.uri, token);
      return headers.length === 0 ? options : { ...options, headers: { ...options.headers, ...Object.fromEntries(headers) } };
    });
  });
  if (kit) demoteOnFailure(player, { bufferSeconds: buffer, live });
  const watch = kit ? watchdog(video, reloadVideojs(/** @type {any} */ (player), url)) : null;
  player.on("error", () => {
    report(`${player.error()?.code} ${player.error()?.message}`, true);
    watch?.broken();
  });
  player.src({ src: url, type: "application/vnd.apple.mpegurl" });
  // Of a live stream VHS loads nothing before it is to play.
  void player.play();
}
