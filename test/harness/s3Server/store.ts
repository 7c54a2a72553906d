/** Buckets, objects and multipart uploads, in memory. */
import { createHash } from "node:crypto";
import { S3Error } from "./xml.ts";

/** Headers that an object keeps and gives back. */
export const KEPT = ["content-type", "content-encoding", "content-language", "content-disposition", "cache-control"] as const;

export interface Properties {
  readonly headers: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly storageClass: string;
}

export interface StoredObject extends Properties {
  readonly content: Buffer;
  readonly etag: string;
  readonly modified: Date;
  readonly tags: string;
  /** Base64 CRC32 of the whole object, where the writer asked for it. */
  readonly crc32?: string;
}

export interface Part {
  readonly content: Buffer;
  readonly etag: string;
}

export interface Upload extends Properties {
  readonly id: string;
  readonly key: string;
  readonly initiated: Date;
  readonly fullCrc32: boolean;
  readonly parts: Map<number, Part>;
}

export class Bucket {
  readonly objects = new Map<string, StoredObject>();
  readonly uploads = new Map<string, Upload>();
  /** Anybody may read its objects: a bucket policy that allows s3:GetObject. */
  readable = false;

  object(key: string): StoredObject {
    const found = this.objects.get(key);
    if (found === undefined) throw new S3Error(404, "NoSuchKey", "The specified key does not exist.");
    return found;
  }

  upload(key: string, id: string): Upload {
    const found = this.uploads.get(id);
    if (found === undefined || found.key !== key)
      throw new S3Error(
        404,
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or it may have been aborted.",
      );
    return found;
  }

  /** In the order of their UTF-8 bytes, as S3 lists them. */
  keys(prefix: string): string[] {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix));
    return keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }
}

/** Of one part. With KMS the ETag looks like an MD5 and is none. */
export function etagOf(content: Buffer, kms: boolean): string {
  const hash = createHash("md5").update(content);
  return `"${(kms ? hash.update("encrypted") : hash).digest("hex")}"`;
}

export function compositeEtag(parts: readonly Part[]): string {
  const digests = parts.map(({ etag }) => Buffer.from(etag.replaceAll('"', ""), "hex"));
  return `"${createHash("md5").update(Buffer.concat(digests)).digest("hex")}-${parts.length}"`;
}
