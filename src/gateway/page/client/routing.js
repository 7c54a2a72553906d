// Where a new viewer of the chosen video is sent now: the gateway's own decision, by the admin API's `explain`.
import { explain } from "./api.js";

/** @typedef {{manifest: import("./api.js").Decision | null, key: import("./api.js").Decision | null}} Routing */

/**
 * @param {import("./api.js").Status} status
 * @param {string} locatorId
 * @returns {Promise<Routing>}
 */
export async function routingNow(status, locatorId) {
  const video = status.videos.find((candidate) => candidate.locatorId === locatorId);
  const manifest = video?.manifests.hls ?? video?.manifests.dash;
  const keyId = video?.keys[0]?.id;
  const [forManifest, forKey] = await Promise.all([
    manifest == null ? null : explain(manifest),
    keyId === undefined ? null : explain(`${status.gateway.keysPrefix}/?kid=${keyId}`),
  ]);
  return { manifest: forManifest, key: forKey };
}

/**
 * What a region is used for.
 * @param {Routing} routing
 * @param {string} region
 * @returns {{text: string, title: string}[]}
 */
export function usesOf({ manifest, key }, region) {
  const uses = [];
  if (manifest?.region === region) uses.push({ text: "new viewers", title: `manifests of the chosen video come here: ${manifest.reason}` });
  if (key?.region === region) uses.push({ text: "keys", title: `keys of the chosen video come from here: ${key.reason}` });
  return uses;
}
