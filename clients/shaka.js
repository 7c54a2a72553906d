// Shaka Player 5.2: settings under which it leaves a dead region in time, for HLS and DASH.
import { timing } from "./timing.js";

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
