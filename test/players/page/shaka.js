import shaka from "shaka-player";
import { reloadShaka } from "../../../clients/reload.js";
import { demoteOnFailure, shakaConfig } from "../../../clients/shaka.js";
import { watchdog } from "../../../clients/watchdog.js";
import { authorized } from "./keys.js";

/** @type {import("./types.d.ts").StartPlayer} */
export async function start(video, { url, token, buffer, live, kit, player: name }, report) {
  shaka.polyfill.installAll();
  const player = new shaka.Player();
  await player.attach(video);
  if (kit) {
    player.configure(shakaConfig({ bufferSeconds: buffer, live }));
    demoteOnFailure(player);
  }
  // A loaded machine drops frames, and Shaka bans what drops them; that is not what is measured here.
  player.configure({ streaming: { bufferingGoal: buffer }, abr: { droppedFrames: false } });
  player.getNetworkingEngine()?.registerRequestFilter((_type, request) => {
    for (const [header, value] of authorized(request.uris[0] ?? "", token)) request.headers[header] = value;
  });
  const watch = kit ? watchdog(video, reloadShaka(player, url)) : null;
  const failed = (/** @type {any} */ { code, data, severity }) => {
    const fatal = severity === shaka.util.Error.Severity.CRITICAL;
    report(`${code} ${JSON.stringify(data).slice(0, 160)}`, fatal);
    if (fatal) watch?.broken();
  };
  player.addEventListener("error", (/** @type {any} */ { detail }) => failed(detail));
  // The paths of the sandbox have no ending by which Shaka could tell.
  await player.load(url, null, name === "shaka-dash" ? "application/dash+xml" : "application/vnd.apple.mpegurl").catch(failed);
  await video.play();
}
