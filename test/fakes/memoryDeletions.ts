/** Deletions in memory. Keeps the contract of `DeletionStore`. */
import { PaircastError } from "../../src/core/errors.ts";
import type { Deletion, DeletionStore, VersionedDeletion } from "../../src/core/ports/deletions.ts";
import { Calls } from "./calls.ts";

export class MemoryDeletions implements DeletionStore {
  readonly calls = new Calls();
  readonly #rows = new Map<string, VersionedDeletion>();
  #writes = 0;

  async get(id: string): Promise<VersionedDeletion | null> {
    await this.calls.enter("get", id, "reads");
    return this.#rows.get(id) ?? null;
  }

  async put(deletion: Deletion, expected: string | null): Promise<string> {
    await this.calls.enter("put", deletion.id, "writes");
    this.#expect(deletion.id, expected);
    this.#writes += 1;
    const version = String(this.#writes);
    this.#rows.set(deletion.id, { deletion: structuredClone(deletion), version });
    return version;
  }

  async remove(id: string, expected: string): Promise<void> {
    await this.calls.enter("remove", id, "writes");
    this.#expect(id, expected);
    this.#rows.delete(id);
  }

  async *list(): AsyncGenerator<VersionedDeletion> {
    await this.calls.enter("list", "*", "reads");
    for (const id of [...this.#rows.keys()].sort()) {
      const row = this.#rows.get(id);
      if (row !== undefined) yield row;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #expect(id: string, expected: string | null): void {
    if ((this.#rows.get(id)?.version ?? null) !== expected)
      throw new PaircastError("deletion_conflict", `write deletion ${id}: another version is stored`, { retry: "conflict" });
  }
}
