/** What an entry of an archive makes of the one that is stored. Pure. */
import type { CatalogueEntry, RegionCopy } from "../../core/contracts.ts";

export interface MergeRules {
  /** Copies that were verified where the archive was made may serve here, too. */
  readonly trust: boolean;
  /** Also over what is newer here. */
  readonly overwrite: boolean;
  /** The archive's fingerprints were made under this store's key: others say nothing here. */
  readonly knowsFingerprints: boolean;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** `kept`: what is stored is as new, or newer. */
export type Merged = { readonly action: "unchanged" | "kept" } | { readonly action: "write"; readonly entry: CatalogueEntry };

const NOT_VERIFIED = "imported, and not verified since";

export function merged(stored: CatalogueEntry | null, imported: CatalogueEntry, rules: MergeRules): Merged {
  const entry = asImported(stored, imported, rules);
  if (stored === null) return { action: "write", entry };
  if (isEqual(stored, entry)) return { action: "unchanged" };
  return rules.overwrite || newest(stored) < newest(imported) ? { action: "write", entry } : { action: "kept" };
}

function asImported(stored: CatalogueEntry | null, imported: CatalogueEntry, rules: MergeRules): CatalogueEntry {
  const keys = rules.knowsFingerprints ? imported.keys : imported.keys.map(({ id }) => ({ id, fingerprint: fingerprintOf(stored, id) }));
  const entry = { ...imported, keys };
  if (rules.trust) return entry;
  const known = stored !== null && isEqual(stored.keys, keys) ? stored.regions : {};
  const regions = Object.entries(entry.regions).map(([name, copy]) => [name, untrusted(copy, known[name], rules.now)] as const);
  return { ...entry, regions: Object.fromEntries(regions) };
}

/** What was verified here under the same keys stays so. */
function untrusted(copy: RegionCopy, here: RegionCopy | undefined, at: number): RegionCopy {
  if (copy.state !== "verified") return copy;
  return here?.state === "verified" ? here : { state: "withdrawn", at, detail: NOT_VERIFIED };
}

function fingerprintOf(stored: CatalogueEntry | null, id: string): string | null {
  return stored?.keys.find((key) => key.id === id)?.fingerprint ?? null;
}

/** When anything of an entry was last said. */
function newest({ publishedAt, regions }: CatalogueEntry): number {
  return Object.values(regions).reduce((latest, { at }) => Math.max(latest, at), publishedAt);
}

function isEqual(one: unknown, other: unknown): boolean {
  return textOf(one) === textOf(other);
}

/** Names in order, so that equal values have equal texts. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}
