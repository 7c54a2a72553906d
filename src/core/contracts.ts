/**
 * The words that the areas share. Types only: gateway, health and replicator never import one another, they meet here and in
 * `ports.ts`, and are joined in `src/compose`.
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
 * - `abandoned` players that were sent there went elsewhere by themselves
 * - `stale` a live playlist or MPD that does not advance · `regressed` one that went backwards or shrank · `rewritten` one whose published segments changed
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
  "stale",
  "regressed",
  "rewritten",
  "abandoned",
] as const;
export type FailureReason = (typeof FAILURE_REASONS)[number];

/** What one look at one service of one region showed. */
export type Outcome =
  | { readonly ok: true; readonly durationMs: number; readonly signals?: readonly Signal[] }
  | {
      readonly ok: false;
      readonly durationMs: number;
      readonly reason: FailureReason;
      /** For people: what was asked and what came back. Never holds a key, a token or a SAS. */
      readonly detail: string;
    };

/**
 * `degraded`: serves, and something speaks for another region (a certificate near its end, slow first bytes): eligible, ranked after healthy.
 * `unknown`: not looked at yet: eligible, ranked after degraded.
 */
export const HEALTH_STATUSES = ["healthy", "degraded", "unhealthy", "unknown"] as const;
export type HealthStatus = (typeof HEALTH_STATUSES)[number];

/** What makes a service degraded before it fails: one word, a metric label. `unauthorized`: it refuses a token that should be good. */
export const SIGNAL_KINDS = ["certificate", "clock", "first_byte", "throughput", "unauthorized"] as const;
export type SignalKind = (typeof SIGNAL_KINDS)[number];

/** One graded observation of a probe that succeeded. */
export interface Signal {
  readonly kind: SignalKind;
  /** For people: the figure and the limit. */
  readonly detail: string;
}

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
  /** What degrades the service now; empty or left out: nothing. */
  readonly signals?: readonly Signal[];
  /** Share of its viewers that the service may have now, 0 to 1: less than 1 while it returns slowly after a recovery. Left out: 1. */
  readonly share?: number;
  /**
   * Until when, at the earliest, a flapping service is kept unhealthy although its probes succeed; null or left out: it is not held. It moves on
   * while they still fail.
   */
  readonly heldUntil?: number | null;
  /** Smoothed duration of its successful probes; left out before the first. */
  readonly latencyMs?: number;
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
  /** Null where its playlist names it and nobody here may read it. */
  readonly fingerprint: string | null;
}

/**
 * Whose host the playlists of a video send players to for its key, the same for all copies. `streaming`: it lies beside the video.
 * `elsewhere`: at a host that is the same whatever region plays, so that no region is better than another for it.
 */
export type PlaylistKeyHost = "streaming" | "region" | "gateway" | "elsewhere";

/** The copy of one locator in one region. */
export interface RegionCopy {
  /** `verified`: may serve. `withdrawn`: was verified once, must not serve now. */
  readonly state: "verified" | "withdrawn";
  readonly at: number;
  /** One sentence for people: what was verified, or why it was withdrawn. */
  readonly detail: string;
  /** A viewer in the middle of the source's copy can go on with this one: same segments, keys and timeline. Left out: not known. */
  readonly aligned?: boolean;
  /** What the last verification looked at; left out: an older version's, or none since it was published. */
  readonly verification?: CopyVerification;
  /** Why a withdrawn copy may not be published as it is; left out: no blob of it is known to be damaged. */
  readonly damage?: CopyDamage;
}

/** What a verification of a copy looked at, and found good. */
export interface CopyVerification {
  readonly at: number;
  /** Blobs whose lengths and properties were compared with the source's. */
  readonly blobs: number;
  /** How their content was compared: not, by the services' Content-MD5, by reading some of it, or all. */
  readonly content: "none" | "md5" | "sampled" | "full";
  /** Blobs of which something was read, and how much of this copy, in bytes. */
  readonly readBlobs: number;
  readonly readBytes: number;
  /** What was played: nothing, one segment of each manifest, or every rendition. */
  readonly playback: "none" | "first" | "renditions";
  /** Where sampling goes on: a place on the ring of blobs, 0 to 1, and how often it has gone round. */
  readonly next: { readonly place: number; readonly lap: number };
}

/** A blob that is not what it was when it was copied. */
export interface DamagedBlob {
  readonly name: string;
  /** Base64 MD5 of the content that it should have; null where that is not known. */
  readonly md5: string | null;
}

export interface CopyDamage {
  readonly blobs: readonly DamagedBlob[];
  /** There are others that are not named. */
  readonly more: boolean;
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
  /** `static`: where its playlists send players for the key; left out: the streaming policy says it, or it is clear. */
  readonly keyHost?: PlaylistKeyHost;
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
  /** Index of the entry of `gateway.routes` that the request falls under; left out: none. */
  readonly route?: number;
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
export type Verdict =
  | HealthStatus
  | "missing"
  | "absent"
  | "tried"
  | "no_service"
  /** An operator sends new requests elsewhere. */
  | "drained"
  /** An operator keeps everything away, also when nothing else is left. */
  | "disabled"
  /** Streaming is well, and the keys that this video needs cannot be had. */
  | "no_keys"
  /** It returns slowly after a recovery, and this viewer is not in its share yet. */
  | "ramping";

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
 * - `pinned` an operator's pin · `canary` the share of requests that tries a region out
 * - `not_found` every candidate was asked and has no such video · `unavailable` nobody eligible and configured to fail closed
 */
export const DECISION_REASONS = ["primary", "failover", "failopen", "pinned", "canary", "not_found", "unavailable"] as const;
export type DecisionReason = (typeof DECISION_REASONS)[number];

/**
 * Why a manifest of a route in mode `steer` or `anchor` was redirected after all, one word each.
 * - `smooth` neither HLS nor DASH · `credentials` the request carries a token or cookie of the viewer's
 * - `single_region` one region has the video · `unmeasured` whether the copies are aligned is not known yet · `unaligned` they are not
 * - `unfetchable` no region gave the manifest · `denied` a region refused it · `moved` it redirects · `too_large` · `busy` too many are being read
 * - `malformed`, `foreign_uri`, `unsteerable` it cannot be rewritten: broken, leads to a host that is no region, steers by itself
 */
export const PLAYBACK_FALLBACKS = [
  "smooth",
  "credentials",
  "single_region",
  "unmeasured",
  "unaligned",
  "unfetchable",
  "denied",
  "moved",
  "too_large",
  "busy",
  "malformed",
  "foreign_uri",
  "unsteerable",
] as const;
export type PlaybackFallback = (typeof PLAYBACK_FALLBACKS)[number];
/** Modes of playback in which the gateway answers with the manifest itself. */
export const REWRITING_MODES = ["steer", "anchor"] as const;
export type RewritingMode = (typeof REWRITING_MODES)[number];

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

/**
 * - `drain` new requests go elsewhere while anything else is eligible; the region still serves as the last resort. Encoding: no new jobs go there
 * - `disable` nothing goes there, also not as the last resort. Encoding: its jobs are moved elsewhere, too
 * - `pin` everything goes there that it holds, as long as it can serve it
 */
export const OVERRIDE_KINDS = ["drain", "disable", "pin"] as const;
export type OverrideKind = (typeof OVERRIDE_KINDS)[number];

/**
 * What an override is for: a service that viewers use, the encoding in the region's account, or all of these. A pin is for viewers only: jobs go
 * where there is room.
 */
export const OVERRIDE_SERVICES = [...SERVICES, "encoding", "all"] as const;
export type OverrideService = (typeof OVERRIDE_SERVICES)[number];

/** An operator's word on a region, always with a reason and an end. */
export interface Override {
  readonly id: string;
  readonly kind: OverrideKind;
  readonly region: string;
  readonly service: OverrideService;
  readonly reason: string;
  /** Who said so: a name given by the operator, or `api`. */
  readonly by: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** A pin that holds although the region is unhealthy; left out: it yields. */
  readonly forced?: boolean;
}

/** Pathway of the gateway's own, anchored copy of a manifest. No region has this name where manifests are steered. */
export const GATEWAY_PATHWAY = "gateway";
/** Paths of the player listener under which players ask which pathway is best. */
export const STEERING_PREFIX = "/steering/";
