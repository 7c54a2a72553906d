/** Merges one region's verification into a catalogue entry. Pure. */
import type { CatalogueEntry, CataloguedKey, RegionCopy } from "../core/contracts.ts";

/** What an entry says of the video itself, the same for every region. */
export type VideoFacts = Omit<CatalogueEntry, "regions" | "publishedAt">;

/** The entry to write, or null where the stored one already says it. A copy that stays verified keeps its time. */
export function withCopy(stored: CatalogueEntry | null, found: VideoFacts, region: string, copy: RegionCopy): CatalogueEntry | null {
  const facts = stored === null ? found : { ...found, keys: found.keys.map((key) => asKnown(key, stored)) };
  if (stored !== null && sameFacts(stored, facts) && saysSame(stored.regions[region], copy)) return null;
  const others = stored === null ? {} : keysChanged(stored, facts) ? withdrawnOthers(stored, copy.at) : stored.regions;
  return { ...facts, regions: { ...others, [region]: measured(copy, others[region]) }, publishedAt: stored?.publishedAt ?? copy.at };
}

/** A key that could not be read this time is what it was. */
function asKnown(key: CataloguedKey, stored: CatalogueEntry): CataloguedKey {
  return key.fingerprint === null ? (stored.keys.find(({ id }) => id === key.id) ?? key) : key;
}

function measured(copy: RegionCopy, before: RegionCopy | undefined): RegionCopy {
  const aligned = copy.aligned ?? before?.aligned;
  const verification = copy.verification ?? (before?.state === "verified" ? before.verification : undefined);
  return { ...copy, ...(aligned === undefined ? {} : { aligned }), ...(verification === undefined ? {} : { verification }) };
}

/** What could not be measured this time stays as it was. */
function saysSame(stored: RegionCopy | undefined, copy: RegionCopy): boolean {
  if (stored?.state !== copy.state || stored.damage !== undefined) return false;
  const isFirst = stored.verification === undefined && copy.verification !== undefined;
  return !isFirst && (copy.aligned === undefined || copy.aligned === stored.aligned);
}

/** The entry with a region's copy withdrawn, or null where there is nothing to withdraw. */
export function withoutCopy(stored: CatalogueEntry, region: string, at: number, detail: string): CatalogueEntry | null {
  if (stored.regions[region]?.state !== "verified") return null;
  return { ...stored, regions: { ...stored.regions, [region]: { state: "withdrawn", at, detail } } };
}

function sameFacts(stored: CatalogueEntry, facts: VideoFacts): boolean {
  const { regions: _regions, publishedAt: _publishedAt, ...known } = stored;
  return factsText(known) === factsText(facts);
}

function factsText(facts: VideoFacts): string {
  const { manifests, keys, ...names } = facts;
  return JSON.stringify([
    Object.entries(names).sort(([one], [other]) => (one < other ? -1 : 1)),
    [manifests.hls, manifests.dash],
    keysText(keys),
  ]);
}

/**
 * Content under other keys is another video: copies that were verified under the old ones must not serve beside the new. A key that has
 * become known is no other key, and neither are those of a packaged video that was catalogued before its playlists were asked for them.
 */
function keysChanged(stored: CatalogueEntry, facts: VideoFacts): boolean {
  if (stored.keys.length === 0 && facts.keyHost !== undefined) return false;
  const before = stored.keys.map(({ id, fingerprint }) =>
    fingerprint === null ? (facts.keys.find((key) => key.id === id) ?? { id, fingerprint }) : { id, fingerprint },
  );
  return keysText(before) !== keysText(facts.keys);
}

/** The service answers keys in its own order. */
function keysText(keys: CatalogueEntry["keys"]): string {
  return keys
    .map(({ id, fingerprint }) => `${id}=${fingerprint ?? "unknown"}`)
    .sort()
    .join();
}

function withdrawnOthers(stored: CatalogueEntry, at: number): CatalogueEntry["regions"] {
  const withdrawn: RegionCopy = { state: "withdrawn", at, detail: "the content keys have changed and this copy was not verified since" };
  return Object.fromEntries(Object.keys(stored.regions).map((name) => [name, withdrawn]));
}
