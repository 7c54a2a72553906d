/**
 * The words that the areas share. Types only: gateway, health and replicator never import one another, they meet here and in
 * `ports.ts`, and are joined in `compose.ts`.
 *
 * Units: every `…At`, `since` and `now` is epoch milliseconds, every `…Ms` a duration in milliseconds.
 */

/** The two services of a region that are probed and routed separately. */
export const SERVICES = ["streaming", "keys"] as const;
export type Service = (typeof SERVICES)[number];

/** Where a region answers. Base URLs carry no trailing slash; a path that starts with `/` is appended as it is. */
export interface Region {
  readonly name: string;
  readonly streaming: string;
  /** Null where the region has no key delivery of its own. */
  readonly keys: string | null;
}

/**
 * Why a request to a region failed, one word each; these are metric labels and never change their meaning.
 * - `refused` nothing listens · `reset` closed in mid-air · `timeout` no answer in time · `dns` · `tls` (certificate included)
 * - `status` a status that no healthy service gives · `not_found` 404 or 410 · `unauthorized` 401 or 403
 * - `body` the body is not what was asked for (HTML for a playlist, text for a key) · `truncated` ended early · `too_large`
 * - `segment` the manifest is fine, a segment of it is not · `key_length` a clear key that is not 16 bytes
 * - `key_mismatch` a key that differs from the verified one
 */
export const FAILURE_REASONS = [
  "refused",
  "reset",
  "timeout",
  "dns",
  "tls",
  "status",
  "not_found",
  "unauthorized",
  "body",
  "truncated",
  "too_large",
  "segment",
  "key_length",
  "key_mismatch",
] as const;
export type FailureReason = (typeof FAILURE_REASONS)[number];

/** What one look at one service of one region showed. */
export type Outcome =
  | { readonly ok: true; readonly durationMs: number }
  | {
      readonly ok: false;
      readonly durationMs: number;
      readonly reason: FailureReason;
      /** For people: what was asked and what came back. Never holds a key, a token or a SAS. */
      readonly detail: string;
    };

export type HealthStatus = "healthy" | "unhealthy" | "unknown";

/** The state of one service of one region, as every reader sees it. */
export interface ServiceHealth {
  readonly status: HealthStatus;
  /** When the status was entered. */
  readonly since: number;
  /** Why the service is unhealthy, or why a change to it is pending. */
  readonly reason: FailureReason | null;
  readonly detail: string | null;
  /** When it was last looked at, by a probe or by traffic; null before the first look. */
  readonly checkedAt: number | null;
  /** Consecutive outcomes that speak against the present status. */
  readonly pending: number;
}

/** All services at one moment. Replaced whole, never edited. */
export interface HealthSnapshot {
  readonly takenAt: number;
  /** Region name -> service -> health. A region without key delivery has no `keys`. */
  readonly regions: Readonly<Record<string, Readonly<Partial<Record<Service, ServiceHealth>>>>>;
}

/** A content key as the catalogue knows it: its id and a keyed fingerprint, never its value. */
export interface CataloguedKey {
  /** Content key id, a lower-case GUID. */
  readonly id: string;
  readonly fingerprint: string;
}

/** The copy of one locator in one region. */
export interface RegionCopy {
  /** `verified`: may serve. `withdrawn`: was verified once, must not serve now. */
  readonly state: "verified" | "withdrawn";
  readonly at: number;
  /** One sentence for people: what was verified, or why it was withdrawn. */
  readonly detail: string;
}

/** Which locator is verified in which region. Written last, after verification. */
export interface CatalogueEntry {
  /** The published id under which the asset streams: a lower-case GUID (`ams`) or a path prefix without slashes at its ends (`static`). */
  readonly locatorId: string;
  readonly locatorName: string;
  readonly assetName: string;
  /** The region that published it. */
  readonly source: string;
  readonly streamingPolicyName: string | null;
  /** Content key policy that its keys are delivered under, null where there is none. */
  readonly contentKeyPolicyName: string | null;
  /** Paths to append to a region's streaming URL, with their leading slash. */
  readonly manifests: { readonly hls: string | null; readonly dash: string | null };
  /** Empty for a clear video. */
  readonly keys: readonly CataloguedKey[];
  readonly regions: Readonly<Record<string, RegionCopy>>;
  readonly publishedAt: number;
}

/** What a player asks for. */
export type RequestKind = "manifest" | "media" | "key";

/** A request that passed the front door, in the gateway's terms. */
export interface PlaybackRequest {
  readonly kind: RequestKind;
  readonly service: Service;
  /** Lower-case locator id; null for a key request. */
  readonly locatorId: string | null;
  /** Lower-case content key id of a key request that names one (`kid`). */
  readonly keyId: string | null;
  /** Path and query to append to a region's base URL, byte for byte as the player sent them (a key request: less the key prefix). */
  readonly target: string;
}

/** What is known of a region's copy of what was asked for. */
export type Holding =
  /** The catalogue has it verified there. */
  | "verified"
  /** The catalogue knows the video, and not as verified there. */
  | "missing"
  /** Not in the catalogue; the region was asked and has it. */
  | "found"
  /** Not in the catalogue; the region was asked and answered 404. */
  | "absent"
  /** Not in the catalogue, and not asked or not answered. */
  | "unknown";

/** Why a candidate may or may not serve, one word each. */
export type Verdict = "healthy" | "unknown" | "unhealthy" | "missing" | "absent" | "tried" | "no_service";

export interface Considered {
  readonly region: string;
  readonly eligible: boolean;
  readonly verdict: Verdict;
  /** For people: the state of the service and why. */
  readonly detail: string;
}

/**
 * Why the answer is what it is, one word each: the `x-paircast-reason` header, the access log and the metric label.
 * - `primary` the first candidate serves · `failover` an earlier candidate was not eligible · `failopen` nobody was eligible, least bad chosen
 * - `not_found` every candidate was asked and has no such video · `unavailable` nobody eligible and configured to fail closed
 */
export const DECISION_REASONS = ["primary", "failover", "failopen", "not_found", "unavailable"] as const;
export type DecisionReason = (typeof DECISION_REASONS)[number];

/** The chosen candidate and why. */
export interface Decision {
  readonly region: string | null;
  readonly reason: DecisionReason;
  /** In candidate order. */
  readonly considered: readonly Considered[];
}

/** A video that probes may use to see what a player would see. */
export interface Canary {
  readonly locatorId: string;
  /** Manifest path for the streaming probe; null where only keys can be probed. */
  readonly manifestPath: string | null;
  readonly key: CanaryKey | null;
}

export interface CanaryKey {
  readonly id: string | null;
  /** Path and query to append to the region's key-delivery URL. */
  readonly path: string;
  /** Fingerprint that the 16 bytes must have; null where it is not known. */
  readonly fingerprint: string | null;
  /** A value for the Authorization header, null where the policy is open or no token can be made. A secret: never logged. */
  readonly authorization: string | null;
  /** True where the policy wants a token and none can be made: 401 and 403 then prove that the service answers. */
  readonly tokenUnavailable: boolean;
}
