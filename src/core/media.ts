/**
 * The entities of a media account, as the replicator moves them. Field names are the media management API's own (v3, 2022-08-01);
 * server-assigned fields (assetId, policyId, policyOptionId, created, lastModified, systemData) are left out because they cannot be kept.
 */

/** A plain tree as the SDK gives and takes it: byte fields are `Uint8Array`, times are `Date`. */
export type Tree = null | boolean | number | string | Date | Uint8Array | readonly Tree[] | { readonly [name: string]: Tree | undefined };
export type TreeObject = { readonly [name: string]: Tree | undefined };

export interface MediaAsset {
  readonly name: string;
  readonly container: string;
  readonly storageAccountName: string | null;
  readonly alternateId: string | null;
  readonly description: string | null;
  readonly lastModified: number;
}

/** What can be set when an asset is created. */
export type AssetSpec = Pick<MediaAsset, "name" | "container" | "alternateId" | "description">;

/** An asset or account filter: `presentationTimeRange`, `firstQuality`, `tracks`. */
export interface MediaFilter {
  readonly name: string;
  readonly properties: TreeObject;
}

/**
 * An audio, text or video track of an asset: `properties` is the API's `track` with its `odataType`. Tracks with a `fileName` were added to the
 * asset; those without are what its server manifest says, and come and go with the files.
 */
export interface MediaTrack {
  readonly name: string;
  readonly properties: TreeObject;
}

/** `properties` holds `description` and `options`, with their secrets where they were asked for. */
export interface ContentKeyPolicy {
  readonly name: string;
  readonly properties: TreeObject;
  /** There are secrets that the service does not give out: they are not in `properties`. */
  readonly secretsHidden?: true;
}

/** Immutable once created. `properties` as in the API: `defaultContentKeyPolicyName`, `envelopeEncryption`, `commonEncryptionCenc`, … */
export interface StreamingPolicy {
  readonly name: string;
  readonly properties: TreeObject;
}

/** A content key with its value: a secret. Never logged, and stored in the encrypted record of keys only. */
export interface ContentKey {
  /** Lower-case GUID. */
  readonly id: string;
  readonly type: string | null;
  readonly labelReferenceInStreamingPolicy: string | null;
  /** Base64. */
  readonly value: string;
  readonly policyName: string | null;
}

/** Immutable once created. */
export interface StreamingLocator {
  readonly name: string;
  readonly assetName: string;
  /** Lower-case GUID. */
  readonly streamingLocatorId: string;
  readonly streamingPolicyName: string;
  readonly defaultContentKeyPolicyName: string | null;
  readonly alternativeMediaId: string | null;
  /** Epoch milliseconds, null where unset. */
  readonly startTime: number | null;
  readonly endTime: number | null;
  readonly filters: readonly string[];
  readonly contentKeys: readonly ContentKey[];
  readonly created: number;
}

/** One line of a locator listing: enough to decide what to look at. Lists never hold keys. */
export interface LocatorSummary {
  readonly name: string;
  readonly assetName: string;
  readonly streamingLocatorId: string;
  readonly created: number;
}

/** A part of a list. */
export interface ListPage<T> {
  readonly items: readonly T[];
  /** Where the list goes on, in the service's own words: good for another process too, and no secret. Null after the last page. */
  readonly next: string | null;
}

/** Names of policies that every account has and nobody can create or change. */
export const PREDEFINED_POLICY_PREFIX = "Predefined_";

/** Streaming paths of a locator, per protocol and encryption scheme, as `listPaths` answers them. */
export interface StreamingPath {
  readonly streamingProtocol: "Hls" | "Dash" | "SmoothStreaming" | "Download";
  readonly encryptionScheme: string;
  readonly paths: readonly string[];
}
