// How long a player may wait. Every limit follows from the buffer that pays for the waiting.

/** A live player holds what lies between it and the live edge, whatever its buffer could hold. */
const LIVE_BUFFER_SECONDS = 6;

/**
 * @typedef {object} BufferOptions
 * @property {number} [bufferSeconds] what the player holds ahead of the picture when all is well; default 30
 * @property {boolean} [live] then at most 6 s are counted on
 *
 * @typedef {object} Timing milliseconds
 * @property {number} firstByteMs until an answer must begin
 * @property {number} silenceMs between two pieces of one answer
 * @property {number} loadMs for a whole segment
 * @property {number} playlistMs for a whole media playlist, which is small
 * @property {number} retryMs between two attempts at the same URL
 */

/**
 * The waits that a buffer can pay for. A region that dies just after a request costs `firstByteMs`; then the other region's playlist and
 * segment are still to be loaded. So a first byte may take 0.35 of the buffer, never less than 1.2 s (a packager that works on demand needs
 * that) nor more than 4 s.
 * @param {BufferOptions} [options]
 * @returns {Timing}
 */
export function timing({ bufferSeconds = 30, live = false } = {}) {
  const bufferMs = 1000 * (live ? Math.min(bufferSeconds, LIVE_BUFFER_SECONDS) : bufferSeconds);
  const firstByteMs = clamp(0.35 * bufferMs, 1200, 4000);
  return { firstByteMs, silenceMs: firstByteMs, loadMs: clamp(bufferMs, 4000, 20_000), playlistMs: 1.5 * firstByteMs, retryMs: 500 };
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
function clamp(value, least, most) {
  return Math.round(Math.min(most, Math.max(least, value)));
}
