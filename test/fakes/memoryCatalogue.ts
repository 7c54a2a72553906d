/** The catalogue in memory. Keeps the contract of `CatalogueStore`. */
import type { CatalogueEntry } from "../../src/core/contracts.ts";
import { PaircastError } from "../../src/core/errors.ts";
import type { CatalogueChanges, CatalogueStore, VersionedEntry } from "../../src/core/ports/catalogue.ts";
import type { Fence } from "../../src/core/ports/journal.ts";
import { Calls } from "./calls.ts";

export class MemoryCatalogue implements CatalogueStore {
  readonly calls = new Calls();
  readonly #entries = new Map<string, VersionedEntry>();
  readonly #key = Uint8Array.from({ length: 32 }, (_, at) => (at * 37 + 11) % 256);
  readonly #changedAt = new Map<string, number>();
  readonly #holds: (fence: Fence) => boolean;
  #revision = 0;

  /** `holds`: whether a lease is still its owner's, for instance `MemoryJournal.holds`. Left out: every one is. */
  constructor(holds: (fence: Fence) => boolean = () => true) {
    this.#holds = holds;
  }

  async get(locatorId: string): Promise<VersionedEntry | null> {
    await this.calls.enter("get", locatorId, "reads");
    return structuredClone(this.#entries.get(locatorId.toLowerCase()) ?? null);
  }

  async put(entry: CatalogueEntry, expected: string | null, fence?: Fence): Promise<string> {
    await this.calls.enter("put", entry.locatorId, "writes");
    const id = entry.locatorId.toLowerCase();
    this.#expect(id, expected);
    if (fence !== undefined && !this.#holds(fence)) throw new PaircastError("lease_lost", `write entry ${id}`, { retry: "retry" });
    this.#revision += 1;
    this.#changedAt.set(id, this.#revision);
    const version = String(this.#revision);
    this.#entries.set(id, { entry: structuredClone(entry), version });
    return version;
  }

  async remove(locatorId: string, expected: string): Promise<void> {
    await this.calls.enter("remove", locatorId, "writes");
    const id = locatorId.toLowerCase();
    this.#expect(id, expected);
    this.#revision += 1;
    this.#changedAt.set(id, this.#revision);
    this.#entries.delete(id);
  }

  async *list(): AsyncGenerator<VersionedEntry> {
    await this.calls.enter("list", "*", "reads");
    const ids = [...this.#entries.keys()].sort();
    for (const id of ids) {
      const stored = this.#entries.get(id);
      if (stored !== undefined) yield structuredClone(stored);
    }
  }

  async fingerprintKey(): Promise<Uint8Array> {
    return this.#key.slice();
  }

  async revision(): Promise<string> {
    await this.calls.enter("revision", "*", "reads");
    return String(this.#revision);
  }

  async changes(since: string): Promise<CatalogueChanges | null> {
    await this.calls.enter("changes", since, "reads");
    if (!/^\d+$/.test(since) || Number(since) > this.#revision) return null;
    const ids = [...this.#changedAt].filter(([, at]) => at > Number(since)).map(([id]) => id);
    const changed = new Map(ids.map((id) => [id, structuredClone(this.#entries.get(id)?.entry ?? null)]));
    return { revision: String(this.#revision), changed };
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #expect(id: string, expected: string | null): void {
    const stored = this.#entries.get(id)?.version ?? null;
    if (stored !== expected)
      throw new PaircastError("catalogue_conflict", `write catalogue entry ${id}: another version is stored`, { retry: "conflict" });
  }
}
