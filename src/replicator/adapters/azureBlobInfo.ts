/** Between the SDK's shapes of a blob's properties (listing, HEAD, write) and the port's one. */
import type { BlobGetPropertiesResponse, BlobItem } from "@azure/storage-blob";
import type { BlobInfo, WriteCondition } from "../../core/ports/storage.ts";

type Properties = BlobItem["properties"] | BlobGetPropertiesResponse;

export function fromListing(item: BlobItem): BlobInfo {
  return blobInfo(item.name, item.properties, item.metadata ?? {});
}

export function fromHead(name: string, head: BlobGetPropertiesResponse): BlobInfo {
  return blobInfo(name, head, head.metadata ?? {});
}

function blobInfo(name: string, properties: Properties, metadata: Readonly<Record<string, string>>): BlobInfo {
  return {
    name,
    length: properties.contentLength ?? 0,
    etag: quoted(properties.etag ?? ""),
    type: properties.blobType ?? "BlockBlob",
    contentMd5: properties.contentMD5 === undefined ? null : Buffer.from(properties.contentMD5).toString("base64") || null,
    contentType: text(properties.contentType),
    contentEncoding: text(properties.contentEncoding),
    contentLanguage: text(properties.contentLanguage),
    contentDisposition: text(properties.contentDisposition),
    cacheControl: text(properties.cacheControl),
    metadata: lowerCaseNames(metadata),
    tier: text(properties.accessTier),
    copyStatus: properties.copyStatus ?? null,
  };
}

/** A listing gives ETags without quotes, a HEAD with them. */
function quoted(etag: string): string {
  return etag.startsWith('"') || etag.startsWith("W/") ? etag : `"${etag}"`;
}

function text(value: string | undefined): string | null {
  return value === undefined || value === "" ? null : value;
}

/** A HEAD shows metadata as headers, whose names Node lower-cases; a listing keeps their case. */
function lowerCaseNames(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name.toLowerCase(), value]));
}

/** Accounts with a hierarchical namespace list their directories as empty blobs. */
export function isDirectory(item: BlobItem): boolean {
  return item.metadata?.["hdi_isfolder"] === "true" || item.metadata?.["Hdi_isfolder"] === "true";
}

/** What a write may replace, as the SDK says it. */
export function conditionsOf(condition: WriteCondition): { readonly ifNoneMatch: string } | { readonly ifMatch: string } {
  return condition === "absent" ? { ifNoneMatch: "*" } : { ifMatch: condition.etag };
}

/** Tiers that are not what a new blob gets by itself. An archived blob cannot be copied, so its tier never is. */
const CARRIED_TIERS: readonly (string | null)[] = ["Cool", "Cold"];

/** The tier to ask for, where it is not what a new blob gets by itself. */
export function tierOf(blob: BlobInfo): { readonly tier?: string } {
  return blob.tier !== null && CARRIED_TIERS.includes(blob.tier) ? { tier: blob.tier } : {};
}
