/** What the accounts really hold, read past the gate and past everything of the replicator's. */
import { createHash } from "node:crypto";
import type { BlobItem, BlobServiceClient } from "@azure/storage-blob";
import type { MediaAccountStore } from "../../src/sandbox/management/store.ts";
import type { Region } from "./regions.ts";

/** Plain data: two of them are compared by `differences`. */
export interface AccountState {
  readonly assets: Plain;
  readonly locators: Plain;
  readonly contentKeyPolicies: Plain;
  readonly streamingPolicies: Plain;
  readonly accountFilters: Plain;
  /** Container -> blob -> what it is. */
  readonly blobs: Plain;
}

export type Plain = null | string | number | boolean | readonly Plain[] | { readonly [name: string]: Plain };
type Tree = { readonly [name: string]: Plain };

/** What the service gives by itself and nobody can keep. */
const ASSIGNED = new Set(["stamp", "assetId", "policyId", "policyOptionId", "created", "lastModified", "storageAccountName"]);

/** Entities without what the service assigns, by name. */
function entitiesOf(store: MediaAccountStore): Omit<AccountState, "blobs"> {
  return {
    assets: named(store.assets.values()),
    locators: named(store.locators()),
    contentKeyPolicies: named(store.contentKeyPolicies.values()),
    streamingPolicies: named(store.streamingPolicies.values()),
    accountFilters: named(store.accountFilters.values()),
  };
}

function named(records: readonly { readonly name: string }[]): Tree {
  return Object.fromEntries(records.map((record) => [record.name, plain(record)]));
}

/** Instants, bytes and maps of entities become data, too. */
export function plain(value: unknown): Plain {
  if (value === undefined || value === null) return null;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (isNamedMap(value)) return named(value.values());
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !ASSIGNED.has(name))
      .map(([name, part]) => [name, plain(part)]),
  );
}

function isNamedMap(value: unknown): value is { values(): { name: string }[] } {
  return typeof value === "object" && value !== null && "values" in value && typeof value.values === "function";
}

/** Contents are hashed once for each version of a blob. */
export class Truth {
  readonly #hashes = new Map<string, string>();

  async account(region: Region, containers: readonly string[] | null = null): Promise<AccountState> {
    const { store } = region.media();
    const names = containers ?? (await containersOf(region.blobs));
    const blobs: Record<string, Plain> = {};
    for (const name of names) blobs[name] = await this.container(region.blobs, name);
    return { ...entitiesOf(store), blobs };
  }

  /** Null where there is no such container. */
  async container(service: BlobServiceClient, name: string): Promise<Plain> {
    const client = service.getContainerClient(name);
    if (!(await client.exists())) return null;
    const blobs: Record<string, Plain> = {};
    for await (const item of client.listBlobsFlat({ includeMetadata: true, includeCopy: true, includeTags: true }))
      blobs[item.name] = { ...propertiesOf(item), sha256: await this.#hash(service, name, item) };
    return blobs;
  }

  async #hash(service: BlobServiceClient, container: string, { name, properties }: BlobItem): Promise<string> {
    const key = `${service.accountName} ${container} ${name} ${properties.etag}`;
    const known = this.#hashes.get(key);
    if (known !== undefined) return known;
    const content =
      properties.contentLength === 0 ? Buffer.alloc(0) : await service.getContainerClient(container).getBlobClient(name).downloadToBuffer();
    const hash = createHash("sha256").update(content).digest("hex");
    this.#hashes.set(key, hash);
    return hash;
  }
}

/** How a blob came to be is not among them. */
function propertiesOf({ properties, metadata = {}, tags = {} }: BlobItem): Tree {
  const { contentLength, contentType, contentEncoding, contentLanguage, contentDisposition, cacheControl, blobType, accessTier } =
    properties;
  const shown = { contentLength, contentType, contentEncoding, contentLanguage, contentDisposition, cacheControl, blobType, accessTier };
  const pending = properties.copyStatus === "pending" || properties.copyStatus === "failed" ? properties.copyStatus : "complete";
  return {
    ...(plain(shown) as Tree),
    // Where there is none, a listing says so by an empty text.
    metadata: plain({ ...(metadata as object) }),
    tags: plain(tags),
    state: pending,
  };
}

async function containersOf(service: BlobServiceClient): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of service.listContainers()) names.push(name);
  return names;
}
