// The status page: asks the admin API every second, and listens to its events.
import { controlPort, status } from "./api.js";
import { byId, clockTime, el } from "./dom.js";
import { Player } from "./player.js";
import { showRegions } from "./regions.js";
import { showJobs, showVideos } from "./tables.js";

const REFRESH_MS = 1000;
const EVENTS_SHOWN = 80;

const events = byId("events", HTMLOListElement);
const videoSelect = byId("player-video", HTMLSelectElement);
const tokenInput = byId("player-token", HTMLInputElement);
const player = new Player(byId("video", HTMLVideoElement), report);

/** @type {import("./api.js").Status | null} */
let latest = null;
/** @type {Map<string, string>} locator id -> token, in a sandbox */
const tokens = new Map();
/** @type {Map<string, string>} what each service was, to tell changes */
const states = new Map();

/** @param {string} text */
function report(text) {
  events.prepend(el("li", {}, el("time", {}, clockTime(Date.now())), text));
  while (events.children.length > EVENTS_SHOWN) events.lastElementChild?.remove();
}

/** @param {import("./api.js").Status} now */
function reportTransitions(now) {
  for (const region of now.regions) {
    for (const [service, health] of Object.entries(region.services)) {
      const name = `${region.name} ${service}`;
      const before = states.get(name);
      if (before !== undefined && before !== health.status)
        report(`${name}: ${before} → ${health.status}${health.reason === null ? "" : ` (${health.reason})`}`);
      states.set(name, health.status);
    }
  }
}

/** @param {import("./api.js").Status} now */
function summarise(now) {
  const services = now.regions.flatMap((region) =>
    Object.entries(region.services).map(([service, health]) => ({ name: `${region.name} ${service}`, health })),
  );
  const bad = services.filter(({ health }) => health.status === "unhealthy");
  const waiting = services.filter(({ health }) => health.status === "unknown");
  const summary = byId("summary", HTMLParagraphElement);
  summary.className = bad.length > 0 ? "unhealthy" : waiting.length > 0 ? "unknown" : "healthy";
  summary.textContent =
    bad.length > 0
      ? `unhealthy: ${bad.map(({ name }) => name).join(", ")}`
      : waiting.length > 0
        ? "waiting for the first probes"
        : "every region can serve";
  byId("facts", HTMLParagraphElement).textContent = `${now.gateway.url} · version ${now.version}`;
}

/** @param {import("./api.js").Status} now */
function offerVideos(now) {
  const chosen = videoSelect.value;
  const playable = now.videos.filter((video) => video.manifests.hls !== null);
  if (playable.map((video) => video.locatorId).join() === [...videoSelect.options].map((option) => option.value).join()) return;
  videoSelect.replaceChildren(...playable.map((video) => el("option", { value: video.locatorId }, video.locatorName)));
  if (playable.some((video) => video.locatorId === chosen)) videoSelect.value = chosen;
  fillToken();
}

function fillToken() {
  const token = tokens.get(videoSelect.value);
  if (latest?.sandbox != null) tokenInput.value = token ?? "";
}

/** @param {string} control */
async function readSandbox(control) {
  const [{ regions }, { videos }] = await Promise.all([controlPort(control, "/regions"), controlPort(control, "/videos")]);
  for (const video of videos) if (video.token !== null) tokens.set(video.locatorId, video.token);
  return regions;
}

function showPlayer() {
  const region = latest?.regions.find((candidate) => new URL(candidate.streaming).host === player.facts.region);
  const rows = [
    ["playing from", region?.name ?? player.facts.region ?? "–"],
    ["position", `${player.video.currentTime.toFixed(1)} s`],
    ["picture", player.facts.level || "–"],
    ["key from", player.facts.keyFrom || "–"],
    ["asked again", String(player.facts.reloads)],
  ];
  byId("player-facts", HTMLDListElement).replaceChildren(
    ...rows.flatMap(([name, value]) => [el("dt", {}, name ?? ""), el("dd", {}, value ?? "")]),
  );
}

async function refresh() {
  const now = await status();
  latest = now;
  const sandbox = now.sandbox === null ? [] : await readSandbox(now.sandbox.control).catch(() => []);
  reportTransitions(now);
  summarise(now);
  showRegions(byId("regions", HTMLDivElement), now, sandbox, report);
  showVideos(byId("videos", HTMLTableElement), now);
  showJobs(byId("jobs", HTMLTableElement), now.jobs);
  offerVideos(now);
  showPlayer();
}

async function loop() {
  for (;;) {
    try {
      await refresh();
    } catch (error) {
      const summary = byId("summary", HTMLParagraphElement);
      summary.className = "unhealthy";
      summary.textContent = `no answer: ${String(error)}`;
    }
    await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
  }
}

videoSelect.addEventListener("change", fillToken);
byId("player-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const video = latest?.videos.find((candidate) => candidate.locatorId === videoSelect.value);
  if (latest === null || video === undefined || video.manifests.hls === null) return;
  player.play(`${latest.gateway.url}${video.manifests.hls}`, tokenInput.value, `${latest.gateway.url}${latest.gateway.keysPrefix}`);
});
void loop();
