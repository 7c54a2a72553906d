// The encoding jobs: a table of a page at a time, by state; each row opens to its attempts, and to what can be done about it.
import { age, clockTime, dateTime, el, show } from "./dom.js";
import { keptWords, nowWords } from "./encodingWords.js";
import { timeLine } from "./timeLine.js";

/**
 * @typedef {import("./encodingApi.js").EncodingJob} EncodingJob
 * @typedef {"cancel" | "retry"} Action
 * @typedef {{open: Set<string>, asking: {id: string, action: Action} | null, refusals: Map<string, string>}} JobsView `refusals`: job id -> why not
 * @typedef {{now: number, gateway: string}} Scene `gateway`: where players ask
 */

/** @type {import("./encodingApi.js").JobState[]} */
export const STATES = ["waiting", "running", "finished", "failed", "canceled"];
const TITLES = ["job", "transform", "state", "region", "attempts", "progress", "created", "action"];

/** @type {Record<Action, {button: string, really: string, leave: string}>} */
const ACTIONS = {
  cancel: { button: "Cancel", really: "Cancel the job", leave: "Leave it" },
  retry: { button: "Retry", really: "Try it again", leave: "Leave it" },
};

/**
 * @param {HTMLElement} container
 * @param {import("./encodingApi.js").Counts} counts
 * @param {import("./encodingApi.js").JobState | null} chosen
 */
export function showFilters(container, counts, chosen) {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const button = (/** @type {string} */ state, /** @type {number} */ count) =>
    el(
      "button",
      { type: "button", class: "plain", "data-act": "filter", "data-of": state, "aria-pressed": String(state === (chosen ?? "")) },
      `${state === "" ? "all" : state} ${count}`,
    );
  show(container, button("", all), ...STATES.map((state) => button(state, counts[state])));
}

/**
 * @param {HTMLElement} table
 * @param {EncodingJob[]} jobs
 * @param {JobsView} view
 * @param {Scene} scene
 */
export function showEncodingJobs(table, jobs, view, scene) {
  const nothing = el("tr", {}, el("td", { colspan: String(TITLES.length), class: "muted" }, "no job"));
  const rows = jobs.flatMap((job) => [row(job, view.open.has(job.id)), view.open.has(job.id) ? detail(job, view, scene) : null]);
  const head = el("thead", {}, el("tr", {}, ...TITLES.map((title) => el("th", { scope: "col" }, title))));
  show(table, head, el("tbody", {}, ...(jobs.length === 0 ? [nothing] : rows.filter((each) => each !== null))));
}

/**
 * @param {EncodingJob} job
 * @param {boolean} isOpen
 */
function row(job, isOpen) {
  const { id, transform, state, attempts, createdAt, failure } = job;
  const toggle = {
    type: "button",
    class: "open",
    "data-act": "open",
    "data-of": id,
    "aria-expanded": String(isOpen),
    "aria-controls": `job-${id}`,
  };
  const words = nowWords(job);
  const cells = [
    [el("button", toggle, el("code", {}, id)), el("br"), el("span", { class: "muted" }, inputName(job))],
    [transform],
    [
      el("span", { class: `state ${state}` }, state),
      words === null ? null : el("span", { class: "what", title: failure?.message ?? "" }, words),
    ],
    [placeOf(job)],
    [String(attempts.length)],
    [progressOf(job)],
    [dateTime(createdAt)],
    [actionButton(job)],
  ];
  const children = cells.map((cell, at) => el("td", { "data-title": TITLES[at] ?? "" }, ...cell));
  return el("tr", { "data-key": id, "data-job": id }, ...children);
}

/** @param {EncodingJob} job */
function inputName({ input }) {
  if (input.kind === "upload") return input.fileName;
  if (input.kind === "asset") return [`${input.assetName} of ${input.region}`, ...input.files].join(" ");
  return input.url.replace(/\?.*$/, "").split("/").at(-1) || input.url;
}

/** @param {EncodingJob} job */
function inputText(job) {
  const { input } = job;
  if (input.kind === "url") return input.url;
  return input.kind === "upload" ? `${input.fileName}, uploaded, ${input.bytes} bytes` : inputName(job);
}

/** @param {EncodingJob} job */
function placeOf({ state, result, attempts }) {
  if (result !== null) return result.account;
  const last = attempts.at(-1);
  if (last === undefined) return "–";
  return state === "running" ? last.account : el("span", { class: "muted" }, `last in ${last.account}`);
}

/** @param {EncodingJob} job */
function progressOf({ id, state, attempts }) {
  const percent = state === "finished" ? 100 : state === "running" ? (attempts.at(-1)?.progress ?? 0) : null;
  if (percent === null) return "–";
  const bar = el("progress", { max: "100", value: String(percent), "aria-label": `progress of job ${id}` });
  return el("span", { class: "progress" }, bar, ` ${percent} %`);
}

/**
 * What an operator can do about it.
 * @param {EncodingJob} job
 * @returns {Action | null}
 */
function actionFor({ state }) {
  if (state === "finished") return null;
  return state === "waiting" || state === "running" ? "cancel" : "retry";
}

/** @param {EncodingJob} job */
function actionButton(job) {
  const action = actionFor(job);
  if (action === null) return null;
  const { id } = job;
  const { button } = ACTIONS[action];
  const attributes = { type: "button", class: action === "cancel" ? "plain" : "mend", "data-act": action, "data-of": id };
  return el("button", { ...attributes, "aria-label": `${button} job ${id}` }, button);
}

/**
 * @param {EncodingJob} job
 * @param {JobsView} view
 * @param {Scene} scene
 */
function detail(job, { asking, refusals }, { now, gateway }) {
  const refusal = refusals.get(job.id) ?? null;
  return el(
    "tr",
    { class: "detail", "data-key": `${job.id}/detail` },
    el(
      "td",
      { colspan: String(TITLES.length), id: `job-${job.id}` },
      // It may be over before it is answered.
      asking?.id === job.id && asking.action === actionFor(job) ? question(job, asking.action) : null,
      refusal === null ? null : el("p", { class: "unhealthy", role: "alert" }, refusal),
      facts(job, now),
      el("h3", {}, job.attempts.length === 0 ? "No attempt yet" : "Attempts"),
      timeLine(job, now),
      outputs(job, gateway),
    ),
  );
}

/**
 * @param {EncodingJob} job
 * @param {Action} action
 */
function question({ id, state, attempts }, action) {
  const { really, leave } = ACTIONS[action];
  const where = attempts.at(-1)?.account ?? "";
  const loses = state === "running" ? ` What ${where} has encoded of it is thrown away.` : "";
  const text =
    action === "cancel" ? `Cancel job ${id}?${loses}` : `Try job ${id} again? Every account may be used for it, also where it failed.`;
  return el(
    "div",
    { class: "question", role: "alert", "data-key": `${action}-question` },
    el("p", {}, text),
    el("button", { type: "button", class: "plain", id: `leave-${id}`, "data-act": "leave", "data-of": id }, leave),
    el("button", { type: "button", class: action === "cancel" ? "break" : "mend", "data-act": `really-${action}`, "data-of": id }, really),
  );
}

/**
 * @param {EncodingJob} job
 * @param {number} now
 */
function facts(job, now) {
  const { clientId, priority, createdAt, finalAt, failure, round } = job;
  const took = finalAt === null ? `, ${age(now - createdAt)} ago` : `; over after ${age(finalAt - createdAt)}, at ${clockTime(finalAt)}`;
  const rows = [
    ["client id", clientId],
    ["input", [inputText(job), keptWords(job.copies)].filter((each) => each !== null).join(", ")],
    ["came in", `${dateTime(createdAt)}${took}`],
    ["priority", `${priority}${round > 1 ? `; tried again, round ${round}` : ""}`],
    failure === null ? null : ["failed", `${failure.code}: ${failure.message}`],
  ].filter((each) => each !== null);
  return el("dl", { class: "facts" }, ...rows.flatMap(([name = "", value = ""]) => [el("dt", {}, name), el("dd", {}, value)]));
}

/**
 * @param {EncodingJob} job
 * @param {string} gateway
 */
function outputs({ state, result, playback }, gateway) {
  if (state !== "finished" || result === null) return null;
  const { account, assets } = result;
  if (playback.length === 0)
    return el("p", { class: "muted" }, `Its output is in ${account}: ${assets.join(", ")}. It is not published from here.`);
  return el("div", { class: "outputs" }, el("h3", {}, "Plays as"), ...playback.map((each) => output(each, gateway)));
}

/**
 * @param {import("./encodingApi.js").Playback} playback
 * @param {string} gateway
 */
function output({ locatorId, hls, dash }, gateway) {
  const links = Object.entries({ HLS: hls, DASH: dash }).flatMap(([name, path]) =>
    path === null ? [] : [el("a", { href: `${gateway}${path}` }, `${name} manifest`)],
  );
  const play = { type: "button", class: "mend", "data-act": "play", "data-of": locatorId, "aria-label": `Play ${locatorId}` };
  const waits = el("span", { class: "muted" }, "no copy of it is verified yet");
  const button = hls === null ? null : el("button", play, "Play here");
  return el("p", { "data-key": locatorId }, el("code", {}, locatorId), ...(links.length === 0 ? [waits] : links), button);
}
