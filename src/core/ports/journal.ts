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
  readonly updatedAt: number;
}

/**
 * What replication jobs have done so far. It may be lost: everything in it can be found out again from both sides, only slower.
 * - `acquire` gives the lease of a job to `owner` until `now + leaseMs` and returns true, or returns false while somebody else holds it.
 *   The same owner may acquire again to renew. `release` gives it back and ignores a lease that is no longer held.
 * - `save` and `recordBlob` replace; a write that returned survives a crash.
 * - `jobs` lists the newest first, at most `limit`.
 * - `proof` is the fingerprint that an entity (a policy, a filter) had when both regions of `scope` were last seen equal: a target that still
 *   has it is ours to replace.
 */
export interface Journal extends AsyncDisposable {
  acquire(jobId: string, owner: string, now: number, leaseMs: number): Promise<boolean>;
  release(jobId: string, owner: string): Promise<void>;
  load(jobId: string): Promise<JobRecord | null>;
  save(job: JobRecord): Promise<void>;
  jobs(limit: number): Promise<readonly JobRecord[]>;
  blobs(jobId: string): Promise<ReadonlyMap<string, BlobRecord>>;
  recordBlob(jobId: string, blob: BlobRecord): Promise<void>;
  proof(scope: string, entity: string): Promise<string | null>;
  recordProof(scope: string, entity: string, fingerprint: string): Promise<void>;
}
