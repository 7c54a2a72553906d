// One player on one video element, recorded. The program that opened the page drives it through `window.stage`.
import { Recorder } from "./recorder.js";

/** @type {Record<import("./types.d.ts").PlayerName, () => Promise<{ start: import("./types.d.ts").StartPlayer }>>} */
const PLAYERS = {
  "hls.js": () => import("./hlsJs.js"),
  "shaka-hls": () => import("./shaka.js"),
  "shaka-dash": () => import("./shaka.js"),
  "dash.js": () => import("./dashJs.js"),
  "video.js": () => import("./videoJs.js"),
};

// video.js moves the element into a wrapper: what is kept is the element, not where it stands.
const video = document.querySelector("video");
if (video === null) throw new Error("the page has no video element");
/** @type {Recorder | null} */
let recorder = null;

window.stage = {
  async play(request) {
    const { start } = await PLAYERS[request.player]();
    const recording = new Recorder(video);
    recorder = recording;
    video.addEventListener("error", () => recording.report(`media element: ${video.error?.code} ${video.error?.message}`, true));
    addEventListener("error", (event) => recording.report(`uncaught: ${event.message}`, false));
    addEventListener("unhandledrejection", (event) => recording.report(`unhandled: ${event.reason}`, false));
    await start(video, request, (text, fatal) => recording.report(text, fatal));
  },
  recording() {
    if (recorder === null) throw new Error("nothing was played");
    return recorder.recording();
  },
  now() {
    const { samples = [], startedAt = null, errors = [] } = recorder ?? {};
    return { sample: samples.at(-1) ?? null, startedAt, fatal: errors.some(({ fatal }) => fatal) };
  },
};
