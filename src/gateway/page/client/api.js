// The admin API, and in a sandbox the control port.
import { byId } from "./dom.js";

/**
 * @typedef {{status: "healthy"|"degraded"|"unhealthy"|"unknown", since: number, reason: string|null, detail: string|null, checkedAt: number|null, pending: number}} ServiceHealth
 * @typedef {{name: string, streaming: string, keys: string|null, services: Record<string, ServiceHealth>, verified: number}} RegionStatus
 * @typedef {{state: "verified"|"withdrawn", at: number, detail: string}} RegionCopy
 * @typedef {{locatorId: string, locatorName: string, assetName: string, liveEvent?: string, source: string, manifests: {hls: string|null, dash: string|null}, keys: {id: string}[], regions: Record<string, RegionCopy>, publishedAt: number}} Video
 * @typedef {{id: string, source: string, target: string, assetName: string, step: string, state: string, attempts: number, errorMessage: string|null, updatedAt: number}} Job
 * @typedef {{version: string, now: number, startedAt: number, gateway: {url: string, keysPrefix: string}, regions: RegionStatus[], videos: Video[], jobs: Job[], sandbox: {control: string}|null}} Status
 * @typedef {{name: string, locatorId: string, token: string|null}} SandboxVideo
 * @typedef {{name: string, services: Record<string, {url: string, fault: {kind: string}|null}>}} SandboxRegion
 * @typedef {{region: string|null, reason: string}} Decision
 * @typedef {{error: string, message: string}} Refusal
 * @typedef {{ok: true, body: any} | {ok: false, refusal: Refusal}} Answer
 */

const TOKEN = "paircast-admin-token";

/** @returns {Record<string, string>} */
export function authorization() {
  const token = sessionStorage.getItem(TOKEN);
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

/** Requests that are refused meanwhile wait for the same answer. @type {Promise<void> | null} */
let asking = null;

/** @returns {Promise<void>} */
function askForToken() {
  asking ??= tokenFromDialog().finally(() => {
    asking = null;
  });
  return asking;
}

async function tokenFromDialog() {
  const dialog = byId("token-dialog", HTMLDialogElement);
  const input = byId("admin-token", HTMLInputElement);
  byId("token-refused", HTMLParagraphElement).hidden = sessionStorage.getItem(TOKEN) === null;
  input.value = "";
  dialog.showModal();
  await new Promise((resolve) => {
    dialog.addEventListener("close", resolve, { once: true });
  });
  if (input.value !== "") sessionStorage.setItem(TOKEN, input.value);
}

/**
 * @param {string} path
 * @param {{method?: string, headers?: Record<string, string>, body?: string}} [init]
 * @returns {Promise<Response>}
 */
export async function admin(path, init = {}) {
  const response = await fetch(path, { ...init, headers: { ...init.headers, ...authorization() } });
  if (response.status !== 401) return response;
  await askForToken();
  return admin(path, init);
}

/**
 * Never rejects.
 * @param {"POST" | "DELETE"} method
 * @param {string} path
 * @param {unknown} [body]
 * @returns {Promise<Answer>}
 */
export async function change(method, path, body) {
  const init = body === undefined ? { method } : { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  try {
    const response = await admin(path, init);
    return response.ok ? { ok: true, body: await response.json() } : { ok: false, refusal: await response.json() };
  } catch (error) {
    return { ok: false, refusal: { error: "no_answer", message: `no answer: ${error instanceof Error ? error.message : String(error)}` } };
  }
}

/**
 * @param {string} url of a player, or its path
 * @returns {Promise<Decision | null>} null where there is nothing to decide
 */
export async function explain(url) {
  const response = await admin(`/api/explain?url=${encodeURIComponent(url)}`);
  return response.ok ? (await response.json()).decision : null;
}

/** @returns {Promise<Status>} */
export async function status() {
  const response = await admin("/api/status");
  if (!response.ok) throw new Error(`the gateway's admin address answered ${response.status}`);
  return response.json();
}

/**
 * @param {string} control
 * @param {string} path
 * @param {string} [method]
 * @param {unknown} [body]
 * @returns {Promise<any>}
 */
export async function controlPort(control, path, method = "GET", body) {
  const init = body === undefined ? { method } : { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(`${control}${path}`, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`the sandbox refuses: ${JSON.parse(text).error?.message ?? response.status}`);
  return text === "" ? null : JSON.parse(text);
}
