// The videos with where they are, and the replication jobs.
import { clockTime, el } from "./dom.js";

/**
 * @param {HTMLElement} table
 * @param {import("./api.js").Status} status
 */
export function showVideos(table, status) {
  const names = status.regions.map((region) => region.name);
  const rows = status.videos.map((video) =>
    el(
      "tr",
      {},
      el("td", {}, video.locatorName),
      el("td", {}, el("code", {}, video.locatorId)),
      el("td", {}, video.keys.length === 0 ? "clear" : `${video.keys.length} key${video.keys.length > 1 ? "s" : ""}`),
      ...names.map((name) => copyCell(video, name)),
      el("td", {}, clockTime(video.publishedAt)),
    ),
  );
  fill(table, ["locator", "id", "protection", ...names, "catalogued"], rows, "no video is verified yet");
}

/**
 * @param {import("./api.js").Video} video
 * @param {string} region
 */
function copyCell(video, region) {
  const copy = video.regions[region];
  if (copy === undefined) return el("td", { class: "muted" }, "not there");
  const source = video.source === region ? " (source)" : "";
  return el("td", { title: copy.detail }, el("span", { class: copy.state }, copy.state), source);
}

/**
 * @param {HTMLElement} table
 * @param {import("./api.js").Job[]} jobs
 */
export function showJobs(table, jobs) {
  const rows = jobs.map((job) =>
    el(
      "tr",
      {},
      el("td", {}, job.assetName),
      el("td", {}, `${job.source} → ${job.target}`),
      el("td", { class: job.state }, job.state),
      el("td", {}, job.step),
      el("td", {}, String(job.attempts)),
      el("td", {}, clockTime(job.updatedAt)),
      el("td", {}, job.errorMessage ?? ""),
    ),
  );
  fill(table, ["asset", "direction", "state", "step", "attempts", "at", "why"], rows, "no job yet");
}

/**
 * @param {HTMLElement} table
 * @param {string[]} titles
 * @param {HTMLElement[]} rows
 * @param {string} empty
 */
function fill(table, titles, rows, empty) {
  const head = el("thead", {}, el("tr", {}, ...titles.map((title) => el("th", { scope: "col" }, title))));
  const nothing = el("tr", {}, el("td", { colspan: String(titles.length), class: "muted" }, empty));
  table.replaceChildren(head, el("tbody", {}, ...(rows.length === 0 ? [nothing] : rows)));
}
