// The last results of each check as a row of bars: height is duration, a cross is a failure.
import { admin } from "./api.js";
import { clockTime, el } from "./dom.js";

/** @typedef {{at: number, ok: boolean, reason: string|null, durationMs: number, detail: string}} ProbeRecord */

const BARS = "▁▂▃▄▅▆▇█";
const SHOWN = 40;

/** "region/service" -> its records, oldest first. @type {Map<string, ProbeRecord[]>} */
const records = new Map();

/** Reads what the checks have seen; what cannot be read leaves the last look in place. */
export async function readHistory() {
  const response = await admin("/api/health");
  if (!response.ok) return;
  /** @type {{regions: {name: string, checks: {service: string, history: ProbeRecord[]}[]}[]}} */
  const { regions } = await response.json();
  records.clear();
  for (const { name, checks } of regions) for (const { service, history } of checks) records.set(`${name}/${service}`, history);
}

/**
 * @param {string} region
 * @param {string} service
 * @returns {HTMLElement | null}
 */
export function sparkline(region, service) {
  const shown = (records.get(`${region}/${service}`) ?? []).slice(-SHOWN);
  const last = shown.at(-1);
  if (last === undefined) return null;
  const longest = Math.max(...shown.map(({ durationMs }) => durationMs), 1);
  const bar = (/** @type {ProbeRecord} */ { ok, durationMs }) => (ok ? BARS[Math.min(7, Math.floor((durationMs / longest) * 8))] : "✗");
  const failed = shown.filter(({ ok }) => !ok).length;
  const summary = `the last ${shown.length} probes: ${failed} failed, the longest took ${Math.round(longest)} ms`;
  const title = `${summary}. At ${clockTime(last.at)}: ${last.detail}`;
  return el("p", { class: "spark", role: "img", "aria-label": summary, title }, shown.map(bar).join(""));
}
