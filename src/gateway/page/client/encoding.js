// The section on encoding: there only where something is encoded. What is chosen in it, and what its buttons do.
import { change } from "./api.js";
import { byId } from "./dom.js";
import { showAccounts } from "./encodingAccounts.js";
import { JOBS, listJobs, readEncoding as read } from "./encodingApi.js";
import { offerTransforms, startEncodeForm } from "./encodingForm.js";
import { showEncodingJobs, showFilters, STATES } from "./encodingJobs.js";
import { accountState } from "./encodingWords.js";
import { liftOverride, offerEncodingDrain, operator } from "./overrides.js";

/**
 * @typedef {(text: string, tone?: string) => void} Report
 * @typedef {{refresh: () => Promise<void>, report: Report, play: (locatorId: string, path: string) => void}} Deps
 * @typedef {import("./encodingJobs.js").JobsView & {state: import("./encodingApi.js").JobState | null, pages: string[]}} View
 */

const PAGE_JOBS = 25;
/** Where nothing is encoded, a changed configuration is noticed by then. */
const LOOK_AGAIN_MS = 30_000;

/** `pages`: the last job of each page before the one that is shown. @type {View} */
const view = { state: null, pages: [], open: new Set(), asking: null, refusals: new Map() };
/** Account -> why it was not re-admitted. @type {Map<string, string>} */
const refusals = new Map();
/** What each account was, to tell changes. @type {Map<string, string>} */
const words = new Map();

/** @type {import("./encodingApi.js").Encoding | null} */
let latest = null;
/** One more than is shown tells whether there is another page. @type {import("./encodingApi.js").EncodingJob[]} */
let jobs = [];
let scene = { now: 0, gateway: "" };
/** @type {string | null} */
let problem = null;
let askAgainAt = 0;

/**
 * Makes the section's buttons and form work. Once, at the start.
 * @param {Deps} deps
 */
export function startEncoding(deps) {
  startEncodeForm(async (id) => {
    Object.assign(view, { state: null, pages: [] });
    view.open.add(id);
    await deps.refresh();
  });
  byId("encoding", HTMLElement).addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-act]") : null;
    if (button instanceof HTMLElement) void ACTS[button.dataset["act"] ?? ""]?.(button.dataset["of"] ?? "", deps);
  });
}

/** Reads what the section shows. Never rejects: what cannot be read is said in the section, and the last look stays. */
export async function readEncoding() {
  if (latest === null && performance.now() < askAgainAt) return;
  try {
    latest = await read();
    if (latest === null) askAgainAt = performance.now() + LOOK_AGAIN_MS;
    else await readJobs();
    problem = null;
  } catch (error) {
    problem = `${latest === null ? "nothing can be shown" : "what is shown is old"}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function readJobs() {
  const { state } = view;
  const after = view.pages.at(-1) ?? null;
  const list = await listJobs({ state, after, limit: PAGE_JOBS + 1 });
  // Somebody may have turned the page meanwhile.
  if (list !== null && state === view.state && after === (view.pages.at(-1) ?? null)) jobs = list.jobs;
}

/**
 * @param {import("./api.js").Status} status
 * @param {Report} report
 */
export function showEncoding(status, report) {
  scene = { now: status.now, gateway: status.gateway.url };
  if (latest !== null) reportAccounts(latest.accounts, report);
  render();
}

function render() {
  byId("encoding", HTMLElement).hidden = latest === null && problem === null;
  byId("encoding-body", HTMLDivElement).hidden = latest === null;
  const line = byId("encoding-problem", HTMLParagraphElement);
  line.hidden = problem === null;
  if (line.textContent !== (problem ?? "")) line.textContent = problem ?? "";
  byId("override-encoding", HTMLOptionElement).hidden = latest === null;
  if (latest === null) return;
  showAccounts(byId("encoding-accounts", HTMLDivElement), latest.accounts, scene.now, refusals);
  offerTransforms(latest.transforms);
  showFilters(byId("encoding-filters", HTMLDivElement), latest.counts, view.state);
  showEncodingJobs(byId("encoding-jobs", HTMLTableElement), jobs.slice(0, PAGE_JOBS), view, scene);
  byId("encoding-newer", HTMLButtonElement).disabled = view.pages.length === 0;
  byId("encoding-older", HTMLButtonElement).disabled = jobs.length <= PAGE_JOBS;
  byId("encoding-page", HTMLSpanElement).textContent = `page ${view.pages.length + 1}`;
}

/**
 * @param {import("./encodingApi.js").Account[]} accounts
 * @param {Report} report
 */
function reportAccounts(accounts, report) {
  for (const account of accounts) {
    const { word, tone } = accountState(account);
    const before = words.get(account.account);
    if (before !== undefined && before !== word)
      report(`encoding in ${account.account}: ${before} → ${word}`, tone === "healthy" ? "good" : tone === "unhealthy" ? "bad" : "act");
    words.set(account.account, word);
  }
}

/** What the section's buttons do; `of` is an account, a job, a state, a locator or an override. @type {Record<string, (of: string, deps: Deps) => unknown>} */
const ACTS = {
  readmit,
  drain: offerEncodingDrain,
  lift: (id, { refresh }) => liftOverride(id, refresh),
  play: playOutput,
  open: toggle,
  cancel: (id) => ask(id, "cancel"),
  retry: (id) => ask(id, "retry"),
  leave,
  "really-cancel": (id, deps) => really("cancel", id, deps),
  "really-retry": (id, deps) => really("retry", id, deps),
  filter: choose,
  newer: (_, { refresh }) => {
    view.pages.pop();
    return refresh();
  },
  older: nextPage,
};

/** @param {string} id */
function toggle(id) {
  if (!view.open.delete(id)) view.open.add(id);
  render();
}

/**
 * @param {string} id
 * @param {"cancel" | "retry"} action
 */
function ask(id, action) {
  view.open.add(id);
  view.asking = { id, action };
  view.refusals.delete(id);
  render();
  document.getElementById(`leave-${id}`)?.focus();
}

/** @param {string} id */
function leave(id) {
  view.asking = null;
  render();
  focusOn(id);
}

/**
 * @param {string} state empty: any
 * @param {Deps} deps
 */
async function choose(state, { refresh }) {
  view.state = STATES.find((each) => each === state) ?? null;
  view.pages = [];
  await refresh();
}

/**
 * @param {string} _
 * @param {Deps} deps
 */
async function nextPage(_, { refresh }) {
  const last = jobs[PAGE_JOBS - 1];
  if (last === undefined) return;
  view.pages.push(last.id);
  await refresh();
}

/**
 * @param {"cancel" | "retry"} action
 * @param {string} id
 * @param {Deps} deps
 */
async function really(action, id, { refresh, report }) {
  view.asking = null;
  const answer = await change("POST", `${JOBS}/${encodeURIComponent(id)}/${action}?by=${encodeURIComponent(operator())}`);
  if (answer.ok) report(`you ${action === "cancel" ? "canceled" : "tried again"} job ${id}`, "act");
  else view.refusals.set(id, answer.refusal.message);
  render();
  focusOn(id);
  await refresh();
}

/**
 * @param {string} account
 * @param {Deps} deps
 */
async function readmit(account, { refresh, report }) {
  refusals.delete(account);
  const by = encodeURIComponent(operator());
  const answer = await change("POST", `/api/encoding/accounts/${encodeURIComponent(account)}/readmit?by=${by}`);
  if (answer.ok) report(`you re-admitted ${account}: it gets jobs again`, "act");
  else refusals.set(account, answer.refusal.message);
  await refresh();
}

/**
 * @param {string} locatorId
 * @param {Deps} deps
 */
function playOutput(locatorId, { play }) {
  const output = jobs.flatMap(({ playback }) => playback).find((each) => each.locatorId === locatorId);
  if (output?.hls != null) play(locatorId, output.hls);
}

/** @param {string} id */
function focusOn(id) {
  const button = document.querySelector(`[data-act="open"][data-of="${CSS.escape(id)}"]`);
  if (button instanceof HTMLElement) button.focus();
}
