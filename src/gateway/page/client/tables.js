// The videos with where they are, and the replication jobs.
import { clockTime, el, show } from "./dom.js";

/**
 * @param {HTMLElement} table
 * @param {import("./api.js").Status} status
 */
export function showVideos(table, status) {
  const names = status.regions.map((region) => region.name);
  const titles = ["video", "locator", "protection", ...names, "catalogued"];
  const rows = status.videos
    .toSorted((one, other) => videoName(one).localeCompare(videoName(other)))
    .map((video) => [
      el("td", {}, videoName(video), video.liveEvent === undefined ? null : el("small", {}, " live")),
      el("td", {}, el("code", {}, video.locatorId)),
      el("td", {}, video.keys.length === 0 ? "clear" : `${video.keys.length} key${video.keys.length > 1 ? "s" : ""}`),
      ...names.map((name) => copyCell(video, name)),
      el("td", {}, clockTime(video.publishedAt)),
    ]);
  fill(table, titles, rows, "no video is verified yet");
}

/**
 * In the words of the people who made it.
 * @param {import("./api.js").Video} video
 */
export function videoName(video) {
  return video.liveEvent ?? video.locatorName;
}

/**
 * @param {import("./api.js").Video} video
 * @param {string} region
 */
function copyCell(video, region) {
  const copy = video.regions[region];
  if (copy === undefined) return el("td", { class: "muted" }, "not there");
  // The last region of a live event serves on, also when it is off air.
  if (video.liveEvent !== undefined)
    return el("td", { title: copy.detail }, el("span", { class: copy.state }, copy.state === "verified" ? "serves" : "off air"));
  const source = video.source === region ? " (source)" : "";
  return el("td", { title: copy.detail }, el("span", {}, el("span", { class: copy.state }, copy.state), source));
}

/**
 * @param {HTMLElement} table
 * @param {import("./api.js").Job[]} jobs
 */
export function showJobs(table, jobs) {
  const rows = jobs.map((job) => [
    el("td", {}, job.assetName),
    el("td", {}, job.source === job.target ? `verify in ${job.source}` : `${job.source} → ${job.target}`),
    el("td", {}, el("span", { class: job.state }, job.state)),
    el("td", {}, job.step),
    el("td", {}, String(job.attempts)),
    el("td", {}, clockTime(job.updatedAt)),
    el("td", { class: "why" }, job.errorMessage ?? "–"),
  ]);
  fill(table, ["asset", "work", "state", "last step", "attempts", "at", "why"], rows, "no job yet");
}

/**
 * @param {HTMLElement} table
 * @param {string[]} titles also before each cell where the screen is narrow
 * @param {HTMLElement[][]} rows
 * @param {string} empty
 */
function fill(table, titles, rows, empty) {
  for (const cells of rows) for (const [at, cell] of cells.entries()) cell.setAttribute("data-title", titles[at] ?? "");
  const nothing = el("tr", {}, el("td", { colspan: String(titles.length), class: "muted" }, empty));
  const head = el("thead", {}, el("tr", {}, ...titles.map((title) => el("th", { scope: "col" }, title))));
  show(table, head, el("tbody", {}, ...(rows.length === 0 ? [nothing] : rows.map((cells) => el("tr", {}, ...cells)))));
}
