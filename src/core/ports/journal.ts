/** A lease of the journal, as a condition of a write. */
export interface Fence {
  readonly jobId: string;
  readonly owner: string;
}

/** What a job has proven of one blob: enough to skip it next time while both sides are unchanged. */
export interface BlobRecord {
  readonly name: string;
  readonly sourceEtag: string;
  readonly targetEtag: string;
  readonly length: number;
  /** Base64 MD5 of the content, seen equal on both sides. */
  readonly md5: string;
}

/** One thing that a job refuses to overwrite, as it is kept for operators. */
export interface ConflictRecord {
  /** What it is about, for instance `content key policy drm-default`. */
  readonly what: string;
  /** What each side holds. Never a key value or a secret: keys by their fingerprints. */
  readonly source: string;
  readonly target: string;
  /** What an operator can do. */
  readonly advice: string;
  /** Set where it is about one locator and not about the whole asset. */
  readonly locatorId?: string;
  /** The target's copy plays as it did: it stays in the catalogue. Left out: it must not serve. */
  readonly keepsServing?: true;
}

/** The state of one replication job: one asset to one target region. */
export interface JobRecord {
  /** `{source}/{assetName}->{target}`. */
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly assetName: string;
  readonly step: "planned" | "copied" | "policed" | "located" | "verified" | "published";
  readonly state: "running" | "done" | "failed" | "conflict";
  readonly attempts: number;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  /** Those that the last run which could tell has found, at most twenty; empty since a run came to its end without any. */
  readonly conflicts: readonly ConflictRecord[];
  readonly updatedAt: number;
}

/**
 * What replication jobs have done so far. It may be lost: everything in it can be found out again from both sides, only slower.
 * - `acquire` gives the lease of a job to `owner` until `now + leaseMs` and returns true, or returns false while somebody else holds it.
 *   The same owner may acquire again to renew. `release` gives it back and ignores a lease that is no longer held.
 * - `save`, `recordBlob` and `recordBlobs` replace; a write that returned survives a crash. `recordBlobs` may be cut off in the middle by one.
 * - `blobsAfter` gives the records of a job page by page: at most `limit`, from the first name (null) or from the one after `after`, in the order of
 *   their names' bytes in UTF-8 (of names over 130 bytes only their beginnings may be in order).
 * - `jobs` lists the newest first, at most `limit`. `conflicts` does the same for the jobs that have conflicts.
 * - `proof` is the fingerprint that an entity (a policy, a filter) had when both regions of `scope` were last seen equal: a target that still
 *   has it is ours to replace.
 */
export interface Journal extends AsyncDisposable {
  acquire(jobId: string, owner: string, now: number, leaseMs: number): Promise<boolean>;
  release(jobId: string, owner: string): Promise<void>;
  load(jobId: string): Promise<JobRecord | null>;
  save(job: JobRecord): Promise<void>;
  jobs(limit: number): Promise<readonly JobRecord[]>;
  conflicts(limit: number): Promise<readonly JobRecord[]>;
  blobs(jobId: string): Promise<ReadonlyMap<string, BlobRecord>>;
  blobsAfter(jobId: string, after: string | null, limit: number): Promise<readonly BlobRecord[]>;
  recordBlob(jobId: string, blob: BlobRecord): Promise<void>;
  recordBlobs(jobId: string, blobs: readonly BlobRecord[]): Promise<void>;
  proof(scope: string, entity: string): Promise<string | null>;
  recordProof(scope: string, entity: string, fingerprint: string): Promise<void>;
}
