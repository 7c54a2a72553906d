/** What a state file of paircast says, read beside the process that writes it: the catalogue as the gateway sees it, and the jobs. */
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { CatalogueEntry } from "../../src/core/contracts.ts";
import { keyedFingerprint } from "../../src/core/fingerprint.ts";
import { contentKeyIn } from "./compare.ts";
import type { AccountState, Plain } from "./truth.ts";

export class StateFile implements Disposable {
  readonly path: string;
  #database: DatabaseSync | null = null;

  constructor(path: string) {
    this.path = path;
  }

  /** Entries written after `version`, and the version that this leads to. Nothing before the file has its tables. */
  changes(version: number): { readonly version: number; readonly entries: readonly CatalogueEntry[] } {
    const rows = this.#all("SELECT version, entry FROM catalogue WHERE version > ? ORDER BY version", version);
    return { version: Number(rows.at(-1)?.["version"] ?? version), entries: rows.map(entryOf) };
  }

  entry(locatorId: string): CatalogueEntry | null {
    const [row] = this.#all("SELECT entry FROM catalogue WHERE locator_id = ?", locatorId);
    return row === undefined ? null : entryOf(row);
  }

  /** The catalogue and the jobs without times; fingerprints, which every file makes with a key of its own, as whether they are right. */
  summary(source: AccountState): Plain {
    const [state] = this.#all("SELECT fingerprint_key FROM catalogue_state");
    const key = state?.["fingerprint_key"];
    const fingerprint = keyedFingerprint(key instanceof Uint8Array ? key : new Uint8Array(32));
    const right = (id: string): string | null => {
      const value = contentKeyIn(source, id);
      return value === null ? null : fingerprint(Buffer.from(value, "base64"));
    };
    const catalogue = this.changes(0).entries.map((entry): [string, Plain] => [entry.locatorId, described(entry, right)]);
    const jobs = this.#all("SELECT id, step, state FROM jobs").map((job): [string, Plain] => [
      String(job["id"]),
      `${String(job["state"])} at ${String(job["step"])}`,
    ]);
    return { catalogue: Object.fromEntries(catalogue), jobs: Object.fromEntries(jobs) };
  }

  /** As if the time of every lease had passed: the process that held them is gone. */
  expireLeases(): void {
    if (!existsSync(this.path)) return;
    using database = new DatabaseSync(this.path, { timeout: 5_000 });
    if (hasTables(database)) database.exec("UPDATE leases SET until = 0");
  }

  [Symbol.dispose](): void {
    this.#database?.close();
    this.#database = null;
  }

  #all(sql: string, ...values: readonly (string | number)[]): Record<string, unknown>[] {
    if (this.#database === null) {
      if (!existsSync(this.path)) return [];
      const database = new DatabaseSync(this.path, { readOnly: true, timeout: 5_000 });
      if (!hasTables(database)) {
        database.close();
        return [];
      }
      this.#database = database;
    }
    return this.#database.prepare(sql).all(...values);
  }
}

function hasTables(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'catalogue_state'").get() !== undefined;
}

function entryOf(row: Record<string, unknown>): CatalogueEntry {
  return JSON.parse(String(row["entry"])) as CatalogueEntry;
}

function described(entry: CatalogueEntry, right: (keyId: string) => string | null): Plain {
  const { locatorName, assetName, source, streamingPolicyName, contentKeyPolicyName, manifests, keys, regions } = entry;
  return {
    locatorName,
    assetName,
    source,
    streamingPolicyName,
    contentKeyPolicyName,
    manifests: { ...manifests },
    keys: Object.fromEntries(keys.map(({ id, fingerprint }) => [id, fingerprint === right(id) ? "right" : "wrong"])),
    regions: Object.fromEntries(Object.entries(regions).map(([name, { state, aligned }]) => [name, { state, aligned: aligned ?? null }])),
  };
}
