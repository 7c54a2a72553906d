import { MediaPlayer } from "dashjs";
import { dashSettings, demoteOnFailure } from "../../../clients/dashjs.js";
import { reloadDashjs } from "../../../clients/reload.js";
import { watchdog } from "../../../clients/watchdog.js";

/**
 * What dash.js says of a clock, an index, a segment and an initialization segment that could not be loaded, also when it goes on at another
 * location; and of a steering manifest, without a code.
 */
const REQUEST_FAILED = [16, 26, 27, 28, null, undefined];

/** @type {import("./types.d.ts").StartPlayer} */
export async function start(video, { url, buffer, live, kit }, report) {
  const player = MediaPlayer().create();
  if (kit) {
    player.updateSettings(dashSettings({ bufferSeconds: buffer, live }));
    demoteOnFailure(player);
  }
  player.updateSettings({
    streaming: { buffer: { bufferTimeDefault: buffer, bufferTimeAtTopQuality: buffer, bufferTimeAtTopQualityLongForm: buffer } },
  });
  const watch = kit ? watchdog(video, reloadDashjs(player, url)) : null;
  player.on(MediaPlayer.events.ERROR, (/** @type {any} */ { error }) => {
    const fatal = !REQUEST_FAILED.includes(error.code);
    report(`${error.code} ${error.message}`, fatal);
    if (fatal) watch?.broken();
  });
  // It plays by itself once the MPD is there: an earlier play() would keep it from ever asking the steering server.
  player.initialize(video, url, true);
}
