/** The two kinds of accounts, as a rebuild lists them and copies from them. */
import { PaircastError } from "../../core/errors.ts";
import type { KeyRecords } from "../../core/ports/keyRecords.ts";
import { LOCATOR_PREFIX } from "../keyRecords/content.ts";
import { RecordedAccount } from "../keyRecords/recordedAccount.ts";
import { replicateAsset, type AmsDeps } from "../run.ts";
import { replicateVideo, type StaticDeps } from "../runStatic.ts";
import { RECORD } from "./plan.ts";
import type { RebuildDriver } from "./rebuild.ts";

/** `keyRecords`: what `deps.records` reads. */
export function amsRebuildDriver(deps: AmsDeps, keyRecords: KeyRecords): RebuildDriver {
  const { accounts, records = null } = deps;
  const live = { ...deps, keepsSource: true };
  return {
    listing: async function* (region, signal) {
      for await (const { streamingLocatorId } of of(accounts, region).locators(signal)) yield streamingLocatorId;
    },
    replicate: async ({ from, files, assetName, locatorIds }, target, stop) => {
      const identity = { source: from, target, assetName, locatorIds };
      if (from !== RECORD || records === null) return replicateAsset(live, identity, stop);
      const recorded = new RecordedAccount({ book: records, region: RECORD, locatorIds, files: of(accounts, files) });
      const regions = new Map(deps.regions);
      const holder = deps.regions.get(files);
      // Whether the copy is aligned is measured against the one whose files it has.
      if (holder !== undefined && files !== target) regions.set(RECORD, holder);
      return replicateAsset({ ...live, regions, accounts: new Map([...accounts, [RECORD, recorded]]) }, identity, stop);
    },
    recorded: records === null ? null : async () => recordedLocators(keyRecords),
  };
}

async function recordedLocators(keyRecords: KeyRecords): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for await (const { id } of keyRecords.list()) if (id.startsWith(LOCATOR_PREFIX)) ids.add(id.slice(LOCATOR_PREFIX.length));
  return ids;
}

export function staticRebuildDriver(deps: StaticDeps): RebuildDriver {
  return {
    listing: (region, signal) => of(deps.libraries, region).videos(signal),
    replicate: ({ from, assetName, locatorIds }, target, stop) =>
      replicateVideo({ ...deps, keepsSource: true }, { source: from, target, assetName, locatorIds }, stop),
    recorded: null,
  };
}

/** Regions were looked up before. */
function of<T>(adapters: ReadonlyMap<string, T>, region: string): T {
  const adapter = adapters.get(region);
  if (adapter !== undefined) return adapter;
  throw new PaircastError("not_configured", `rebuild: region ${region} has neither a media account nor storage`);
}
