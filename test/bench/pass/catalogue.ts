/** A state file whose catalogue has every video verified in both regions: as it is after the first pass over the library. */
import type { CatalogueEntry } from "../../../src/core/contracts.ts";
import { inTransaction, openDatabase } from "../../../src/core/sqlite.ts";
import { assetName, locatorId } from "./library.ts";

export function fillCatalogue(path: string, regions: readonly [string, string], videos: number, at: number): void {
  const database = openDatabase(path);
  inTransaction(database, () => {
    const insert = database.prepare("INSERT INTO catalogue (locator_id, version, entry) VALUES (?, ?, ?)");
    for (let number = 0; number < videos; number += 1)
      insert.run(locatorId(number), number + 1, JSON.stringify(entryOf(number, regions, at)));
    database.exec(`UPDATE catalogue_state SET revision = ${videos} WHERE id = 1`);
  });
  database.close();
}

function entryOf(number: number, [source, target]: readonly [string, string], at: number): CatalogueEntry {
  const manifest = `/${locatorId(number)}/video.ism/manifest`;
  const detail = "plays as HLS and DASH, manifest, segments and key; same segments and timeline as the source's copy";
  return {
    locatorId: locatorId(number),
    locatorName: `locator-${assetName(number)}`,
    assetName: assetName(number),
    source,
    streamingPolicyName: "Predefined_ClearStreamingOnly",
    contentKeyPolicyName: null,
    manifests: { hls: `${manifest}(format=m3u8-cmaf)`, dash: `${manifest}(format=mpd-time-cmaf)` },
    keys: [],
    regions: { [source]: { state: "verified", at, detail }, [target]: { state: "verified", at, detail, aligned: true } },
    publishedAt: at,
  };
}
