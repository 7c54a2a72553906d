/** What the parts of a sandbox region know of one another: the media account's entities, its storage, and the faults that are switched on. */

export const SANDBOX_SERVICES = ["streaming", "keys", "management", "storage"] as const;
export type SandboxService = (typeof SANDBOX_SERVICES)[number];

/**
 * - `refuse` nothing listens · `blackhole` accepts, never answers · `reset` accepts, closes with RST · `status` answers `status` to everything
 * - `half-body` sends half of each body, then nothing, answers under way included · `slow` delays each answer by `delayMs` · `html` 200 with a login page
 * - `missing-segments` manifests yes, media segments 404 · `stale` live playlists stop advancing
 * - `wrong-key` 16 other bytes · `short-key` fewer than 16 bytes · `expired-cert` a certificate that has expired (TLS only)
 */
export const FAULT_KINDS = [
  "refuse",
  "blackhole",
  "reset",
  "status",
  "half-body",
  "slow",
  "html",
  "missing-segments",
  "stale",
  "wrong-key",
  "short-key",
  "expired-cert",
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  readonly kind: FaultKind;
  /** For `status`. Default 503. */
  readonly status: number;
  /** For `slow`, milliseconds. Default 3000. */
  readonly delayMs: number;
  /** For `status`: with `Access-Control-Allow-Origin: *`, so that a player in a browser reads the status. Default: without, a network error. */
  readonly cors?: boolean | undefined;
}

/** The fault of one service of one region, read at each request. */
export interface FaultView {
  current(): Fault | null;
}

/** Where a region's blob storage is, and the account key with which the emulator itself reads it. */
export interface StorageAddress {
  readonly accountName: string;
  readonly accountKey: string;
  /** Path-style blob service URL of the region's own front, `http://host:port/{accountName}`. */
  readonly url: string;
}

/** A content key of a locator, as the emulator keeps it. */
export interface EmulatedKey {
  /** Lower-case GUID. */
  readonly id: string;
  readonly type: "EnvelopeEncryption" | "CommonEncryptionCenc" | "CommonEncryptionCbcs";
  readonly label: string;
  /** Base64, 16 bytes when decoded (not enforced, as in the real service). */
  readonly value: string;
  /** Content key policy under which it is delivered, null where none was given. */
  readonly policyName: string | null;
}

export interface EmulatedLocator {
  readonly name: string;
  readonly assetName: string;
  readonly streamingLocatorId: string;
  readonly streamingPolicyName: string;
  readonly alternativeMediaId: string | null;
  /** Epoch milliseconds; null where unset. */
  readonly startTime: number | null;
  readonly endTime: number | null;
  readonly filters: readonly string[];
  readonly contentKeys: readonly EmulatedKey[];
}

/** JSON as the management API has it on the wire. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type JsonObject = { readonly [name: string]: Json };

/** The media account as its streaming endpoint and its key delivery see it. All ids in lower case. */
export interface AccountView {
  locator(streamingLocatorId: string): EmulatedLocator | null;
  /** The locator that holds a content key, with the key. */
  key(keyId: string): { readonly locator: EmulatedLocator; readonly key: EmulatedKey } | null;
  container(assetName: string): string | null;
  /** `properties` of a content key policy with its secrets, as on the wire. */
  contentKeyPolicy(name: string): JsonObject | null;
  /** `properties` of a streaming policy, predefined ones included, as on the wire. */
  streamingPolicy(name: string): JsonObject | null;
  /** True while the region's streaming endpoint is Running. */
  streamingRunning(): boolean;
  /** True while a live output writes to the asset and its live event does not run. */
  offAir(assetName: string): boolean;
}
