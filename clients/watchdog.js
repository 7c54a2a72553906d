// For any player: where the picture stands still although it should move, the gateway's URL is loaded again at the old position.

/**
 * @typedef {object} WatchdogOptions
 * @property {number} [frozenMs] a picture that stands for so long is given up; default 3000
 * @property {number} [startMs] the same before the picture has ever moved; default: never, starting is the application's business
 * @property {number} [patienceMs] the same after a seek and after a reload, when there is nothing in the buffer yet; default 10 000
 * @property {number} [longestMs] each reload that brings no picture doubles the patience of the next, up to here; default 60 000
 * @property {number} [settledMs] after so much playback the next freeze counts as the first again; default 10 000
 * @property {number} [maxReloads] so many in a row without a settled picture, then it gives up; default 8
 *
 * @typedef {object} Look what the media element says
 * @property {number} now monotonic milliseconds
 * @property {number} time seconds
 * @property {boolean} idle paused, or at its end: it need not move
 * @property {boolean} empty it holds no media at all, so that its time means nothing
 * @property {boolean} broken the player has given up with a fatal error: what is buffered still plays, but nothing will follow
 *
 * @typedef {object} WatchdogState
 * @property {number} time seconds, at the last look
 * @property {number} position seconds, where to go on after a reload
 * @property {number} at when it last moved or had a reason to stand
 * @property {number} movingSince when the present stretch of playback began
 * @property {"waiting" | "moving" | "sought" | "reloaded"} phase `waiting`: it has never moved
 * @property {number} reloads without a settled picture since
 */

const DEFAULTS = { frozenMs: 3000, startMs: Infinity, patienceMs: 10_000, longestMs: 60_000, settledMs: 10_000, maxReloads: 8 };
/** After a fatal error there is nothing to wait for but the end of the buffer. */
const BROKEN_MS = 400;
const LOOK_MS = 200;
/** Between two looks: less is no movement, more is a seek (4 times the speed is 0.8 s). */
const MOVED_SECONDS = 0.01;
const SOUGHT_SECONDS = 2;

/**
 * @param {number} now
 * @returns {WatchdogState}
 */
export function watchdogStart(now) {
  return { time: 0, position: 0, at: now, movingSince: now, phase: "waiting", reloads: 0 };
}

/**
 * One look. Pure.
 * @param {WatchdogState} state
 * @param {Look} look
 * @param {WatchdogOptions} [options]
 * @returns {{state: WatchdogState, reload: boolean}} where `reload`, the URL is to be loaded at `state.position`
 */
export function watchdogStep(state, look, options = {}) {
  const limits = { ...DEFAULTS, ...options };
  const moved = look.empty ? 0 : look.time - state.time;
  if (Math.abs(moved) > MOVED_SECONDS) {
    const next = moved > 0 && moved < SOUGHT_SECONDS ? played(state, look, limits) : sought(state, look);
    return { state: next, reload: false };
  }
  return stood(state, look, limits);
}

/**
 * @param {WatchdogState} state
 * @param {Look} look
 * @param {Required<WatchdogOptions>} limits
 */
function stood(state, look, limits) {
  // The browser itself pauses an element that is emptied to be loaded anew.
  const emptied = state.phase === "reloaded" && look.empty;
  if (look.idle && !emptied) return { state: { ...state, at: look.now, movingSince: look.now }, reload: false };
  if (state.reloads >= limits.maxReloads || look.now - state.at < patience(state, look, limits)) return { state, reload: false };
  const phase = /** @type {const} */ ("reloaded");
  return { state: { ...state, at: look.now, phase, reloads: state.reloads + 1 }, reload: true };
}

/**
 * @param {WatchdogState} state
 * @param {Look} look
 * @param {Required<WatchdogOptions>} limits
 * @returns {WatchdogState}
 */
function played(state, { now, time }, { settledMs }) {
  const movingSince = state.phase === "moving" ? state.movingSince : now;
  const reloads = now - movingSince >= settledMs ? 0 : state.reloads;
  return { time, position: time, at: now, movingSince, phase: "moving", reloads };
}

/**
 * A jump. After a reload it is the player finding its position again, and must not be taken for the viewer's wish.
 * @param {WatchdogState} state
 * @param {Look} look
 * @returns {WatchdogState}
 */
function sought(state, { now, time }) {
  if (state.phase === "waiting" || state.phase === "reloaded") return { ...state, time };
  return { ...state, time, position: time, at: now, phase: "sought" };
}

/**
 * @param {WatchdogState} state
 * @param {Look} look
 * @param {Required<WatchdogOptions>} limits
 */
function patience({ phase, reloads }, { broken }, { frozenMs, startMs, patienceMs, longestMs }) {
  if (broken) return Math.min(BROKEN_MS * 4 ** reloads, longestMs);
  if (phase === "waiting") return startMs;
  return Math.min({ moving: frozenMs, sought: patienceMs, reloaded: patienceMs / 2 }[phase] * 2 ** reloads, longestMs);
}

/**
 * Looks at a media element and calls `reload` with the position in seconds.
 * @param {{readonly currentTime: number, readonly paused: boolean, readonly ended: boolean, readonly readyState: number}} media
 * @param {(position: number) => unknown} reload see reload.js for each player's; a promise may be returned
 * @param {WatchdogOptions} [options]
 * @returns {{broken: () => void, stop: () => void}} call `broken` when the player reports a fatal error; `stop` ends the watch
 */
export function watchdog(media, reload, options = {}) {
  let state = watchdogStart(performance.now());
  let broken = false;
  const timer = setInterval(() => {
    const idle = media.paused || media.ended;
    const look = { now: performance.now(), time: media.currentTime, idle, empty: media.readyState === 0, broken };
    const step = watchdogStep(state, look, options);
    state = step.state;
    if (!step.reload) return;
    broken = false;
    // A reload that fails is a picture that stands still: the next look but one sees it.
    Promise.resolve(reload(state.position)).catch(() => {});
  }, LOOK_MS);
  return {
    broken: () => {
      broken = true;
    },
    stop: () => clearInterval(timer),
  };
}
