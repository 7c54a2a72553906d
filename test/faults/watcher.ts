/** Holds the catalogue against the truth: a copy that the gateway may send viewers to must equal its source at that very moment. */
import type { CatalogueEntry } from "../../src/core/contracts.ts";
import { assetDifferences, containerOf } from "./compare.ts";
import type { Call } from "./gate.ts";
import { blobOf, isWrite } from "./operation.ts";
import type { AccountState } from "./truth.ts";

interface Changes {
  readonly version: number;
  readonly entries: readonly CatalogueEntry[];
}

/** Where the catalogue is read. */
export interface CatalogueReader {
  /** Entries written after `version`; others among them do no harm. */
  changes(version: number): Changes | Promise<Changes>;
  entry(locatorId: string): CatalogueEntry | null | Promise<CatalogueEntry | null>;
}

export interface WatcherOptions {
  readonly catalogue: CatalogueReader;
  /** Nobody changes it. */
  readonly source: AccountState;
  /** Name of the region that is watched. */
  readonly target: string;
  /** What that region really holds: all entities, and these containers. */
  readonly truth: (containers: readonly string[]) => Promise<AccountState>;
}

export class Watcher {
  /** What was visible and not true, in words. */
  readonly violations: string[] = [];
  /** How many times a visible copy was compared in full. */
  checks = 0;
  readonly #options: WatcherOptions;
  readonly #visible = new Map<string, CatalogueEntry>();
  #version = 0;

  constructor(options: WatcherOptions) {
    this.#options = options;
  }

  /** Looks at what has become visible since the last time. */
  async look(when: string): Promise<void> {
    const { version, entries } = await this.#options.catalogue.changes(this.#version);
    this.#version = version;
    for (const entry of entries) {
      const before = this.#visible.has(entry.locatorId);
      if (!this.#isVisible(entry)) this.#visible.delete(entry.locatorId);
      else {
        this.#visible.set(entry.locatorId, entry);
        if (!before) await this.#check(entry, when);
      }
    }
  }

  /** After a write to the target: what is visible must still be true. */
  async wrote(call: Call): Promise<void> {
    if (call.region !== this.#options.target || !isWrite(call)) return;
    await this.look(`call ${call.number}`);
    const container = call.service === "storage" ? (blobOf(call.target)?.container ?? null) : null;
    for (const entry of this.#visible.values())
      if (container === null || containerOf(this.#options.source, entry.assetName) === container)
        await this.#check(entry, `call ${call.number}`);
  }

  /** Everything that is visible. */
  async lookAtAll(when: string): Promise<void> {
    await this.look(when);
    for (const entry of this.#visible.values()) await this.#check(entry, when);
  }

  #isVisible(entry: CatalogueEntry): boolean {
    return entry.regions[this.#options.target]?.state === "verified";
  }

  async #check({ locatorId, assetName }: CatalogueEntry, when: string): Promise<void> {
    const { catalogue, truth, source, target } = this.#options;
    this.checks += 1;
    const container = containerOf(source, assetName);
    const found = assetDifferences(source, await truth(container === null ? [] : [container]), assetName);
    if (found.length === 0) return;
    // It may have been withdrawn while it was being compared.
    const now = await catalogue.entry(locatorId);
    if (now === null || !this.#isVisible(now)) return;
    this.violations.push(`${when}: ${assetName} is visible in ${target} and differs: ${found.slice(0, 3).join("; ")}`);
  }
}
