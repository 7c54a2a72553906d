// Encoding, as the admin API tells it.
import { admin } from "./api.js";

/**
 * @typedef {"waiting"|"running"|"finished"|"failed"|"canceled"} JobState
 * @typedef {{windowMs: number, finished: number, failed: number, stuck: number, finishedPerHour: number, failureShare: number|null}} Rates
 * @typedef {{account: string, status: "in"|"out"|"trial", since: number, reason: string|null, detail: string|null, pausedUntil: number|null, heldUntil: number|null, inFlight: number, maxInFlight: number, capacity: number, disabled: boolean, readmitted: {by: string, at: number}|null, rates: Rates}} Account
 * @typedef {{name: string, description: string|null, outputs: number}} Transform
 * @typedef {Record<JobState, number>} Counts
 * @typedef {{accounts: Account[], counts: Counts, transforms: Transform[]}} Encoding
 * @typedef {{number: number, round: number, account: string, jobName: string, trial: boolean, state: string|null, progress: number, placedAt: number, submittedAt: number|null, scheduledAt: number|null, processingAt: number|null, finalAt: number|null, end: string|null, endedAt: number|null, endDetail: string|null, late: boolean, owed: string|null}} Attempt
 * @typedef {{kind: "url", url: string} | {kind: "asset", region: string, assetName: string, files: string[]} | {kind: "upload", fileName: string, bytes: number}} Input
 * @typedef {{region: string, upload: number, state: "coming"|"kept"|"owed"}} Copy
 * @typedef {{kind: "cancel"|"retry", by: string, at: number}} Action
 * @typedef {{locatorId: string, hls: string|null, dash: string|null}} Playback
 * @typedef {{id: string, clientId: string, transform: string, input: Input, priority: string, state: JobState, createdAt: number, round: number, waitingFor: string|null, failure: {code: string, message: string}|null, finalAt: number|null, copies: Copy[], attempts: Attempt[], actions: Action[], result: {attempt: number, account: string, assets: string[], at: number}|null, playback: Playback[]}} EncodingJob
 * @typedef {{state: JobState|null, after: string|null, limit: number}} JobQuery
 */

export const JOBS = "/api/encoding/jobs";

/** @returns {Promise<Encoding | null>} null where nothing is encoded */
export async function readEncoding() {
  return read("/api/encoding");
}

/**
 * @param {JobQuery} query
 * @returns {Promise<{jobs: EncodingJob[], counts: Counts} | null>} newest first; null where nothing is encoded
 */
export async function listJobs({ state, after, limit }) {
  const query = new URLSearchParams({ limit: String(limit), ...(state === null ? {} : { state }), ...(after === null ? {} : { after }) });
  return read(`${JOBS}?${query}`);
}

/** @param {string} path */
async function read(path) {
  const response = await admin(path);
  if (response.status === 404) return null;
  if (response.ok) return response.json();
  const { message = `the admin address answered ${response.status}` } = await response.json().catch(() => ({}));
  throw new Error(message);
}
