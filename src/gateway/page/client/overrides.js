// Operators' overrides: the form that sets one, and those in force, each with the time it has left and a button that lifts it.
import { admin, change } from "./api.js";
import { age, byId, el, show } from "./dom.js";

/**
 * @typedef {{id: string, kind: "drain"|"disable"|"pin", region: string, service: string, reason: string, by: string, createdAt: number, expiresAt: number, forced?: boolean}} Override
 * @typedef {{at: number, action: "set"|"lifted"|"expired", override: Override, by: string}} OverrideEvent
 * @typedef {{now: number, overrides: Override[], audit: OverrideEvent[]}} Overrides
 * @typedef {(text: string, tone?: string) => void} Report
 */

/** Refusals that only ask whether it is meant. */
const FORCEABLE = ["last_eligible", "unhealthy"];
const DONE = { drain: "drained", disable: "disabled", pin: "pinned" };

/** @type {Overrides} */
let latest = { now: 0, overrides: [], audit: [] };
/** What was told of the audit; null before the first look. @type {Set<string> | null} */
let told = null;

/**
 * Makes the form and the list work. Once, at the start.
 * @param {() => Promise<void>} refresh shows what has changed
 */
export function startOverrides(refresh) {
  const form = byId("override-form", HTMLFormElement);
  const force = byId("override-force", HTMLButtonElement);
  const set = async (/** @type {boolean} */ forced) => {
    const answer = await change("POST", "/api/overrides", { ...request(), force: forced });
    say(answer.ok ? null : answer.refusal);
    if (answer.ok) byId("override-reason", HTMLInputElement).value = "";
    await refresh();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void set(false);
  });
  // Another region, or another reason, is another question.
  form.addEventListener("input", () => say(null));
  force.addEventListener("click", () => void set(true));
  byId("overrides", HTMLUListElement).addEventListener("click", (event) => {
    const id = event.target instanceof HTMLElement ? event.target.dataset["lift"] : undefined;
    if (id !== undefined) void liftOverride(id, refresh);
  });
}

/**
 * Makes the form ready for a drain of the region's encoding, which viewers do not notice: what is left is to say why.
 * @param {string} region
 */
export function offerEncodingDrain(region) {
  byId("override-kind", HTMLSelectElement).value = "drain";
  byId("override-region", HTMLSelectElement).value = region;
  byId("override-service", HTMLSelectElement).value = "encoding";
  byId("override-form", HTMLFormElement).scrollIntoView({ block: "center" });
  byId("override-reason", HTMLInputElement).focus();
}

/** What is in force now. */
export async function readOverrides() {
  const response = await admin("/api/overrides?limit=20");
  if (!response.ok) throw new Error(`the gateway's admin address answered ${response.status} when asked for overrides`);
  latest = await response.json();
}

/**
 * @param {string[]} regions
 * @param {Report} report
 */
export function showOverrides(regions, report) {
  const select = byId("override-region", HTMLSelectElement);
  if (regions.join() !== [...select.options].map((option) => option.value).join()) {
    const chosen = select.value;
    select.replaceChildren(...regions.map((name) => el("option", { value: name }, name)));
    if (regions.includes(chosen)) select.value = chosen;
  }
  show(byId("overrides", HTMLUListElement), ...latest.overrides.map(row));
  reportEvents(report);
}

/**
 * For a region's card.
 * @param {string} region
 * @returns {{id: string, text: string, title: string, keepsAway: boolean}[]} `keepsAway`: jobs
 */
export function overridesOf(region) {
  return latest.overrides
    .filter((override) => override.region === region)
    .map(({ id, kind, service, reason, by }) => ({
      id,
      text: service === "all" ? DONE[kind] : `${service} ${DONE[kind]}`,
      title: `${reason} (${by})`,
      keepsAway: (service === "all" || service === "encoding") && kind !== "pin",
    }));
}

/** @param {Override} override */
function row({ id, kind, region, service, reason, by, expiresAt, forced = false }) {
  const word = forced ? `${DONE[kind]}, well or ill` : DONE[kind];
  const subject = service === "all" ? region : `${region} ${service}`;
  const button = { type: "button", class: "mend", "data-lift": id, "aria-label": `Lift: ${subject} ${DONE[kind]}` };
  return el(
    "li",
    { "data-override": id },
    el("p", {}, el("strong", {}, `${subject} ${word}`), `: ${reason}`),
    el("p", { class: "muted" }, `by ${by}, for another ${age(expiresAt - latest.now)}`),
    el("button", button, "Lift"),
  );
}

/** @param {Report} report */
function reportEvents(report) {
  const before = told;
  told = new Set(latest.audit.map(nameOf));
  if (before === null) return;
  for (const event of latest.audit.toReversed()) {
    if (before.has(nameOf(event))) continue;
    const { kind, region, service, reason } = event.override;
    const subject = service === "all" ? region : `${region} ${service}`;
    if (event.action === "set") report(`${subject} ${DONE[kind]} by ${event.by}: ${reason}`, "act");
    else if (event.action === "lifted") report(`${subject} is no longer ${DONE[kind]}: lifted by ${event.by}`, "act");
    else report(`${subject} is no longer ${DONE[kind]}: its time is up`, "act");
  }
}

/** @param {OverrideEvent} event */
function nameOf({ action, override }) {
  return `${action} ${override.id}`;
}

/**
 * @param {string} id
 * @param {() => Promise<void>} refresh
 */
export async function liftOverride(id, refresh) {
  const answer = await change("DELETE", `/api/overrides/${encodeURIComponent(id)}?by=${encodeURIComponent(operator())}`);
  // Gone already is what was wanted.
  say(answer.ok || answer.refusal.error === "unknown_override" ? null : answer.refusal);
  await refresh();
}

function request() {
  return {
    kind: byId("override-kind", HTMLSelectElement).value,
    region: byId("override-region", HTMLSelectElement).value,
    service: byId("override-service", HTMLSelectElement).value,
    reason: byId("override-reason", HTMLInputElement).value,
    duration: byId("override-for", HTMLInputElement).value.trim(),
    by: operator(),
  };
}

/** Who does it, for the audit. */
export function operator() {
  return byId("override-by", HTMLInputElement).value.trim() || "status page";
}

/** @param {import("./api.js").Refusal | null} refusal null takes the last one away */
function say(refusal) {
  byId("override-answer", HTMLDivElement).hidden = refusal === null;
  byId("override-refusal", HTMLParagraphElement).textContent = refusal === null ? "" : refusal.message;
  byId("override-force", HTMLButtonElement).hidden = refusal === null || !FORCEABLE.includes(refusal.error);
}
