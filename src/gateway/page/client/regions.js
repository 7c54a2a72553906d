// A card per region: what it is used for, its services with state and reason, and in a sandbox the buttons that break and mend it.
import { controlPort } from "./api.js";
import { age, clockTime, el, show } from "./dom.js";
import { sparkline } from "./history.js";
import { overridesOf } from "./overrides.js";
import { usesOf } from "./routing.js";

const KINDS = [
  "refuse",
  "blackhole",
  "reset",
  "status",
  "html",
  "slow",
  "half-body",
  "missing-segments",
  "stale",
  "wrong-key",
  "short-key",
];
const SERVICES = ["all", "streaming", "keys", "storage", "management"];

/** Region name -> what its two lists say. @type {Map<string, {service: string, kind: string}>} */
const choices = new Map();

/**
 * @param {HTMLElement} container
 * @param {import("./api.js").Status} status
 * @param {import("./routing.js").Routing} routing
 * @param {import("./api.js").SandboxRegion[]} sandbox
 * @param {(text: string, tone?: string) => void} report
 */
export function showRegions(container, status, routing, sandbox, report) {
  const cards = status.regions.map((region) => {
    const faults = sandbox.find((candidate) => candidate.name === region.name);
    const control = status.sandbox?.control;
    return el(
      "article",
      { class: `card ${worst(region)}`, "data-region": region.name },
      el(
        "header",
        {},
        el("h3", {}, region.name),
        ...overridesOf(region.name).map(({ text, title }) => el("span", { class: "use override", title }, text)),
        ...usesOf(routing, region.name).map(({ text, title }) => el("span", { class: "use", title }, text)),
        el("small", {}, `${region.verified} ${region.verified === 1 ? "video" : "videos"} verified`),
      ),
      el("p", { class: "muted where" }, region.streaming),
      ...Object.entries(region.services).map(([name, health]) => serviceRow(region.name, name, health, status.now)),
      control === undefined || faults === undefined ? null : faultRow(control, faults, report),
    );
  });
  show(container, ...cards);
}

/** @param {import("./api.js").RegionStatus} region */
function worst(region) {
  const found = Object.values(region.services).map(({ status }) => status);
  return ["unhealthy", "unknown", "degraded"].find((status) => found.some((one) => one === status)) ?? "healthy";
}

/**
 * @param {string} region
 * @param {string} name
 * @param {import("./api.js").ServiceHealth} health
 * @param {number} now
 */
function serviceRow(region, name, health, now) {
  const why = health.reason === null ? health.detail : `${health.reason}: ${health.detail ?? ""}`;
  const checked = health.checkedAt === null ? "not probed yet" : `probed at ${clockTime(health.checkedAt)}`;
  const pending = health.pending > 0 ? ` · ${health.pending} in a row against it` : "";
  return el(
    "div",
    { class: "service", "data-service": name },
    el("p", {}, name),
    el(
      "div",
      {},
      el("p", {}, el("span", { class: `state ${health.status}` }, health.status), ` for ${age(now - health.since)}`),
      why === null ? null : el("p", { class: "why" }, why),
      el("p", { class: "muted" }, `${checked}${pending}`),
      sparkline(region, name),
    ),
  );
}

/**
 * @param {string} control
 * @param {import("./api.js").SandboxRegion} region
 * @param {(text: string, tone?: string) => void} report
 */
function faultRow(control, { name, services }, report) {
  const choice = choices.get(name) ?? { service: "all", kind: "refuse" };
  choices.set(name, choice);
  const act = async (/** @type {string} */ method, /** @type {unknown} */ body, /** @type {string} */ text) => {
    try {
      await controlPort(control, `/regions/${name}/faults`, method, body);
      report(text, "act");
    } catch (error) {
      report(error instanceof Error ? error.message : String(error), "bad");
    }
  };
  const breakIt = () => void act("POST", choice, `you broke ${name}: ${choice.service}, ${choice.kind}`);
  const mendIt = () => void act("DELETE", undefined, `you mended ${name}`);
  const kinds = Object.values(services).some(({ url }) => url.startsWith("https:")) ? [...KINDS, "expired-cert"] : KINDS;
  return el(
    "div",
    { class: "faults" },
    faultLine(services),
    list(SERVICES, choice.service, `service of ${name} to break`, (value) => (choice.service = value)),
    list(kinds, choice.kind, `fault for ${name}`, (value) => (choice.kind = value)),
    el("button", { type: "button", class: "break", click: breakIt }, "Break"),
    el("button", { type: "button", class: "mend", click: mendIt }, "Mend"),
  );
}

/** @param {import("./api.js").SandboxRegion["services"]} services */
function faultLine(services) {
  /** @type {Map<string, string[]>} */
  const byKind = new Map();
  for (const [name, { fault }] of Object.entries(services))
    if (fault !== null) byKind.set(fault.kind, [...(byKind.get(fault.kind) ?? []), name]);
  const active = [...byKind].map(
    ([kind, names]) => `${kind} (${names.length === Object.keys(services).length ? "all" : names.join(", ")})`,
  );
  return active.length === 0
    ? el("p", { class: "muted" }, "no fault switched on")
    : el("p", { class: "unhealthy" }, `fault switched on: ${active.join("; ")}`);
}

/**
 * @param {string[]} values
 * @param {string} chosen
 * @param {string} label
 * @param {(value: string) => void} choose
 */
function list(values, chosen, label, choose) {
  const options = values.map((value) => el("option", value === chosen ? { value, selected: "" } : { value }, value));
  const change = (/** @type {Event} */ event) => {
    if (event.target instanceof HTMLSelectElement) choose(event.target.value);
  };
  return el("select", { "aria-label": label, change }, ...options);
}
