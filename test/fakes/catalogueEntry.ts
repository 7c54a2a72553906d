/** A catalogue entry as replication writes it. */
import type { CatalogueEntry } from "../../src/core/contracts.ts";

export function catalogueEntry(locatorId: string, change: Partial<CatalogueEntry> = {}): CatalogueEntry {
  return {
    locatorId,
    locatorName: `locator-${locatorId}`,
    assetName: "intro",
    source: "westeurope",
    streamingPolicyName: "Predefined_ClearKey",
    contentKeyPolicyName: "open",
    manifests: { hls: `/${locatorId}/intro.ism/manifest(format=m3u8-cmaf)`, dash: null },
    keys: [{ id: "0a0a0a0a-0000-4000-8000-000000000000", fingerprint: "f".repeat(64) }],
    regions: { westeurope: { state: "verified", at: 1_000, detail: "verified" } },
    publishedAt: 1_000,
    ...change,
  };
}
