/** The journal in memory. Keeps the contract of `Journal`. */
import type { BlobRecord, Fence, JobRecord, Journal } from "../../src/core/ports/journal.ts";
import { Calls } from "./calls.ts";

export class MemoryJournal implements Journal {
  readonly calls = new Calls();
  readonly #leases = new Map<string, { readonly owner: string; readonly until: number }>();
  readonly #jobs = new Map<string, JobRecord>();
  readonly #blobs = new Map<string, Map<string, BlobRecord>>();
  readonly #proofs = new Map<string, string>();

  async acquire(jobId: string, owner: string, now: number, leaseMs: number): Promise<boolean> {
    await this.calls.enter("acquire", jobId, "writes");
    const lease = this.#leases.get(jobId);
    if (lease !== undefined && lease.owner !== owner && lease.until > now) return false;
    this.#leases.set(jobId, { owner, until: now + leaseMs });
    return true;
  }

  async release(jobId: string, owner: string): Promise<void> {
    await this.calls.enter("release", jobId, "writes");
    if (this.#leases.get(jobId)?.owner === owner) this.#leases.delete(jobId);
  }

  /** Takes a lease whoever holds it, as another process does after it has run out. */
  seize(jobId: string, owner: string, until: number): void {
    this.#leases.set(jobId, { owner, until });
  }

  /** For the catalogue: whether the lease is still the owner's. */
  holds({ jobId, owner }: Fence): boolean {
    return this.#leases.get(jobId)?.owner === owner;
  }

  async load(jobId: string): Promise<JobRecord | null> {
    await this.calls.enter("load", jobId, "reads");
    return this.#jobs.get(jobId) ?? null;
  }

  async save(job: JobRecord): Promise<void> {
    await this.calls.enter("save", job.id, "writes");
    this.#jobs.set(job.id, { ...job });
  }

  async jobs(limit: number): Promise<readonly JobRecord[]> {
    const newest = [...this.#jobs.values()].sort((a, b) => b.updatedAt - a.updatedAt || (a.id < b.id ? -1 : 1));
    return newest.slice(0, limit);
  }

  async conflicts(limit: number): Promise<readonly JobRecord[]> {
    return (await this.jobs(Number.POSITIVE_INFINITY)).filter(({ conflicts }) => conflicts.length > 0).slice(0, limit);
  }

  async blobs(jobId: string): Promise<ReadonlyMap<string, BlobRecord>> {
    await this.calls.enter("blobs", jobId, "reads");
    return new Map(this.#blobs.get(jobId));
  }

  async blobsAfter(jobId: string, after: string | null, limit: number): Promise<readonly BlobRecord[]> {
    await this.calls.enter("blobsAfter", jobId, "reads");
    const blobs = [...(this.#blobs.get(jobId)?.values() ?? [])].sort((one, other) => compareBytes(one.name, other.name));
    return blobs.filter(({ name }) => after === null || compareBytes(name, after) > 0).slice(0, limit);
  }

  async recordBlob(jobId: string, blob: BlobRecord): Promise<void> {
    await this.recordBlobs(jobId, [blob]);
  }

  async recordBlobs(jobId: string, records: readonly BlobRecord[]): Promise<void> {
    const blobs = this.#blobs.get(jobId) ?? new Map<string, BlobRecord>();
    this.#blobs.set(jobId, blobs);
    for (const blob of records) {
      await this.calls.enter("recordBlob", `${jobId} ${blob.name}`, "writes");
      blobs.set(blob.name, { ...blob });
    }
  }

  async proof(scope: string, entity: string): Promise<string | null> {
    await this.calls.enter("proof", entity, "reads");
    return this.#proofs.get(`${scope}\n${entity}`) ?? null;
  }

  async recordProof(scope: string, entity: string, fingerprint: string): Promise<void> {
    await this.calls.enter("recordProof", entity, "writes");
    this.#proofs.set(`${scope}\n${entity}`, fingerprint);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function compareBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
