// The status page: asks the admin API every second and shows what it says.
import { controlPort, status } from "./api.js";
import { byId, clockTime, el, show } from "./dom.js";
import { readEncoding, showEncoding, startEncoding } from "./encoding.js";
import { readHistory } from "./history.js";
import { readOverrides, showOverrides, startOverrides } from "./overrides.js";
import { Player } from "./player.js";
import { showRegions } from "./regions.js";
import { routingNow } from "./routing.js";
import { showJobs, showVideos, videoName } from "./tables.js";

const REFRESH_MS = 1000;
const EVENTS_SHOWN = 80;

const events = byId("events", HTMLOListElement);
const videoSelect = byId("player-video", HTMLSelectElement);
const tokenInput = byId("player-token", HTMLInputElement);
const player = new Player(byId("video", HTMLVideoElement), report, nameOf);

/** @type {import("./api.js").Status | null} */
let latest = null;
/** @type {Map<string, string>} locator id -> token, in a sandbox */
const tokens = new Map();
/** @type {Map<string, string>} what each service was, to tell changes */
const states = new Map();

/** @type {string | null} where the last look found new viewers to be sent */
let sentTo = null;

/**
 * @param {string} text
 * @param {string} [tone] "good", "bad", "act", or nothing
 */
function report(text, tone = "") {
  events.prepend(el("li", { class: tone }, el("time", {}, clockTime(Date.now())), text));
  while (events.children.length > EVENTS_SHOWN) events.lastElementChild?.remove();
}

/** @param {import("./api.js").Status} now */
function reportTransitions(now) {
  for (const region of now.regions) {
    for (const [service, health] of Object.entries(region.services)) {
      const name = `${region.name} ${service}`;
      const before = states.get(name);
      if (before !== undefined && before !== health.status) {
        const why = health.reason === null ? "" : ` (${health.reason})`;
        report(`${name}: ${before} → ${health.status}${why}`, health.status === "healthy" ? "good" : "bad");
      }
      states.set(name, health.status);
    }
  }
}

/** @param {import("./routing.js").Routing} routing */
function reportRouting({ manifest }) {
  const region = manifest?.region ?? null;
  if (region === sentTo || manifest === null) return;
  if (sentTo !== null) report(`new viewers are sent to ${region ?? "nobody"} (${manifest.reason})`, region === null ? "bad" : "good");
  sentTo = region;
}

/**
 * @param {import("./api.js").Status} now
 * @param {import("./routing.js").Routing} routing
 */
function summarise(now, routing) {
  const services = now.regions.flatMap((region) =>
    Object.entries(region.services).map(([service, health]) => ({ name: `${region.name} ${service}`, health })),
  );
  const bad = services.filter(({ health }) => health.status === "unhealthy").map(({ name }) => name);
  const waiting = services.some(({ health }) => health.status === "unknown");
  const summary = byId("summary", HTMLParagraphElement);
  summary.className = bad.length > 0 ? "unhealthy" : waiting ? "unknown" : "healthy";
  const route = routing.manifest === null ? "" : `; new viewers go to ${routing.manifest.region ?? "nobody"}`;
  const text =
    bad.length > 0 ? `unhealthy: ${bad.join(", ")}${route}` : waiting ? "waiting for the first probes" : "every region can serve";
  // Written only when it changes: a screen reader says it each time.
  if (summary.textContent !== text) summary.textContent = text;
  document.title = bad.length > 0 ? `✗ ${bad.length} unhealthy · paircast` : "paircast";
  byId("facts", HTMLParagraphElement).textContent = `gateway ${now.gateway.url} · version ${now.version}`;
}

/** @param {import("./api.js").Status} now */
function offerVideos(now) {
  const chosen = videoSelect.value;
  const playable = now.videos
    .filter((video) => video.manifests.hls !== null)
    .toSorted((one, other) => videoName(one).localeCompare(videoName(other)));
  if (playable.map((video) => video.locatorId).join() === [...videoSelect.options].map((option) => option.value).join()) return;
  videoSelect.replaceChildren(...playable.map((video) => el("option", { value: video.locatorId }, videoName(video))));
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

/**
 * A host in the words of the configuration.
 * @param {string | null} host
 */
function nameOf(host) {
  if (latest === null || host === null || host === "") return "–";
  const has = (/** @type {string | null} */ url) => url !== null && new URL(url).host === host;
  const region = latest.regions.find(({ streaming, keys }) => has(streaming) || has(keys));
  return region?.name ?? (has(latest.gateway.url) ? "the gateway" : host);
}

function showPlayer() {
  const { facts, video } = player;
  const rows = [
    ["playing from", nameOf(facts.region)],
    ["key from", nameOf(facts.keyFrom)],
    ["picture", facts.level || "–"],
    ["position", `${video.currentTime.toFixed(1)} s`],
    ["asked the gateway again", `${facts.reloads} ${facts.reloads === 1 ? "time" : "times"}`],
  ];
  const children = rows.flatMap(([name, value]) => [el("dt", {}, name ?? ""), el("dd", {}, value ?? "")]);
  show(byId("player-facts", HTMLDListElement), ...children);
}

async function refresh() {
  const now = await status();
  latest = now;
  const sandbox = now.sandbox === null ? [] : await readSandbox(now.sandbox.control).catch(() => []);
  offerVideos(now);
  const [routing] = await Promise.all([routingNow(now, videoSelect.value), readOverrides(), readHistory(), readEncoding()]);
  reportTransitions(now);
  reportRouting(routing);
  summarise(now, routing);
  showRegions(byId("regions", HTMLDivElement), now, routing, sandbox, report);
  const names = now.regions.map(({ name }) => name);
  showOverrides(names, report);
  showVideos(byId("videos", HTMLTableElement), now);
  showJobs(byId("jobs", HTMLTableElement), now.jobs);
  showEncoding(now, report);
  showPlayer();
}

async function loop() {
  for (;;) {
    try {
      await refresh();
    } catch (error) {
      const summary = byId("summary", HTMLParagraphElement);
      summary.className = "unhealthy";
      summary.textContent = `no answer, what is shown is old: ${error instanceof Error ? error.message : String(error)}`;
    }
    await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
  }
}

/**
 * @param {string} locatorId
 * @param {string} path of its HLS manifest on the gateway
 */
function play(locatorId, path) {
  if (latest === null) return;
  if ([...videoSelect.options].some(({ value }) => value === locatorId)) {
    videoSelect.value = locatorId;
    sentTo = null;
    fillToken();
  }
  player.play(`${latest.gateway.url}${path}`, tokenInput.value, `${latest.gateway.url}${latest.gateway.keysPrefix}`);
}

startOverrides(refresh);
startEncoding({
  refresh,
  report,
  play: (locatorId, path) => {
    play(locatorId, path);
    byId("video", HTMLVideoElement).scrollIntoView({ block: "center" });
  },
});
videoSelect.addEventListener("change", () => {
  sentTo = null;
  fillToken();
});
byId("player-form", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const video = latest?.videos.find((candidate) => candidate.locatorId === videoSelect.value);
  if (video?.manifests.hls != null) play(video.locatorId, video.manifests.hls);
});
void loop();
