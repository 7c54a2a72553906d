// The admin API, and in a sandbox the control port.
import { byId } from "./dom.js";

/**
 * @typedef {{status: "healthy"|"unhealthy"|"unknown", since: number, reason: string|null, detail: string|null, checkedAt: number|null, pending: number}} ServiceHealth
 * @typedef {{name: string, streaming: string, keys: string|null, services: Record<string, ServiceHealth>, verified: number}} RegionStatus
 * @typedef {{state: "verified"|"withdrawn", at: number, detail: string}} RegionCopy
 * @typedef {{locatorId: string, locatorName: string, assetName: string, source: string, manifests: {hls: string|null, dash: string|null}, keys: {id: string}[], regions: Record<string, RegionCopy>, publishedAt: number}} Video
 * @typedef {{id: string, source: string, target: string, assetName: string, step: string, state: string, attempts: number, errorMessage: string|null, updatedAt: number}} Job
 * @typedef {{version: string, now: number, startedAt: number, gateway: {url: string, keysPrefix: string}, regions: RegionStatus[], videos: Video[], jobs: Job[], sandbox: {control: string}|null}} Status
 * @typedef {{name: string, locatorId: string, token: string|null}} SandboxVideo
 * @typedef {{name: string, services: Record<string, {fault: {kind: string}|null}>}} SandboxRegion
 */

const TOKEN = "paircast-admin-token";

/** @returns {Record<string, string>} */
function authorization() {
  const token = sessionStorage.getItem(TOKEN);
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

async function askForToken() {
  const dialog = byId("token-dialog", HTMLDialogElement);
  dialog.showModal();
  await new Promise((resolve) => {
    dialog.addEventListener("close", resolve, { once: true });
  });
  sessionStorage.setItem(TOKEN, byId("admin-token", HTMLInputElement).value);
}

/**
 * @param {string} path
 * @returns {Promise<Response>}
 */
export async function admin(path) {
  const response = await fetch(path, { headers: authorization() });
  if (response.status !== 401) return response;
  await askForToken();
  return admin(path);
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
  if (!response.ok) throw new Error(`the sandbox's control port answered ${response.status}: ${text}`);
  return text === "" ? null : JSON.parse(text);
}
