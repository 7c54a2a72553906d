// dash.js 5.2: settings under which it leaves a dead region in time, and what depends on the manifest.
import { timing } from "./timing.js";

/** @typedef {ReturnType<typeof each>} ByMediaRequest */

/** Enough for the gateway to notice a dead region and send the next attempt elsewhere. */
const ATTEMPTS_AT_THE_GATEWAY = 8;

/**
 * Settings for `player.updateSettings(…)`. Buffer times stay yours: say in `bufferSeconds` what they come to.
 * @param {import("./timing.js").BufferOptions} [options]
 */
export function dashSettings(options) {
  const { firstByteMs, retryMs } = timing(options);
  return {
    streaming: {
      // The time for a whole segment: dash.js has no other that is safe (see README.md).
      fragmentRequestTimeout: firstByteMs,
      manifestRequestTimeout: 2 * firstByteMs,
      retryAttempts: { MPD: ATTEMPTS_AT_THE_GATEWAY, ...each(ATTEMPTS_AT_THE_GATEWAY) },
      retryIntervals: { MPD: retryMs, ...each(retryMs) },
      // Seconds; the default is for ever.
      blacklistExpiryTime: 60,
    },
  };
}

/**
 * @typedef {object} Player what is used of a dash.js player
 * @property {(event: "manifestLoaded", listener: (event: any) => void) => void} on
 * @property {(event: "manifestLoaded", listener: (event: any) => void) => void} off
 * @property {(settings: {streaming: {retryAttempts: ByMediaRequest}}) => void} updateSettings
 */

/**
 * dash.js goes to the next BaseURL only after the last attempt at the first. So where the MPD lists regions, there is one attempt at each; where it
 * comes from the gateway alone, each attempt may lead elsewhere, and there are several. Call it before `attachSource`.
 * @param {Player} player
 * @returns {() => void} takes it out again
 */
export function demoteOnFailure(player) {
  const adapt = (/** @type {{data?: {BaseURL?: unknown} | null}} */ { data }) => {
    const locations = Array.isArray(data?.BaseURL) ? data.BaseURL.length : 1;
    player.updateSettings({ streaming: { retryAttempts: each(locations > 1 ? 0 : ATTEMPTS_AT_THE_GATEWAY) } });
  };
  player.on("manifestLoaded", adapt);
  return () => player.off("manifestLoaded", adapt);
}

/** @param {number} value */
function each(value) {
  return { MediaSegment: value, InitializationSegment: value, IndexSegment: value, BitstreamSwitchingSegment: value };
}
