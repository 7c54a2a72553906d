// The attempts of a job as bars over one axis, each with what it says in words.
import { endOf, extentOf, stretchesOf, ticksOf, waitsOf } from "./attemptTimes.js";
import { age, clockTime, dateTime, el, svg } from "./dom.js";
import { actionWords, endWords } from "./encodingWords.js";

/** @typedef {{from: number, to: number}} Extent */

/** What the colours mean, in the order in which an attempt goes through them. @type {[import("./attemptTimes.js").Phase, string][]} */
const LEGEND = [
  ["waiting", "waits for an account"],
  ["handing", "being handed over"],
  ["queued", "taken"],
  ["scheduled", "scheduled"],
  ["processing", "processing"],
  ["after", "went on, does not count"],
];
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** A stretch of a second is seen in a day, too. */
const LEAST_PERCENT = 0.4;

/**
 * @param {import("./encodingApi.js").EncodingJob} job
 * @param {number} now
 * @returns {HTMLElement}
 */
export function timeLine(job, now) {
  const extent = extentOf(job, now);
  const waits = waitsOf(job, now);
  return el(
    "div",
    { class: "time-line" },
    el("div", { class: "lane" }, el("p", {}, "waiting"), bar(waits, null, extent, waitingWords(waits))),
    ...job.attempts.map((attempt) => lane(attempt, extent, now)),
    actionsLane(job.actions, extent),
    el("div", { class: "lane", "aria-hidden": "true" }, el("p", {}), axis(extent)),
    legend(new Set([...waits, ...job.attempts.flatMap((attempt) => stretchesOf(attempt, now))].map(({ phase }) => phase))),
  );
}

/**
 * @param {import("./encodingApi.js").Attempt} attempt
 * @param {Extent} extent
 * @param {number} now
 */
function lane(attempt, extent, now) {
  const { number, account, trial, end, progress, state } = attempt;
  const stretches = stretchesOf(attempt, now);
  const mark = end === null ? null : { at: endOf(attempt, now), end };
  const words = stretches.map(({ phase, from, to }) => `${phaseWords(phase)} ${age(to - from)}`).join(", ");
  const live = end === null && state === "processing" ? `, ${progress} %` : "";
  return el(
    "div",
    { class: "lane", "data-key": `attempt-${number}`, "data-attempt": String(number) },
    el("p", {}, `${number} · `, el("strong", {}, account), trial ? " (trial)" : ""),
    bar(stretches, mark, extent, `attempt ${number} in ${account}: ${words}; ${endWords(attempt)}`),
    el("p", { class: `how ${end ?? "running"}` }, `${endWords(attempt)}${live}`),
    el("p", { class: "muted times" }, timesOf(attempt)),
  );
}

/**
 * What operators did, at their times.
 * @param {import("./encodingApi.js").Action[]} actions
 * @param {Extent} extent
 */
function actionsLane(actions, extent) {
  if (actions.length === 0) return null;
  const at = percentIn(extent);
  const words = actions.map((action) => `${actionWords(action)} ${dateTime(action.at)}`).join(" · ");
  const marks = actions.map((action) =>
    svg(
      "circle",
      { class: `action ${action.kind}`, cx: `${at(action.at).toFixed(2)}%`, cy: "8", r: "4" },
      svg("title", {}, actionWords(action)),
    ),
  );
  return el(
    "div",
    { class: "lane", "data-key": "actions" },
    el("p", {}, "operators"),
    svg("svg", { class: "bar", role: "img", "aria-label": `operators: ${words}`, height: "16" }, ...marks),
    el("p", { class: "how" }, words),
  );
}

/** @param {import("./attemptTimes.js").Phase} phase */
function phaseWords(phase) {
  return LEGEND.find(([name]) => name === phase)?.[1] ?? phase;
}

/** @param {import("./attemptTimes.js").Stretch[]} waits */
function waitingWords(waits) {
  const total = waits.reduce((sum, { from, to }) => sum + to - from, 0);
  return total === 0 ? "never waited for an account" : `waited for an account for ${age(total)} in all`;
}

/** @param {import("./encodingApi.js").Attempt} attempt */
function timesOf({ placedAt, submittedAt, scheduledAt, processingAt, finalAt, endedAt }) {
  /** @type {[string, number | null][]} */
  const times = [
    ["placed", placedAt],
    ["submitted", submittedAt],
    ["scheduled", scheduledAt],
    ["processing", processingAt],
    ["final", finalAt],
    ["given up", finalAt === null ? endedAt : null],
  ];
  return times.flatMap(([name, at]) => (at === null ? [] : [`${name} ${dateTime(at)}`])).join(" · ");
}

/**
 * @param {import("./attemptTimes.js").Stretch[]} stretches
 * @param {{at: number, end: string} | null} mark where the attempt ended
 * @param {Extent} extent
 * @param {string} label
 */
function bar(stretches, mark, extent, label) {
  const at = percentIn(extent);
  const rects = stretches.map(({ phase, from, to }) => {
    const width = Math.max(LEAST_PERCENT, at(to) - at(from));
    const x = Math.min(100 - width, at(from));
    const title = svg("title", {}, `${phaseWords(phase)}: ${clockTime(from)} to ${clockTime(to)}, ${age(to - from)}`);
    return svg(
      "rect",
      { class: `phase ${phase}`, x: `${x.toFixed(2)}%`, width: `${width.toFixed(2)}%`, y: "3", height: "10", rx: "2" },
      title,
    );
  });
  const end = mark === null ? null : svg("circle", { class: `end ${mark.end}`, cx: `${at(mark.at).toFixed(2)}%`, cy: "8", r: "5" });
  return svg("svg", { class: "bar", role: "img", "aria-label": label, height: "16" }, ...rects, end);
}

/** @param {Extent} extent */
function axis(extent) {
  const at = percentIn(extent);
  const long = extent.to - extent.from > DAY_MS;
  const ticks = ticksOf(extent, -new Date(extent.from).getTimezoneOffset() * MINUTE_MS).flatMap((time) => {
    const x = at(time);
    const anchor = x < 8 ? "start" : x > 92 ? "end" : "middle";
    const text = long ? dateTime(time) : clockTime(time);
    const line = svg("line", { x1: `${x.toFixed(2)}%`, x2: `${x.toFixed(2)}%`, y1: "0", y2: "5" });
    return [line, svg("text", { x: `${x.toFixed(2)}%`, y: "17", "text-anchor": anchor }, text)];
  });
  return svg("svg", { class: "axis", height: "20" }, svg("line", { x1: "0", x2: "100%", y1: "0.5", y2: "0.5" }), ...ticks);
}

/** @param {Extent} extent */
function percentIn({ from, to }) {
  return (/** @type {number} */ time) => Math.min(100, Math.max(0, (100 * (time - from)) / (to - from)));
}

/** @param {Set<string>} phases that are to be seen */
function legend(phases) {
  const items = LEGEND.filter(([phase]) => phases.has(phase)).map(([phase, text]) => {
    const rect = svg("rect", { class: `phase ${phase}`, x: "1", y: "1", width: "14", height: "8", rx: "2" });
    return el("li", {}, svg("svg", { width: "16", height: "10", "aria-hidden": "true" }, rect), text);
  });
  return el("ul", { class: "legend", "aria-label": "what the colours mean" }, ...items);
}
