/** Between the SDK's shapes of a blob's properties (listing, HEAD, write) and the port's one. */
import type { BlobGetPropertiesResponse } from "@azure/storage-blob";
import type { BlobInfo, WriteCondition } from "../../core/ports/storage.ts";
import type { ListedBlob } from "./blobListing.ts";

export function fromListing({ name, properties, metadata }: ListedBlob): BlobInfo {
  return {
    name,
    length: Number(properties["Content-Length"] ?? 0),
    etag: quoted(properties["Etag"] ?? ""),
    type: typeOf(properties["BlobType"]),
    contentMd5: text(properties["Content-MD5"]),
    contentType: text(properties["Content-Type"]),
    contentEncoding: text(properties["Content-Encoding"]),
    contentLanguage: text(properties["Content-Language"]),
    contentDisposition: text(properties["Content-Disposition"]),
    cacheControl: text(properties["Cache-Control"]),
    metadata: lowerCaseNames(metadata),
    tier: text(properties["AccessTier"]),
    copyStatus: statusOf(properties["CopyStatus"]),
  };
}

export function fromHead(name: string, head: BlobGetPropertiesResponse): BlobInfo {
  return {
    name,
    length: head.contentLength ?? 0,
    etag: quoted(head.etag ?? ""),
    type: typeOf(head.blobType),
    contentMd5: head.contentMD5 === undefined ? null : text(Buffer.from(head.contentMD5).toString("base64")),
    contentType: text(head.contentType),
    contentEncoding: text(head.contentEncoding),
    contentLanguage: text(head.contentLanguage),
    contentDisposition: text(head.contentDisposition),
    cacheControl: text(head.cacheControl),
    metadata: lowerCaseNames(head.metadata ?? {}),
    tier: text(head.accessTier),
    copyStatus: statusOf(head.copyStatus),
  };
}

function typeOf(type: string | undefined): BlobInfo["type"] {
  return type === "PageBlob" || type === "AppendBlob" ? type : "BlockBlob";
}

/** A status that nobody knows is not one to be relied on. */
function statusOf(status: string | undefined): BlobInfo["copyStatus"] {
  if (status === undefined || status === "") return null;
  return status === "pending" || status === "success" || status === "aborted" ? status : "failed";
}

/** A listing gives ETags without quotes, a HEAD with them. */
export function quoted(etag: string): string {
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
export function isDirectory({ metadata }: ListedBlob): boolean {
  return metadata["hdi_isfolder"] === "true" || metadata["Hdi_isfolder"] === "true";
}

/** What a write may replace, as the SDK says it. */
export function conditionsOf(condition: WriteCondition): { readonly ifNoneMatch: string } | { readonly ifMatch: string } {
  return condition === "absent" ? { ifNoneMatch: "*" } : { ifMatch: condition.etag };
}

/** Tiers that are not what a new blob gets by itself. An archived blob cannot be copied, so its tier never is. */
const CARRIED_TIERS: readonly (string | null)[] = ["Cool", "Cold"];

/** The tier to ask for; null where a new blob gets it by itself. */
export function tierOf({ tier }: Pick<BlobInfo, "tier">): string | null {
  return CARRIED_TIERS.includes(tier) ? tier : null;
}
