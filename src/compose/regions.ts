/** The adapters of one region: where it answers, its media account, its storage. */
import { readFileSync } from "node:fs";
import type { Clock } from "../core/clock.ts";
import type { RegionConfig } from "../core/config/schema.ts";
import { PaircastError } from "../core/errors.ts";
import type { MediaAccount } from "../core/ports/media.ts";
import type { StaticLibrary } from "../core/ports/storage.ts";

/** Base URLs of a region, with the authority to trust there. Throws `ca_unreadable` where its file cannot be read. */
export function originsOf(region: RegionConfig): { url: string; ca: string | null }[] {
  const ca = region.caFile === undefined ? null : authority(region.name, region.caFile);
  return [region.streaming, region.keys].filter((url) => url !== undefined).map((url) => ({ url, ca }));
}

function authority(region: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new PaircastError("ca_unreadable", `region ${region}: caFile ${file} cannot be read; name a PEM file`, { cause });
  }
}

type Of<T> = ReadonlyMap<string, T>;

/** Media accounts by region, of those that have one. Their SDK takes 40 MB of memory, so it is loaded where it is used. */
export async function mediaAccounts(regions: readonly RegionConfig[], clock: Clock): Promise<Of<MediaAccount>> {
  if (regions.every(({ account }) => account.driver !== "ams")) return new Map();
  const { AzureMediaAccount } = await import("../replicator/adapters/azureMedia.ts");
  const { createCredential } = await import("../replicator/adapters/credentials.ts");
  return new Map(
    regions.flatMap(({ name, account }) => {
      if (account.driver !== "ams") return [];
      const { endpoint, subscriptionId, resourceGroup, accountName } = account;
      const credential = createCredential(account.credential, { endpoint, subscriptionId, clock });
      return [[name, new AzureMediaAccount({ region: name, endpoint, subscriptionId, resourceGroup, accountName, credential, clock })]];
    }),
  );
}

/** Storage by region, of those of the `static` driver that have it. */
export async function staticLibraries(regions: readonly RegionConfig[], clock: Clock): Promise<Of<StaticLibrary>> {
  if (regions.every(({ account }) => account.driver !== "static" || account.storage === undefined)) return new Map();
  const { AzureStaticLibrary } = await import("../replicator/adapters/staticAccount.ts");
  return new Map(
    regions.flatMap(({ name, account }) => {
      if (account.driver !== "static" || account.storage === undefined) return [];
      const { storage, containers } = account;
      return [[name, new AzureStaticLibrary({ region: name, url: storage.url, credential: storage.credential, containers, clock })]];
    }),
  );
}
