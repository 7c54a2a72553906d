/** A catalogue entry for processes that run without the test runner. */
import type { CatalogueEntry } from "../../src/core/contracts.ts";

export function catalogueEntry(locatorId: string, change: Partial<CatalogueEntry>): CatalogueEntry {
  return {
    locatorId,
    locatorName: locatorId,
    assetName: "intro",
    source: "westeurope",
    streamingPolicyName: null,
    contentKeyPolicyName: null,
    manifests: { hls: null, dash: null },
    keys: [],
    regions: {},
    publishedAt: 0,
    ...change,
  };
}
