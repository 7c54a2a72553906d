/** Asks one region for a video as a player would: manifest, segment, key. Finds out; judges nothing. */
import type { Clock } from "../core/clock.ts";
import type { FailureReason, Region } from "../core/contracts.ts";
import { errorChain } from "../core/errors.ts";
import { HttpFailure } from "../core/http.ts";
import { scrub } from "../core/log.ts";
import { PlaybackFailure } from "../core/playback/failure.ts";
import type { PlaybackKey } from "../core/playback/media.ts";
import type { HttpClient } from "../core/ports/http.ts";
import type { PlaybackCheck } from "./jobDeps.ts";
import type { KeyAccess } from "./keyAccess.ts";
import type { JobContext } from "./runJob.ts";
import { mintToken } from "./tokens.ts";
import type { Finding } from "./verdict.ts";

export interface ServingChecks {
  readonly http: HttpClient;
  readonly playback: PlaybackCheck;
  readonly clock: Clock;
  /** For each request. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface Manifests {
  readonly hls: string | null;
  readonly dash: string | null;
}

/** A key that the region's key delivery must give. */
export interface ExpectedKey {
  readonly id: string;
  /** Path and query to append to the region's key-delivery URL. */
  readonly path: string;
  /** A secret. */
  readonly value: Uint8Array;
  readonly access: KeyAccess;
}

/** The checks of a job. They only ask, so that a stop may end them at once. `everywhere`: in every rendition, where that is configured. */
export function servingChecks({ deps, signal, stop }: JobContext, everywhere = false): ServingChecks {
  const { http, renditions, clock, options } = deps;
  const playback = everywhere && options.verification?.playback !== "first" ? (renditions ?? deps.playback) : deps.playback;
  const either = stop === undefined ? signal : AbortSignal.any([signal, stop]);
  return { http, playback, clock, timeoutMs: options.checkTimeoutMs ?? 10_000, signal: either };
}

const TOKEN_LIFE_MS = 10 * 60_000;

/** The key of an AES-128 segment, by what its playlist declares; null where it cannot be had. May reject with `PlaybackFailure`. */
export type ContentKeySource = (key: PlaybackKey) => Promise<Uint8Array | null>;

/** One finding for each manifest: it is served, and so is a segment, which decrypts with its content key where it is encrypted. */
export async function findManifests(
  checks: ServingChecks,
  region: Region,
  manifests: Manifests,
  contentKey: ContentKeySource,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [protocol, path] of [
    ["HLS", manifests.hls],
    ["DASH", manifests.dash],
  ] as const) {
    if (path !== null)
      findings.push(await findManifest(checks, `${protocol} manifest and segment`, `${region.streaming}${path}`, contentKey));
  }
  if (findings.length > 0) return findings;
  return [{ subject: "manifest", result: "unproven", detail: "the streaming policy offers neither HLS nor DASH", reason: null }];
}

async function findManifest(
  { http, playback, timeoutMs, signal }: ServingChecks,
  subject: string,
  manifestUrl: string,
  contentKey: ContentKeySource,
): Promise<Finding> {
  try {
    const { segment } = await playback({ http, manifestUrl, timeoutMs, signal, contentKey });
    return { subject, result: "proven", detail: segment.evidence, reason: null };
  } catch (error) {
    if (error instanceof PlaybackFailure) return failed(subject, error.reason, error.message);
    throw error;
  }
}

/** Asks the region's key delivery for the key, with a token of our own where one is wanted, and compares it. */
export async function findKey(checks: ServingChecks, region: Region, key: ExpectedKey): Promise<Finding> {
  const subject = `content key ${key.id}`;
  const unproven = (detail: string): Finding => ({ subject, result: "unproven", detail, reason: null });
  if (region.keys === null) return unproven("the region has no key delivery of its own");
  const { access } = key;
  if (access.kind === "closed" || access.kind === "none") return unproven(access.why);
  const url = `${region.keys}${key.path}`;
  const headers: Record<string, string> =
    access.kind === "token" ? { authorization: `Bearer ${await mintToken(access.token, checks.clock.now(), TOKEN_LIFE_MS)}` } : {};
  try {
    const answer = await checks.http.ask({
      method: "GET",
      url,
      headers,
      timeoutMs: checks.timeoutMs,
      maxBytes: 64 * 1024,
      signal: checks.signal,
    });
    return compareKey(subject, key.value, answer.status, answer.body);
  } catch (error) {
    if (error instanceof HttpFailure) return failed(subject, error.reason, scrub(errorChain(error)));
    throw error;
  }
}

function compareKey(subject: string, expected: Uint8Array, status: number, body: Uint8Array): Finding {
  if (status !== 200) return failed(subject, keyStatusReason(status), `the key delivery answered ${status}`);
  if (Buffer.compare(body, expected) === 0) return { subject, result: "proven", detail: "the same key", reason: null };
  const reason = body.length === expected.length ? "key_mismatch" : "key_length";
  return failed(subject, reason, `the key delivery gave ${body.length} other bytes than the locator's content key`);
}

export function keyStatusReason(status: number): FailureReason {
  if (status === 404 || status === 410) return "not_found";
  return status === 401 || status === 403 ? "unauthorized" : "status";
}

function failed(subject: string, reason: FailureReason, detail: string): Finding {
  return { subject, result: "failed", detail, reason };
}
