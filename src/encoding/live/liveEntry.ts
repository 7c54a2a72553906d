/** What the catalogue says of a pair of live events. A region's copy serves when it was seen to be on air (`src/health`), not before. Pure. */
import type { CatalogueEntry, RegionCopy } from "../../core/contracts.ts";

export type LiveFacts = Omit<CatalogueEntry, "regions" | "publishedAt" | "source">;

export const NOT_ON_AIR = "not seen on air yet";
export const STOPPED = "its live event is stopped";

/** The entry with these regions, in which everything is made; null where it is stored so. Copies that are known stay as they are. */
export function withRegions(
  stored: CatalogueEntry | null,
  facts: LiveFacts,
  { source, regions, at }: { readonly source: string; readonly regions: readonly string[]; readonly at: number },
): CatalogueEntry | null {
  const known = stored?.regions ?? {};
  const added = regions.filter((region) => known[region] === undefined);
  if (stored !== null && added.length === 0 && sameFacts(stored, facts)) return null;
  const fresh = added.map((region) => [region, withdrawn(at, NOT_ON_AIR)] as const);
  return {
    ...facts,
    source: stored?.source ?? source,
    regions: { ...known, ...Object.fromEntries(fresh) },
    publishedAt: stored?.publishedAt ?? at,
  };
}

/** With these regions' copies out of service; null where they are. */
export function outOfService(stored: CatalogueEntry, regions: readonly string[], at: number, detail: string): CatalogueEntry | null {
  const serving = regions.filter((region) => stored.regions[region]?.state === "verified");
  if (serving.length === 0) return null;
  const changed = serving.map((region) => [region, withdrawn(at, detail)] as const);
  return { ...stored, regions: { ...stored.regions, ...Object.fromEntries(changed) } };
}

/** Without these regions; `gone` where none is left. */
export function withoutRegions(stored: CatalogueEntry, regions: readonly string[]): CatalogueEntry | "gone" {
  const left = Object.fromEntries(Object.entries(stored.regions).filter(([region]) => !regions.includes(region)));
  const [first] = Object.keys(left);
  if (first === undefined) return "gone";
  return { ...stored, source: left[stored.source] === undefined ? first : stored.source, regions: left };
}

function withdrawn(at: number, detail: string): RegionCopy {
  return { state: "withdrawn", at, detail };
}

function sameFacts(
  { regions: _regions, publishedAt: _publishedAt, source: _source, ...stored }: CatalogueEntry,
  facts: LiveFacts,
): boolean {
  const text = (of: LiveFacts): string =>
    JSON.stringify(Object.entries({ ...of, keys: of.keys.map(({ id, fingerprint }) => `${id}=${fingerprint ?? ""}`).sort() }).sort(byName));
  return text(stored) === text(facts);
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}
