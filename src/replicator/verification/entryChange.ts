/** What a verification changes in a catalogue entry. Pure. */
import type { CatalogueEntry, CopyDamage, CopyVerification, RegionCopy } from "../../core/contracts.ts";

/** The entry with what was verified of a region's copy, or null where that copy does not serve any more. */
export function withVerification(stored: CatalogueEntry, region: string, verification: CopyVerification): CatalogueEntry | null {
  const copy = stored.regions[region];
  return copy?.state === "verified" ? withRegion(stored, region, { ...copy, verification }) : null;
}

/**
 * The entry with a region's copy withdrawn for its damage, or null where it does not serve any more. The last copy that serves is not taken away, as
 * a video with a fault is better than none: its damage is marked.
 */
export function withDamage(
  stored: CatalogueEntry,
  region: string,
  { at, detail, damage }: { readonly at: number; readonly detail: string; readonly damage: CopyDamage | null },
): CatalogueEntry | null {
  if (stored.regions[region]?.state !== "verified") return null;
  if (servesOnlyFrom(stored, region)) return damage === null ? null : withMark(stored, region, damage);
  return withRegion(stored, region, { state: "withdrawn", at, detail, ...(damage === null ? {} : { damage }) });
}

/** The entry with blobs of a region's copy marked to be copied again while it serves on. */
export function withMark(stored: CatalogueEntry, region: string, damage: CopyDamage): CatalogueEntry | null {
  const copy = stored.regions[region];
  return copy?.state === "verified" ? withRegion(stored, region, { ...copy, damage }) : null;
}

function servesOnlyFrom({ regions }: CatalogueEntry, region: string): boolean {
  return !Object.entries(regions).some(([name, { state }]) => name !== region && state === "verified");
}

function withRegion(stored: CatalogueEntry, region: string, copy: RegionCopy): CatalogueEntry {
  return { ...stored, regions: { ...stored.regions, [region]: copy } };
}
