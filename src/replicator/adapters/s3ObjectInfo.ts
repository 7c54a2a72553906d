/** Between an object's headers and the port's `BlobInfo`. */
import type { HeadObjectCommandOutput, PutObjectCommandInput, StorageClass } from "@aws-sdk/client-s3";
import type { BlobInfo, WriteCondition } from "../../core/ports/storage.ts";

/** Metadata under which uploads in parts keep the content's MD5, in Base64: a convention of rclone's, so that each believes the other's. */
export const MD5_METADATA = "md5chksum";

/** What S3 says of an object that was written without a type; other services have a name of their own for the same. */
const UNSET_TYPE = "binary/octet-stream";

export interface Md5Trust {
  /** False where ETags are no MD5 although nothing in an answer says so. */
  readonly trustEtags: boolean;
}

export function fromHead(name: string, head: HeadObjectCommandOutput, trust: Md5Trust): BlobInfo {
  const { [MD5_METADATA]: _md5, ...metadata } = head.Metadata ?? {};
  return {
    name,
    length: head.ContentLength ?? 0,
    etag: head.ETag ?? "",
    type: "BlockBlob",
    contentMd5: md5Of(head, trust),
    contentType: head.ContentType === UNSET_TYPE ? "application/octet-stream" : text(head.ContentType),
    contentEncoding: text(head.ContentEncoding),
    contentLanguage: text(head.ContentLanguage),
    contentDisposition: text(head.ContentDisposition),
    cacheControl: text(head.CacheControl),
    metadata: identifiers(metadata),
    tier: tierOf(head),
    copyStatus: null,
  };
}

/**
 * An ETag is the content's MD5 only where the object came in one part and is not encrypted with a key of KMS or of the client's. Else it is
 * what the service says of the whole object, or what whoever wrote it has noted beside it.
 */
function md5Of(head: HeadObjectCommandOutput, { trustEtags }: Md5Trust): string | null {
  const hex = /^"([0-9a-f]{32})"$/.exec(head.ETag ?? "")?.[1];
  if (trustEtags && hex !== undefined && !isOpaque(head)) return Buffer.from(hex, "hex").toString("base64");
  if (head.ChecksumType === "FULL_OBJECT" && isMd5(head.ChecksumMD5)) return head.ChecksumMD5;
  const noted = head.Metadata?.[MD5_METADATA];
  return isMd5(noted) ? noted : null;
}

function isOpaque({ ServerSideEncryption: encryption, SSECustomerAlgorithm: own }: HeadObjectCommandOutput): boolean {
  return encryption?.startsWith("aws:kms") === true || own !== undefined;
}

function isMd5(value: string | undefined): value is string {
  return value !== undefined && /^[A-Za-z0-9+/]{22}==$/.test(value);
}

function text(value: string | undefined): string | null {
  return value === undefined || value === "" ? null : value;
}

/** Azure takes names only that are identifiers of C#. So the same names are seen on both sides, whatever a tool has called them. */
function identifiers(metadata: Readonly<Record<string, string>>): Record<string, string> {
  const name = (own: string): string => own.replaceAll(/[^A-Za-z0-9_]/g, "_").replace(/^(?=\d)/, "_");
  return Object.fromEntries(Object.entries(metadata).map(([own, value]) => [name(own), value]));
}

/** Storage classes by the names of Azure's tiers; what has no counterpart (infrequent access in one zone) goes by what it is most like. */
const TIERS: Readonly<Record<string, string>> = {
  STANDARD_IA: "Cool",
  ONEZONE_IA: "Cool",
  GLACIER_IR: "Cold",
  GLACIER: "Archive",
  DEEP_ARCHIVE: "Archive",
};

function tierOf({ StorageClass: storageClass, Restore: restore, ArchiveStatus: archived }: HeadObjectCommandOutput): string {
  if (archived !== undefined) return "Archive";
  const tier = TIERS[storageClass ?? "STANDARD"] ?? "Hot";
  // A restored object can be read although its class stays.
  return tier === "Archive" && restore?.includes('ongoing-request="false"') === true ? "Hot" : tier;
}

/** The class to ask for, where it is not what a new object gets by itself. */
export function storageClassOf({ tier }: BlobInfo): { readonly StorageClass?: StorageClass } {
  if (tier === "Cool") return { StorageClass: "STANDARD_IA" };
  return tier === "Cold" ? { StorageClass: "GLACIER_IR" } : {};
}

/** What an object is written with beside its content. */
export type ObjectHeaders = Pick<
  PutObjectCommandInput,
  "ContentType" | "ContentEncoding" | "ContentLanguage" | "ContentDisposition" | "CacheControl" | "Metadata" | "StorageClass"
>;

/** What a copy of the blob is written with. `md5` (Base64) is noted beside the content; null: nothing is. */
export function headersOf(blob: BlobInfo, md5: string | null): ObjectHeaders {
  return {
    ...(blob.contentType === null ? {} : { ContentType: blob.contentType }),
    ...(blob.contentEncoding === null ? {} : { ContentEncoding: blob.contentEncoding }),
    ...(blob.contentLanguage === null ? {} : { ContentLanguage: blob.contentLanguage }),
    ...(blob.contentDisposition === null ? {} : { ContentDisposition: blob.contentDisposition }),
    ...(blob.cacheControl === null ? {} : { CacheControl: blob.cacheControl }),
    Metadata: { ...blob.metadata, ...(md5 === null ? {} : { [MD5_METADATA]: md5 }) },
    ...storageClassOf(blob),
  };
}

/** What a write may replace, as the SDK says it. */
export function conditionsOf(condition: WriteCondition): { readonly IfNoneMatch: string } | { readonly IfMatch: string } {
  return condition === "absent" ? { IfNoneMatch: "*" } : { IfMatch: condition.etag };
}

/** A key of a listing that was asked for with `encoding-type=url`. */
export function decodedKey(key: string): string {
  return decodeURIComponent(key.replaceAll("+", "%20"));
}
