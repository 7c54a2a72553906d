/** The entities of a media account as the emulator keeps them. Replaced whole, except jobs and streaming endpoints, which have a life of their own. */
import type { EmulatedKey, Json, JsonObject } from "../contracts.ts";
import type { NamedMap } from "./namedMap.ts";
import type { Instant, Stamp } from "./times.ts";

export interface AccountRecord {
  readonly location: string;
  readonly tags: JsonObject | null;
  readonly identity: JsonObject | null;
  readonly properties: JsonObject;
  readonly stamp: Stamp;
}

export interface FilterRecord {
  readonly name: string;
  readonly properties: JsonObject;
  readonly stamp: Stamp;
}

export interface TrackRecord {
  readonly name: string;
  /** As in answers, with its `@odata.type`. */
  readonly track: JsonObject;
  /** Id of the operation that wrote it; null for what the server manifest names. */
  readonly operation: string | null;
}

/** A change of a track: done when the time has come, whoever looks. */
export interface TrackOperation {
  readonly id: string;
  /** On the monotonic clock. */
  readonly dueAt: number;
}

export interface AssetRecord {
  readonly name: string;
  readonly assetId: string;
  readonly container: string;
  readonly storageAccountName: string;
  readonly alternateId: string | null;
  readonly description: string | null;
  readonly stamp: Stamp;
  readonly filters: NamedMap<FilterRecord>;
  /** Those that were added; what the server manifest names is not among them. */
  readonly tracks: NamedMap<TrackRecord>;
}

export interface ContentKeyPolicyRecord {
  readonly name: string;
  readonly policyId: string;
  readonly description: string | null;
  /** With their secrets. */
  readonly options: readonly JsonObject[];
  readonly stamp: Stamp;
}

export interface StreamingPolicyRecord {
  readonly name: string;
  /** As in answers, `created` included. */
  readonly properties: JsonObject;
  /** Null for the predefined ones. */
  readonly stamp: Stamp | null;
}

export interface LocatorKey extends EmulatedKey {
  /** Track selections of the policy's mapping; empty for a default key. */
  readonly tracks: readonly Json[];
}

export interface LocatorRecord {
  readonly name: string;
  readonly assetName: string;
  readonly streamingLocatorId: string;
  readonly streamingPolicyName: string;
  readonly defaultContentKeyPolicyName: string | null;
  readonly alternativeMediaId: string | null;
  readonly startTime: Instant | null;
  readonly endTime: Instant | null;
  readonly filters: readonly string[];
  readonly contentKeys: readonly LocatorKey[];
  readonly stamp: Stamp;
}

export interface TransformRecord {
  readonly name: string;
  readonly description: string | null;
  readonly outputs: readonly JsonObject[];
  readonly stamp: Stamp;
  readonly jobs: NamedMap<JobRecord>;
}

export type JobState = "Queued" | "Scheduled" | "Processing" | "Canceling" | "Finished" | "Canceled" | "Error";

export interface JobOutputRecord {
  readonly assetName: string;
  readonly label: string;
  /** The transform's when the job was submitted, or the job's own in its place. */
  readonly preset: JsonObject;
  readonly presetOverride: JsonObject | null;
  /** Whether the others, and the job, go on where this one fails. */
  readonly continueOnError: boolean;
  state: JobState;
  /** Percent. */
  progress: number;
  startTime: Instant | null;
  endTime: Instant | null;
  error: JsonObject | null;
}

export interface JobRecord {
  readonly name: string;
  readonly transformName: string;
  /** As sent, with the secrets in its addresses. */
  readonly input: JsonObject;
  readonly outputs: readonly JobOutputRecord[];
  readonly correlationData: JsonObject;
  readonly created: Instant;
  readonly cancel: AbortController;
  description: string | null;
  priority: string;
  state: JobState;
  startTime: Instant | null;
  endTime: Instant | null;
  modified: Instant;
}
