// A card per region: its services with state and reason, and in a sandbox the buttons that break and mend it.
import { controlPort } from "./api.js";
import { age, clockTime, el } from "./dom.js";

const KINDS = ["refuse", "blackhole", "reset", "status", "html", "slow", "half-body", "missing-segments", "wrong-key", "short-key"];
const SERVICES = ["all", "streaming", "keys", "storage", "management"];

/** Choices survive a refresh of the card. @type {Map<string, {service: string, kind: string}>} */
const choices = new Map();

/**
 * @param {HTMLElement} container
 * @param {import("./api.js").Status} status
 * @param {import("./api.js").SandboxRegion[]} sandbox
 * @param {(text: string) => void} report
 */
export function showRegions(container, status, sandbox, report) {
  if (container.contains(document.activeElement) && document.activeElement instanceof HTMLSelectElement) return;
  container.replaceChildren(
    ...status.regions.map((region) => {
      const faults = sandbox.find((candidate) => candidate.name === region.name);
      const control = status.sandbox?.control;
      return el(
        "article",
        { class: "card", "data-region": region.name },
        el("h3", {}, region.name, el("small", {}, `${region.verified} verified`)),
        el("p", { class: "muted" }, region.streaming),
        ...Object.entries(region.services).map(([name, health]) => serviceRow(name, health, status.now)),
        control === undefined || faults === undefined ? null : faultRow(control, faults, report),
      );
    }),
  );
}

/**
 * @param {string} name
 * @param {import("./api.js").ServiceHealth} health
 * @param {number} now
 */
function serviceRow(name, health, now) {
  const why = health.reason === null ? health.detail : `${health.reason}: ${health.detail ?? ""}`;
  const checked = health.checkedAt === null ? "not looked at yet" : `looked at ${clockTime(health.checkedAt)}`;
  const pending = health.pending > 0 ? `, ${health.pending} against it` : "";
  return el(
    "div",
    { class: "service", "data-service": name },
    el("p", {}, name),
    el(
      "div",
      {},
      el("p", {}, el("span", { class: `state ${health.status}` }, health.status), ` for ${age(now - health.since)}`),
      el("p", { class: "muted" }, why ?? ""),
      el("p", { class: "muted" }, `${checked}${pending}`),
    ),
  );
}

/**
 * @param {string} control
 * @param {import("./api.js").SandboxRegion} region
 * @param {(text: string) => void} report
 */
function faultRow(control, region, report) {
  const choice = choices.get(region.name) ?? { service: "all", kind: "refuse" };
  choices.set(region.name, choice);
  const path = `/regions/${region.name}/faults`;
  const act = async (/** @type {string} */ method, /** @type {unknown} */ body, /** @type {string} */ text) => {
    try {
      await controlPort(control, path, method, body);
      report(text);
    } catch (error) {
      report(String(error));
    }
  };
  const active = Object.entries(region.services).filter(([, { fault }]) => fault !== null);
  return el(
    "div",
    { class: "faults" },
    el(
      "p",
      { class: active.length > 0 ? "unhealthy" : "muted" },
      active.length > 0 ? `fault: ${active.map(([name, { fault }]) => `${name} ${fault?.kind}`).join(", ")}` : "no fault switched on",
    ),
    select(SERVICES, choice.service, "service", (value) => (choice.service = value)),
    select(KINDS, choice.kind, "fault", (value) => (choice.kind = value)),
    el(
      "button",
      { type: "button", class: "break", click: () => void act("POST", choice, `broke ${region.name}: ${choice.service} ${choice.kind}`) },
      "Break",
    ),
    el("button", { type: "button", class: "mend", click: () => void act("DELETE", undefined, `mended ${region.name}`) }, "Mend"),
  );
}

/**
 * @param {string[]} values
 * @param {string} chosen
 * @param {string} label
 * @param {(value: string) => void} choose
 */
function select(values, chosen, label, choose) {
  const options = values.map((value) => el("option", value === chosen ? { value, selected: "" } : { value }, value));
  return el(
    "select",
    {
      "aria-label": label,
      change: (event) => {
        if (event.target instanceof HTMLSelectElement) {
          choose(event.target.value);
          event.target.blur();
        }
      },
    },
    ...options,
  );
}
