/** The adapters of one region: where it answers, its media account, its storage. */
import { readFileSync } from "node:fs";
import type { Clock } from "../core/clock.ts";
import type { AccountConfig, StaticStorageConfig } from "../core/config/accounts.ts";
import type { RegionConfig } from "../core/config/schema.ts";
import { PaircastError } from "../core/errors.ts";
import type { Log } from "../core/log.ts";
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

/** Media accounts by region, of those that have one. Their SDKs take 40 MB of memory, so each is loaded where it is used. */
export async function mediaAccounts(regions: readonly RegionConfig[], clock: Clock, log: Log): Promise<Of<MediaAccount>> {
  const accounts = regions.map(async (region) => [region.name, await mediaAccount(region, clock, log)] as const);
  return new Map((await Promise.all(accounts)).flatMap(([name, account]) => (account === null ? [] : [[name, account]])));
}

async function mediaAccount({ name, account }: RegionConfig, clock: Clock, log: Log): Promise<MediaAccount | null> {
  switch (account.driver) {
    case "ams": {
      const { AzureMediaAccount } = await import("../replicator/adapters/azureMedia.ts");
      const { createCredential } = await import("../replicator/adapters/credentials.ts");
      const { endpoint, subscriptionId, resourceGroup, accountName } = account;
      const credential = createCredential(account.credential, { endpoint, subscriptionId, clock });
      return new AzureMediaAccount({ region: name, endpoint, subscriptionId, resourceGroup, accountName, credential, clock });
    }
    case "mkio": {
      log.warn("driver.untested", {
        region: name,
        driver: "mkio",
        advice: "tested against an emulator only: try it on a project that nobody depends on",
      });
      return mkioAccount(name, account, clock);
    }
    case "static":
      return null;
  }
}

type MkioConfig = Extract<AccountConfig, { readonly driver: "mkio" }>;

async function mkioAccount(region: string, account: MkioConfig, clock: Clock): Promise<MediaAccount> {
  const { MkioAccount } = await import("../replicator/adapters/mkioAccount.ts");
  const { openBlobService } = await import("../replicator/adapters/storageClients.ts");
  const { loginOf } = await import("../replicator/adapters/staticAccount.ts");
  const { endpoint, project, token, tokenHeader, storage } = account;
  const service = openBlobService({ url: storage.url, login: loginOf(storage.credential), clock });
  return new MkioAccount({ region, endpoint, project, token, tokenHeader, clock, storage: { accountName: storage.accountName, service } });
}

/** Storage by region, of those of the `static` driver that have it. Each SDK is loaded where it is used. */
export async function staticLibraries(regions: readonly RegionConfig[], clock: Clock): Promise<Of<StaticLibrary>> {
  const libraries = regions.map(async (region) => [region.name, await staticLibrary(region, clock)] as const);
  return new Map((await Promise.all(libraries)).flatMap(([name, library]) => (library === null ? [] : [[name, library]])));
}

async function staticLibrary({ name, account }: RegionConfig, clock: Clock): Promise<StaticLibrary | null> {
  if (account.driver !== "static" || account.storage === undefined) return null;
  const { storage, containers } = account;
  if (storage.kind === "s3") return s3Library(name, storage, containers, clock);
  const { AzureStaticLibrary } = await import("../replicator/adapters/staticAccount.ts");
  return new AzureStaticLibrary({ region: name, url: storage.url, credential: storage.credential, containers, clock });
}

type S3Storage = Extract<StaticStorageConfig, { readonly kind: "s3" }>;

async function s3Library(name: string, storage: S3Storage, containers: string, clock: Clock): Promise<StaticLibrary> {
  const { S3StaticLibrary } = await import("../replicator/adapters/s3Library.ts");
  const { endpoint = null, region, pathStyle = endpoint !== null, credential, trustEtags } = storage;
  const { bucket = null, prefix = "", publicAccess, conditionalWrites } = storage;
  const service = { endpoint, region, pathStyle, credential, trustEtags, clock };
  return new S3StaticLibrary({ region: name, service, bucket, prefix, containers, publicAccess, conditionalWrites });
}
