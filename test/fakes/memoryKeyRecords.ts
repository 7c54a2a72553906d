/** The record of keys in memory. Keeps the contract of `KeyRecords`. */
import { PaircastError } from "../../src/core/errors.ts";
import type { Fence } from "../../src/core/ports/journal.ts";
import type { KeyRecords, SealedRecord } from "../../src/core/ports/keyRecords.ts";
import { Calls } from "./calls.ts";

export class MemoryKeyRecords implements KeyRecords {
  readonly calls = new Calls();
  readonly #holds: (fence: Fence) => boolean;
  readonly #records = new Map<string, SealedRecord>();

  /** `holds`: whether a lease is its owner's. */
  constructor(holds: (fence: Fence) => boolean = () => true) {
    this.#holds = holds;
  }

  async get(id: string): Promise<SealedRecord | null> {
    await this.calls.enter("get", id, "reads");
    return this.#records.get(id) ?? null;
  }

  async put(record: SealedRecord, expected: string | null, fence?: Fence): Promise<void> {
    await this.calls.enter("put", record.id, "writes");
    this.#expect(record.id, expected);
    if (fence !== undefined && !this.#holds(fence))
      throw new PaircastError("lease_lost", `write key record ${record.id}: another process has taken ${fence.jobId} over`, {
        retry: "retry",
      });
    this.#records.set(record.id, { ...record });
  }

  async remove(id: string, expected: string): Promise<void> {
    await this.calls.enter("remove", id, "writes");
    this.#expect(id, expected);
    this.#records.delete(id);
  }

  async *list(): AsyncGenerator<SealedRecord> {
    await this.calls.enter("list", "*", "reads");
    for (const id of [...this.#records.keys()].sort()) {
      const record = this.#records.get(id);
      if (record !== undefined) yield record;
    }
  }

  /** As somebody does who can write to the store and has no key. */
  tamper(id: string, change: (record: SealedRecord) => SealedRecord): void {
    const record = this.#records.get(id);
    if (record === undefined) throw new Error(`no record ${id}`);
    this.#records.set(id, change(record));
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #expect(id: string, expected: string | null): void {
    if ((this.#records.get(id)?.version ?? null) !== expected)
      throw new PaircastError("key_record_conflict", `write key record ${id}: another version is stored`, { retry: "conflict" });
  }
}
